/* The backends of this program, by name. */
#ifndef NAS_WORKER_ENGINE_BACKENDS_BACKENDS_H
#define NAS_WORKER_ENGINE_BACKENDS_BACKENDS_H

#include "common/job/job.h"
#include "worker/engine/backends/backend.h"

/** A backend; NULL where it is not built in.  Not collective.
 *  isa: for `cpu`; its first use fixes the instruction set of the process. */
const nas_backend_t *nas_backend_of(nas_backend_kind_t kind, nas_isa_t isa);

#endif
