/* Programs: a network compiled to a list of backend calls over tensors in one arena.
 *
 * What is asked for decides what is in the list: the forward pass is shared; one backward pass of
 * the loss serves every metric of gradients; one backward pass of the sum of the logits, data only,
 * gives the Jacobian; a tangent pass and its adjoint give the curvature along the weights; a
 * forward pass with given statistics in place of the batch's is a network in use, or under
 * validation. The lifetimes of all tensors are known before the first call, so the arena is planned
 * once.
 */
#ifndef NAS_WORKER_ENGINE_PROGRAM_PROGRAM_H
#define NAS_WORKER_ENGINE_PROGRAM_PROGRAM_H

#include "common/base/error.h"
#include "worker/engine/backends/backend.h"
#include "worker/engine/graph/graph.h"
#include "worker/engine/program/profile.h"

#include <stddef.h>
#include <stdint.h>

/** What a program computes; a set of bits. */
typedef enum nas_need {
    NAS_NEED_LOSS = 1,       /**< logits and loss */
    NAS_NEED_GRADIENT = 2,   /**< gradient of the loss by every parameter */
    NAS_NEED_SUMS = 4,       /**< sums over each layer's weights and gradient */
    NAS_NEED_FISHER = 8,     /**< products of outputs and their gradients */
    NAS_NEED_JACOBIAN = 16,  /**< gradient of the sum of the logits by the images */
    NAS_NEED_CURVATURE = 32, /**< g' H w: weights w, gradient g, Hessian H of the loss; and SUMS */
    NAS_NEED_SIGNS = 64,     /**< agreement of ReLU signs between images, dead edges included */
    NAS_NEED_FLOW = 128,     /**< synflow, a network of its own: alone in its program */
    NAS_NEED_INFERENCE = 256 /**< logits by running statistics: alone in its program */
} nas_need_t;

/** Memory that programs share, one after the other. Zero-initialise; end with nas_arena_fini. */
typedef struct nas_arena {
    void *data;
    size_t size;
} nas_arena_t;

void nas_arena_fini(nas_arena_t *arena);

typedef struct nas_program_options {
    const nas_backend_t *backend;
    const nas_graph_t *graph; /**< borrowed while the program lives */
    int batch;                /**< images; 1 for FLOW */
    unsigned needs;           /**< nas_need_t bits */
    double smoothing;         /**< of the labels in the loss, in [0, 1) */
    nas_profile_t *profile;   /**< every run is added to it; NULL: nothing is timed */
} nas_program_options_t;

/** Sums over one layer (a convolution or the linear layer). */
typedef struct nas_layer_values {
    double gradient_squares; /**< SUMS: |g|^2 */
    double dot;              /**< SUMS: sum of w g */
    double abs_dot;          /**< SUMS: sum of |w g| */
    double fisher; /**< as oracle-style: mean over images of squared sums, halved, times fan-in */
    double curvature; /**< this layer's part of g' H w */
} nas_layer_values_t;

/** Results of a run; arrays are the program's, valid until its next run. */
typedef struct nas_program_values {
    const double *logits; /**< [N, classes] */
    double loss; /**< mean cross-entropy, a share `smoothing` of it with all classes alike */
    const nas_layer_values_t *layer; /**< [n_parameters], entries of weights only */
    const double *jacobian;          /**< [N, I, H, W] */
    const double *agreement;         /**< [N, N] positions whose signs agree */
    double flow_mantissa;            /**< synflow = mantissa * 2^exponent */
    int flow_exponent;
} nas_program_values_t;

/** A compiled network; opaque. */
typedef struct nas_program nas_program_t;

/** Compile.  Not collective. Reuses arena, growing it where needed; programs that share one may not
 *  run at the same time. arena NULL: the program is only planned, for its arena's bytes.
 *  NAS_ENOMEM, NAS_EARG (the backend has no such kernel). The caller owns *program_p. */
nas_status_t nas_program_create(const nas_program_options_t *options, nas_arena_t *arena,
                                nas_program_t **program_p, nas_error_t *err);

/** Compute.  Not collective; allocates nothing; deterministic for a backend.
 *  parameters [in] graph->n_values float64, each parameter at its offset;
 *  images [in] float32 [N, I, H, W], labels [in] [N] in [0, classes) (FLOW: both NULL);
 *  values [out]. */
void nas_program_run(nas_program_t *program, const double *parameters, const float *images,
                     const int32_t *labels, nas_program_values_t *values);

/** Gradient of the loss by all parameters, float64; after a run with NEED_GRADIENT, before another
 *  program uses the arena.  Not collective, allocates nothing.
 *  gradient [out] graph->n_values, each parameter at its offset; those that do not reach the logits
 *  get 0. */
void nas_program_gradients(const nas_program_t *program, double *gradient);

/** Batch statistics of the last run: mean and biased variance of what every norm is behind, a
 *  convolution's bias included.  Not collective.
 *  moments [out] graph->n_statistics: of norm i, c means at its `statistics`, then c variances;
 *  those of norms that do not reach the logits are left as they are. */
void nas_program_moments(const nas_program_t *program, double *moments);

/** Logits by running statistics; of a program with NEED_INFERENCE.  Not collective; allocates
 *  nothing; deterministic. An image's logits do not depend on the others in its batch.
 *  parameters, images as nas_program_run; statistics [in] as nas_program_moments.
 *  Returns [N, classes], the program's, valid until its next run. */
const double *nas_program_infer(nas_program_t *program, const double *parameters,
                                const double *statistics, const float *images);

/** Bytes of the arena that this program uses. */
size_t nas_program_arena_bytes(const nas_program_t *program);

/** Accepts NULL. */
void nas_program_destroy(nas_program_t *program);

#endif
