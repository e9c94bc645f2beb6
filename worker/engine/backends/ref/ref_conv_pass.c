/* The passes of a convolution, as products of matrices.
 *
 * `columns` [taps, pixels] holds, for some rows of the output of one image and one group, the input
 * pixel that each tap (i, kh, kw) of the kernel meets at each pixel of the output, 0 in the padding.
 * With the group's weights [O, taps] and the same pixels of y and dy [O, pixels],
 *
 *   y = weights columns,   adjoint of columns = weights' dy,   dweights' += columns dy'.
 */
#include "worker/engine/backends/ref/ref_internal.h"

#include <string.h>

/* Some rows of the output of one image and group. */
typedef struct block {
    int n;
    int group;
    int row;
    int rows;
    int pixels; /* of the output, all rows */
} block_t;

/* Where a row of taps meets the input: output pixels [first, end) read input pixels at + stride *
 * (w - first); the others lie in the padding. */
typedef struct span {
    int first;
    int end;
    int64_t at; /* within the group's channels of an image */
} span_t;

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Steps through the blocks of all images; false at the end. Starts at a zeroed block. */
static bool next_block(const nas_conv_t *conv, block_t *block)
{
    block->row += block->rows;
    if (block->row == conv->h_out) {
        block->row = 0;
        block->group++;
    }
    if (block->group == conv->groups) {
        block->group = 0;
        block->n++;
    }
    block->rows = least(conv->rows, conv->h_out - block->row);
    block->pixels = block->rows * conv->w_out;
    return block->n < conv->shape.n;
}

/* Pixels of a block in the first channel of its group of y or dy. */
static int64_t first_pixel(const nas_conv_t *conv, const block_t *block)
{
    const int64_t plane =
        (int64_t)block->n * conv->shape.c_out + (int64_t)block->group * conv->group_out;
    return conv->pixels_out * plane + (int64_t)block->row * conv->w_out;
}

/* The first plane of its group of x or dx. */
static int64_t first_input(const nas_conv_t *conv, const block_t *block)
{
    const int64_t plane =
        (int64_t)block->n * conv->shape.c_in + (int64_t)block->group * conv->group_in;
    return conv->pixels_in * plane;
}

/* Weights of a group, which gradients lie like. */
static int64_t first_weight(const nas_conv_t *conv, int group)
{
    return (int64_t)group * conv->group_out * conv->n_taps;
}

static span_t find_span(const nas_conv_t *conv, int tap, int row)
{
    const nas_conv_shape_t *shape = &conv->shape;
    const nas_axis_t rows = conv->along_h, columns = conv->along_w;
    const int stride = columns.stride;
    const int h = row * rows.stride + tap / columns.k % rows.k * rows.dilation - rows.before;
    const int shift = tap % columns.k * columns.dilation - columns.before;
    if (h < 0 || h >= shape->h_in || shift >= shape->w_in) return (span_t){0};
    const int first = shift < 0 ? (stride - 1 - shift) / stride : 0;
    const int end = least(conv->w_out, (shape->w_in - shift + stride - 1) / stride);
    if (first >= end) return (span_t){0};
    return (span_t){.first = first,
                    .end = end,
                    .at = conv->pixels_in * (tap / (rows.k * columns.k)) +
                          (int64_t)h * shape->w_in + first * stride + shift};
}

static void gather(const nas_conv_t *conv, const block_t *block, const double *x, double *columns)
{
    const double *image = x + first_input(conv, block);
    for (int tap = 0; tap < conv->n_taps; tap++) {
        for (int row = block->row; row < block->row + block->rows; row++) {
            const span_t span = find_span(conv, tap, row);
            const double *from = image + span.at;
            for (int w = 0; w < span.first; w++) columns[w] = 0;
            for (int w = span.first; w < span.end; w++, from += conv->along_w.stride)
                columns[w] = *from;
            for (int w = span.end; w < conv->w_out; w++) columns[w] = 0;
            columns += conv->w_out;
        }
    }
}

/* Adjoint of gather, added to dx. */
static void scatter(const nas_conv_t *conv, const block_t *block, const double *columns, double *dx)
{
    double *image = dx + first_input(conv, block);
    for (int tap = 0; tap < conv->n_taps; tap++) {
        for (int row = block->row; row < block->row + block->rows; row++) {
            const span_t span = find_span(conv, tap, row);
            double *to = image + span.at;
            for (int w = span.first; w < span.end; w++, to += conv->along_w.stride)
                *to += columns[w];
            columns += conv->w_out;
        }
    }
}

/* to [columns, rows] = transpose of from [rows, columns], whose rows begin `next` apart. */
static void transpose(const double *from, int64_t next, int rows, int columns, double *to)
{
    for (int row = 0; row < rows; row++, from += next) {
        for (int column = 0; column < columns; column++)
            to[(int64_t)column * rows + row] = from[column];
    }
}

static void clear(double *values, int64_t n)
{
    memset(values, 0, (size_t)n * sizeof *values);
}

void nas_ref_conv_forward(const nas_conv_t *conv, const void *packed, const void *x, void *y,
                          void *scratch)
{
    double *columns = scratch;
    clear(y, conv->pixels_out * conv->shape.n * conv->shape.c_out);
    for (block_t block = {0}; next_block(conv, &block);) {
        gather(conv, &block, x, columns);
        nas_ref_multiply_add(
            &(nas_ref_product_t){.m = conv->group_out,
                                 .n = block.pixels,
                                 .k = conv->n_taps,
                                 .a = (const double *)packed + first_weight(conv, block.group),
                                 .a_row = conv->n_taps,
                                 .a_column = 1,
                                 .b = columns,
                                 .b_row = block.pixels,
                                 .c = (double *)y + first_pixel(conv, &block),
                                 .c_row = conv->pixels_out});
    }
}

void nas_ref_conv_backward_data(const nas_conv_t *conv, const void *packed, const void *dy,
                                void *dx, void *scratch)
{
    double *columns = scratch;
    clear(dx, conv->pixels_in * conv->shape.n * conv->shape.c_in);
    for (block_t block = {0}; next_block(conv, &block);) {
        clear(columns, (int64_t)conv->n_taps * block.pixels);
        nas_ref_multiply_add(
            &(nas_ref_product_t){.m = conv->n_taps,
                                 .n = block.pixels,
                                 .k = conv->group_out,
                                 .a = (const double *)packed + first_weight(conv, block.group),
                                 .a_row = 1,
                                 .a_column = conv->n_taps,
                                 .b = (const double *)dy + first_pixel(conv, &block),
                                 .b_row = conv->pixels_out,
                                 .c = columns,
                                 .c_row = block.pixels});
        scatter(conv, &block, columns, dx);
    }
}

void nas_ref_conv_backward_weights(const nas_conv_t *conv, const void *x, const void *dy, void *dw,
                                   void *scratch)
{
    const int c_out = conv->group_out;
    const int n_taps = conv->n_taps;
    double *columns = scratch;
    double *dy_transposed = columns + (int64_t)n_taps * conv->rows * conv->w_out;
    double *dw_transposed = dy_transposed + (int64_t)c_out * conv->rows * conv->w_out;
    clear(dw_transposed, first_weight(conv, conv->groups));
    for (block_t block = {0}; next_block(conv, &block);) {
        gather(conv, &block, x, columns);
        transpose((const double *)dy + first_pixel(conv, &block), conv->pixels_out, c_out,
                  block.pixels, dy_transposed);
        nas_ref_multiply_add(
            &(nas_ref_product_t){.m = n_taps,
                                 .n = c_out,
                                 .k = block.pixels,
                                 .a = columns,
                                 .a_row = block.pixels,
                                 .a_column = 1,
                                 .b = dy_transposed,
                                 .b_row = c_out,
                                 .c = dw_transposed + first_weight(conv, block.group),
                                 .c_row = c_out});
    }
    for (int group = 0; group < conv->groups; group++)
        transpose(dw_transposed + first_weight(conv, group), c_out, n_taps, c_out,
                  (double *)dw + first_weight(conv, group));
}

size_t nas_ref_conv_scratch_bytes(const nas_conv_t *conv)
{
    const int64_t n_taps = conv->n_taps;
    const int64_t pixels = (int64_t)conv->rows * conv->w_out;
    return (size_t)(n_taps * pixels + conv->group_out * pixels + n_taps * conv->shape.c_out) *
           sizeof(double);
}
