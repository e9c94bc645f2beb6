#include "coordinator/inputs/inputs.h"

#include "coordinator/inputs/inputs_internal.h"
#include "worker/engine/host/backends.h"

/* Whether this program has what computes. */
static nas_status_t check_backend(const nas_inputs_t *inputs, nas_error_t *err)
{
    const bool computes = nas_inputs_train(inputs) || inputs->score.batch.n > 0;
    if (!computes || nas_backend_of(inputs->job->backend, nas_isa_best())) return NAS_OK;
    const nas_backend_entry_t *backend = nas_backend_at((size_t)inputs->job->backend);
    return nas_job_error(inputs->job, "backend", err,
                         "this program was built without %s, which %s needs; set ref",
                         backend->needs, backend->name);
}

nas_status_t nas_inputs_read_files(nas_inputs_t *inputs, nas_error_t *err)
{
    nas_status_t status = nas_comm_self(&inputs->self, err);
    if (!status) status = nas_inputs_read_pool(inputs, err);
    if (!status && nas_inputs_train(inputs)) status = nas_inputs_read_images(inputs, err);
    if (!status) status = nas_inputs_make_encoding(inputs, err);
    if (!status && inputs->search.method) status = nas_inputs_make_objective(inputs, err);
    if (!status) status = nas_inputs_read_metrics(inputs, err);
    if (!status && nas_inputs_train(inputs)) status = nas_inputs_read_networks(inputs, err);
    return status ? status : check_backend(inputs, err);
}

void nas_inputs_fini(nas_inputs_t *inputs)
{
    nas_score_inputs_fini(&inputs->score);
    nas_image_inputs_fini(&inputs->images);
    nas_search_inputs_fini(&inputs->search);
    nas_evaluate_inputs_fini(&inputs->evaluate);
    nas_networks_destroy(inputs->networks);
    nas_pool_fini(&inputs->pool);
    nas_shared_table_destroy(inputs->table);
    nas_comm_destroy(inputs->self);
    nas_job_destroy(inputs->job);
    *inputs = (nas_inputs_t){0};
}
