/* Values that differ because a ReLU stands at its kink, and values that are wrong.
 *
 * Both differ from a reference by more than rounding explains. The first kind is told by what it
 * must be: exactly the values, within the tolerances of comparison.h and no others, that float64
 * gives with a ReLU or a few on the other side (kinks.h), all of them with inputs that float32
 * cannot tell from 0, or from the 6 at which a ReLU6 ends. It is looked for
 *   - only where float64 itself gives the reference's values, to float64's tolerance: else it is
 *     the reference that is wrong;
 *   - only where logits and loss agree: they are continuous, and a wrong forward pass is no kink;
 *   - and it holds only if no value at all differs any more, and those that did are off by less
 *     than half as much: what is wrong by little more than its tolerance is not excused by what
 *     happens to move it.
 *
 * Each candidate is turned alone. Where none explains all, gradients say which do together: inputs
 * next to a kink are so rare that each changes gradients as if it were alone, so that what was found
 * differs by the sum of some of the changes, and least squares gives a share of 1 to those and of 0
 * to all others.
 */
#ifndef NAS_WORKER_VERIFY_EXPLANATION_H
#define NAS_WORKER_VERIFY_EXPLANATION_H

#include "common/base/error.h"
#include "worker/verify/reference.h"

/** ReLUs that explain what was found. Zero-initialise; end with nas_explanation_fini. */
typedef struct nas_explanation {
    int n;                           /**< 0: none do */
    double distance;                 /**< of their inputs from their kinks, the largest */
    nas_reference_values_t expected; /**< in float64, with them on the other side; where n > 0 */
} nas_explanation_t;

/** Look for them.  Not collective, deterministic. Up to 34 computations in float64;
 *  memory: 34 times the gradients.
 *  reference [in] with values of a batch; found [in] in float32, where some of them differ;
 *  within [in] how near to its kink an input is to be, as a share (kinks.h):
 *  NAS_EXPLANATION_WITHIN;
 *  explanation [out].
 *  NAS_ENOMEM. */
nas_status_t nas_explain(const nas_reference_t *reference, const nas_reference_values_t *found,
                         double within, nas_explanation_t *explanation, nas_error_t *err);

/** 32 times float32's epsilon. */
#define NAS_EXPLANATION_WITHIN 0x1p-18

void nas_explanation_fini(nas_explanation_t *explanation);

#endif
