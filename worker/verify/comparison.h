/* Values of a backend against those of a reference, and how far they may lie apart.
 *
 * float64 backends: relative error at most 1e-8 on every value but losses of a training.
 * float32 backends: what float32 allows, which depends on how the network conditions its values.
 *   shallow    fewer than 3 cells a stage, and every network of an ONNX file
 *   deep       3 or more
 *   ill        deep, and all six edges of the cell are convolutions: every node takes differences
 *              of large terms, and PyTorch's own float32 is off by up to 5e-3
 *
 *   value                          error is relative to          shallow    deep     ill
 *   logits, loss                   largest |logit|                  5e-5    3e-4    5e-3
 *   metrics but those below        itself                           5e-5    3e-4    5e-3
 *   grasp                          itself                           5e-4    3e-3    5e-2
 *   plain, a sum that cancels      snip                             1e-5    1e-5    1e-5
 *   log_synflow, log of synflow    nothing                          1e-5    1e-5    1e-5
 *   jacob_cov                      nothing                          1e-3    1e-3    1e-3
 *   zico                           itself                           1e-2    1e-2    1e-2
 *   input_gradient                 itself                           1e-3    1e-3    1e-3
 *   gradients                      itself, or 1e-4 of all           1e-3    1e-3    1e-3
 *                                  gradients where that is more
 *
 * zico divides by differences of two gradients, so that the few weights where these nearly agree
 * decide over a layer's part.
 *
 * Losses of a training wander apart, since each step amplifies the rounding of those
 * before it. Their error is relative to the expected loss, or to 1 where that is more.
 *
 *   losses                             float64    float32    of ONNX files
 *   of the first two steps                1e-6       1e-5             1e-5
 *   of the third and fourth               1e-6       1e-3             2e-2
 *   of all others                         1e-6       1e-1             1e-1
 *
 * Networks of ONNX files are held to what is asked of shallow ones, since float32 gives more:
 * PyTorch's own, on DARTS cells, TransNAS-Bench-101's networks, dense connections, inverted
 * residuals and networks without BN, is off by at most 4e-6 in logits, 1e-4 in grasp and 3e-7 in the
 * others, but where a ReLU is on the other side of its kink. Their losses wander faster, for such a ReLU
 * is met in the first steps: on a residual network of 16 images a batch PyTorch's are off by 4.9e-3
 * at the fourth step, and float64's move by up to 6.0e-3 where weights are changed by what float32
 * rounds. Of the second loss, behind a whole step, as much is asked as of other networks.
 *
 * A ReLU whose input float32 cannot tell from its kink (0, and the 6 of a ReLU6) may be on either
 * side of it, which moves gradients by far more than these tolerances. They stay as they are; values
 * are then compared with those of the other side (explanation.h).
 *
 * The error of a gradient is the norm of the difference, relative to its norm; of logits it is the
 * largest difference. On float64 they are relative to the same as on float32. NaN equals NaN, and
 * an infinity itself: two networks without a way from input to output agree.
 */
#ifndef NAS_WORKER_VERIFY_COMPARISON_H
#define NAS_WORKER_VERIFY_COMPARISON_H

#include "worker/verify/reference.h"

#include <stdbool.h>
#include <stddef.h>

/** One value, compared. */
typedef struct nas_comparison {
    char name[NAS_REFERENCE_NAME_SIZE +
              16];     /**< as in the file: "grad_norm", "gradients/stem/conv/weight" */
    const char *group; /**< "gradients" by parameters, "losses" of steps: of neighbours in a group
                            with one tolerance, the worst says enough. NULL: none; static */
    double expected;   /**< of an array: its norm */
    double found;
    double error;
    double tolerance;
    bool agrees;
} nas_comparison_t;

/** Compare every value that the file has.  Not collective.
 *  is_float64: the kind of backend that found the values;
 *  comparison_p [out] n of them, the caller's (free), in the order logits, loss, metrics, input
 *  gradient, gradients, and losses of a training.
 *  NAS_ENOMEM. */
nas_status_t nas_compare(const nas_reference_t *reference, const nas_reference_values_t *found,
                         bool is_float64, nas_comparison_t **comparison_p, size_t *n,
                         nas_error_t *err);

/** Whether all of n values agree; whether logits and loss do, as far as they are among them. */
bool nas_comparisons_agree(const nas_comparison_t *comparison, size_t n);
bool nas_comparisons_agree_forward(const nas_comparison_t *comparison, size_t n);

#endif
