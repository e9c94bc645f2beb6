#include "coordinator/registries/registries.h"

#include "coordinator/search/methods/method.h"
#include "worker/data/dataset.h"
#include "worker/engine/device/choice.h"
#include "worker/engine/host/backends.h"
#include "worker/engine/metrics/metric.h"
#include "worker/objectives/objectives.h"

#include <stddef.h>

#define KEYS(name) &nas_objective_keys_##name,

static const nas_job_section_t *const sections[] = {
    &nas_job_identity,   &nas_backend_keys,
    &nas_device_keys,    &nas_job_world,
    &nas_job_pool,       &nas_metric_keys,
    &nas_job_network,    &nas_data_keys,
    &nas_objective_keys, NAS_OBJECTIVES(KEYS) & nas_method_keys,
    &nas_job_checkpoint,
};

const nas_job_sections_t *nas_registries_job(void)
{
    static const nas_job_sections_t all = {
        .at = sections, .n = sizeof sections / sizeof *sections, .preface = nas_registries_preface};
    return &all;
}
