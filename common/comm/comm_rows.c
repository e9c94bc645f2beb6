/* Rows that every rank has some of, moved to where they are wanted. */
#include "common/comm/comm_internal.h"

#include <stdlib.h>
#include <string.h>

void nas_comm_all_gather(nas_comm_t *comm, const void *mine, size_t size, void *all)
{
    if (comm->size == 1) {
        memcpy(all, mine, size);
        return;
    }
    MPI_Request request;
    NAS_MPI(MPI_Iallgather(mine, (int)size, MPI_BYTE, all, (int)size, MPI_BYTE, comm->handle,
                           &request));
    nas_comm_wait(&request);
}

/* Bytes to a rank, or from one. */
typedef struct message {
    char *data;
    size_t size;
    int rank;
} message_t;

/* The next piece of a message, which both sides cut alike. */
static int next_piece(const message_t *message, size_t done)
{
    const size_t left = message->size > done ? message->size - done : 0;
    return (int)(left < NAS_COMM_MAX_PIECE ? left : NAS_COMM_MAX_PIECE);
}

/* One message to one rank and one from another, at the same time. */
static void swap(nas_comm_t *comm, const message_t *out, const message_t *in)
{
    for (size_t done = 0; done < out->size || done < in->size; done += NAS_COMM_MAX_PIECE) {
        MPI_Request request[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
        const int n_in = next_piece(in, done), n_out = next_piece(out, done);
        if (n_in)
            NAS_MPI(MPI_Irecv(in->data + done, n_in, MPI_BYTE, in->rank, NAS_COMM_TAG_EXCHANGE,
                              comm->handle, &request[0]));
        if (n_out)
            NAS_MPI(MPI_Isend(out->data + done, n_out, MPI_BYTE, out->rank, NAS_COMM_TAG_EXCHANGE,
                              comm->handle, &request[1]));
        nas_comm_wait(&request[0]);
        nas_comm_wait(&request[1]);
    }
}

static message_t message_of(const void *data, const nas_comm_range_t *range, int rank)
{
    char *begin = (char *)(uintptr_t)data; /* nothing is written to what is sent */
    return (message_t){.data = range[rank].size ? begin + range[rank].begin : begin,
                       .size = range[rank].size,
                       .rank = rank};
}

void nas_comm_exchange(nas_comm_t *comm, const void *out, const nas_comm_range_t *sent, void *in,
                       const nas_comm_range_t *received)
{
    const int rank = comm->rank, size = comm->size;
    if (sent[rank].size)
        memcpy((char *)in + received[rank].begin, (const char *)out + sent[rank].begin,
               sent[rank].size);
    for (int step = 1; step < size; step++) {
        const message_t to = message_of(out, sent, (rank + step) % size);
        const message_t from = message_of(in, received, (rank - step + size) % size);
        swap(comm, &to, &from);
    }
}

/* The bytes of held that lie in wanted, counted from the beginning of `base`. */
static nas_comm_range_t overlap(const nas_comm_rows_t *held, const nas_comm_rows_t *wanted,
                                const nas_comm_rows_t *base)
{
    const int64_t first = held->first > wanted->first ? held->first : wanted->first;
    const int64_t held_end = held->first + held->n, wanted_end = wanted->first + wanted->n;
    const int64_t end = held_end < wanted_end ? held_end : wanted_end;
    if (end <= first) return (nas_comm_range_t){0};
    return (nas_comm_range_t){.begin = (size_t)(first - base->first) * sizeof(double),
                              .size = (size_t)(end - first) * sizeof(double)};
}

void nas_comm_move_rows(nas_comm_t *comm, nas_comm_rows_t held, const double *value,
                        nas_comm_rows_t wanted, double *moved)
{
    typedef struct claim {
        nas_comm_rows_t held, wanted;
    } claim_t;
    const size_t n = (size_t)comm->size;
    const claim_t mine = {held, wanted};
    claim_t *claim = malloc(n * sizeof *claim);
    nas_comm_range_t *range = calloc(2 * n, sizeof *range);
    if (!claim || !range) nas_comm_abort("out of memory for a message");
    nas_comm_all_gather(comm, &mine, sizeof mine, claim);
    for (size_t r = 0; r < n; r++) {
        range[r] = overlap(&held, &claim[r].wanted, &held);
        range[n + r] = overlap(&claim[r].held, &wanted, &wanted);
    }
    nas_comm_exchange(comm, value, range, moved, range + n);
    free(range);
    free(claim);
}
