#include "coordinator/score/score_parameters.h"

static int64_t place_of(const char *name)
{
    int n = 0;
    const nas_metric_t *const *list = nas_metric_list(&n);
    const nas_metric_t *wanted = nas_metric_find(name);
    int64_t place = 0;
    while (list[place] != wanted) place++;
    return place;
}

nas_score_parameters_t nas_score_parameters(const nas_job_t *job, const nas_pool_t *pool,
                                            const nas_score_inputs_t *inputs)
{
    const nas_batch_t *batch = &inputs->batch;
    nas_score_parameters_t parameters = {
        .n_arch = nas_pool_count(pool),
        .n_metric = (int64_t)job->metrics.names.n,
        .network = {.image_channels = batch->c,
                    .height = batch->h,
                    .width = batch->w,
                    .channels = (int)job->network.channels,
                    .cells = (int)job->network.cells,
                    .classes = inputs->n_classes,
                    .convention = (nas_convention_t)job->network.convention},
        .batch = batch->n,
        .seed = (uint64_t)job->seed,
        .weights = inputs->networks->weights,
        .files = inputs->files,
        .backend = job->backend,
        .silence_s = job->silence_s,
    };
    for (size_t i = 0; i < job->metrics.names.n; i++)
        parameters.metric[i] = place_of(job->metrics.names.at[i]);
    return parameters;
}
