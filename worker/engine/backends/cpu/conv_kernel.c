/* Own convolutions, compiled once per instruction set: NAS_CONV_KERNEL names the table of
 * functions. See worker/engine/backends/cpu/kernels.h for what they are for.
 *
 * The three passes are one walk: an element of a filter, the block of weights between some input
 * and output channels, joins the pixels of an input row with those of an output row. Forward
 * carries vectors from inputs to outputs, backward_data from outputs to inputs with the weights'
 * blocks transposed, and backward_weights gathers their products.
 */
#include "worker/engine/backends/cpu/kernels.h"
#include "worker/engine/backends/cpu/lanes.h"

#include <string.h>

enum {
    BLOCK = LANES * LANES,
    TILE = 4 /* pixels in registers */
};

/* Pixels of an input and an output row that an element of a filter joins. */
typedef struct joint {
    float *x;
    float *y;
    float *weights;
    size_t x_step; /* from one pixel to the next, in numbers; outputs are LANES apart */
    int n;
} joint_t;

/* Pixels of one side of a joint. */
typedef struct pixels {
    float *at;
    size_t step;
} pixels_t;

/* to[t] += from[t]' weights for n pixels; n is TILE or 1, a constant where this is inlined. */
NAS_INLINE void carry_tile(pixels_t from, pixels_t to, const float *weights, int n)
{
    lanes_t sum[TILE];
#pragma GCC unroll 4
    for (int t = 0; t < n; t++) sum[t] = lanes_load(to.at + (size_t)t * to.step);
    for (int l = 0; l < LANES; l++) {
        const lanes_t row = lanes_load(weights + (size_t)l * LANES);
#pragma GCC unroll 4
        for (int t = 0; t < n; t++) sum[t] += from.at[(size_t)t * from.step + (size_t)l] * row;
    }
#pragma GCC unroll 4
    for (int t = 0; t < n; t++) lanes_store(to.at + (size_t)t * to.step, sum[t]);
}

NAS_INLINE void carry(pixels_t from, pixels_t to, const float *weights, int n)
{
    for (; n >= TILE; n -= TILE) {
        carry_tile(from, to, weights, TILE);
        from.at += TILE * from.step;
        to.at += TILE * to.step;
    }
    for (; n > 0; n--) {
        carry_tile(from, to, weights, 1);
        from.at += from.step;
        to.at += to.step;
    }
}

static void carry_forward(joint_t joint)
{
    carry((pixels_t){joint.x, joint.x_step}, (pixels_t){joint.y, LANES}, joint.weights, joint.n);
}

static void carry_backward(joint_t joint)
{
    carry((pixels_t){joint.y, LANES}, (pixels_t){joint.x, joint.x_step}, joint.weights, joint.n);
}

static void gather_products(joint_t joint)
{
    lanes_t sum[LANES];
    for (int l = 0; l < LANES; l++) sum[l] = lanes_load(joint.weights + (size_t)l * LANES);
    for (; joint.n > 0; joint.n--, joint.x += joint.x_step, joint.y += LANES) {
        const lanes_t y = lanes_load(joint.y);
        for (int l = 0; l < LANES; l++) sum[l] += joint.x[l] * y;
    }
    for (int l = 0; l < LANES; l++) lanes_store(joint.weights + (size_t)l * LANES, sum[l]);
}

static size_t x_plane(const nas_conv_blocks_t *conv)
{
    return (size_t)conv->h_in * (size_t)conv->w_in * LANES;
}

static size_t y_plane(const nas_conv_blocks_t *conv)
{
    return (size_t)conv->h_out * (size_t)conv->w_out * LANES;
}

/* Outputs along an axis that an element of a filter joins with an input: [first, end), the first of
 * them with input `at`. */
typedef struct reach {
    int first;
    int end;
    int at;
} reach_t;

/* Division takes as long as a few pixels. */
NAS_INLINE int divide_up(int n, int stride)
{
    return stride == 1 ? n : (n + stride - 1) / stride;
}

NAS_INLINE reach_t reach(nas_axis_t window, int element, int n_in, int n_out)
{
    const int stride = window.stride;
    const int shift = element * window.dilation - window.before;
    const int first = shift < 0 ? divide_up(-shift, stride) : 0;
    const int fitting = shift < n_in ? divide_up(n_in - shift, stride) : 0;
    return (reach_t){first, fitting < n_out ? fitting : n_out, first * stride + shift};
}

/* Visit the elements of one filter for an output row. at: the planes' first pixels. */
NAS_INLINE void each_element(const nas_conv_blocks_t *conv, joint_t at, int h,
                             void (*visit)(joint_t))
{
    const nas_window_t *window = &conv->window;
    for (int kh = 0; kh < window->k_h; kh++) {
        const int h_in = h * window->stride_h + kh * window->dilation_h - window->top;
        if (h_in < 0 || h_in >= conv->h_in) continue;
        for (int kw = 0; kw < window->k_w; kw++) {
            const reach_t w = reach(nas_window_columns(window), kw, conv->w_in, conv->w_out);
            if (w.end <= w.first) continue;
            joint_t joint = at;
            joint.x += ((size_t)h_in * (size_t)conv->w_in + (size_t)w.at) * LANES;
            joint.y += ((size_t)h * (size_t)conv->w_out + (size_t)w.first) * LANES;
            joint.weights += (size_t)(kh * window->k_w + kw) * BLOCK;
            joint.n = w.end - w.first;
            visit(joint);
        }
    }
}

static size_t filter_size(const nas_conv_blocks_t *conv)
{
    return (size_t)(conv->window.k_h * conv->window.k_w) * BLOCK;
}

/* Visit everything that a convolution joins. operands: the tensors' first numbers. */
NAS_INLINE void each_joint(const nas_conv_blocks_t *conv, joint_t operands, void (*visit)(joint_t))
{
    for (int n = 0; n < conv->n; n++) {
        for (int o = 0; o < conv->out; o++) {
            const int first = nas_conv_first_in(conv, o, LANES);
            for (int i = 0; i < conv->joined; i++) {
                joint_t at = operands;
                at.x += (size_t)(n * conv->in + first + i) * x_plane(conv);
                at.y += (size_t)(n * conv->out + o) * y_plane(conv);
                at.weights += (size_t)(o * conv->joined + i) * filter_size(conv);
                at.x_step = (size_t)conv->window.stride_w * LANES;
                for (int h = 0; h < conv->h_out; h++) each_element(conv, at, h, visit);
            }
        }
    }
}

static void forward(const nas_conv_blocks_t *conv, float *weights, float *x, float *y)
{
    memset(y, 0, (size_t)(conv->n * conv->out) * y_plane(conv) * sizeof *y);
    each_joint(conv, (joint_t){.x = x, .y = y, .weights = weights}, carry_forward);
}

static void backward_data(const nas_conv_blocks_t *conv, float *weights, float *dy, float *dx)
{
    memset(dx, 0, (size_t)(conv->n * conv->in) * x_plane(conv) * sizeof *dx);
    each_joint(conv, (joint_t){.x = dx, .y = dy, .weights = weights}, carry_backward);
}

static void backward_weights(const nas_conv_blocks_t *conv, float *x, float *dy, float *dw)
{
    memset(dw, 0, (size_t)(conv->out * conv->joined) * filter_size(conv) * sizeof *dw);
    each_joint(conv, (joint_t){.x = x, .y = dy, .weights = dw}, gather_products);
}

const nas_conv_kernel_t NAS_CONV_KERNEL = {
    .forward = forward,
    .backward_data = backward_data,
    .backward_weights = backward_weights,
};
