/* A program as plain data: what an engine carries out, one operation after the other.
 *
 * Nothing here is an address. Tensors lie in one arena of bytes, vectors (of float64: a number a
 * channel, an image, a class) in another, and parameters in the order of the graph; operations say
 * where. So a program can be copied, sent to a device, or carried out several times at once.
 *
 * All vectors are 0 when a program begins. Whatever it finds is in its vectors when it ends: no
 * number leaves them before, and tensors mean nothing any more.
 */
#ifndef NAS_WORKER_ENGINE_PROGRAM_OP_H
#define NAS_WORKER_ENGINE_PROGRAM_OP_H

#include "worker/engine/backends/backend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NAS_NOWHERE = -1 };

/** Bytes from the beginning of the tensors' arena, or NAS_NOWHERE: no tensor. */
typedef int64_t nas_place_t;

/** A vector's first element, among all float64 of the vectors' arena, or NAS_NOWHERE: no vector. */
typedef int64_t nas_vector_t;

/** The first element of an array of parameters, among all of the graph, or NAS_NOWHERE: none. */
typedef int64_t nas_entry_t;

/** A range of channels of a tensor, see nas_channels_t. */
typedef struct nas_range {
    nas_place_t at;
    int c_total;
    int c_first;
} nas_range_t;

/* ------------------------------------------------------------------------- combinations, sums */

/** As nas_term_t. */
typedef struct nas_program_term {
    nas_term_kind_t kind;
    bool masked;
    nas_range_t tensor;
    nas_vector_t coefficient;
} nas_program_term_t;

/** As nas_dot_t. */
typedef struct nas_program_dot {
    nas_range_t tensor;
    nas_vector_t center;
    nas_vector_t sum;
} nas_program_dot_t;

/** As nas_combination_t; terms and dots are consecutive entries of the program's. */
typedef struct nas_program_combination {
    nas_shape_t shape;
    int term;
    int n_terms;
    int dot;
    int n_dots;
    nas_vector_t shift;
    nas_range_t mask;
    nas_range_t out;
    nas_range_t relu;
    double ceiling;
} nas_program_combination_t;

/** Sums over elements in packed layout: of a b, of |a b|. */
typedef struct nas_weight_dot {
    nas_place_t a;
    nas_place_t b;
    size_t n;
    nas_vector_t sums; /**< [2] */
} nas_weight_dot_t;

/* -------------------------------------------------------------------------------------- tables */

/** The weights of one convolution of the graph. */
typedef struct nas_program_layer {
    nas_entry_t weight;
    int64_t n;
} nas_program_layer_t;

/** Convolutions of one input, computed as one. Consecutive layers; their weights lie behind one
 *  another in packed layout. */
typedef struct nas_program_group {
    int conv; /**< entry of the program's list of shapes; -1: not computed */
    int layer;
    int n_layers;
    size_t elements; /**< of all its weights in packed layout */
    nas_place_t weights;
    nas_place_t gradient;
} nas_program_group_t;

/** Vectors [c] of one BN: x in, y = scale x + shift out. host/norm.c says what they are for. */
typedef struct nas_norm_vectors {
    int c;
    nas_entry_t gamma, beta;
    nas_entry_t bias;   /**< of the convolution that it is behind: in no tensor */
    int64_t statistics; /**< of its means, then variances, in an array of all statistics */
    double eps;
    bool along; /**< behind a convolution: its input has a tangent of its own */
    nas_vector_t mean, variance, inv, scale;
    nas_vector_t sum_dz;                     /**< adjoint d of y: sum of d (x - mean) */
    nas_vector_t d_coef, x_coef, rest;       /**< adjoint of x = d_coef d + x_coef x + rest */
    nas_vector_t sum_t, sum_tz, sum_td;      /**< tangent t of x: sums of t, t (x - mean), t d */
    nas_vector_t t_coef, tx_coef;            /**< tangent of y = t_coef t + tx_coef x + ... */
    nas_vector_t sum_ez;                     /**< tangent e of d: sum of e (x - mean) */
    nas_vector_t u_d, u_e, u_x, u_t, u_rest; /**< u = u_d d + u_e e + u_x x + u_t t + u_rest */
} nas_norm_vectors_t;

/** The head: mean over the pixels, linear layer, loss. Without a layer, whose weight is then
 *  NAS_NOWHERE, the means are the logits. */
typedef struct nas_head_vectors {
    int c; /**< features */
    int o; /**< classes */
    double n_pixels;
    double smoothing;
    bool sums; /**< the linear layer's are wanted */
    bool fisher;
    nas_entry_t weight, bias;
    nas_vector_t features, d_features, t_features, e_features; /**< [N, C] */
    nas_vector_t logits, d_logits, t_logits, e_logits;         /**< [N, O] */
    nas_vector_t transposed;                                   /**< [C, O] linear weights */
    nas_vector_t d_linear;           /**< [O, C] gradient of the linear weights */
    nas_vector_t t_linear, e_linear; /**< its tangents through the features and through d_logits */
    nas_vector_t layer;              /**< nas_layer_values_t */
    nas_vector_t loss;
} nas_head_vectors_t;

/* ---------------------------------------------------------------------------------- operations */

typedef enum nas_op_kind {
    NAS_OP_LOAD_IMAGES = 0, /**< tensor.a: the images that are given; flow: one image of ones */
    NAS_OP_PACK,            /**< index: group, whose weights come out of the parameters */
    NAS_OP_CONV_FORWARD,
    NAS_OP_CONV_BACKWARD_DATA,
    NAS_OP_CONV_BACKWARD_WEIGHTS,
    NAS_OP_MOMENTS,      /**< tensor.a: mean and variance of a channel to tensor.out[0], [1] */
    NAS_OP_COMBINE,      /**< index: of the combination */
    NAS_OP_IMAGE_DOTS,   /**< tensor.a, b: to tensor.out[0] [N, C] */
    NAS_OP_AGREEMENT,    /**< tensor.a: for every two images the positions where its signs agree,
                            `times` each, are added to tensor.out[0] [N, N]; b: room for bits */
    NAS_OP_MAX_ABS,      /**< tensor.a: to tensor.out[0] [1] */
    NAS_OP_WEIGHT_DOTS,  /**< all entries of the program's list */
    NAS_OP_UNPACK,       /**< index: group, whose gradient goes to the results', in the parameters'
                            layout */
    NAS_OP_ADD_GRADIENT, /**< of weights that several groups share: one of theirs is added */
    NAS_OP_POOL_FORWARD,
    NAS_OP_POOL_BACKWARD,
    NAS_OP_POOL_TANGENT, /**< of one by maximum */
    NAS_OP_COPY,
    NAS_OP_FLATTEN,   /**< tensor.a, of the shape, to tensor.b */
    NAS_OP_UNFLATTEN, /**< tensor.b to tensor.a, of the shape */
    NAS_OP_SCALAR
} nas_op_kind_t;

typedef struct nas_conv_op {
    int conv; /**< entry of the program's list of shapes */
    nas_place_t weights;
    nas_place_t in;    /**< x; of BACKWARD_DATA dy */
    nas_place_t other; /**< BACKWARD_WEIGHTS: dy */
    nas_place_t out;
    nas_vector_t jacobian; /**< BACKWARD_DATA by the images: in place of out, [N, I, H, W] */
} nas_conv_op_t;

/** Adjoint by the weights of a group of one layer, added to a vector in the parameters' layout. */
typedef struct nas_gradient_op {
    int group;
    nas_place_t from;
    nas_vector_t to;
} nas_gradient_op_t;

typedef struct nas_pool_op {
    int pool;       /**< entry of the program's list of pools */
    nas_place_t x;  /**< what is pooled; FORWARD reads it alone */
    nas_place_t in; /**< BACKWARD: dy; TANGENT: tangent of x */
    nas_place_t out;
} nas_pool_op_t;

/** As nas_copy_t. */
typedef struct nas_copy_op {
    nas_shape_t shape;
    int h_from, w_from;
    int top, left;
    nas_range_t from;
    nas_range_t to;
} nas_copy_op_t;

typedef struct nas_tensor_op {
    nas_shape_t shape;
    nas_range_t a;
    nas_range_t b;
    nas_vector_t out[2];
    int times;
} nas_tensor_op_t;

/** Work on vectors and scalars, in float64. Powers of two are kept as their exponents, which are
 *  vectors of one element; NAS_NOWHERE stands for 2^0. */
typedef enum nas_scalar_kind {
    NAS_SCALAR_COPY = 0,      /**< in [c] to out */
    NAS_SCALAR_ADD,           /**< in [c] is added to out */
    NAS_SCALAR_STATISTICS,    /**< norm: mean and variance out of the statistics that are given */
    NAS_SCALAR_NORM_FORWARD,  /**< norm: inv, scale; its part of the node's shift is added to out */
    NAS_SCALAR_BIAS,          /**< bias [c] at `entry` is added to out */
    NAS_SCALAR_NORM_BACKWARD, /**< norm: d_coef, x_coef, rest; in: sums of d */
    NAS_SCALAR_NORM_TANGENT,  /**< norm: t_coef, tx_coef; its part of t's shift is added to out */
    NAS_SCALAR_NORM_CURVATURE, /**< norm: u_*; in: sums of d, more: of e */
    NAS_SCALAR_NORM_GRADIENT, /**< norm: of gamma and beta, to `out` + their entries; in: sums of d */
    NAS_SCALAR_NORM_MOMENTS, /**< norm: mean, its bias included, and variance, to out */
    NAS_SCALAR_RESCALE, /**< in: largest |value|; its exponent is added to `exponent`, and out [c]
                             becomes what brings it to about 1 */
    NAS_SCALAR_FISHER,  /**< in [N, c]: sums an image of y dy, more: of dy, for the bias at `entry`;
                            out: nas_layer_values_t */
    NAS_SCALAR_LAYER,   /**< in: sums of weight dots; out: nas_layer_values_t */
    NAS_SCALAR_HEAD_FORWARD,
    NAS_SCALAR_HEAD_LOSS, /**< the loss, and d_features of it */
    NAS_SCALAR_HEAD_SUM,  /**< d_features of the sum of the logits */
    NAS_SCALAR_HEAD_TANGENT,
    NAS_SCALAR_HEAD_GRADIENT, /**< of the linear layer, to `out` + its entries */
    NAS_SCALAR_FLOW_LINEAR,   /**< the linear layer's part of the flow, to out: value, exponent */
    NAS_SCALAR_FLOW_ADD,      /**< in: sums of a weight dot; its part is added to out */
    NAS_SCALAR_CORRELATION,   /**< in: rows [N, c], which need not be kept; out [N, N] */
    NAS_SCALAR_DOTS, /**< in, more [c], NOWHERE: the parameters from `entry` on: sums of their
                          products, and of these without sign, to out [2] */
    NAS_SCALAR_GAIN, /**< weights at `entry` of c outputs, each a sum over `count` inputs: the largest
                          sum without signs, to out */
    NAS_SCALAR_BOUND, /**< in (NOWHERE: 1) times what goes in, of bound `more` (NOWHERE: 1); or the
                           largest of biases [c] at `entry`, without sign: is added to the bound
                           out [2], or, `count` 1, joins it as the larger one */
    NAS_SCALAR_SCALE, /**< in: a bound; exponent: the power of two that it is below */
    NAS_SCALAR_ALIGN /**< out [c]: what brings what goes in to the exponent; 0 where its gain `in` or
                           its bound `more` is 0 */
} nas_scalar_kind_t;

typedef struct nas_scalar_op {
    nas_scalar_kind_t kind;
    int norm;
    int64_t c;
    double count; /**< NORM_*: values that a channel's means are over; FISHER: fan-in;
                       LAYER: sums of curvature that there are */
    nas_entry_t entry;
    nas_vector_t in;
    nas_vector_t more;
    nas_vector_t out;
    nas_vector_t exponent;      /**< of what comes out */
    nas_vector_t from_exponent; /**< of what goes in */
} nas_scalar_op_t;

typedef struct nas_op {
    nas_op_kind_t kind;
    union {
        nas_conv_op_t conv;
        nas_tensor_op_t tensor;
        nas_scalar_op_t scalar;
        nas_gradient_op_t gradient;
        nas_pool_op_t pool;
        nas_copy_op_t copy;
        int index;
    };
} nas_op_t;

/* --------------------------------------------------------------------------------- the program */

/** Where the results are, NAS_NOWHERE what is not computed. nas_program_values_t says what they
 *  are. */
typedef struct nas_program_results {
    nas_vector_t logits;
    nas_vector_t loss;
    nas_vector_t layer;
    nas_vector_t jacobian;
    nas_vector_t agreement;
    nas_vector_t correlation;
    nas_vector_t gradient;
    nas_vector_t moments;
    nas_vector_t flow; /**< [2] mantissa, exponent */
} nas_program_results_t;

/** A network compiled for one layout of tensors. Arrays are the program's own. */
struct nas_program {
    int n;         /**< images of a batch */
    bool flow;     /**< of absolute parameters, on an image of ones */
    bool backward; /**< the adjoints of its convolutions are wanted too */
    nas_shape_t image;
    nas_op_t *op;
    nas_program_combination_t *combination;
    nas_program_term_t *term;
    nas_program_dot_t *dot;
    nas_weight_dot_t *weight_dot;
    nas_conv_shape_t *conv; /**< each shape once */
    nas_pool_shape_t *pool; /**< of each pool */
    nas_program_layer_t *layer;
    nas_program_group_t *group;
    nas_norm_vectors_t *norm;
    int n_ops; /**< and so on: how many of each there are */
    int n_combinations;
    int n_terms;
    int n_dots;
    int n_weight_dots;
    int n_convs;
    int n_pools;
    int n_layers;
    int n_groups;
    int n_norms;
    nas_head_vectors_t head;
    nas_program_results_t results;
    nas_place_t scratch; /**< of the convolutions */
    size_t arena_bytes;  /**< of all tensors */
    size_t n_vectors;    /**< float64 of all vectors, those of the results first */
    size_t n_results;    /**< float64 of the results' vectors */
    int64_t n_values;    /**< parameters of the graph */
    int64_t n_statistics;
    int64_t n_joined; /**< weights of the group that has most */
};

#endif
