/* Objectives: what an architecture is worth. A kind of objective is one table in a folder of its
 * own, and one line in the list of objectives.h. */
#ifndef NAS_WORKER_OBJECTIVES_OBJECTIVE_H
#define NAS_WORKER_OBJECTIVES_OBJECTIVE_H

#include "common/job/section.h"

/** One kind of objective. */
typedef struct nas_objective_kind {
    const char *name;              /**< as `objective.kind` says it */
    unsigned traits;               /**< NAS_OBJECTIVE_ON_IMAGES or 0 */
    const nas_job_section_t *keys; /**< that apply with it */
} nas_objective_kind_t;

#endif
