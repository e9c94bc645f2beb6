#include "worker/onnx/pool/pool_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static nas_onnx_pool_t *of(nas_networks_t *networks)
{
    return (nas_onnx_pool_t *)(void *)networks;
}

void nas_onnx_files_fini(nas_onnx_files_t *files)
{
    nas_strings_fini(&files->arch);
    nas_strings_fini(&files->path);
    nas_strings_fini(&files->command);
    free(files->job_folder);
    free(files->folder);
    *files = (nas_onnx_files_t){0};
}

/* ------------------------------------------------------------------------------------- the source */

/* The pool has its rows in the list's order. */
static nas_status_t find(nas_networks_t *networks, int64_t place, const char *name, int64_t *number,
                         nas_error_t *err)
{
    const nas_strings_t *arch = &of(networks)->files.arch;
    if (place < 0 || place >= (int64_t)arch->n || strcmp(arch->at[place], name) != 0)
        return nas_error_set(err, NAS_EINPUT, "'%.120s' is no architecture of the pool", name);
    *number = place;
    return NAS_OK;
}

static nas_status_t locate(nas_onnx_pool_t *pool, int64_t number, char **path_p, nas_error_t *err)
{
    if (pool->files.command.n > 0) return nas_onnx_pool_write(pool, number, path_p, err);
    *path_p = nas_string_copy(pool->files.path.at[number], err);
    return *path_p ? NAS_OK : NAS_ENOMEM;
}

static nas_status_t make(nas_networks_t *networks, int64_t number, const nas_network_t *extents,
                         nas_fresh_network_t *fresh, nas_error_t *err)
{
    nas_onnx_pool_t *pool = of(networks);
    const nas_onnx_expected_t expected = nas_onnx_pool_expects(pool, extents);
    nas_onnx_network_t network = {0};
    *fresh =
        (nas_fresh_network_t){.name = pool->files.arch.at[number], .weights = networks->weights};
    nas_status_t status = locate(pool, number, &fresh->file, err);
    if (!status) status = nas_onnx_read(fresh->file, &expected, &network, err);
    if (status) {
        nas_fresh_network_fini(fresh);
        return status;
    }
    fresh->graph = network.graph;
    fresh->parameters = network.parameters;
    fresh->statistics = network.statistics;
    network.graph = NULL;
    network.parameters = network.statistics = NULL;
    nas_onnx_network_fini(&network);
    return NAS_OK;
}

static nas_status_t cost(nas_networks_t *networks, int64_t number, const nas_network_t *extents,
                         nas_cost_t *all, nas_cost_t *live, nas_error_t *err)
{
    const nas_onnx_pool_t *pool = of(networks);
    (void)extents;
    if (!pool->found || pool->found[number].status || pool->found[number].live.operations == 0)
        return nas_error_set(err, NAS_EINPUT, "%s: not counted", pool->files.arch.at[number]);
    *all = pool->found[number].all;
    if (live) *live = pool->found[number].live;
    return NAS_OK;
}

static double operations(nas_networks_t *networks, int64_t number, const nas_network_t *extents)
{
    const nas_onnx_pool_t *pool = of(networks);
    (void)extents;
    return pool->operations ? fmax(1, pool->operations[number]) : 1;
}

static double most_operations(nas_networks_t *networks, const nas_network_t *extents)
{
    double most = 1;
    for (size_t i = 0; i < of(networks)->files.arch.n; i++)
        most = fmax(most, operations(networks, (int64_t)i, extents));
    return most;
}

static void destroy(nas_networks_t *networks)
{
    nas_onnx_pool_t *pool = of(networks);
    nas_onnx_files_fini(&pool->files);
    free(pool->operations);
    free(pool->found);
    free(pool);
}

static nas_status_t digest_all(const nas_onnx_pool_t *pool, nas_digest_t *content, nas_error_t *err)
{
    const nas_strings_t *arch = &pool->files.arch, *command = &pool->files.command;
    nas_hasher_t *hasher = NULL;
    const nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    for (size_t i = 0; i < arch->n; i++) {
        nas_hasher_update(hasher, arch->at[i], strlen(arch->at[i]) + 1);
        if (!pool->found) continue;
        nas_hasher_update(hasher, &pool->found[i].digest, sizeof pool->found[i].digest);
    }
    for (size_t i = 0; i < command->n; i++)
        nas_hasher_update(hasher, command->at[i], strlen(command->at[i]) + 1);
    *content = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    return NAS_OK;
}

nas_status_t nas_onnx_pool_create(nas_comm_t *comm, nas_onnx_files_t *files,
                                  const nas_interrupt_t *interrupt, nas_onnx_seen_t *seen,
                                  nas_networks_t **networks_p, nas_error_t *err)
{
    nas_onnx_pool_t *pool = calloc(1, sizeof *pool);
    if (!pool) nas_comm_abort("out of memory for a pool of files");
    const bool is_written = files->command.n > 0;
    pool->networks = (nas_networks_t){.weights = files->weights,
                                      .find = find,
                                      .make = make,
                                      .cost = cost,
                                      .operations = operations,
                                      .most_operations = most_operations,
                                      .is_counted = !is_written,
                                      .destroy = destroy};
    pool->files = *files;
    pool->rank = nas_comm_rank(comm);
    *files = (nas_onnx_files_t){0};
    nas_status_t status = NAS_OK;
    if (seen) *seen = (nas_onnx_seen_t){0};
    if (!is_written) status = nas_onnx_pool_look(pool, comm, interrupt, seen, err);
    if (!status && seen) status = digest_all(pool, &seen->content, err);
    status = nas_comm_agree(comm, status, err);
    if (status)
        destroy(&pool->networks);
    else
        *networks_p = &pool->networks;
    return status;
}
