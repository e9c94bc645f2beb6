/* Descriptors: what one group (or row of groups) of a launch works on. Read by the kernels, written
 * by the host, the same bytes in every language: 8-byte numbers first, ints in pairs.
 *
 * Places are counted from the beginning of what a launch is given: of tensors in floats of the
 * arena, of vectors in doubles of the vectors, of tables in bytes of the table; -1: there is none.
 * Parameters, sums of parts of the batch, and whatever else is float64 lie among the vectors.
 *
 * A tensor is float32 [N, C, P]: P floats a plane, the H W pixels and then padding up to a multiple
 * of 4, which means nothing, wherever it is read or written. Weights are [O, I, K, K] without
 * padding, as are their gradients.
 */
#ifndef NAS_WORKER_ENGINE_GPU_KERNELS_WORK_H
#define NAS_WORKER_ENGINE_GPU_KERNELS_WORK_H

/* Parts of the batch that sums a channel are cut into: n images, of which part p has
 * [p n / PARTS, (p + 1) n / PARTS). */
#define NAS_GPU_PARTS 16

/* Floats of a plane. */
#define NAS_GPU_PITCH(h, w) (((h) * (w) + 3) / 4 * 4)

/* A range of channels of a tensor. */
typedef struct nas_gpu_slice {
    i64 at;      /* floats; -1: none */
    int c_total; /* channels in memory */
    int c_first;
} nas_gpu_slice_t;

/* ------------------------------------------------------------------------------- convolutions */

/* conv.cl, a block of output channels: y = conv(x), or, built with ADJOINT, the adjoint by the
 * data: then x is the adjoint of the output and y that of the input.  GROUP_X: tile of pixels.
 * Of the whole convolution: weights [w_o, w_i, K, K]. */
typedef struct nas_gpu_conv {
    nas_gpu_slice_t x;
    nas_gpu_slice_t y; /* IMAGE_ADJOINT: a vector [N, C, H, W] instead, y.at in doubles */
    i64 w;             /* floats */
    i64 moments;       /* doubles: [tiles][2][y.c_total] mean and squared deviations of the tiles of
                          every output channel, in the order of the tensor's channels; -1: not wanted.
                          What a tile is: variant.h */
    i64 bias;          /* doubles [c_out]; -1: none */
    int n;             /* images */
    int c_in;          /* channels of x that are read */
    int c_out;         /* channels of y that are written, of which this block */
    int c_block;       /* begins here */
    int w_o, w_i;
} nas_gpu_conv_t;

/* weights.cl, a block of output and input channels: parts of the gradient by the weights, whose place
 * comes first, as in all that have any.  GROUP_X: part of the batch. */
typedef struct nas_gpu_weights {
    i64 parts;          /* floats [splits][w_o][w_i][K][K] */
    nas_gpu_slice_t x;  /* the input */
    nas_gpu_slice_t dy; /* adjoint of the output */
    int n;
    int o_block, i_block; /* first channels of the block */
    int w_o, w_i;
    int splits;
} nas_gpu_weights_t;

/* parts.cl, weight_parts: the gradient out of its parts, in their order.  GROUP_X: 256 of its
 * elements. */
typedef struct nas_gpu_weight_parts {
    i64 parts;    /* floats [splits][n] */
    i64 gradient; /* floats [n] */
    i64 n;
    int splits;
    int unused;
} nas_gpu_weight_parts_t;

/* window.cl, a convolution of any window and groups.  window: y out of x; y's pixels are h_out x
 * w_out, x's h_in x w_in. With `adjoint` that by the data: then x is the adjoint of the output and y
 * that of the input.  GROUP_X: tile + tiles x block of the channels that are written.
 * window_weights: x is the input, y the adjoint of the output; parts of the gradient by the weights.
 * GROUP_X: NAS_GPU_WINDOW_LANES of the work-items of a part + so many x part.  Groups beyond have
 * nothing to do. */
#define NAS_GPU_WINDOW_LANES 64
#define NAS_GPU_WINDOW_PIXELS(outputs) ((outputs) == 1 ? 4 : 2)
/* Blocks of the channels of a group. */
#define NAS_GPU_WINDOW_BLOCKS(channels, outputs) (((channels) + (outputs)-1) / (outputs))
#define NAS_GPU_WINDOW_TILES(n, n_pixels, outputs)                                                 \
    ((int)(((i64)(n) * (n_pixels) + NAS_GPU_WINDOW_PIXELS(outputs) * NAS_GPU_WINDOW_LANES - 1) /   \
           (NAS_GPU_WINDOW_PIXELS(outputs) * NAS_GPU_WINDOW_LANES)))
typedef struct nas_gpu_window {
    i64 parts; /* floats [splits][groups x c_out][c_in][k_h][k_w] */
    nas_gpu_slice_t x;
    nas_gpu_slice_t y; /* image: a vector [N, C, H, W] instead, y.at in doubles */
    i64 w;             /* floats [groups x c_out][c_in][k_h][k_w] */
    int n;
    int groups;
    int c_in, c_out; /* of a group: inputs and outputs of the convolution */
    int h_in, w_in;
    int h_out, w_out;
    int k_h, k_w;
    int stride_h, stride_w;
    int dilation_h, dilation_w;
    int top, left; /* padding */
    int adjoint, image;
    int splits;
    int unused;
} nas_gpu_window_t;

/* ------------------------------------------------------------------------------- other links */

/* links.cl.  GROUP_X: NAS_GPU_LINK_LANES elements of what is written, of n images, c channels; groups
 * beyond have nothing to do. */
#define NAS_GPU_LINK_LANES 128

/* pool: nas_pool_shape_t, to = what `from` has where x is largest, or means of `from`, from h_in x
 * w_in to h_out x w_out pixels. pool_adjoint: the adjoint, `to` of the input's pixels. */
typedef struct nas_gpu_pooling {
    nas_gpu_slice_t x; /* takes_largest */
    nas_gpu_slice_t from;
    nas_gpu_slice_t to;
    int n, c;
    int h_in, w_in;
    int h_out, w_out;
    int k_h, k_w;
    int stride_h, stride_w;
    int top, left, bottom, right; /* padding */
    int takes_largest, counts_padding;
} nas_gpu_pooling_t;

/* copy: nas_copy_t. */
typedef struct nas_gpu_copy {
    nas_gpu_slice_t from;
    nas_gpu_slice_t to;
    int n, c;
    int h, w; /* of `to` */
    int h_from, w_from;
    int top, left;
} nas_gpu_copy_t;

/* flatten: [N, C, H, W] to [N, C H W, 1, 1], or back. */
typedef struct nas_gpu_flatten {
    nas_gpu_slice_t tensor;
    nas_gpu_slice_t flat;
    int n, c, h, w;
    int back;
    int unused;
} nas_gpu_flatten_t;

/* ------------------------------------------------------------------------------- combinations */

/* nas_term_kind_t */
#define NAS_GPU_TERM_PLAIN 0
#define NAS_GPU_TERM_POOL3 1
#define NAS_GPU_TERM_POOL3_ADJOINT 2
#define NAS_GPU_TERM_POOL2 3
#define NAS_GPU_TERM_POOL2_ADJOINT 4
#define NAS_GPU_TERM_IMAGE 5

typedef struct nas_gpu_term {
    nas_gpu_slice_t tensor;
    i64 coefficient; /* doubles [C], IMAGE: [N, C]; -1: 1 */
    int kind;
    int masked;
} nas_gpu_term_t;

typedef struct nas_gpu_dot {
    nas_gpu_slice_t tensor; /* at -1: ones */
    i64 center;             /* doubles [C] subtracted from the tensor; -1: 0 */
    i64 parts;              /* doubles [NAS_GPU_PARTS][C] out */
} nas_gpu_dot_t;

/* combine.cl: a combination (backend.h).  GROUP_X: channel + C x part of the batch; groups beyond
 * c x NAS_GPU_PARTS have nothing to do. */
typedef struct nas_gpu_combination {
    i64 terms; /* bytes of the table: nas_gpu_term_t [n_terms] */
    i64 dots;  /* bytes of the table: nas_gpu_dot_t [n_dots] */
    i64 shift; /* doubles [C]; -1: 0 */
    nas_gpu_slice_t mask;
    nas_gpu_slice_t out;
    nas_gpu_slice_t relu;
    int n, c, h, w;
    int n_terms, n_dots;
    float ceiling; /* of the rectifier; 0: none */
    int unused;
} nas_gpu_combination_t;

/* sums.cl, image_dots.  GROUP_X: NAS_GPU_PLANES of the n x c planes, image x C + channel. */
#define NAS_GPU_PLANES 8
typedef struct nas_gpu_image_dots {
    nas_gpu_slice_t a;
    nas_gpu_slice_t b; /* at -1: ones */
    i64 sum;           /* doubles [N, C] */
    int n, c, h, w;
} nas_gpu_image_dots_t;

/* sums.cl, moments: of a tensor that no convolution made, as parts like those of nas_gpu_conv_t.
 * A tile is NAS_GPU_TILE_IMAGES(n) images, the last one what is left.  GROUP_X: channel + C x tile;
 * groups beyond c x NAS_GPU_TILES(n) have nothing to do. */
#define NAS_GPU_TILE_IMAGES(n) (((n) + NAS_GPU_PARTS - 1) / NAS_GPU_PARTS)
#define NAS_GPU_TILES(n) (((n) + NAS_GPU_TILE_IMAGES(n) - 1) / NAS_GPU_TILE_IMAGES(n))
typedef struct nas_gpu_moments {
    nas_gpu_slice_t x;
    i64 moments; /* doubles [tiles][2][C] mean and squared deviations */
    int n, c, h, w;
} nas_gpu_moments_t;

/* sums.cl, weight_dots: sum of a b and of |a b|.  A group each. */
typedef struct nas_gpu_weight_dot {
    i64 a, b; /* floats [n] */
    i64 n;
    i64 sums; /* doubles [2], which are written */
} nas_gpu_weight_dot_t;

/* ------------------------------------------------------------------------------- signs, images */

/* signs.cl, agreement: for every two images, positions where one is > 0 and the other is not,
 * `times` each, added to counts: agreement is how many there are less these (NAS_GPU_AGREEMENT).
 * GROUP_X: slice + slices x pair of blocks of images. A slice is NAS_GPU_SIGNS of an image's c x
 * NAS_GPU_PITCH(h, w) floats, of which the padding does not count. Groups beyond
 * NAS_GPU_SIGN_GROUPS(n, c, h, w) have nothing to do. */
#define NAS_GPU_SIGNS 1024
#define NAS_GPU_SIGN_IMAGES 64 /* of a block */
#define NAS_GPU_SIGN_SLICES(c, h, w)                                                               \
    (((c) * NAS_GPU_PITCH(h, w) + NAS_GPU_SIGNS - 1) / NAS_GPU_SIGNS)
#define NAS_GPU_SIGN_BLOCKS(n) (((n) + NAS_GPU_SIGN_IMAGES - 1) / NAS_GPU_SIGN_IMAGES)
#define NAS_GPU_SIGN_PAIRS(n) (NAS_GPU_SIGN_BLOCKS(n) * (NAS_GPU_SIGN_BLOCKS(n) + 1) / 2)
#define NAS_GPU_SIGN_GROUPS(n, c, h, w) (NAS_GPU_SIGN_SLICES(c, h, w) * NAS_GPU_SIGN_PAIRS(n))
typedef struct nas_gpu_agreement {
    nas_gpu_slice_t relu;
    i64 counts; /* doubles; there u32 [N, N], of which those with j < i are added to */
    int n, c, h, w;
    int times;
    int unused;
} nas_gpu_agreement_t;

/* jacobian.cl, standardise: a row about its mean, scaled to norm 1, in place.  GROUP_X: row.
 * correlate: K = Z Z', cut to [-1, 1], NaN and infinity kept.  GROUP_X: row i of K. */
typedef struct nas_gpu_correlation {
    i64 rows; /* doubles [N, D] */
    i64 out;  /* doubles [N, N] */
    i64 d;
    int n;
    int unused;
} nas_gpu_correlation_t;

/* ------------------------------------------------------------------------------------ beginning */

/* begin.cl, clear: n doubles become 0.  GROUP_X: 1,024 of them. */
typedef struct nas_gpu_clear {
    i64 at;
    i64 n;
} nas_gpu_clear_t;

/* begin.cl, init: parameters as nas_parameters_init draws them.  GROUP_X: 512 of them. */
typedef struct nas_gpu_init {
    i64 at; /* doubles [n] */
    i64 n;
    double bound;   /* uniform in +- bound, rounded to float; 0: `fill` */
    double fill;    /* gamma 1, beta 0 */
    u32 key[2];     /* nas_rng_t: the seed */
    u32 counter[4]; /* the first block's */
} nas_gpu_init_t;

/* begin.cl, pack: weights of a convolution into float32.  GROUP_X: 512 of them. */
typedef struct nas_gpu_pack {
    i64 from; /* doubles [n] */
    i64 to;   /* floats [n] */
    i64 n;
    int absolute; /* flow */
    int unused;
} nas_gpu_pack_t;

/* begin.cl, unpack: a gradient into float64, for the host's trainings.  GROUP_X: 512. */
typedef struct nas_gpu_unpack {
    i64 from; /* floats [n] */
    i64 to;   /* doubles [n] */
    i64 n;
    int onto; /* they are added to what is there */
    int unused;
} nas_gpu_unpack_t;

/* begin.cl, load: images float32 [N, C, H, W] of the data into a tensor.  GROUP_X: a plane. */
typedef struct nas_gpu_load {
    i64 from; /* bytes of the data, a multiple of 16; -1: ones; staged: floats of the arena, where they
                 lie as they will */
    i64 to;   /* floats */
    int n, c, h, w;
    int staged;
    int unused;
} nas_gpu_load_t;

/* -------------------------------------------------------------------------------------- scalars */

/* What nas_scalar_kind_t says, in its order, and then what the device adds. */
enum {
    NAS_GPU_COPY = 0,
    NAS_GPU_ADD,
    NAS_GPU_STATISTICS,
    NAS_GPU_NORM_FORWARD,
    NAS_GPU_BIAS,
    NAS_GPU_NORM_BACKWARD,
    NAS_GPU_NORM_TANGENT,
    NAS_GPU_NORM_CURVATURE,
    NAS_GPU_NORM_GRADIENT,
    NAS_GPU_NORM_MOMENTS,
    NAS_GPU_RESCALE,
    NAS_GPU_FISHER,
    NAS_GPU_LAYER,
    NAS_GPU_HEAD_FORWARD,
    NAS_GPU_HEAD_LOSS,
    NAS_GPU_HEAD_SUM,
    NAS_GPU_HEAD_TANGENT,
    NAS_GPU_HEAD_GRADIENT,
    NAS_GPU_FLOW_LINEAR,
    NAS_GPU_FLOW_ADD,
    NAS_GPU_CORRELATION_UNUSED, /* it has kernels of its own */
    NAS_GPU_DOTS,
    NAS_GPU_GAIN,
    NAS_GPU_BOUND,
    NAS_GPU_SCALE,
    NAS_GPU_ALIGN,
    NAS_GPU_MOMENTS,   /* in [tiles][2][stride]: mean and squared deviations of tiles, of which those of
                          channels from `first` on become mean and variance of `norm`.  A tile is `per`
                          images by `rows` rows, the last ones what is left; tiles of the same images
                          are neighbours, upper rows first */
    NAS_GPU_DOT_PARTS, /* in [NAS_GPU_PARTS][c]: added in order to be out [c] */
    NAS_GPU_MAX_ABS,   /* in: floats of the arena, where the first image's first channel is, of n
                          images, c channels, h x w pixels, `stride` channels in memory; out [1] */
    NAS_GPU_AGREEMENT  /* in: u32 [n, n], of which j < i says how many positions differ: out [n, n],
                          both halves, is `count` less that.  count: positions an image, `times`
                          each, of all that was counted */
};

/* One operation of scalars.cl, whose group works through a list of them, all lanes on each, with a
 * barrier behind it.  What a field means is said by op.h; fields that a kind does not use mean
 * nothing.  Places of parameters are among the vectors.  A norm's vectors lie one behind the other,
 * [c] each, in the order of nas_norm_vectors_t, from `norm` on; c is then the norm's. */
typedef struct nas_gpu_scalar {
    i64 in, more, out; /* NORM_GRADIENT: out, more: where gamma's and beta's go; HEAD_GRADIENT:
                          where the linear weights' and their bias's go */
    i64 exponent, from_exponent; /* -1: 0 */
    i64 norm;
    i64 gamma, beta;   /* parameters; -1: 1 and 0 */
    i64 bias;          /* parameters: of the convolution before the norm; BIAS, FISHER, DOTS, GAIN,
                          BOUND: `entry`.  -1: none */
    i64 statistics;    /* STATISTICS: [c] means, [c] variances; NORM_MOMENTS: the same, which are
                          written */
    i64 head;          /* bytes of the table: nas_gpu_head_t; HEAD_*, FLOW_LINEAR */
    double count, eps; /* count of MOMENTS: n h w */
    int kind, c;
    int flow;  /* parameters are taken by their absolute values */
    int along; /* nas_norm_vectors_t */
    int n;     /* images: FISHER, MOMENTS, MAX_ABS, AGREEMENT */
    int h, w;  /* MOMENTS, MAX_ABS */
    int first, stride;
    int per, rows;
    int unused;
} nas_gpu_scalar_t;

/* scalars.cl: a list.  A group. */
typedef struct nas_gpu_scalars {
    i64 ops; /* bytes of the table: nas_gpu_scalar_t [n] */
    int n;
    int unused;
} nas_gpu_scalars_t;

/* nas_head_vectors_t, places among the vectors.  layer: the linear weights' nas_layer_values_t. */
typedef struct nas_gpu_head {
    i64 weight, bias; /* -1: no layer, the features are the logits; -1: 0 */
    i64 features, d_features, t_features, e_features;
    i64 logits, d_logits, t_logits, e_logits;
    i64 transposed;
    i64 d_linear, t_linear, e_linear;
    i64 layer;
    i64 loss;
    i64 labels; /* bytes of the data: int32 [N]; -1: none */
    i64 order, step; /* of a learner, see below: labels are of all images, these those in the order */
    double n_pixels, smoothing;
    int n, c, o;
    int sums, fisher, flow;
    int learns; /* 0: order and step mean nothing */
    int first;  /* image of this shard in the step's */
} nas_gpu_head_t;

/* ------------------------------------------------------------------------------------- training */

/* What a learner's kernels are told of a step, and what they found; a vector. The first four are
 * written by the host before every step. */
enum {
    NAS_GPU_STEP_NUMBER = 0, /* of all epochs together */
    NAS_GPU_STEP_EPOCH,
    NAS_GPU_STEP_PLACE, /* of its first image in the epoch's order */
    NAS_GPU_STEP_RATE,
    NAS_GPU_STEP_LOSS,     /* of this step */
    NAS_GPU_STEP_LOSS_SUM, /* so far */
    NAS_GPU_STEP_BAD,      /* the first step that was not finite: none after it counts; -1: none */
    NAS_GPU_STEP_GOES,     /* 1: this step counts */
    NAS_GPU_STEP_CLIP,     /* the gradient is multiplied by it; 1: it is not */
    NAS_GPU_STEP_SIZE
};

/* train.cl, augment: images of a step into a tensor, as nas_augment makes them.  A group an image:
 * GROUP_X. */
typedef struct nas_gpu_augment {
    i64 images; /* bytes of the data: [C, H, W] a number of a byte or, without table, a float */
    i64 table;  /* bytes of the data: float [C, 256]; -1: none */
    i64 black;  /* bytes of the data: float [C] */
    i64 order;  /* bytes of the data: int32 numbers of images */
    i64 step;   /* doubles: NAS_GPU_STEP_*; -1: images `first` and so on of `order`, as they are */
    i64 to;     /* floats [n, C, P] */
    int n, c, h, w;
    int first; /* as in nas_gpu_head_t */
    int crop, flip, cutout;
    u32 seed[2];
    u32 stream; /* nas_stream_t */
    int unused;
} nas_gpu_augment_t;

/* train.cl, gather: a gradient out of its shards, in their order.  GROUP_X: NAS_GPU_GATHER of its
 * elements. */
#define NAS_GPU_GATHER 1024
typedef struct nas_gpu_gather {
    i64 shards; /* doubles [n] of the first */
    i64 stride; /* doubles to the next */
    i64 out;    /* doubles [n] */
    i64 parts;  /* doubles [groups][2]: sum of squares; 0, or NaN where one is not finite */
    i64 n;
    int n_shards;
    int unused;
} nas_gpu_gather_t;

/* train.cl, settle: whether the step counts, its loss, clipping, running statistics.  A group. */
typedef struct nas_gpu_settle {
    i64 step;
    i64 parts;      /* of gather */
    i64 loss;       /* doubles: of the first shard; the others' `stride` behind one another */
    i64 moments;    /* doubles [n_statistics] of the first shard, likewise */
    i64 stride;
    i64 statistics; /* doubles [n_statistics] running */
    i64 unbiased;   /* doubles [n_statistics]: what the batch's are multiplied by; 0: it has none */
    i64 share;      /* doubles [n_statistics]: the batch's part in what runs; -1: 0.1 */
    i64 n_statistics;
    double most; /* norm of the gradient; 0: any */
    int n_parts, n_shards;
} nas_gpu_settle_t;

/* train.cl, descend: a step of gradient descent (sgd.h).  GROUP_X: NAS_GPU_GATHER elements. */
typedef struct nas_gpu_descend {
    i64 step;
    i64 gradient, parameter, velocity; /* doubles [n] */
    i64 n;
    double momentum, weight_decay;
    int nesterov;
    int unused;
} nas_gpu_descend_t;

#endif
