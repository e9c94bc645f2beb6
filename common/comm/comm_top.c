/* The reduction of sorted top-k lists: one message, one user-defined operation. */
#include "common/comm/comm_internal.h"

#include <string.h>

/* The message: n lists of k candidates behind their sizes and a flag. */
typedef struct top_message {
    int64_t n;
    int64_t k;
    int64_t flag;
    int64_t padding; /* keeps the lists aligned */
    nas_top_entry_t list[];
} top_message_t;

/* Whether a stands before b. Indices are distinct, so the order is total and the merge commutes. */
static bool before(const nas_top_entry_t *a, const nas_top_entry_t *b)
{
    if (a->index < 0 || b->index < 0) return b->index < 0 && a->index >= 0;
    return a->score > b->score || (!(a->score < b->score) && a->index < b->index);
}

/* into = the k best of both. First how many come from each, then a merge from the back, which needs
 * no third list. */
static void merge(const nas_top_entry_t *from, nas_top_entry_t *into, int64_t k)
{
    int64_t n_from = 0, n_into = 0;
    while (n_from + n_into < k) {
        if (before(&from[n_from], &into[n_into]))
            n_from++;
        else
            n_into++;
    }
    for (int64_t at = k - 1; n_from > 0; at--) {
        if (n_into > 0 && before(&from[n_from - 1], &into[n_into - 1]))
            into[at] = into[--n_into];
        else
            into[at] = from[--n_from];
    }
}

static void merge_messages(void *from_message, void *into_message, int *length, MPI_Datatype *type)
{
    (void)type;
    NAS_ASSERT(*length == 1);
    const top_message_t *from = from_message;
    top_message_t *into = into_message;
    if (from->flag > into->flag) into->flag = from->flag;
    for (int64_t i = 0; i < into->n; i++)
        merge(from->list + i * into->k, into->list + i * into->k, into->k);
}

static void reduce_message(nas_comm_t *comm, top_message_t *message, size_t n_bytes)
{
    MPI_Datatype type;
    MPI_Op op;
    MPI_Request request;
    NAS_ASSERT(n_bytes <= INT32_MAX);
    NAS_MPI(MPI_Type_contiguous((int)n_bytes, MPI_BYTE, &type));
    NAS_MPI(MPI_Type_commit(&type));
    NAS_MPI(MPI_Op_create(merge_messages, 1, &op));
    const void *send = comm->rank == 0 ? MPI_IN_PLACE : message;
    void *receive = comm->rank == 0 ? message : NULL;
    NAS_MPI(MPI_Ireduce(send, receive, 1, type, op, 0, comm->handle, &request));
    nas_comm_wait(&request);
    NAS_MPI(MPI_Op_free(&op));
    NAS_MPI(MPI_Type_free(&type));
}

void nas_comm_reduce_top(nas_comm_t *comm, nas_top_entry_t *list, int64_t n, int64_t k, int *flag)
{
    if (comm->size == 1) return;
    const size_t list_bytes = (size_t)(n * k) * sizeof *list;
    const size_t n_bytes = sizeof(top_message_t) + list_bytes;
    nas_comm_reserve(&comm->reduced, n_bytes);
    top_message_t *message = (top_message_t *)(void *)comm->reduced.data;
    *message = (top_message_t){.n = n, .k = k, .flag = *flag};
    memcpy(message->list, list, list_bytes);
    reduce_message(comm, message, n_bytes);
    if (comm->rank != 0) return;
    memcpy(list, message->list, list_bytes);
    *flag = (int)message->flag;
}
