#include "worker/engine/program/footprint.h"

#include "worker/engine/program/program.h"

#include <math.h>

/* Bytes so far: tensors share an arena, vectors do not. */
typedef struct sizes {
    size_t arena;
    size_t vectors;
} sizes_t;

static nas_status_t add_program(const nas_footprint_options_t *options, const nas_graph_t *graph,
                                const nas_footprint_program_t *of, sizes_t *sizes, nas_error_t *err)
{
    const nas_program_options_t program_options = {
        .layout = options->backend, .graph = graph, .batch = of->batch, .needs = of->needs};
    nas_program_t *program = NULL;
    const nas_status_t status = nas_program_create(&program_options, &program, err);
    if (status) return status;
    const size_t arena = nas_program_arena_bytes(program);
    if (arena > sizes->arena) sizes->arena = arena;
    sizes->vectors += nas_program_vector_bytes(program);
    nas_program_destroy(program);
    return NAS_OK;
}

nas_status_t nas_footprint_of_graph(const nas_footprint_options_t *options,
                                    const nas_graph_t *graph, size_t *bytes, nas_error_t *err)
{
    sizes_t sizes = {0};
    nas_status_t status = NAS_OK;
    for (int i = 0; !status && i < options->n_programs; i++)
        status = add_program(options, graph, &options->program[i], &sizes, err);
    if (!status) *bytes = sizes.arena + sizes.vectors;
    return status;
}

nas_status_t nas_footprint_of(const nas_footprint_options_t *options, nas_networks_t *networks,
                              int64_t number, double *n_bytes, nas_error_t *err)
{
    nas_fresh_network_t fresh = {0};
    size_t bytes = 0;
    *n_bytes = (double)NAN;
    if (!options->backend || options->n_programs == 0 || number < 0) return NAS_OK;
    nas_status_t status = networks->make(networks, number, options->network, &fresh, err);
    if (!status) status = nas_footprint_of_graph(options, fresh.graph, &bytes, err);
    nas_fresh_network_fini(&fresh);
    if (!status) *n_bytes = (double)bytes;
    return status;
}

nas_status_t nas_footprint_if_computed(const nas_footprint_options_t *options,
                                       nas_networks_t *networks, int64_t number, double *n_bytes,
                                       nas_error_t *err)
{
    const nas_status_t status = nas_footprint_of(options, networks, number, n_bytes, err);
    return status == NAS_EARG ? NAS_OK : status;
}
