#include "worker/engine/graph/networks.h"

#include "common/space/arch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- of a space */

typedef struct of_space {
    nas_networks_t networks;
    nas_arch_t arch; /* scratch */
} of_space_t;

static of_space_t *of(nas_networks_t *networks)
{
    return (of_space_t *)(void *)networks;
}

static nas_status_t find(nas_networks_t *networks, int64_t place, const char *name, int64_t *number,
                         nas_error_t *err)
{
    nas_arch_t *arch = &of(networks)->arch;
    const nas_status_t status = nas_arch_parse(arch, name, err);
    (void)place;
    if (!status) *number = arch->index;
    return status;
}

static nas_status_t make(nas_networks_t *networks, int64_t number, const nas_network_t *extents,
                         nas_fresh_network_t *fresh, nas_error_t *err)
{
    nas_arch_t *arch = &of(networks)->arch;
    nas_arch_set(arch, number);
    *fresh = (nas_fresh_network_t){.name = arch->name, .weights = networks->weights};
    return nas_graph_create(extents, arch, &fresh->graph, err);
}

static nas_status_t cost(nas_networks_t *networks, int64_t number, const nas_network_t *extents,
                         nas_cost_t *all, nas_cost_t *live, nas_error_t *err)
{
    nas_arch_t *arch = &of(networks)->arch;
    nas_arch_set(arch, number);
    return nas_arch_cost(arch, extents, all, live, err);
}

static double operations(nas_networks_t *networks, int64_t number, const nas_network_t *extents)
{
    nas_error_t ignored = {0};
    nas_cost_t all = {0}, live = {0};
    if (cost(networks, number, extents, &all, &live, &ignored)) return 1;
    return (double)live.operations;
}

static double most_operations(nas_networks_t *networks, const nas_network_t *extents)
{
    return operations(networks, of(networks)->arch.space->costliest, extents);
}

static void destroy(nas_networks_t *networks)
{
    nas_arch_fini(&of(networks)->arch);
    free(networks);
}

nas_status_t nas_networks_of_space(const nas_space_t *space, nas_weights_t weights,
                                   nas_networks_t **networks_p, nas_error_t *err)
{
    of_space_t *made = calloc(1, sizeof *made);
    NAS_ASSERT(weights != NAS_WEIGHTS_FILE);
    if (!made) return nas_error_nomem(err, "the networks of a space");
    made->networks = (nas_networks_t){.weights = weights,
                                      .find = find,
                                      .make = make,
                                      .cost = cost,
                                      .operations = operations,
                                      .most_operations = most_operations,
                                      .is_counted = true,
                                      .destroy = destroy};
    const nas_status_t status = nas_arch_init(&made->arch, space, err);
    if (status)
        destroy(&made->networks);
    else
        *networks_p = &made->networks;
    return status;
}

/* ------------------------------------------------------------------------------------ of any source */

void nas_networks_destroy(nas_networks_t *networks)
{
    if (networks) networks->destroy(networks);
}

void nas_fresh_network_fill(const nas_fresh_network_t *fresh, uint64_t seed, double *values)
{
    if (fresh->parameters)
        memcpy(values, fresh->parameters, (size_t)fresh->graph->n_values * sizeof *values);
    else
        nas_parameters_fill(fresh->graph, fresh->weights, seed, fresh->name, values);
}

void nas_fresh_network_fini(nas_fresh_network_t *fresh)
{
    nas_graph_destroy(fresh->graph);
    free(fresh->parameters);
    free(fresh->statistics);
    free(fresh->file);
    *fresh = (nas_fresh_network_t){0};
}

static bool is_larger(const nas_cost_t *a, const nas_cost_t *b)
{
    if (a->n_convs != b->n_convs) return a->n_convs > b->n_convs;
    if (a->n_others != b->n_others) return a->n_others > b->n_others;
    return a->operations > b->operations;
}

nas_status_t nas_pool_cost(const nas_pool_t *pool, nas_networks_t *networks,
                           const nas_network_t *extents, nas_pool_cost_t *cost, nas_error_t *err)
{
    const int64_t n = networks->is_counted ? nas_pool_count(pool) : 0;
    nas_cost_t most = {0};
    double sum = 0;
    int64_t n_counted = 0;
    *cost = (nas_pool_cost_t){.largest = -1};
    for (int64_t i = 0; i < n; i++) {
        nas_cost_t all = {0}, live = {0};
        const int64_t number = nas_pool_index(pool, i);
        const nas_status_t status = networks->cost(networks, number, extents, &all, &live, err);
        if (status == NAS_EINPUT) continue;
        if (status) return status;
        n_counted++;
        sum += (double)all.flops;
        if (cost->largest >= 0 && !is_larger(&live, &most)) continue;
        most = live;
        cost->largest = number;
    }
    cost->mean_flops = n_counted > 0 ? sum / (double)n_counted : (double)NAN;
    return NAS_OK;
}
