/* Programs: a network compiled to a list of operations on tensors in one arena and vectors in
 * another (op.h), for an engine (worker/engine/engine.h) to carry out.
 *
 * What is asked for decides what is in the list: the forward pass is shared; one backward pass of
 * the loss serves every metric of gradients; one backward pass of the sum of the logits, data only,
 * gives the Jacobian; a tangent pass and its adjoint give the curvature along the weights; a
 * forward pass with given statistics in place of the batch's is a network in use, or under
 * validation. The lifetimes of all tensors are known before the first operation, so the arena is
 * planned once.
 */
#ifndef NAS_WORKER_ENGINE_PROGRAM_PROGRAM_H
#define NAS_WORKER_ENGINE_PROGRAM_PROGRAM_H

#include "common/base/error.h"
#include "worker/engine/backends/backend.h"
#include "worker/engine/graph/graph.h"

#include <stddef.h>
#include <stdint.h>

/** What a program computes; a set of bits. */
typedef enum nas_need {
    NAS_NEED_LOSS = 1,        /**< logits and loss */
    NAS_NEED_GRADIENT = 2,    /**< gradient of the loss by every parameter */
    NAS_NEED_SUMS = 4,        /**< sums over each layer's weights and gradient */
    NAS_NEED_FISHER = 8,      /**< products of outputs and their gradients */
    NAS_NEED_JACOBIAN = 16,   /**< gradient of the sum of the logits by the images */
    NAS_NEED_CURVATURE = 32,  /**< g' H w: weights w, gradient g, Hessian H of the loss; and SUMS */
    NAS_NEED_SIGNS = 64,      /**< agreement of ReLU signs between images, dead edges included */
    NAS_NEED_FLOW = 128,      /**< synflow, a network of its own: alone in its program */
    NAS_NEED_INFERENCE = 256, /**< logits by running statistics: alone in its program */
    NAS_NEED_CORRELATION = 512, /**< of the images' gradients of the sum of the logits */
    /** How many patterns the signs at a ReLU's input have over the images, 16 at most; of dead edges,
     *  too. */
    NAS_NEED_PATTERNS = 1024,
    NAS_NEED_FEATURES = 2048, /**< what the head takes means of, and the batch statistics */
    /** Covariance of the channels at every block's end, over all images and pixels; of those that do
     *  not reach the logits, too. */
    NAS_NEED_COVARIANCE = 4096,
    /** Products of every two images' gradients of the sum of an image's logits, by all weights. */
    NAS_NEED_KERNEL = 8192
} nas_need_t;

/** Needs that a layout's backend has no kernels for; nas_need_t bits. */
unsigned nas_program_lacks(const nas_backend_t *layout);

typedef struct nas_program_options {
    const nas_backend_t *layout; /**< whose tensors and kernels it is for: sizes are asked, nothing
                                      is computed or kept */
    const nas_graph_t *graph;    /**< not needed any more once the program is made */
    int batch;                   /**< images; 1 for FLOW */
    unsigned needs;              /**< nas_need_t bits */
    double smoothing;            /**< of the labels in the loss, in [0, 1) */
    int max_terms; /**< of a combination, at least 2; longer sums are chained. 0: NAS_MAX_TERMS */
} nas_program_options_t;

/** Sums over one layer (a convolution or the linear layer). All float64: it lies in a vector. */
typedef struct nas_layer_values {
    double dot;              /**< SUMS: sum of w g */
    double abs_dot;          /**< SUMS: sum of |w g| */
    double gradient_squares; /**< SUMS: |g|^2 */
    double fisher; /**< as oracle-style: mean over images of squared sums, halved, times fan-in */
    double curvature; /**< this layer's part of g' H w */
} nas_layer_values_t;

/** Results of a program; NULL or NaN what it does not compute. */
typedef struct nas_program_values {
    const double *logits; /**< [N, classes] */
    double loss; /**< mean cross-entropy, a share `smoothing` of it with all classes alike */
    const nas_layer_values_t *layer; /**< [n_parameters], entries of weights only */
    const double *jacobian;          /**< [N, I, H, W]; NULL too where no way leads to the images */
    const double *agreement;         /**< [N, N] positions whose signs agree */
    const double *correlation; /**< [N, N] of the rows of the Jacobian; NULL too where that is */
    const double *gradient;    /**< GRADIENT: [n_values] of the loss by all parameters, each at its
                                  offset; 0 of those that do not reach the logits */
    const double
        *moments; /**< GRADIENT, FEATURES: batch statistics [n_statistics], mean and biased variance
                                  of what every norm is behind, a convolution's bias included: of
                                  norm i, c means at its `statistics`, then c variances; 0 of norms
                                  that do not reach the logits */
    double patterns; /**< PATTERNS */
    const double
        *features; /**< [n_features], that is [N, C, H, W], of what the head takes means of */
    int64_t n_features;
    const double
        *kernel; /**< KERNEL: [N, N, 2], the product at [j <= i, 0]; its rest is of no use */
    const double *covariance; /**< [C, C] of every block's end, in their order; NULL too where the
                                   network has no blocks */
    double flow_mantissa;     /**< synflow = mantissa * 2^exponent */
    int flow_exponent;
} nas_program_values_t;

/** A compiled network, plain data: see op.h. */
typedef struct nas_program nas_program_t;

/** Compile.  Not collective, deterministic.
 *  NAS_ENOMEM. NAS_EARG: the graph has what programs cannot compute, by name, or the layout's
 *  backend no such kernel. The caller owns *program_p. */
nas_status_t nas_program_create(const nas_program_options_t *options, nas_program_t **program_p,
                                nas_error_t *err);

/** Bytes of the arena of tensors, and of that of vectors. */
size_t nas_program_arena_bytes(const nas_program_t *program);
size_t nas_program_vector_bytes(const nas_program_t *program);

/** Accepts NULL. */
void nas_program_destroy(nas_program_t *program);

#endif
