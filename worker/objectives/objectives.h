/* The kinds of objective of this program, by name. */
#ifndef NAS_WORKER_OBJECTIVES_OBJECTIVES_H
#define NAS_WORKER_OBJECTIVES_OBJECTIVES_H

#include "worker/candidates/objective.h"

/** The list, in the order of docs/job-file.md: NAME is the nas_objective_kind_NAME, with the keys
 *  nas_objective_keys_NAME, that a folder NAME defines. */
#define NAS_OBJECTIVES(OBJECTIVE)                                                                  \
    OBJECTIVE(table)                                                                               \
    OBJECTIVE(train)                                                                               \
    OBJECTIVE(command)

#define NAS_OBJECTIVE_DECLARE(name)                                                                \
    extern const nas_objective_kind_t nas_objective_kind_##name;                                   \
    extern const nas_job_section_t nas_objective_keys_##name;
NAS_OBJECTIVES(NAS_OBJECTIVE_DECLARE)

/** The job's keys about objectives of every kind. */
extern const nas_job_section_t nas_objective_keys;

/** The kind at a place of the list; NULL: there are no more. */
const nas_objective_kind_t *nas_objective_kind_at(size_t place);

/** The kind of a job's objective. */
const nas_objective_kind_t *nas_objective_of(const nas_job_t *job);

/** Whether the kind of a job's objective has a trait. */
bool nas_objective_has(const nas_job_t *job, unsigned trait);

/** The functions of a job's objective, where they may be NULL (nas_objective_kind_t). */
nas_status_t nas_objective_check(const nas_objective_inputs_t *inputs, nas_error_t *err);
nas_status_t nas_objective_note(const nas_objective_inputs_t *inputs, nas_strings_t *notes,
                                nas_error_t *err);
nas_status_t nas_objective_columns(const nas_objective_inputs_t *inputs, nas_strings_t *names,
                                   nas_error_t *err);
int64_t nas_objective_epochs(const nas_job_t *job);
nas_status_t nas_objective_needs(const nas_objective_inputs_t *inputs, const nas_pool_t *pool,
                                 nas_objective_needs_t *needs, nas_error_t *err);
int64_t nas_objective_team_size(const nas_job_t *job);

#endif
