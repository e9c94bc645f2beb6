/* The backends of this program, by name. */
#ifndef NAS_WORKER_ENGINE_HOST_BACKENDS_H
#define NAS_WORKER_ENGINE_HOST_BACKENDS_H

#include "common/job/section.h"
#include "worker/engine/backends/backend.h"

#include <stdint.h>

/** One of the list. */
typedef struct nas_backend_entry {
    const char *name;  /**< as `backend` says it */
    const char *needs; /**< the library that it is built with; NULL: none */
    bool yields;       /**< to a GPU, where a job has one: both are of single precision */
    /** The backend, NULL where it is not built in. isa: which instructions it may use; the first
     *  use fixes those of the process. */
    const nas_backend_t *(*of)(nas_isa_t isa);
} nas_backend_entry_t;

/** The job's keys about backends. */
extern const nas_job_section_t nas_backend_keys;

/** The entry at a place of the list; NULL: there are no more. */
const nas_backend_entry_t *nas_backend_at(size_t place);

/** The entry of this name, or NULL. */
const nas_backend_entry_t *nas_backend_named(const char *name);

/** The backend at a place of the list; NULL where it is not built in.  Not collective. */
const nas_backend_t *nas_backend_of(int64_t place, nas_isa_t isa);

/** The same. NAS_EINPUT: it is not built in. */
nas_status_t nas_backend_require(int64_t place, nas_isa_t isa, const nas_backend_t **backend_p,
                                 nas_error_t *err);

#endif
