/* A training again, step by step. */
#ifndef NAS_WORKER_VERIFY_VERIFY_TRAINING_H
#define NAS_WORKER_VERIFY_VERIFY_TRAINING_H

#include "common/base/error.h"
#include "worker/engine/engine.h"
#include "worker/verify/reference.h"

/** Train as a reference's did, by the steps that train candidates (training.h).
 *  Not collective; deterministic for an engine and its instruction set.
 *  reference [in] with n_steps > 0, its graph built for the engine's layout;
 *  losses [out] n_steps; NaN from the step on that found one that is not finite.
 *  NAS_ENOMEM, NAS_EARG (the engine has no such kernel). */
nas_status_t nas_verify_training(nas_engine_t *engine, const nas_reference_t *reference,
                                 double *losses, nas_error_t *err);

#endif
