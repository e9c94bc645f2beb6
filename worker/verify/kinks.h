/* ReLUs of a reference's network whose inputs are next to a kink, and what the network's values are
 * with some of them on their other side, in float64.
 *
 * Where its input is 0 a ReLU has no derivative, nor ReLU6 where it is 6. An input that lies nearer
 * to 0 than float32 rounds is positive in one computation and not in another, and neither is wrong;
 * the same with 6. What the network computes forward hardly changes; but a pixel's part of every
 * gradient is there or is not.
 *
 * A ReLU is known by its position among those of the forward pass: every pass over the network's
 * images rectifies the same nodes in the same order (verify_values.h), whereas turning one moves
 * the inputs of those behind it in their last digits. Synflow's pass is over another image, of
 * another network, and left alone.
 *
 * Inputs that are equal, bit for bit, are so for a reason, as behind an edge that skips, and equal
 * in any computation. They stand and fall together, and are known by the first of them.
 */
#ifndef NAS_WORKER_VERIFY_KINKS_H
#define NAS_WORKER_VERIFY_KINKS_H

#include "common/base/error.h"
#include "worker/verify/reference.h"

#include <stdint.h>

enum { NAS_KINKS_MOST = 32, NAS_KINKS_TURNED = 8 };

/** One whose input is next to its kink, and not there, which it is for a reason. */
typedef struct nas_kink {
    int64_t position;
    double input;
    double distance; /**< of the input from the kink, 0 or the ceiling of a ReLU6; >= 0 */
    double share;    /**< of the distance in the root of the mean square of its node's inputs, or in
                          the ceiling where it is that and larger: in what float32 rounds */
} nas_kink_t;

/** Those of a network with the least shares, by share. */
typedef struct nas_kinks {
    nas_kink_t kink[NAS_KINKS_MOST];
    int n;
} nas_kinks_t;

/** Compute every value of a reference's batch in float64.  Not collective, deterministic.
 *  reference [in] with values of a batch;
 *  turned [in] n_turned positions, NAS_KINKS_TURNED at most, of ReLUs that are to be on the other
 *  side: at 0, of a positive input 0 comes out, of another the least positive number; at a
 *  ceiling, of an input below it the ceiling, of another the last number below it;
 *  values [out] the caller's; near [out] the kinks of least share, as they are with these turned;
 *  NULL: not wanted.
 *  NAS_ENOMEM. */
nas_status_t nas_kinks_compute(const nas_reference_t *reference, const int64_t *turned,
                               int n_turned, nas_reference_values_t *values, nas_kinks_t *near,
                               nas_error_t *err);

#endif
