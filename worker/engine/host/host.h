/* The engine of the host: programs one by one on a backend, on the calling thread. */
#ifndef NAS_WORKER_ENGINE_HOST_HOST_H
#define NAS_WORKER_ENGINE_HOST_HOST_H

#include "worker/engine/engine.h"
#include "worker/engine/host/profile.h"

/** profile: every run is added to it, kept while the engine lives; NULL: nothing is timed.
 *  Not collective. The caller owns *engine_p and ends it with nas_engine_destroy.
 *  Memory is kept for the next programs, as much as the largest so far took.  NAS_ENOMEM. */
nas_status_t nas_host_engine_create(const nas_backend_t *backend, nas_profile_t *profile,
                                    nas_engine_t **engine_p, nas_error_t *err);

#endif
