#include "coordinator/score/score_needs.h"

#include "coordinator/score/score_parameters.h"
#include "worker/engine/gpu/plan/layout.h"
#include "worker/engine/graph/networks.h"
#include "worker/engine/host/backends.h"
#include "worker/engine/metrics/runs.h"
#include "worker/engine/program/footprint.h"

/* A program for every kind of runs. Returns their number. */
static int list_programs(const nas_score_parameters_t *parameters,
                         nas_footprint_program_t program[NAS_N_RUNS])
{
    int n_metrics = 0;
    const nas_metric_t *const *list = nas_metric_list(&n_metrics);
    const nas_metric_t *metric[NAS_METRICS_MAX];
    nas_runs_t runs[NAS_N_RUNS];
    for (int64_t m = 0; m < parameters->n_metric; m++) metric[m] = list[parameters->metric[m]];
    const int n = nas_runs_list(metric, (int)parameters->n_metric, (int)parameters->batch, runs);
    for (int i = 0; i < n; i++)
        program[i] = (nas_footprint_program_t){.needs = runs[i].needs, .batch = runs[i].batch};
    return n;
}

static nas_status_t measure_tensors(const nas_score_parameters_t *parameters,
                                    nas_networks_t *networks, int64_t largest,
                                    nas_score_needs_t *found, nas_error_t *err)
{
    nas_footprint_program_t program[NAS_N_RUNS];
    const int n_programs = list_programs(parameters, program);
    nas_footprint_options_t options = {.backend =
                                           nas_backend_of(parameters->backend, nas_isa_best()),
                                       .network = &parameters->network,
                                       .program = program,
                                       .n_programs = n_programs};
    const nas_status_t status =
        nas_footprint_of(&options, networks, largest, &found->tensor_bytes, err);
    if (status) return status;
    options.backend = nas_gpu_layout();
    return nas_footprint_if_computed(&options, networks, largest, &found->gpu_bytes, err);
}

nas_status_t nas_score_needs(const nas_job_t *job, const nas_pool_t *pool,
                             const nas_score_inputs_t *inputs, nas_score_needs_t *needs,
                             nas_error_t *err)
{
    const nas_score_parameters_t parameters = nas_score_parameters(job, pool, inputs);
    const double passes = 8.0; /* that all metrics take together, about */
    nas_pool_cost_t cost;
    nas_status_t status = nas_pool_cost(pool, inputs->networks, &parameters.network, &cost, err);
    if (status) return status;
    needs->flops =
        2.0 * passes * cost.mean_flops * (double)parameters.n_arch * (double)parameters.batch;
    return measure_tensors(&parameters, inputs->networks, cost.largest, needs, err);
}
