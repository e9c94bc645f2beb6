/* The lists of this program, for whoever needs all of them at once: what a job may say. */
#ifndef NAS_COORDINATOR_REGISTRIES_REGISTRIES_H
#define NAS_COORDINATOR_REGISTRIES_REGISTRIES_H

#include "common/job/section.h"

/** Sections of backends, spaces, metrics, data formats, objectives and methods, and those about
 *  none of them, in the order of docs/job-file.md. Static. */
const nas_job_sections_t *nas_registries_job(void);

/** What docs/job-file.md says before its tables: examples, and rules for all keys. */
extern const char *const nas_registries_preface[];

#endif
