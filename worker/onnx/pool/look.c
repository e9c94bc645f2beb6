/* Looking at files. Each is read once, by one rank; rank 0 hears of all, and of the first reasons
 * why some have failed, and tells the others what the schedule goes by. */
#include "common/base/fault.h"
#include "common/comm/buffer.h"
#include "common/io/file.h"
#include "worker/onnx/pool/pool_internal.h"

#include <stdlib.h>
#include <string.h>

/* What protocol buffers can hold. */
static const size_t MOST_BYTES = INT32_MAX;

/* A rank's share. */
typedef struct share {
    int64_t first;
    int64_t n;
    nas_onnx_found_t *found;                   /* [n] */
    nas_onnx_failure_t failure[NAS_ONNX_TOLD]; /* [n_told] the first ones */
    int64_t n_told;
} share_t;

/* ------------------------------------------------------------------------------------- one file */

/* Weights count where the file's are taken, wherever they lie. */
static nas_status_t digest_values(const nas_onnx_network_t *network, nas_digest_t *digest,
                                  nas_error_t *err)
{
    const nas_graph_t *graph = network->graph;
    nas_hasher_t *hasher = NULL;
    if (!network->parameters) return NAS_OK;
    const nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, digest, sizeof *digest);
    nas_hasher_update(hasher, network->parameters, (size_t)graph->n_values * sizeof(double));
    nas_hasher_update(hasher, network->statistics, (size_t)graph->n_statistics * sizeof(double));
    *digest = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    return NAS_OK;
}

static nas_status_t look_at(const nas_onnx_pool_t *pool, int64_t arch, nas_onnx_found_t *found,
                            nas_error_t *err)
{
    const char *path = pool->files.path.at[arch];
    const nas_onnx_expected_t expected = nas_onnx_pool_expects(pool, &pool->files.images);
    nas_onnx_network_t network = {0};
    char *bytes = NULL;
    size_t size = 0;
    nas_status_t status = nas_file_read(path, MOST_BYTES, &bytes, &size, err);
    if (!status) status = nas_digest_of(bytes, size, &found->digest, err);
    if (status) {
        free(bytes);
        return status;
    }
    status = nas_onnx_read_bytes(path, bytes, size, &expected, &network, err);
    if (!status) status = nas_graph_cost(network.graph, &found->all, &found->live, err);
    if (!status) status = digest_values(&network, &found->digest, err);
    nas_onnx_network_fini(&network);
    return status;
}

static nas_status_t look_at_share(const nas_onnx_pool_t *pool, share_t *share,
                                  const nas_interrupt_t *interrupt, nas_error_t *err)
{
    share->found = calloc((size_t)share->n + 1, sizeof *share->found);
    if (!share->found) return nas_error_nomem(err, "a pool of files");
    for (int64_t i = 0; i < share->n && share->first + i < pool->files.most; i++) {
        nas_error_t reason = {0};
        const nas_status_t asked =
            nas_interrupt_check(interrupt, (double)i / (double)share->n, err);
        if (asked) return asked;
        share->found[i].status = look_at(pool, share->first + i, &share->found[i], &reason);
        NAS_FAULT_POINT("look");
        if (!share->found[i].status || share->n_told == NAS_ONNX_TOLD) continue;
        share->failure[share->n_told++] =
            (nas_onnx_failure_t){.arch = share->first + i, .reason = reason};
    }
    return NAS_OK;
}

/* ------------------------------------------------------------------------------------- all of them */

static void take_message(nas_onnx_pool_t *pool, const char *at, int64_t *next,
                         nas_onnx_seen_t *seen)
{
    const int64_t *n = nas_buffer_take(&at, 2 * sizeof *n);
    const nas_onnx_found_t *found = nas_buffer_take(&at, (size_t)n[0] * sizeof *found);
    const nas_onnx_failure_t *failure = nas_buffer_take(&at, (size_t)n[1] * sizeof *failure);
    memcpy(pool->found + *next, found, (size_t)n[0] * sizeof *found);
    *next += n[0];
    for (int64_t i = 0; i < n[1] && seen->n_told < NAS_ONNX_TOLD; i++)
        seen->failure[seen->n_told++] = failure[i];
}

static nas_status_t pack(const share_t *share, nas_buffer_t *buffer, nas_error_t *err)
{
    const int64_t n[] = {share->n, share->n_told};
    nas_status_t status = nas_buffer_put(buffer, n, sizeof n, err);
    if (!status)
        status = nas_buffer_put(buffer, share->found, (size_t)share->n * sizeof *share->found, err);
    if (!status)
        status = nas_buffer_put(buffer, share->failure,
                                (size_t)share->n_told * sizeof *share->failure, err);
    return status;
}

/* Rank 0: what all have found. */
static void collect(nas_onnx_pool_t *pool, const char *all, const size_t *offset, int n_ranks,
                    nas_onnx_seen_t *seen)
{
    const int64_t n = (int64_t)pool->files.arch.n;
    int64_t next = 0;
    for (int r = 0; r < n_ranks; r++) take_message(pool, all + offset[r], &next, seen);
    seen->n_looked = n < pool->files.most ? n : pool->files.most;
    for (int64_t i = 0; i < n; i++) {
        pool->operations[i] = (double)pool->found[i].live.operations;
        seen->n_failed += pool->found[i].status != NAS_OK;
    }
}

/* Room on this rank, and what it sends. */
static nas_status_t prepare(nas_onnx_pool_t *pool, const share_t *share, bool leads,
                            nas_buffer_t *buffer, nas_error_t *err)
{
    const size_t n = pool->files.arch.n;
    pool->operations = calloc(n + 1, sizeof *pool->operations);
    if (leads) pool->found = calloc(n + 1, sizeof *pool->found);
    if (!pool->operations || (leads && !pool->found))
        return nas_error_nomem(err, "a pool of files");
    return pack(share, buffer, err);
}

static nas_status_t share_found(nas_onnx_pool_t *pool, nas_comm_t *comm, const share_t *share,
                                nas_onnx_seen_t *seen, nas_error_t *err)
{
    const int n_ranks = nas_comm_size(comm);
    const bool leads = nas_comm_rank(comm) == 0;
    const char *all = NULL;
    nas_buffer_t buffer = {0};
    size_t *offset = calloc((size_t)n_ranks + 1, sizeof *offset);
    if (!offset) nas_comm_abort("out of memory for a message");
    nas_status_t status = nas_comm_agree(comm, prepare(pool, share, leads, &buffer, err), err);
    if (!status) {
        nas_comm_gather(comm, buffer.data, buffer.size, &all, offset);
        if (leads) collect(pool, all, offset, n_ranks, seen);
        nas_comm_bcast(comm, 0, pool->operations, pool->files.arch.n * sizeof *pool->operations);
    }
    free(buffer.data);
    free(offset);
    return status;
}

nas_status_t nas_onnx_pool_look(nas_onnx_pool_t *pool, nas_comm_t *comm,
                                const nas_interrupt_t *interrupt, nas_onnx_seen_t *seen,
                                nas_error_t *err)
{
    share_t *share = calloc(1, sizeof *share);
    if (!share) nas_comm_abort("out of memory for a pool of files");
    nas_comm_shard((int64_t)pool->files.arch.n, nas_comm_rank(comm), nas_comm_size(comm),
                   &share->first, &share->n);
    nas_status_t status = nas_comm_agree(comm, look_at_share(pool, share, interrupt, err), err);
    if (!status) status = share_found(pool, comm, share, seen, err);
    free(share->found);
    free(share);
    return status;
}
