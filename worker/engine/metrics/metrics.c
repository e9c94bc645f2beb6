#include "worker/engine/metrics/metric.h"

#include <string.h>

/* The list: metric NAME is the nas_metric_NAME that its file NAME.c defines. */
#define METRICS(METRIC)                                                                            \
    METRIC(grad_norm)                                                                              \
    METRIC(snip)                                                                                   \
    METRIC(grasp)                                                                                  \
    METRIC(fisher)                                                                                 \
    METRIC(synflow)                                                                                \
    METRIC(log_synflow)                                                                            \
    METRIC(jacob_cov)                                                                              \
    METRIC(nwot)                                                                                   \
    METRIC(plain)                                                                                  \
    METRIC(l2_norm)                                                                                \
    METRIC(params)                                                                                 \
    METRIC(flops)                                                                                  \
    METRIC(swap)                                                                                   \
    METRIC(zico)                                                                                   \
    METRIC(az_expressivity)                                                                        \
    METRIC(az_progressivity)                                                                       \
    METRIC(zen)                                                                                    \
    METRIC(ntk)

#define DECLARE(name) extern const nas_metric_t nas_metric_##name;
#define ADDRESS(name) &nas_metric_##name,

METRICS(DECLARE)

static const nas_metric_t *const list[] = {METRICS(ADDRESS)};

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
