#include "worker/engine/program/footprint.h"

#include "worker/engine/program/program.h"

nas_status_t nas_footprint(const nas_footprint_options_t *options, size_t *bytes, nas_error_t *err)
{
    const nas_backend_t *backend = options->backend;
    nas_graph_t *graph = NULL;
    size_t most = 0;
    nas_status_t status =
        nas_graph_create(options->network, options->arch, backend->channel_block, &graph, err);
    for (int i = 0; !status && i < options->n_needs; i++) {
        const unsigned needs = options->needs[i];
        const nas_program_options_t program_options = {
            .backend = backend,
            .graph = graph,
            .batch = needs & NAS_NEED_FLOW ? 1 : options->batch,
            .needs = needs};
        nas_program_t *program = NULL;
        status = nas_program_create(&program_options, NULL, &program, err);
        if (status) break;
        const size_t taken = nas_program_arena_bytes(program);
        if (taken > most) most = taken;
        nas_program_destroy(program);
    }
    nas_graph_destroy(graph);
    if (!status) *bytes = most;
    return status;
}
