/* A program under construction.
 *
 * Emission walks the graph and appends operations. Tensors are numbers then, whose first and last
 * uses are noted; binding (bind.c) gives each its place in the arena and writes it into all that
 * named it. Vectors get theirs at once.
 */
#ifndef NAS_WORKER_ENGINE_PROGRAM_EMITTER_H
#define NAS_WORKER_ENGINE_PROGRAM_EMITTER_H

#include "worker/engine/program/lower.h"
#include "worker/engine/program/op.h"
#include "worker/engine/program/program.h"

enum { NAS_NO_TENSOR = -1 };

/** A range of channels of a tensor by number. */
typedef struct nas_slice {
    int tensor;
    int c_total;
    int c_first;
} nas_slice_t;

typedef struct nas_tensor {
    size_t bytes;
    size_t offset;
    int first_op; /**< -1: never used */
    int last_op;
} nas_tensor_t;

/** Tensors and vectors of one node. */
typedef struct nas_node_tensors {
    int x, r;                  /**< value, rectified value */
    int d;                     /**< adjoint in the pass under way, then of the loss */
    int tx, tr;                /**< tangents of x and r; NAS_NO_TENSOR where they are 0 */
    int e;                     /**< tangent of d */
    nas_vector_t shift;        /**< [C] of the value */
    nas_vector_t t_shift;      /**< [C] of the tangent */
    nas_vector_t sum_d, sum_e; /**< [C] over all images and pixels */
    nas_vector_t rescale;      /**< flow: [C] */
    nas_vector_t max_abs;      /**< flow: [1] of x or d before rescaling */
    nas_vector_t bound;        /**< flow without blocks: [2] of x, mantissa and exponent */
    nas_vector_t exponent;     /**< flow: [1] stored x times 2^exponent is x */
    nas_vector_t d_exponent;
    int first_group; /**< of those that read it, or -1 */
} nas_node_tensors_t;

/** Tensors and weights of one group: convolutions that are computed as one, or another link. */
typedef struct nas_group_tensors {
    int next;  /**< of those that read the same, or -1 */
    int first; /**< of its links, in `member` */
    int n_links;
    int pool;  /**< of one that is a pool: entry of the program's list of them */
    int c_out; /**< of all */
    bool live;
    int p;      /**< pooled input of feed POOL2 */
    int y;      /**< output */
    int dy;     /**< adjoint of y in the pass under way */
    int dr;     /**< adjoint of the input */
    int tp, ty; /**< tangents of p and y; NAS_NO_TENSOR where they are 0 */
    int u;      /**< tangent of dy, plus dy */
    int du;     /**< its adjoint through the convolution */
    size_t packed_offset;
    size_t gradient_offset;
    int n_curvatures; /**< adjoints by the weights in the tangent pass so far */
} nas_group_tensors_t;

/** A link's place in its group. */
typedef struct nas_group_place {
    int group;
    int c_first; /**< its first output channel in the group's */
} nas_group_place_t;

/** An array that grows. */
typedef struct nas_pool {
    void *data;
    int n;
    int room;
    size_t size; /**< of an entry */
} nas_pool_t;

typedef struct nas_emitter {
    const nas_backend_t *backend;
    const nas_lowered_t *graph;
    int n; /**< batch */
    unsigned needs;
    bool flow;
    int max_terms;
    bool failed;            /**< memory was out: what is emitted goes nowhere, and is thrown away */
    nas_program_t *program; /**< under construction; its arrays lie in the pools */
    nas_pool_t op, combination, term, dot, weight_dot, conv, pool, tensor;
    nas_program_combination_t building; /**< the combination under way */

    bool *evaluated; /**< [n_nodes] nodes of the forward pass */
    nas_node_tensors_t *node;
    nas_group_tensors_t *group;
    int n_groups;
    nas_group_place_t *place; /**< [n_links] */
    int *member;              /**< [n_links] links, group by group */
    int *part; /**< [n_inputs] of a concatenation: the adjoint of this input, a tensor of its
                              own, in the pass under way; NAS_NO_TENSOR: it is a range of the node's */
    nas_vector_t *align; /**< [n_inputs] flow: what brings an input to its node's exponent */
    nas_vector_t *gain;  /**< [n_links] flow: [1] of a convolution */
    int image;           /**< tensor */
    int first_group;     /**< of those that read the images, or -1 */
    /* tensors of all groups */
    int weights;
    int gradients;
    int curvatures; /**< two a group */
    size_t gradient_bytes;
    int scratch;               /**< of the convolutions */
    int bits;                  /**< signs of one node */
    nas_vector_t stored;       /**< float64 of one node */
    int64_t n_covariance;      /**< numbers of those so far */
    nas_vector_t seen;         /**< [2^N] patterns of signs */
    nas_vector_t image_sum[2]; /**< [N, C] fisher */
    nas_vector_t jacobian;     /**< JACOBIAN: [N, I, H, W] of the results; else NAS_NOWHERE */
    nas_vector_t correlation;  /**< [N, N] of the results, if wanted */
} nas_emitter_t;

/* ------------------------------------------------------------------------------------ emit.c */

/** Room for one more entry of a pool. Emission never fails: without memory the emitter is `failed`,
 *  and the entry is one that nobody reads. */
void *nas_emit_entry(nas_emitter_t *e, nas_pool_t *pool);

/** A new tensor. */
int nas_emit_tensor(nas_emitter_t *e, nas_shape_t shape);
int nas_emit_bytes(nas_emitter_t *e, size_t bytes);

/** A place within a tensor, until binding knows where that lies. */
nas_place_t nas_emit_place(int tensor, size_t offset);
/** The tensor that such a place is in. */
int nas_tensor_of(nas_place_t place);

/** A new vector of n float64. */
nas_vector_t nas_emit_vector(nas_emitter_t *e, size_t n);

/** An operation; the next one makes the address invalid. */
nas_op_t *nas_emit_op(nas_emitter_t *e, nas_op_kind_t kind);

/** The operation under way names this tensor. */
void nas_emit_use(nas_emitter_t *e, int tensor);

/** A scalar operation: all places are NAS_NOWHERE, numbers 0, but for its kind. */
nas_scalar_op_t *nas_emit_scalar(nas_emitter_t *e, nas_scalar_kind_t kind);

void nas_emit_conv(nas_emitter_t *e, nas_op_kind_t kind, int group, int in, int out);
/** A pass of a group that is a pool: x, in as nas_pool_op_t. */
void nas_emit_pool(nas_emitter_t *e, nas_op_kind_t kind, int group, int x, int in, int out);
/** Copy what `from` has `top` below and `left` beside to all of a tensor's range. */
typedef struct nas_emit_copy {
    nas_shape_t shape;      /**< of what is written */
    nas_shape_t from_shape; /**< h and w count */
    nas_slice_t from, to;
    int top, left;
} nas_emit_copy_t;
void nas_emit_copy(nas_emitter_t *e, nas_emit_copy_t copy);
/** FLATTEN or UNFLATTEN a tensor of this shape. */
void nas_emit_flat(nas_emitter_t *e, nas_op_kind_t kind, nas_shape_t shape, int tensor, int flat);
/** The adjoint by the images. */
void nas_emit_conv_images(nas_emitter_t *e, int group, int dy, nas_vector_t jacobian);
/** The adjoint by the weights into a tensor of all groups. */
void nas_emit_conv_weights(nas_emitter_t *e, int group, int in, int dy, nas_place_t out);
void nas_emit_moments(nas_emitter_t *e, int norm, nas_shape_t shape, nas_slice_t slice);
void nas_emit_image_dots(nas_emitter_t *e, nas_shape_t shape, nas_slice_t a, nas_slice_t b,
                         nas_vector_t sum);
/** An operation on a node's tensor: agreement, max_abs. */
nas_tensor_op_t *nas_emit_node(nas_emitter_t *e, nas_op_kind_t kind, int node, int tensor);

/** Whether each layer's sums are wanted: curvature begins with |g|^2. */
bool nas_emits_sums(const nas_emitter_t *e);
/** Whether the signs of ReLUs are looked at, those on dead edges too. */
bool nas_emits_signs(const nas_emitter_t *e);
/** Whether a node's covariance is wanted. */
bool nas_emits_covariance(const nas_emitter_t *e, int node);
/** Whether anything is differentiated. */
bool nas_emits_backward(const nas_emitter_t *e);

/* ------------------------------------------------------------------------------ combination.c */

/** A combination of this shape. Terms, outputs and dots are added; nothing else is emitted before
 *  nas_combine_end. */
void nas_combine_begin(nas_emitter_t *e, nas_shape_t shape);
void nas_combine_add(nas_emitter_t *e, nas_term_kind_t kind, nas_slice_t slice,
                     nas_vector_t coefficient);
void nas_combine_add_masked(nas_emitter_t *e, nas_slice_t slice, nas_vector_t coefficient);
/** value [N, C] at every pixel, or where the mask is > 0. */
void nas_combine_add_images(nas_emitter_t *e, nas_vector_t value, bool masked);
void nas_combine_dot(nas_emitter_t *e, nas_slice_t slice, nas_vector_t center, nas_vector_t sum);
void nas_combine_shift(nas_emitter_t *e, nas_vector_t shift);
/** ceiling: of the ReLU, one for both; nas_ceiling_of. */
void nas_combine_mask(nas_emitter_t *e, nas_slice_t slice, double ceiling);
void nas_combine_relu(nas_emitter_t *e, nas_slice_t slice, double ceiling);
void nas_combine_out(nas_emitter_t *e, nas_slice_t slice);
/** Whether it has no term so far; it may be left without an end then. */
bool nas_combine_is_empty(const nas_emitter_t *e);
/** The tensor that it would be a copy of, nothing else asked; NAS_NO_TENSOR: it computes. What has
 *  the tensor in its place may leave the combination without an end. */
int nas_combine_copied(const nas_emitter_t *e);
/** Emit it: as several where it has more terms or dots than one may have, the terms in their
 *  order. */
void nas_combine_end(nas_emitter_t *e);

/* ------------------------------------------------------------------------------------- groups.c */

/** Cut the graph's links into groups, with kernels and room for their weights. */
nas_status_t nas_emit_groups(nas_emitter_t *e, nas_error_t *err);

/** The first group that reads a node, or the images (-1), in the order of the graph; the others
 *  follow by `next`. -1: none. */
int nas_first_group(const nas_emitter_t *e, int source);
/** The first link of a group: what all of them share. */
const nas_lowered_link_t *nas_group_link(const nas_emitter_t *e, int group);
/** Shape of a group's output, and of its input. */
nas_shape_t nas_group_shape(const nas_emitter_t *e, int group);
nas_shape_t nas_source_shape(const nas_emitter_t *e, int group);
/** Tensor that a group reads: a rectified node, a pooled node, the image. */
int nas_group_source(const nas_emitter_t *e, int group);
/** Whether the forward pass computes any of its convolutions. */
bool nas_group_evaluated(const nas_emitter_t *e, int group);
/** Where its adjoints by the weights in the tangent pass go, 0 and 1. */
nas_place_t nas_group_curvature(const nas_emitter_t *e, int group, int which);

/** Shapes and slices of graph elements. */
nas_shape_t nas_node_shape(const nas_emitter_t *e, int node);
nas_slice_t nas_node_slice(const nas_emitter_t *e, int node, int tensor);
/** The channels of one link in a tensor of its group. */
nas_slice_t nas_link_slice(const nas_emitter_t *e, int link, int tensor);
/** Of its ReLUs; synflow takes ReLU6 for ReLU. */
double nas_ceiling_of(const nas_emitter_t *e, int node);
/** Whether its value is a tensor of a link as that stands. */
bool nas_is_passed(const nas_emitter_t *e, int node);
/** Number of an input among those of all nodes. */
int nas_input_number(const nas_emitter_t *e, const nas_lowered_input_t *input);
nas_slice_t nas_no_slice(void);

/* --------------------------------------------------------------------------------------
 * emission */

/** Images and weights into the layout; the forward pass up to the logits. */
void nas_emit_forward(nas_emitter_t *e);

/* ------------------------------------------------------------------------------ emit_links.c */

/** What comes out of a group that is no convolution, of a tensor of its source (forward: x; of a
 *  tangent: x is what the source has, and `in` its tangent), and the adjoint of what it reads, of
 *  that of what comes out. Returned; for a link SAME that is what went in. */
int nas_emit_link_forward(nas_emitter_t *e, int group, int x);
int nas_emit_link_tangent(nas_emitter_t *e, int group, int x, int in);
int nas_emit_link_backward(nas_emitter_t *e, int group, int x, int dy);

/* ----------------------------------------------------------------------------- emit_concat.c */

/** Put the inputs of a concatenation, from tensors `x` of nodes and rectified ones `r` (by node;
 *  NAS_NO_TENSOR: 0), side by side. out: the whole; relu: rectified, where it is wanted: NAS_NO_TENSOR
 *  otherwise, as of out. mask: the rectified node whose positive pixels relu has; NAS_NO_TENSOR: its
 *  own. */
typedef struct nas_concat {
    int node;
    bool tangent; /**< of tangents; else of values */
    int out, relu, mask;
} nas_concat_t;
void nas_emit_concat(nas_emitter_t *e, nas_concat_t concat);

/** Of the whole's adjoint, which is there: tensors for the parts that no kernel can take as a range
 *  of it. */
void nas_emit_parts(nas_emitter_t *e, int node, int adjoint);
/** The part of an input: of its own, or a range of the whole's. */
nas_slice_t nas_part_slice(const nas_emitter_t *e, const nas_lowered_input_t *input, int adjoint);

/* ------------------------------------------------------------------------------ emit_scale.c */

/** Flow without blocks: a node's exponent, and what brings its inputs to it. */
bool nas_emits_scales(const nas_emitter_t *e);
void nas_emit_scale(nas_emitter_t *e, int node);
/** What an input is multiplied with; NAS_NOWHERE: 1. */
nas_vector_t nas_align_of(const nas_emitter_t *e, const nas_lowered_input_t *input);

/* -------------------------------------------------------------------------------- constant.c */

/** Whether the sum of the logits depends on the images: where every way from them ends in a BN, and
 *  linear operations and a mean of the whole image behind it, it does not. */
bool nas_images_count(nas_emitter_t *e);

/** What a backward pass is of and what it brings. */
typedef struct nas_backward {
    bool of_image; /**< of the sum of the logits of one image, number `number` */
    int number;
    size_t gradient_at; /**< bytes from where the weights' gradients go otherwise */
    bool of_loss;       /**< of the loss; otherwise of the sum of the logits */
    bool weights;
    bool fisher;
    bool image;
} nas_backward_t;

void nas_emit_backward(nas_emitter_t *e, nas_backward_t pass);

/** Terms of a node's adjoint (curvature: of its tangent): what all its live readers hand back. */
void nas_add_readers(nas_emitter_t *e, int node, bool curvature);
/** Sums of that adjoint which the norms behind the node's inputs need. */
void nas_add_sums(nas_emitter_t *e, int node, bool curvature);
/** End the combination under way, which is a node's adjoint. Its tensor: where the node only hands on
 *  and the adjoint is another's as that stands, that one's. */
int nas_emit_node_adjoint(nas_emitter_t *e, int node);
/** Adjoint of a link's output, from its target's. */
void nas_emit_dy(nas_emitter_t *e, int link);
nas_slice_t nas_dy_slice(const nas_emitter_t *e, int link);

/** Gradients of each image, and their products. */
void nas_emit_kernel(nas_emitter_t *e);

/** Tangents along the weights, and the adjoint of the loss's gradient along them. */
void nas_emit_curvature(nas_emitter_t *e);

/** What is worked out at the end, of the weights' gradients and adjoints: sums of every layer, the
 *  flow; gradients in the parameters' layout, and moments. */
void nas_emit_results(nas_emitter_t *e);

/** Another entry of what NAS_OP_WEIGHT_DOTS sums up: of n elements in packed layout at a and b. */
void nas_emit_weight_dot(nas_emitter_t *e, nas_place_t a, nas_place_t b, size_t n,
                         nas_vector_t sums);
/** Sums of the products of a vector with another, or with the weights (NAS_NOWHERE), in the
 *  parameters' layout. */
void nas_emit_dots(nas_emitter_t *e, int weight, nas_vector_t a, nas_vector_t b, nas_vector_t sums);
/** The gradient of a group of one layer, in packed layout, is added to a vector in the parameters'. */
void nas_emit_add_gradient(nas_emitter_t *e, int group, nas_place_t from, nas_vector_t to);
/** Whether a group is of live convolutions with weights of their own, or with this one that is
 *  shared; and whether no group before it shares the same. */
bool nas_group_owns_weights(const nas_emitter_t *e, int group);
bool nas_group_shares(const nas_emitter_t *e, int group, int weight);
bool nas_group_is_first_share(const nas_emitter_t *e, int group);

/** Where the values of the layer of a parameter go. */
nas_vector_t nas_layer_values(const nas_emitter_t *e, int parameter);

/* --------------------------------------------------------------------------------------
 * vectors.c */

/** The vectors of all norms and nodes, of the head, and of the results. */
void nas_emit_vectors(nas_emitter_t *e);

/* ---------------------------------------------------------------------------- norms
 * (emit_norm.c) */

/** Whether a norm normalises: flow keeps those of the reductions only. */
bool nas_norm_active(const nas_emitter_t *e, int norm);
/** Whether it does so by the moments of the batch, not by statistics that are given. */
bool nas_norm_has_moments(const nas_emitter_t *e, int norm);
/** Vectors of a norm; NULL: -1. */
const nas_norm_vectors_t *nas_norm_of(const nas_emitter_t *e, int norm);

/** Coefficients of all active norms of a node's inputs, pass by pass; of the first the node's
 *  shift, of the third its tangent's. */
void nas_emit_node_forward(nas_emitter_t *e, int node);
void nas_emit_node_backward(nas_emitter_t *e, int node);
void nas_emit_node_tangent(nas_emitter_t *e, int node);
void nas_emit_node_curvature(nas_emitter_t *e, int node);
/** Means and variances of all norms, of an inference network. */
void nas_emit_statistics(nas_emitter_t *e);

/** Flow: what brings a node's tensor to about 1, its power of two added to the exponent. */
void nas_emit_rescale(nas_emitter_t *e, int node, int tensor, nas_vector_t exponent);
/** Flow: a node's adjoint has its readers' exponent, until it is rescaled. */
void nas_emit_follow_adjoint(nas_emitter_t *e, int node);

/* --------------------------------------------------------------------------------------- bind.c */

/** Plan the arena and put its places into the program. */
nas_status_t nas_bind(nas_emitter_t *e, nas_error_t *err);

#endif
