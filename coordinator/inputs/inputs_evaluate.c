#include "coordinator/inputs/inputs_evaluate.h"

#include "coordinator/inputs/inputs_internal.h"
#include "coordinator/inputs/inputs_ranks.h"

#include <stdlib.h>

nas_objective_inputs_t nas_inputs_objective(const nas_inputs_t *inputs)
{
    const bool has_images = nas_inputs_train(inputs);
    return (nas_objective_inputs_t){.job = inputs->job,
                                    .images = has_images ? &inputs->images.dataset : NULL,
                                    .networks = inputs->networks};
}

/* The table's rows that are in the pool take part. */
static nas_status_t rank_rows(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    nas_status_t status = NAS_OK;
    nas_table_order_t order = {.column =
                                   nas_shared_table_find(inputs->table, nas_job_table(job)->column),
                               .minimise = job->objective.minimise,
                               .n_best = job->search.budget,
                               .interrupt = inputs->interrupt};
    if (nas_inputs_have_table_pool(inputs))
        return nas_inputs_rank_table(inputs->table, &order, err);
    status =
        nas_inputs_join(inputs, nas_shared_table_names(inputs->table), &inputs->evaluate.row, err);
    order.row = inputs->evaluate.row;
    order.n_row = nas_pool_count(&inputs->pool);
    return status ? status : nas_inputs_rank_table(inputs->table, &order, err);
}

static nas_status_t make_table_objective(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    nas_status_t status = rank_rows(inputs, err);
    const nas_objective_options_t options = {.job = job,
                                             .table = inputs->table,
                                             .n_arch = nas_pool_count(&inputs->pool),
                                             .row = inputs->evaluate.row};
    if (!status) status = nas_objective_create(&options, &inputs->evaluate.objective, err);
    if (status) return status;
    if (nas_objective_present(inputs->evaluate.objective) == 0)
        return nas_job_error(job, "objective.column", err, "'%s' has no value for any architecture",
                             nas_job_table(job)->column);
    return NAS_OK;
}

nas_status_t nas_inputs_make_objective(nas_inputs_t *inputs, nas_error_t *err)
{
    const nas_job_t *job = inputs->job;
    const nas_objective_inputs_t objective = nas_inputs_objective(inputs);
    const nas_status_t status = nas_objective_check(&objective, err);
    if (status) return status;
    if (job->search.budget > nas_pool_count(&inputs->pool))
        return nas_job_error(
            job, "search.budget", err, "%lld is more than the pool's %lld architectures",
            (long long)job->search.budget, (long long)nas_pool_count(&inputs->pool));
    return nas_inputs_by_table(inputs) ? make_table_objective(inputs, err) : NAS_OK;
}

void nas_evaluate_inputs_fini(nas_evaluate_inputs_t *evaluate)
{
    nas_objective_destroy(evaluate->objective);
    free(evaluate->row);
    *evaluate = (nas_evaluate_inputs_t){0};
}
