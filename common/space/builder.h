/* The builder: a table of functions by which a space says what the network of an architecture is.
 *
 * A space makes calls on it, from the images to the logits, and knows nothing of what becomes of
 * them: worker/engine/graph implements it. Tensors are numbers, of which -1 is none: a call that is
 * given one, or that fails, gives one, and whoever made the builder learns the first reason. So a
 * space calls on without looking.
 *
 * Names: parameters are named by the scopes that are open, what was called, and what they are, as
 * in "cell3/edge0/conv/weight". Initial weights are keyed by these names, and reference files,
 * state files and exports have them: a name that changes changes results. No two calls may come to
 * one name; a network in which they do is refused.
 */
#ifndef NAS_COMMON_SPACE_BUILDER_H
#define NAS_COMMON_SPACE_BUILDER_H

#include <stdbool.h>

/** Extents of a tensor, of one image; a flat one has h = w = 1. */
typedef struct nas_extents {
    int c;
    int h;
    int w;
} nas_extents_t;

/** A window that slides over a tensor. */
typedef struct nas_window {
    int k_h, k_w;
    int stride_h, stride_w;
    int dilation_h, dilation_w;
    int top, left, bottom, right; /**< rows and columns of padding */
} nas_window_t;

static inline bool nas_window_is_same(const nas_window_t *a, const nas_window_t *b)
{
    return a->k_h == b->k_h && a->k_w == b->k_w && a->stride_h == b->stride_h &&
           a->stride_w == b->stride_w && a->dilation_h == b->dilation_h &&
           a->dilation_w == b->dilation_w && a->top == b->top && a->left == b->left &&
           a->bottom == b->bottom && a->right == b->right;
}

/** A window along one axis. */
typedef struct nas_axis {
    int k, stride, dilation;
    int before, after; /**< padding */
} nas_axis_t;

static inline nas_axis_t nas_window_rows(const nas_window_t *w)
{
    return (nas_axis_t){w->k_h, w->stride_h, w->dilation_h, w->top, w->bottom};
}

static inline nas_axis_t nas_window_columns(const nas_window_t *w)
{
    return (nas_axis_t){w->k_w, w->stride_w, w->dilation_w, w->left, w->right};
}

/** A convolution k x k. */
typedef struct nas_conv_spec {
    const char *name;
    int c_out;
    int k;
    int stride;  /**< 0: 1, as of dilation and groups */
    int padding; /**< zeros on each side */
    int dilation;
    const nas_window_t *window; /**< in place of these four; NULL: they say */
    int groups;
    bool bias;
    int shares; /**< 0: its weight is its own; else 1 + the tensor of a convolution or linear layer
                     before, of as many numbers, whose weight it has too */
} nas_conv_spec_t;

/** PyTorch's. */
#define NAS_DEFAULT_MOMENTUM 0.1

/** A batch normalisation. */
typedef struct nas_norm_spec {
    const char *name;
    double eps;      /**< > 0 */
    bool affine;     /**< it has gamma and beta */
    bool is_kept;    /**< synflow, which drops the others, keeps it */
    double momentum; /**< share of a batch in running statistics; 0: NAS_DEFAULT_MOMENTUM */
} nas_norm_spec_t;

typedef enum nas_pool_kind { NAS_POOL_MEAN = 0, NAS_POOL_MAX } nas_pool_kind_t;

/** A pool over windows of k x k. One that sticks out of the padded tensor has the pixels within it
 *  alone. */
typedef struct nas_pool_spec {
    const char *name; /**< NULL: it has that of its source, and what it is */
    nas_pool_kind_t kind;
    int k;      /**< 0: one window, of the whole tensor */
    int stride; /**< 0: 1 */
    int padding;
    const nas_window_t *window; /**< in place of these three, dilation 1; NULL: they say */
    bool counts_padding;        /**< a mean is over the padding at the edges, too */
    bool ceil; /**< windows that stick out count, but for those that begin beyond the tensor and its
                    padding above and on the left */
} nas_pool_spec_t;

/** A part of a tensor, or more than it. */
typedef struct nas_crop_spec {
    const char *name; /**< NULL: it has that of its source, and what it is */
    int top, left;    /**< pixel of the source that comes to the corner; may be negative */
    int h, w;
} nas_crop_spec_t;

typedef enum nas_rectifier { NAS_RECTIFIER_RELU = 0, NAS_RECTIFIER_RELU6 } nas_rectifier_t;

/** A linear layer on a flat tensor. */
typedef struct nas_linear_spec {
    const char *name;
    int n_out;
    bool bias;
    int shares; /**< as of a convolution */
} nas_linear_spec_t;

/** What sums and concatenations are of. */
typedef struct nas_join_spec {
    const char *name; /**< NULL: that of the innermost scope */
    const int *source;
    int n;
} nas_join_spec_t;

/** Whoever implements it has it as the first member. No function is collective. */
typedef struct nas_builder nas_builder_t;
struct nas_builder {
    /** Begin and end a scope: name, with its number where that is not negative. */
    void (*enter)(nas_builder_t *builder, const char *name, int number);
    void (*leave)(nas_builder_t *builder);

    /** Extents of a tensor; all 0 of -1. */
    nas_extents_t (*extents)(const nas_builder_t *builder, int tensor);

    int (*image)(nas_builder_t *builder);
    int (*conv)(nas_builder_t *builder, int source, const nas_conv_spec_t *spec);
    int (*norm)(nas_builder_t *builder, int source, const nas_norm_spec_t *spec);
    int (*rectify)(nas_builder_t *builder, int source, nas_rectifier_t kind);
    int (*pool)(nas_builder_t *builder, int source, const nas_pool_spec_t *spec);
    /** Of tensors of equal extents, in this order. Of none: zeros of the extents `like` (ignored
     *  otherwise). Of one: that tensor, by a name of its own. */
    int (*sum)(nas_builder_t *builder, const nas_join_spec_t *spec, nas_extents_t like);
    /** Of channels; of tensors of equal h and w. */
    int (*concat)(nas_builder_t *builder, const nas_join_spec_t *spec);
    /** Pixels that the source does not have are 0. */
    int (*crop)(nas_builder_t *builder, int source, const nas_crop_spec_t *spec);
    int (*flatten)(nas_builder_t *builder, int source, const char *name);
    int (*linear)(nas_builder_t *builder, int source, const nas_linear_spec_t *spec);

    /** A block of the network ends here, and the next begins: what follows reads nothing from
     *  before it but this tensor. What lies on no way through its block does not count as work, and
     *  synflow brings values back to about 1 here, but for the first block's. */
    void (*end_block)(nas_builder_t *builder, int tensor);

    /** What the network computes: flat, one number a class. Once, at the end. */
    void (*output)(nas_builder_t *builder, int tensor);
};

#endif
