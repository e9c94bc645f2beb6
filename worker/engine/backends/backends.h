/* The backends of this program, by name. */
#ifndef NAS_WORKER_ENGINE_BACKENDS_BACKENDS_H
#define NAS_WORKER_ENGINE_BACKENDS_BACKENDS_H

#include "common/job/section.h"
#include "worker/engine/backends/backend.h"

/** Places in the list. */
typedef enum nas_backend_kind { NAS_BACKEND_REF = 0, NAS_BACKEND_CPU } nas_backend_kind_t;

/** The job's keys about backends. */
extern const nas_job_section_t nas_backend_keys;

/** The name of the backend at a place of the list; NULL: there are no more. */
const char *nas_backend_name(size_t place);

/** A backend of the list; NULL where it is not built in.  Not collective.
 *  isa: for `cpu`; its first use fixes the instruction set of the process. */
const nas_backend_t *nas_backend_of(nas_backend_kind_t place, nas_isa_t isa);

#endif
