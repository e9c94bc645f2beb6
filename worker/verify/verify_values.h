/* The values of a reference's network and batch, computed. */
#ifndef NAS_WORKER_VERIFY_VERIFY_VALUES_H
#define NAS_WORKER_VERIFY_VERIFY_VALUES_H

#include "common/base/error.h"
#include "worker/engine/engine.h"
#include "worker/verify/reference.h"

/** Compute every value of the batch that a reference has.  Not collective; deterministic for an engine and its
 *  instruction set. The network's forward pass is computed twice, for the outputs with their
 *  gradients and for the metrics, and rectifies the same nodes in the same order.
 *  reference [in] with values of a batch;
 *  values [out] with room for all (nas_reference_values_init). Where no way leads to the input,
 *  its gradient is left as it was.
 *  NAS_ENOMEM, NAS_EARG (the engine has no such kernel). */
nas_status_t nas_verify_values(nas_engine_t *engine, const nas_reference_t *reference,
                               nas_reference_values_t *values, nas_error_t *err);

#endif
