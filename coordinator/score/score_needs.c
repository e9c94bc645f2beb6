#include "coordinator/score/score_needs.h"

#include "coordinator/score/score_parameters.h"
#include "worker/engine/gpu/plan/layout.h"
#include "worker/engine/graph/networks.h"
#include "worker/engine/host/backends.h"
#include "worker/engine/program/footprint.h"
#include "worker/engine/program/program.h"

/* The flow program is one of its own. */
static nas_status_t measure_tensors(const nas_score_parameters_t *parameters,
                                    nas_networks_t *networks, int64_t largest,
                                    nas_score_needs_t *found, nas_error_t *err)
{
    unsigned needs[] = {0, 0};
    int n_metrics = 0;
    const nas_metric_t *const *metric = nas_metric_list(&n_metrics);
    for (int64_t m = 0; m < parameters->n_metric; m++)
        needs[0] |= metric[parameters->metric[m]]->needs;
    needs[1] = needs[0] & NAS_NEED_FLOW;
    needs[0] &= ~(unsigned)NAS_NEED_FLOW;
    nas_footprint_options_t options = {.backend =
                                           nas_backend_of(parameters->backend, nas_isa_best()),
                                       .network = &parameters->network,
                                       .batch = (int)parameters->batch,
                                       .needs = needs[0] ? needs : needs + 1,
                                       .n_needs = (needs[0] != 0) + (needs[1] != 0)};
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
