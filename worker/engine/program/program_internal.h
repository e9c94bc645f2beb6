/* What the parts of a program share: operations, tensors, and the vectors of every BN.
 *
 * Emission walks the graph and appends operations; tensors are numbers then. Binding plans the
 * arena from first and last uses and puts addresses in. Running goes through the list.
 */
#ifndef NAS_WORKER_ENGINE_PROGRAM_PROGRAM_INTERNAL_H
#define NAS_WORKER_ENGINE_PROGRAM_PROGRAM_INTERNAL_H

#include "worker/engine/program/program.h"

enum { NAS_NO_TENSOR = -1 };

typedef enum nas_op_kind {
    NAS_OP_CONV_FORWARD = 0,
    NAS_OP_CONV_BACKWARD_DATA,
    NAS_OP_CONV_BACKWARD_WEIGHTS, /**< of the loss or flow: into the group's gradient */
    NAS_OP_CONV_CURVATURE, /**< weights' adjoint, multiplied with the gradient and added up */
    NAS_OP_MOMENTS,
    NAS_OP_COMBINE,
    NAS_OP_IMAGE_DOTS,
    NAS_OP_SIGNS,
    NAS_OP_MAX_ABS,
    NAS_OP_SCALAR
} nas_op_kind_t;

/** Work on vectors and scalars, in float64: function(program, index). */
typedef void (*nas_scalar_t)(nas_program_t *program, int index);

/** A range of channels of a tensor by number. */
typedef struct nas_slice {
    int tensor;
    int c_total;
    int c_first;
} nas_slice_t;

typedef struct nas_op {
    nas_op_kind_t kind;
    int index; /**< group, norm, node or conv, as the kind wants it */
    nas_scalar_t scalar;
    int in;  /**< conv, signs, max_abs: tensor */
    int out; /**< conv: tensor */
    nas_shape_t shape;
    nas_slice_t a; /**< moments, image_dots, max_abs */
    nas_slice_t b;
    double *vector[2];                       /**< moments: mean, variance; image_dots: sum */
    nas_combination_t *combination;          /**< owned */
    struct nas_combination_tensors *tensors; /**< its tensors by number; owned */
} nas_op_t;

typedef struct nas_combination_tensors {
    int term[NAS_MAX_TERMS];
    int mask;
    int out;
    int relu;
    int dot[NAS_MAX_DOTS];
} nas_combination_tensors_t;

typedef struct nas_tensor {
    size_t bytes;
    size_t offset;
    int first_op;
    int last_op;
} nas_tensor_t;

/** Vectors [C] of one BN: x in, y = scale x + shift out. norm.c says what they are for. */
typedef struct nas_norm_vectors {
    double *mean, *variance, *inv, *scale;
    double *sum_dz;                         /**< adjoint d of y: sum of d (x - mean) */
    double *d_coef, *x_coef, *rest;         /**< adjoint of x = d_coef d + x_coef x + rest */
    double *sum_t, *sum_tz, *sum_td;        /**< tangent t of x: sums of t, t (x - mean), t d */
    double *t_coef, *tx_coef;               /**< tangent of y = t_coef t + tx_coef x + ... */
    double *sum_ez;                         /**< tangent e of d: sum of e (x - mean) */
    double *u_d, *u_e, *u_x, *u_t, *u_rest; /**< u = u_d d + u_e e + u_x x + u_t t + u_rest */
} nas_norm_vectors_t;

/** Tensors and vectors of one node. */
typedef struct nas_node_tensors {
    int x, r;              /**< value, rectified value */
    int d;                 /**< adjoint in the pass under way, then of the loss */
    int tx, tr;            /**< tangents of x and r */
    int e;                 /**< tangent of d */
    double *shift;         /**< [C] of the value */
    double *t_shift;       /**< [C] of the tangent */
    double *sum_d, *sum_e; /**< [C] over all images and pixels */
    double *rescale;       /**< [C] flow */
    double max_abs;        /**< flow: of x or d before rescaling */
    int exponent;          /**< flow: stored x times 2^exponent is x; 0 otherwise */
    int d_exponent;
} nas_node_tensors_t;

/** Tensors and weights of one group of convolutions. */
typedef struct nas_group_tensors {
    const nas_conv_t *conv;
    int p;           /**< pooled input of feed POOL2 */
    int y;           /**< output */
    int dy;          /**< adjoint of y in the pass under way */
    int dr;          /**< adjoint of the input */
    int tp, ty;      /**< tangents of p and y; NAS_NO_TENSOR where they are 0 */
    int u;           /**< tangent of dy, plus dy */
    int du;          /**< its adjoint through the convolution */
    size_t elements; /**< of weights in packed layout */
    size_t packed_offset;
    size_t gradient_offset;
    void *packed; /**< weights, in the arena as it is in this run */
    void *gradient;
} nas_group_tensors_t;

struct nas_program {
    const nas_backend_t *backend;
    const nas_graph_t *graph;
    int n; /**< batch */
    unsigned needs;
    double smoothing;
    bool flow;

    nas_op_t *op; /**< room for the largest program of the graph, as have the four below */
    int n_ops, max_ops;
    nas_combination_t *combination;
    nas_combination_tensors_t *combination_tensors;
    int n_combinations;
    nas_tensor_t *tensor;
    int n_tensors, max_tensors;
    double *vector_pool;
    size_t n_vector, max_vector; /**< float64 taken and there */
    nas_arena_t *arena;
    size_t arena_bytes;
    nas_profile_t *profile; /**< or NULL */

    bool *evaluated; /**< [n_nodes] nodes of the forward pass */
    nas_node_tensors_t *node;
    nas_norm_vectors_t *norm;
    nas_group_tensors_t *group;
    int image;    /**< tensor */
    int jacobian; /**< tensor, float64 */
    /* tensors that live throughout */
    int weights;   /**< packed weights of all groups */
    int gradients; /**< of all groups */
    int curvature; /**< one group's adjoint by the weights in the tangent pass */
    int scratch;   /**< of the convolutions */
    int bits;      /**< signs of one node */

    /* the head: [N, C] and [N, classes] */
    double *features, *d_features, *t_features, *e_features;
    double *logits, *d_logits, *t_logits, *e_logits;
    double *transposed;          /**< [C, classes] linear weights */
    double *d_linear;            /**< [classes, C] gradient of the linear weights */
    double *t_linear, *e_linear; /**< its tangents through the features and through d_logits */
    double *image_sum[2];        /**< [N, C] fisher */
    double *agreement;           /**< [N, N] */
    double *joined;              /**< weights of the widest group */
    float *ones;                 /**< flow: the image */
    nas_layer_values_t *layer;

    /* the run under way */
    const double *parameters;
    const int32_t *labels;
    double loss;
};

/* ---------------------------------------------------------------------------- emit.c */

/** A new tensor. Emission never fails: the program has room for all that its graph can need. */
int nas_emit_tensor(nas_program_t *program, nas_shape_t shape);
int nas_emit_bytes(nas_program_t *program, size_t bytes);

/** A new vector of n float64, zero. */
double *nas_emit_vector(nas_program_t *program, size_t n);

nas_op_t *nas_emit_op(nas_program_t *program, nas_op_kind_t kind, int index);
void nas_emit_scalar(nas_program_t *program, nas_scalar_t scalar, int index);
void nas_emit_conv(nas_program_t *program, nas_op_kind_t kind, int group, int in, int out);
void nas_emit_moments(nas_program_t *program, int norm, nas_shape_t shape, nas_slice_t slice);
void nas_emit_image_dots(nas_program_t *program, nas_shape_t shape, nas_slice_t a, nas_slice_t b,
                         double *sum);

/** An operation on a node's tensor: signs, max_abs. */
void nas_emit_node(nas_program_t *program, nas_op_kind_t kind, int node, int tensor);

/** A combination under construction. */
typedef struct nas_combiner {
    nas_program_t *program;
    nas_combination_t *to;
    nas_combination_tensors_t *tensors;
} nas_combiner_t;

/** A combination of this shape; terms, outputs and dots are added to it before the next one. */
nas_combiner_t nas_emit_combine(nas_program_t *program, nas_shape_t shape);
void nas_combine_add(nas_combiner_t c, nas_term_kind_t kind, nas_slice_t slice,
                     const double *coefficient);
void nas_combine_add_masked(nas_combiner_t c, nas_slice_t slice);
/** value [N, C] at every pixel where the mask is > 0. */
void nas_combine_add_images(nas_combiner_t c, const double *value);
void nas_combine_dot(nas_combiner_t c, nas_slice_t slice, const double *center, double *sum);
void nas_combine_mask(nas_combiner_t c, nas_slice_t slice);
void nas_combine_out(nas_combiner_t c, nas_slice_t slice);
void nas_combine_relu(nas_combiner_t c, nas_slice_t slice);

/* ---------------------------------------------------------------------------- bind.c */

/** Plan the arena. */
nas_status_t nas_bind(nas_program_t *program, nas_error_t *err);
/** Address of a tensor, NULL for NAS_NO_TENSOR. The arena may have moved since the last run. */
void *nas_tensor_data(const nas_program_t *program, int tensor);
void nas_bind_combination(const nas_program_t *program, nas_op_t *op);

/** Shapes and slices of graph elements. */
nas_shape_t nas_node_shape(const nas_program_t *program, int node);
nas_slice_t nas_node_slice(const nas_program_t *program, int node, int tensor);
/** The channels of one convolution in a tensor of its group. */
nas_slice_t nas_conv_slice(const nas_program_t *program, int conv, int tensor);
nas_slice_t nas_no_slice(void);
/** The first convolution of a group: what all of them share. */
const nas_graph_conv_t *nas_group_conv(const nas_program_t *program, int group);
/** Shape of a group's output, and of its input. */
nas_shape_t nas_group_shape(const nas_program_t *program, int group);
nas_shape_t nas_source_shape(const nas_program_t *program, int group);
/** The convolution that a group is computed as. */
nas_conv_shape_t nas_group_conv_shape(const nas_program_t *program, int group);
/** Tensor that a group reads: a rectified node, a pooled node, the image. */
int nas_group_source(const nas_program_t *program, int group);
/** Whether the forward pass computes any of its convolutions. */
bool nas_group_evaluated(const nas_program_t *program, int group);

/* ------------------------------------------------------------------------- emission */

/** The forward pass up to the loss. */
void nas_emit_forward(nas_program_t *program);

/** What a backward pass is of and what it brings. */
typedef struct nas_backward {
    bool of_loss; /**< of the loss; otherwise of the sum of the logits */
    bool weights;
    bool fisher;
    bool image;
} nas_backward_t;

void nas_emit_backward(nas_program_t *program, nas_backward_t pass);

/** Terms of a node's adjoint (curvature: of its tangent): what all its live readers hand back. */
void nas_add_readers(nas_program_t *program, nas_combiner_t c, int node, bool curvature);
/** Sums of that adjoint which the norms behind the node's inputs need. */
void nas_add_sums(nas_program_t *program, nas_combiner_t c, int node, bool curvature);
/** Adjoint of a convolution's output, from its target's. */
void nas_emit_dy(nas_program_t *program, int conv);
nas_slice_t nas_dy_slice(const nas_program_t *program, int conv);

/** Tangents along the weights, and the adjoint of the loss's gradient along them. */
void nas_emit_curvature(nas_program_t *program);

/** Whether each layer's sums are wanted: curvature begins with |g|^2. */
bool nas_program_sums(const nas_program_t *program);

/** Whether a norm normalises: flow keeps those of the reductions only. */
bool nas_norm_active(const nas_program_t *program, int norm);
/** Whether it does so by the moments of the batch, not by statistics that are given. */
bool nas_norm_has_moments(const nas_program_t *program, int norm);
/** The node that a norm's output is a term of. */
int nas_norm_target(const nas_graph_t *graph, int norm);

/* ---------------------------------------------------------------- coefficients (norm.c) */

void nas_norm_allocate(nas_program_t *program, int norm);
/** Means and variances of all norms, of an inference network. */
void nas_norm_take_statistics(nas_program_t *program, const double *statistics);
/** Scales of all active norms of a node's inputs, and the node's shift. index: node. */
void nas_node_forward(nas_program_t *program, int node);
/** d_coef, x_coef, rest of the active norms of a node's inputs. */
void nas_node_backward(nas_program_t *program, int node);
void nas_node_tangent(nas_program_t *program, int node);
void nas_node_curvature(nas_program_t *program, int node);

/* ------------------------------------------------------------------------ head (head.c) */

void nas_head_forward(nas_program_t *program, int unused);
/** d_features of the loss; of the sum of the logits. */
void nas_head_backward_loss(nas_program_t *program, int unused);
void nas_head_backward_logits(nas_program_t *program, int unused);
void nas_head_tangent(nas_program_t *program, int unused);
/** Gradients of the linear layer, [O, C] and [O]. */
void nas_head_gradient(const nas_program_t *program, double *weight, double *bias);
/** Fisher's sum of one convolution, from image_sum. index: conv. */
void nas_fisher_add(nas_program_t *program, int conv);

/* ------------------------------------------------------------------------ flow (flow.c) */

void nas_flow_begin(nas_program_t *program, int unused);
/** Bring the node's value, or adjoint, to about 1 and note the power of two. */
void nas_flow_rescale(nas_program_t *program, int node);
void nas_flow_rescale_adjoint(nas_program_t *program, int node);
/** A node's adjoint has its readers' exponent, until it is rescaled. */
void nas_flow_follow_adjoint(nas_program_t *program, int node);
/** Sum over all layers of |w dR/dw| as mantissa and exponent. */
void nas_flow_sum(const nas_program_t *program, double *mantissa, int *exponent);

/* ------------------------------------------------------------------ profile (profile.c) */

/** Add an operation that took so long; loading the images and weights of a run. */
void nas_profile_op(const nas_program_t *program, const nas_op_t *op, double seconds);
void nas_profile_load(const nas_program_t *program, double seconds);

#endif
