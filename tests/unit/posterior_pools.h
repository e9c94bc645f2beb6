/* Pools that posteriors are tested with. */
#ifndef NAS_TESTS_POSTERIOR_POOLS_H
#define NAS_TESTS_POSTERIOR_POOLS_H

#include "tests/unit/posterior_case.h"

#include <criterion/criterion.h>

enum { MEMORY = 1 << 30, MAX_ARCH = 1100 };

/* Pools around the borders of tiles (16 rows) and of blocks (1024 rows). */
static const struct {
    int64_t n_arch, n_metric;
    int n_position;
} CASES[] = {{1, 3, 4},   {2, 1, 0},   {15, 13, 6}, {16, 0, 6},    {17, 2, 1},  {33, 13, 0},
             {100, 0, 4}, {300, 1, 3}, {511, 9, 5}, {1025, 13, 6}, {1100, 6, 0}};

enum { N_CASES = sizeof CASES / sizeof *CASES };

static inline nas_comm_t *self(void)
{
    nas_error_t err = {0};
    nas_comm_t *comm = NULL;
    cr_assert_eq(nas_comm_self(&comm, &err), NAS_OK);
    return comm;
}

static inline posterior_case_t case_number(int i)
{
    return case_create(CASES[i].n_arch, CASES[i].n_metric, CASES[i].n_position);
}

static inline bool is_admitted(const case_points_t *points, double hidden, int64_t arch)
{
    for (int64_t i = 0; i < points->n; i++)
        if (points->arch[i] == arch) return false;
    return !nas_posterior_hides(3, hidden, arch);
}

#endif
