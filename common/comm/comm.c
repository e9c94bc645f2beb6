/* Communication.
 *
 * Purpose. All that ranks say to each other goes through here, so that three things hold
 * everywhere: a rank that waits leaves its core alone, hears requests to stop and is heard;
 * messages of any size arrive whole; and nobody sees an error of MPI.
 *
 * Waiting. Every collective is begun nonblocking and then tested (nas_comm_wait). The first tests
 * follow at once, since most waits are short; then come naps, up to a millisecond long, with one
 * call between two of them (nas_comm_call_between_naps), which is how the heartbeat lives on while
 * all collectives look as if they blocked.
 *
 * Buffers. A gather and a scatter lend their result out of a buffer that belongs to the
 * communicator and grows to the largest message it has seen; it is valid until the next one of its
 * kind.
 *
 * Failure. A status is agreed upon: the worst of all ranks wins, with the text of the lowest rank
 * that has it, so that all unwind together. What leaves no way to agree, an error of MPI or no
 * memory in the middle of a message that others already wait for, ends the job (nas_comm_abort).
 * The user's state file is then the one of the last save.
 */
#include "common/comm/comm_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ------------------------------------------------------------------------------ life and death */

static bool set_and_above_one(const char *variable)
{
    const char *text = getenv(variable);
    return text && strtol(text, NULL, 10) > 1;
}

/* srun without a process-management plugin that this MPI knows starts n independent worlds of one
 * rank: they would all compute the same and fight for one output. */
static nas_status_t check_launcher(int size, nas_error_t *err)
{
    if (size > 1 || getenv("OMPI_COMM_WORLD_SIZE") || !set_and_above_one("SLURM_STEP_NUM_TASKS"))
        return NAS_OK;
    return nas_error_set(
        err, NAS_EARG,
        "Slurm started %s tasks but MPI sees one rank; start them with srun --mpi=pmix (or mpirun)",
        getenv("SLURM_STEP_NUM_TASKS"));
}

static nas_comm_t *wrap(MPI_Comm handle)
{
    nas_comm_t *comm = calloc(1, sizeof *comm);
    if (!comm) nas_comm_abort("out of memory for a communicator");
    comm->handle = handle;
    if (handle == MPI_COMM_NULL) {
        comm->size = 1;
        return comm;
    }
    NAS_MPI(MPI_Comm_set_errhandler(handle, MPI_ERRORS_RETURN));
    NAS_MPI(MPI_Comm_rank(handle, &comm->rank));
    NAS_MPI(MPI_Comm_size(handle, &comm->size));
    return comm;
}

nas_status_t nas_comm_init(nas_comm_t **world_p, nas_error_t *err)
{
    int provided = 0;
    NAS_MPI(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided));
    MPI_Comm handle = MPI_COMM_NULL;
    NAS_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &handle));
    *world_p = wrap(handle);
    return check_launcher((*world_p)->size, err);
}

int nas_comm_finalize(nas_comm_t *world, int code)
{
    const bool leader = world->rank == 0;
    const bool alone = world->size == 1;
    nas_comm_destroy(world);
    NAS_MPI(MPI_Finalize());
    if (!leader) return 0;
    const struct timespec moment = {.tv_nsec = 200 * 1000 * 1000};
    if (code && !alone) (void)nanosleep(&moment, NULL);
    return code;
}

_Noreturn void nas_comm_give_up(const char *line)
{
    (void)fprintf(stderr, "robotnas: %s\n", line);
    (void)fflush(stderr);
    (void)MPI_Abort(MPI_COMM_WORLD, 1);
    abort();
}

_Noreturn void nas_comm_abort(const char *what)
{
    nas_error_t line;
    (void)nas_error_set(&line, NAS_ECOMM, "communication failed: %s", what);
    nas_comm_give_up(line.text);
}

const char *nas_comm_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) return "unknown";
    text[strcspn(text, "\n")] = '\0';
    return text;
}

nas_status_t nas_comm_self(nas_comm_t **comm_p, nas_error_t *err)
{
    nas_comm_t *comm = calloc(1, sizeof *comm);
    if (!comm) return nas_error_nomem(err, "a communicator");
    *comm = (nas_comm_t){.handle = MPI_COMM_NULL, .size = 1};
    *comm_p = comm;
    return NAS_OK;
}

int nas_comm_rank(const nas_comm_t *comm)
{
    return comm->rank;
}

int nas_comm_size(const nas_comm_t *comm)
{
    return comm->size;
}

void nas_comm_split(nas_comm_t *comm, int color, nas_comm_t **part_p)
{
    MPI_Comm handle = MPI_COMM_NULL;
    if (comm->handle != MPI_COMM_NULL)
        NAS_MPI(
            MPI_Comm_split(comm->handle, color < 0 ? MPI_UNDEFINED : color, comm->rank, &handle));
    *part_p = color < 0 ? NULL : wrap(handle);
}

/* Among the ranks on this host. */
static void find_local(nas_comm_t *comm, int *rank, int *size)
{
    MPI_Comm host = MPI_COMM_NULL;
    *rank = 0;
    *size = 1;
    if (comm->handle == MPI_COMM_NULL) return;
    NAS_MPI(
        MPI_Comm_split_type(comm->handle, MPI_COMM_TYPE_SHARED, comm->rank, MPI_INFO_NULL, &host));
    NAS_MPI(MPI_Comm_rank(host, rank));
    NAS_MPI(MPI_Comm_size(host, size));
    NAS_MPI(MPI_Comm_free(&host));
}

int nas_comm_local_rank(nas_comm_t *comm)
{
    int rank, size;
    find_local(comm, &rank, &size);
    return rank;
}

int nas_comm_local_size(nas_comm_t *comm)
{
    int rank, size;
    find_local(comm, &rank, &size);
    return size;
}

void nas_comm_destroy(nas_comm_t *comm)
{
    if (!comm) return;
    if (comm->handle != MPI_COMM_NULL) NAS_MPI(MPI_Comm_free(&comm->handle));
    free(comm->gathered.data);
    free(comm->scattered.data);
    free(comm->reduced.data);
    free(comm);
}

/* ------------------------------------------------------------------------------------- waiting */

bool nas_comm_nap(nas_comm_nap_t *nap)
{
    enum { N_EAGER = 200, FIRST_NS = 20 * 1000, LONGEST_NS = 1000 * 1000 };
    if (++nap->n <= N_EAGER) return false;
    if (nap->length_ns == 0) nap->length_ns = FIRST_NS;
    const struct timespec length = {.tv_nsec = nap->length_ns};
    (void)nanosleep(&length, NULL);
    if (nap->length_ns < LONGEST_NS) nap->length_ns += nap->length_ns / 4;
    return true;
}

/* A wait is called from everywhere and by callers that know of no heartbeat, so that no argument
 * could carry it there. */
static void (*between_naps)(void);

void nas_comm_call_between_naps(void (*function)(void))
{
    between_naps = function;
}

void nas_comm_wait(MPI_Request *request)
{
    int done = 0;
    nas_comm_nap_t nap = {0};
    for (;;) {
        NAS_MPI(MPI_Test(request, &done, MPI_STATUS_IGNORE));
        if (done) return;
        if (nas_comm_nap(&nap) && between_naps) between_naps();
    }
}

void nas_comm_reserve(nas_comm_buffer_t *buffer, size_t size)
{
    if (size <= buffer->capacity) return;
    free(buffer->data);
    buffer->data = malloc(size);
    if (!buffer->data) nas_comm_abort("out of memory for a message");
    buffer->capacity = size;
}

/* --------------------------------------------------------------------------------- collectives */

void nas_comm_bcast(nas_comm_t *comm, int root, void *data, size_t size)
{
    if (comm->size == 1) return;
    for (size_t at = 0; at < size; at += NAS_COMM_MAX_PIECE) {
        const size_t piece = size - at < NAS_COMM_MAX_PIECE ? size - at : NAS_COMM_MAX_PIECE;
        MPI_Request request;
        NAS_MPI(MPI_Ibcast((char *)data + at, (int)piece, MPI_BYTE, root, comm->handle, &request));
        nas_comm_wait(&request);
    }
}

static void reduce_to_all(nas_comm_t *comm, void *value, int n, MPI_Datatype type, MPI_Op op)
{
    enum { MOST = NAS_COMM_MAX_PIECE / 8 }; /* numbers of 8 bytes */
    if (comm->size == 1) return;
    for (int at = 0; at < n; at += MOST) {
        const int piece = n - at < MOST ? n - at : MOST;
        MPI_Request request;
        NAS_MPI(MPI_Iallreduce(MPI_IN_PLACE, (char *)value + 8 * (size_t)at, piece, type, op,
                               comm->handle, &request));
        nas_comm_wait(&request);
    }
}

void nas_comm_min(nas_comm_t *comm, double *value, int n)
{
    reduce_to_all(comm, value, n, MPI_DOUBLE, MPI_MIN);
}

void nas_comm_max(nas_comm_t *comm, double *value, int n)
{
    reduce_to_all(comm, value, n, MPI_DOUBLE, MPI_MAX);
}

void nas_comm_sum(nas_comm_t *comm, int64_t *value, int n)
{
    reduce_to_all(comm, value, n, MPI_INT64_T, MPI_SUM);
}

nas_status_t nas_comm_agree(nas_comm_t *comm, nas_status_t status, nas_error_t *err)
{
    /* The worst status in the high half; in the low half the lowest rank wins the maximum. */
    int64_t key = (int64_t)status << 32 | (INT32_MAX - comm->rank);
    reduce_to_all(comm, &key, 1, MPI_INT64_T, MPI_MAX);
    const nas_status_t worst = (nas_status_t)(key >> 32);
    if (worst == NAS_OK) return NAS_OK;
    nas_comm_bcast(comm, INT32_MAX - (int)(key & INT32_MAX), err->text, sizeof err->text);
    return worst;
}

/* ------------------------------------------------------------------------------ point to point */

static void send_bytes(nas_comm_t *comm, const void *data, size_t size, int to, int tag)
{
    for (size_t at = 0; at < size; at += NAS_COMM_MAX_PIECE) {
        const size_t piece = size - at < NAS_COMM_MAX_PIECE ? size - at : NAS_COMM_MAX_PIECE;
        MPI_Request request;
        NAS_MPI(MPI_Isend((const char *)data + at, (int)piece, MPI_BYTE, to, tag, comm->handle,
                          &request));
        nas_comm_wait(&request);
    }
}

static void receive_bytes(nas_comm_t *comm, void *data, size_t size, int from, int tag)
{
    for (size_t at = 0; at < size; at += NAS_COMM_MAX_PIECE) {
        const size_t piece = size - at < NAS_COMM_MAX_PIECE ? size - at : NAS_COMM_MAX_PIECE;
        MPI_Request request;
        NAS_MPI(
            MPI_Irecv((char *)data + at, (int)piece, MPI_BYTE, from, tag, comm->handle, &request));
        nas_comm_wait(&request);
    }
}

void nas_comm_shard(int64_t n_rows, int rank, int size, int64_t *first, int64_t *n)
{
    *first = n_rows * rank / size;
    *n = n_rows * (rank + 1) / size - *first;
}

void nas_comm_gather(nas_comm_t *comm, const void *data, size_t size, const char **all_p,
                     size_t *offset)
{
    if (comm->size > 1) {
        uint64_t n_bytes = size;
        uint64_t *n_bytes_of = (uint64_t *)(void *)(offset ? offset + 1 : NULL);
        _Static_assert(sizeof(size_t) == sizeof(uint64_t), "sizes travel as 64 bits");
        MPI_Request request;
        NAS_MPI(MPI_Igather(&n_bytes, 1, MPI_UINT64_T, n_bytes_of, 1, MPI_UINT64_T, 0, comm->handle,
                            &request));
        nas_comm_wait(&request);
    }
    if (comm->rank != 0) {
        send_bytes(comm, data, size, 0, NAS_COMM_TAG_GATHER);
        return;
    }
    offset[0] = 0;
    offset[1] = size;
    for (int r = 1; r < comm->size; r++) offset[r + 1] += offset[r];
    nas_comm_reserve(&comm->gathered, offset[comm->size]);
    if (size) memcpy(comm->gathered.data, data, size);
    for (int r = 1; r < comm->size; r++)
        receive_bytes(comm, comm->gathered.data + offset[r], offset[r + 1] - offset[r], r,
                      NAS_COMM_TAG_GATHER);
    *all_p = comm->gathered.data;
}

/* Sizes of the messages, from rank 0 to each rank. */
static size_t scatter_sizes(nas_comm_t *comm, const size_t *offset)
{
    uint64_t *n_bytes_of = NULL, n_bytes = 0;
    if (comm->rank == 0) {
        nas_comm_reserve(&comm->scattered, (size_t)comm->size * sizeof *n_bytes_of);
        n_bytes_of = (uint64_t *)(void *)comm->scattered.data;
        for (int r = 0; r < comm->size; r++) n_bytes_of[r] = offset[r + 1] - offset[r];
    }
    MPI_Request request;
    NAS_MPI(MPI_Iscatter(n_bytes_of, 1, MPI_UINT64_T, &n_bytes, 1, MPI_UINT64_T, 0, comm->handle,
                         &request));
    nas_comm_wait(&request);
    return n_bytes;
}

void nas_comm_scatter(nas_comm_t *comm, const char *all, const size_t *offset, const char **data_p,
                      size_t *size)
{
    const size_t n_bytes = comm->size > 1 ? scatter_sizes(comm, offset) : offset[1];
    nas_comm_reserve(&comm->scattered, n_bytes);
    if (comm->rank == 0) {
        if (n_bytes) memcpy(comm->scattered.data, all, n_bytes);
        for (int r = 1; r < comm->size; r++)
            send_bytes(comm, all + offset[r], offset[r + 1] - offset[r], r, NAS_COMM_TAG_SCATTER);
    } else {
        receive_bytes(comm, comm->scattered.data, n_bytes, 0, NAS_COMM_TAG_SCATTER);
    }
    *data_p = comm->scattered.data;
    *size = n_bytes;
}
