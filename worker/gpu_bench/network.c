#include "worker/gpu_bench/network.h"

#include "common/base/strings.h"
#include "worker/engine/gpu/plan/layout.h"

#include <stdlib.h>

nas_network_t nas_bench_network(bool is_quick, nas_convention_t convention)
{
    const nas_network_t real = {3, 32, 32, 16, 5, 10, convention};
    const nas_network_t tiny = {3, 8, 8, 4, 1, 10, convention};
    return is_quick ? tiny : real;
}

nas_status_t nas_bench_member_init(nas_bench_member_t *member, const nas_network_t *network,
                                   const nas_arch_t *arch, nas_error_t *err)
{
    member->name = nas_string_copy(arch->name, err);
    return member->name ? nas_graph_create(network, arch, &member->graph, err) : NAS_ENOMEM;
}

nas_status_t nas_bench_member_add(nas_bench_member_t *member, int batch, unsigned needs,
                                  nas_error_t *err)
{
    const nas_program_options_t options = {
        .layout = nas_gpu_layout(), .graph = member->graph, .batch = batch, .needs = needs};
    NAS_ASSERT(member->n_programs < NAS_BENCH_MOST_PROGRAMS);
    const nas_status_t status =
        nas_program_create(&options, &member->program[member->n_programs], err);
    member->n_programs += status == NAS_OK;
    return status;
}

void nas_bench_member_fini(nas_bench_member_t *member)
{
    for (int i = 0; i < member->n_programs; i++) nas_program_destroy(member->program[i]);
    nas_graph_destroy(member->graph);
    free(member->name);
    *member = (nas_bench_member_t){0};
}
