/* Checks for MPI tests: a failed one says where and ends the whole job with a non-zero exit code.
 */
#ifndef NAS_TESTS_MPI_CHECK_H
#define NAS_TESTS_MPI_CHECK_H

#include "common/comm/comm.h"

#include <stdio.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);        \
            nas_comm_abort("a check failed");                                                      \
        }                                                                                          \
    } while (0)

/** Run body(world) between init and finalize; the exit code of the test. */
static inline int run_mpi_test(void (*body)(nas_comm_t *world))
{
    nas_comm_t *world = NULL;
    nas_error_t err = {0};
    CHECK(nas_comm_init(&world, &err) == NAS_OK);
    body(world);
    return nas_comm_finalize(world, 0);
}

#endif
