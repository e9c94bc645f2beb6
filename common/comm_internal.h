/* What comm.c and comm_top.c share. */
#ifndef NAS_COMMON_COMM_INTERNAL_H
#define NAS_COMMON_COMM_INTERNAL_H

#include "common/comm.h"

#include <mpi.h>

/** A growing buffer that a communicator lends out. */
typedef struct nas_comm_buffer {
    char *data;
    size_t capacity;
} nas_comm_buffer_t;

struct nas_comm {
    MPI_Comm handle; /**< MPI_COMM_NULL for nas_comm_self */
    int rank;
    int size;
    nas_comm_buffer_t gathered;  /**< lent by nas_comm_gather */
    nas_comm_buffer_t scattered; /**< lent by nas_comm_scatter */
    nas_comm_buffer_t reduced;   /**< message of nas_comm_reduce_top */
};

/** Abort the job unless an MPI call succeeded. */
#define NAS_MPI(call)                                                                              \
    do {                                                                                           \
        if ((call) != MPI_SUCCESS) nas_comm_abort(#call " failed");                                \
    } while (0)

/** Complete a request, sleeping between tests. */
void nas_comm_wait(MPI_Request *request);

/** Make room for size bytes; aborts the job when there is no memory, since the others already
 *  wait. */
void nas_comm_reserve(nas_comm_buffer_t *buffer, size_t size);

#endif
