/* What the files of communication share. */
#ifndef NAS_COMMON_COMM_COMM_INTERNAL_H
#define NAS_COMMON_COMM_COMM_INTERNAL_H

#include "common/comm/comm.h"

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

/** Bytes of one MPI message at most: what MPI may set aside for it is small, and tests send
 *  more. */
enum { NAS_COMM_MAX_PIECE = 4 << 20 };

enum { NAS_COMM_TAG_GATHER = 1, NAS_COMM_TAG_SCATTER, NAS_COMM_TAG_EXCHANGE };

/** Abort the job unless an MPI call succeeded. */
#define NAS_MPI(call)                                                                              \
    do {                                                                                           \
        if ((call) != MPI_SUCCESS) nas_comm_abort(#call " failed");                                \
    } while (0)

/** The pauses of one wait. Zero-initialise. */
typedef struct nas_comm_nap {
    int n;
    long length_ns;
} nas_comm_nap_t;

/** Pause between two tests: not at all at first, since most waits are short, then ever longer, up
 *  to a millisecond, so that a rank that waits for a long training leaves its core alone. Returns
 *  whether it slept. */
bool nas_comm_nap(nas_comm_nap_t *nap);

/** Have a function called between two naps of every wait (the heartbeat's poll); NULL: none. */
void nas_comm_call_between_naps(void (*function)(void));

/** Complete a request, sleeping between tests. */
void nas_comm_wait(MPI_Request *request);

/** As nas_comm_abort, with the whole line for the user but its beginning, "robotnas: ". */
_Noreturn void nas_comm_give_up(const char *line);

/** Make room for size bytes; aborts the job when there is no memory, since the others already
 *  wait. */
void nas_comm_reserve(nas_comm_buffer_t *buffer, size_t size);

#endif
