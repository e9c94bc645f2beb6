/* Random search: T distinct architectures, uniformly.
 *
 * Draw number i is uniform among the architectures not drawn before and keyed by i, so the sequence
 * is the same for every q. What was proposed counts as drawn: it is told next.
 */
#include "common/base/visited.h"
#include "coordinator/search/methods/method.h"
#include "coordinator/search/methods/visit.h"

#include <stdlib.h>

typedef struct random_search {
    nas_method_setup_t setup;
    nas_visited_t drawn;
} random_search_t;

static void destroy(void *self)
{
    random_search_t *search = self;
    if (!search) return;
    nas_visited_fini(&search->drawn);
    free(search);
}

static nas_status_t create(const nas_method_setup_t *setup, void **self_p, nas_error_t *err)
{
    random_search_t *search = calloc(1, sizeof *search);
    if (!search) return nas_error_nomem(err, "random search");
    search->setup = *setup;
    const nas_status_t status = nas_visited_init(&search->drawn, setup->n_arch, setup->budget, err);
    if (status)
        destroy(search);
    else
        *self_p = search;
    return status;
}

static nas_status_t ask(void *self, nas_query_t *query, nas_error_t *err)
{
    (void)err;
    const random_search_t *search = self;
    const bool done = search->drawn.n == search->setup.budget;
    *query = (nas_query_t){.kind = done ? NAS_QUERY_DONE : NAS_QUERY_NONE};
    return NAS_OK;
}

static nas_status_t propose(void *self, const int64_t *answer, nas_proposals_t *proposals,
                            nas_error_t *err)
{
    (void)answer;
    random_search_t *search = self;
    proposals->n = 0;
    proposals->n_frontier = 0;
    while (proposals->n < search->setup.parallel && search->drawn.n < search->setup.budget) {
        nas_rng_t rng;
        const nas_status_t status = nas_interrupt_check(search->setup.interrupt, 0.0, err);
        if (status) return status;
        nas_rng_init(&rng, search->setup.seed, NAS_STREAM_RANDOM, (uint64_t)search->drawn.n);
        const int64_t arch = nas_visited_draw(&search->drawn, &rng);
        (void)nas_visited_add(&search->drawn, arch);
        proposals->phase[proposals->n] = NAS_PHASE_EXPLORE;
        proposals->arch[proposals->n++] = arch;
    }
    return NAS_OK;
}

static nas_status_t tell(void *self, const nas_result_t *result, int64_t n, nas_error_t *err)
{
    random_search_t *search = self;
    return nas_method_visit(&search->setup, &search->drawn, result, n, err);
}

/* A draw, and an entry of what is drawn. */
static nas_method_need_t need(const nas_method_setup_t *setup)
{
    const double n = (double)setup->budget;
    return (nas_method_need_t){.n_bytes = 20.0 * n, .seconds = 1e-6 * n};
}

const nas_method_t nas_method_random = {
    .name = "random",
    .summary = "uniformly drawn architectures",
    .need = need,
    .create = create,
    .destroy = destroy,
    .ask = ask,
    .propose = propose,
    .tell = tell,
};
