/* The inputs of a search, read and checked against each other: job, method, table, objective,
 * encoding. */
#ifndef NAS_COORDINATOR_INPUTS_H
#define NAS_COORDINATOR_INPUTS_H

#include "common/encoding.h"
#include "common/error.h"
#include "common/job.h"
#include "common/table.h"
#include "coordinator/plan.h"
#include "worker/objective_table.h"

#include <stddef.h>

/** All owned; end with nas_inputs_fini. */
typedef struct nas_inputs {
    nas_job_t *job;
    const nas_method_t *method; /**< static */
    nas_table_t *table;
    nas_objective_t *objective;
    nas_encoding_t *encoding; /**< NULL unless the method needs one */
    nas_plan_t plan;          /**< n_groups is 1 until nas_plan_groups is asked */
} nas_inputs_t;

/** Read the job file alone, with its overrides, and find its method.  Coordinator only.
 *  inputs [out]: job and method; zero-initialised before.  Errors as nas_job_read, and an unknown
 *  method or one whose keys are missing. */
nas_status_t nas_inputs_read_job(nas_inputs_t *inputs, const char *path, const char *const *set,
                                 size_t n_set, nas_error_t *err);

/** Read what the job names and check it.  Coordinator only; after nas_inputs_read_job.
 *  NAS_EINPUT, one line: errors of the table; a metric or the objective without any value; a
 *  budget beyond the pool; architecture strings that the encoding does not know. */
nas_status_t nas_inputs_read_table(nas_inputs_t *inputs, nas_error_t *err);

/** Free everything and zero the struct. */
void nas_inputs_fini(nas_inputs_t *inputs);

#endif
