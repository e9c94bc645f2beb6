#include "worker/engine/metrics/metric.h"

#include <string.h>

extern const nas_metric_t nas_metric_grad_norm, nas_metric_snip, nas_metric_grasp,
    nas_metric_fisher, nas_metric_synflow, nas_metric_log_synflow, nas_metric_jacob_cov,
    nas_metric_nwot, nas_metric_plain, nas_metric_l2_norm, nas_metric_params, nas_metric_flops;

static const nas_metric_t *const list[] = {
    &nas_metric_grad_norm, &nas_metric_snip,        &nas_metric_grasp,     &nas_metric_fisher,
    &nas_metric_synflow,   &nas_metric_log_synflow, &nas_metric_jacob_cov, &nas_metric_nwot,
    &nas_metric_plain,     &nas_metric_l2_norm,     &nas_metric_params,    &nas_metric_flops,
};

enum { N_METRICS = sizeof list / sizeof list[0] };

const nas_metric_t *nas_metric_find(const char *name)
{
    for (int i = 0; i < N_METRICS; i++)
        if (strcmp(list[i]->name, name) == 0) return list[i];
    return NULL;
}

const nas_metric_t *const *nas_metric_list(int *n)
{
    *n = N_METRICS;
    return list;
}
