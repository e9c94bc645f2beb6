/* What float32 can tell of a network, where that is less than the tolerances of comparison.h ask.
 *
 * Deep networks, and sums that cancel, may condition their gradients badly: a hundred ReLUs at their
 * kinks at once, a gradient of 1e-7 made of far larger terms. PyTorch's own float32 is off by as much
 * then (a narrow ResNet-50, 8 images of 64 x 64: 6e-2 in the gradient by the images). And where pixels
 * are equal, as in the white corner of a photograph, so are the values that a maximum is taken of: in
 * exact arithmetic it has no one derivative, and in float32 rounding picks. No search for single ReLUs
 * (explanation.h) finds these.
 *
 * A float32 program that is right computes what exact arithmetic gives of parameters and images that
 * differ by roundings: that is what backward stable means. So a value need not be nearer to the
 * reference than float64's own moves where each of them is changed by a few roundings, up or down at
 * random. It is asked
 *   - only where float64 itself, unchanged, gives the reference's values to float64's tolerance;
 *   - only where logits and loss agree, as in explanation.h;
 *   - and excuses nothing of a well-conditioned network, whose values move by a few 1e-6.
 *
 * Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 1.5.
 */
#ifndef NAS_WORKER_VERIFY_SENSITIVITY_H
#define NAS_WORKER_VERIFY_SENSITIVITY_H

#include "common/base/error.h"
#include "worker/verify/comparison.h"
#include "worker/verify/reference.h"

#include <stddef.h>

/** 16 roundings of float32: what is made of sums of some hundred terms. */
#define NAS_SENSITIVITY_CHANGE 0x1p-20

/** Widen the tolerances of values that differ to how far float64's move.  Not collective, deterministic. Up to 5
 *  computations in float64.
 *  reference [in] with values of a batch;
 *  row [in, out] n comparisons of values found in float32 with it (nas_compare);
 *  n_widened [out] of them that agree now.
 *  NAS_ENOMEM. */
nas_status_t nas_sensitivity_widen(const nas_reference_t *reference, nas_comparison_t *row,
                                   size_t n, size_t *n_widened, nas_error_t *err);

#endif
