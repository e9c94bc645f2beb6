/* The kinds of objective of this program, by name. */
#ifndef NAS_WORKER_OBJECTIVES_OBJECTIVES_H
#define NAS_WORKER_OBJECTIVES_OBJECTIVES_H

#include "worker/objectives/objective.h"

/** The list, in the order of docs/job-file.md: NAME is the nas_objective_kind_NAME, with the keys
 *  nas_objective_keys_NAME, that a file NAME/NAME_keys.c defines. */
#define NAS_OBJECTIVES(OBJECTIVE)                                                                  \
    OBJECTIVE(table)                                                                               \
    OBJECTIVE(train)                                                                               \
    OBJECTIVE(command)

#define NAS_OBJECTIVE_DECLARE(name)                                                                \
    extern const nas_objective_kind_t nas_objective_kind_##name;                                   \
    extern const nas_job_section_t nas_objective_keys_##name;
NAS_OBJECTIVES(NAS_OBJECTIVE_DECLARE)

/** Places in the list. */
enum { NAS_OBJECTIVE_TABLE = 0, NAS_OBJECTIVE_TRAIN, NAS_OBJECTIVE_COMMAND };

/** The job's keys about objectives of every kind. */
extern const nas_job_section_t nas_objective_keys;

/** The kind at a place of the list; NULL: there are no more. */
const nas_objective_kind_t *nas_objective_kind_at(size_t place);

#endif
