/* What a convolution's kernel does besides the convolution: moments of tiles, bias, ranges of
 * channels, groups that have nothing to do. */
#include "tests/tools/gpu_backend.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Tiles of many images and of rows, whole and cut off; channels less and more than a block. */
static const nas_conv_shape_t shapes[] = {
    {.n = 3, .c_in = 3, .c_out = 16, .h_in = 32, .w_in = 32, .k = 3, .stride = 1, .image = true},
    {.n = 6, .c_in = 16, .c_out = 40, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
    {.n = 9, .c_in = 5, .c_out = 9, .h_in = 2, .w_in = 2, .k = 3, .stride = 1},
    {.n = 2, .c_in = 8, .c_out = 17, .h_in = 31, .w_in = 29, .k = 3, .stride = 1},
    {.n = 3, .c_in = 7, .c_out = 8, .h_in = 13, .w_in = 6, .k = 1, .stride = 1},
    {.n = 2, .c_in = 4, .c_out = 12, .h_in = 15, .w_in = 9, .k = 3, .stride = 2},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes, BEFORE = 3, BEHIND = 2 };

/* What a forward pass was given and made. */
typedef struct pass {
    nas_shape_t in, out; /* out: of the tensor, with the channels around those that are written */
    nas_gpu_variant_t variant;
    nas_gpu_conv_t work;
    int tiles;
    float *x, *w, *y;
    double *bias, *moments;
} pass_t;

static uint64_t state = 1;

static double next(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 53) / 1024.0 - 1.0;
}

static float *floats(size_t n)
{
    float *values = malloc(n * sizeof *values);
    cr_assert_not_null(values);
    for (size_t i = 0; i < n; i++) values[i] = (float)next();
    return values;
}

static size_t elements(nas_shape_t s)
{
    return (size_t)(s.n * s.c) * (size_t)NAS_GPU_PITCH(s.h, s.w);
}

static pass_t describe(const nas_conv_shape_t *s)
{
    const int stride = s->stride;
    pass_t p = {.in = {s->n, s->c_in + 1, s->h_in, s->w_in},
                .out = {s->n, BEFORE + s->c_out + BEHIND, (s->h_in + stride - 1) / stride,
                        (s->w_in + stride - 1) / stride},
                .variant = nas_gpu_conv_variant(s, NAS_GPU_FORWARD)};
    p.tiles = nas_gpu_conv_tiles(&p.variant, s->n);
    p.x = floats(elements(p.in));
    p.w = floats((size_t)(s->c_out * s->c_in * s->k * s->k));
    p.y = floats(elements(p.out));
    p.bias = malloc((size_t)s->c_out * sizeof *p.bias);
    for (int c = 0; c < s->c_out; c++) p.bias[c] = 64.0 * next();
    return p;
}

/* Into channels from BEFORE on, from channels of x from 1 on. */
static void run(const nas_conv_shape_t *s, pass_t *p, int more_groups)
{
    gpu_call_begin();
    nas_gpu_conv_t work = {.x = gpu_put_range(p->in, (nas_channels_t){p->x, p->in.c, 1}),
                           .y = gpu_put_range(p->out, (nas_channels_t){NULL, p->out.c, BEFORE}),
                           .w = gpu_put_floats(p->w, (size_t)(s->c_out * s->c_in * s->k * s->k)),
                           .moments = gpu_put_doubles(NULL, (size_t)(p->tiles * 2 * p->out.c)),
                           .bias = gpu_put_doubles(p->bias, (size_t)s->c_out),
                           .n = s->n,
                           .c_in = s->c_in,
                           .c_out = s->c_out,
                           .w_o = s->c_out,
                           .w_i = s->c_in};
    nas_gpu_conv_t works[16];
    int n = 0;
    for (; work.c_block < s->c_out; work.c_block += p->variant.block_o) works[n++] = work;
    gpu_run(&p->variant, p->tiles + more_groups, n,
            gpu_put_table(works, (size_t)n * sizeof *works));
    gpu_take_floats(work.y.at, p->y, elements(p->out));
    p->moments = malloc((size_t)(p->tiles * 2 * p->out.c) * sizeof *p->moments);
    gpu_take_doubles(work.moments, p->moments, (size_t)(p->tiles * 2 * p->out.c));
}

static void end(pass_t *p)
{
    free(p->x);
    free(p->w);
    free(p->y);
    free(p->bias);
    free(p->moments);
}

static void open_or_skip(const char *layer)
{
    if (!gpu_backend(layer)) cr_skip_test("no device of layer %s", layer);
}

/* y of a channel of the convolution. */
static double value(const pass_t *p, int image, int c, int pixel)
{
    const size_t plane = (size_t)(image * p->out.c + BEFORE + c);
    return (double)p->y[plane * (size_t)NAS_GPU_PITCH(p->out.h, p->out.w) + (size_t)pixel];
}

/* Of a tile's values of channel c, from the definition. */
static double expected_moments(const pass_t *p, int tile, int c, double *mean, double *squares)
{
    const nas_gpu_variant_t *v = &p->variant;
    const int row_tiles = (p->out.h + v->tile_rows - 1) / v->tile_rows;
    const int image = tile / row_tiles * v->tile_images, row = tile % row_tiles * v->tile_rows;
    const int last = image + v->tile_images < p->out.n ? image + v->tile_images : p->out.n;
    const int end_row = row + v->tile_rows < p->out.h ? row + v->tile_rows : p->out.h;
    const int w = p->out.w;
    const double count = (double)(last - image) * (end_row - row) * w;
    *mean = *squares = 0;
    for (int i = image; i < last; i++)
        for (int j = row * w; j < end_row * w; j++) *mean += value(p, i, c, j) / count;
    for (int i = image; i < last; i++)
        for (int j = row * w; j < end_row * w; j++)
            *squares += (value(p, i, c, j) - *mean) * (value(p, i, c, j) - *mean);
    return count;
}

static void check_moments(const nas_conv_shape_t *s, const pass_t *p)
{
    for (int t = 0; t < p->tiles; t++) {
        for (int c = 0; c < s->c_out; c++) {
            double mean, squares;
            const double count = expected_moments(p, t, c, &mean, &squares);
            const double *found = p->moments + (size_t)(t * 2 * p->out.c + BEFORE + c);
            /* values are rounded to 2^-24 of what the bias makes them */
            cr_assert(fabs(found[0] - mean) <= 1e-6 * (fabs(mean) + sqrt(squares / count)),
                      "tile %d, channel %d: mean %g, expected %g", t, c, found[0], mean);
            cr_assert(fabs(found[p->out.c] - squares) <= 1e-5 * squares,
                      "tile %d, channel %d: squares %g, expected %g", t, c, found[p->out.c],
                      squares);
        }
    }
}

static void moments_are_those_of_what_is_written(const nas_conv_shape_t *s)
{
    pass_t p = describe(s);
    run(s, &p, 0);
    check_moments(s, &p);
    end(&p);
}

/* All else was NaN and still is; each of the convolution's is a number. */
static void only_the_range_is_written(const nas_conv_shape_t *s)
{
    pass_t p = describe(s);
    run(s, &p, 0);
    for (int i = 0; i < s->n; i++)
        for (int c = -BEFORE; c < s->c_out + BEHIND; c++)
            for (int j = 0; j < p.out.h * p.out.w; j++)
                cr_assert_eq(isnan(value(&p, i, c, j)) != 0, c < 0 || c >= s->c_out,
                             "image %d, channel %d, pixel %d", i, c, j);
    for (int i = 0; i < p.tiles * 2 * p.out.c; i++) {
        const int c = i % p.out.c - BEFORE;
        cr_assert_eq(isnan(p.moments[i]) != 0, c < 0 || c >= s->c_out, "moments of channel %d", c);
    }
    end(&p);
}

/* A bias adds to each value what it says, and moves means alone. */
static void bias_is_added(const nas_conv_shape_t *s)
{
    pass_t with = describe(s);
    run(s, &with, 0);
    pass_t without = with;
    without.y = floats(elements(with.out));
    without.bias = calloc((size_t)s->c_out, sizeof *without.bias);
    run(s, &without, 0);
    for (int i = 0; i < s->n; i++)
        for (int c = 0; c < s->c_out; c++)
            for (int j = 0; j < with.out.h * with.out.w; j++) {
                const float sum = (float)value(&without, i, c, j) + (float)with.bias[c];
                cr_assert_eq((float)value(&with, i, c, j), sum, "channel %d", c);
            }
    free(without.y);
    free(without.bias);
    free(without.moments);
    end(&with);
}

/* In the company of a work with more images, groups beyond the last tile do nothing. */
static void company_changes_no_bit(const nas_conv_shape_t *s)
{
    pass_t alone = describe(s);
    run(s, &alone, 0);
    pass_t beside = alone;
    beside.y = floats(elements(alone.out));
    run(s, &beside, 3);
    cr_assert_eq(memcmp(alone.y, beside.y, elements(alone.out) * sizeof(float)), 0);
    cr_assert_eq(memcmp(alone.moments, beside.moments,
                        (size_t)(alone.tiles * 2 * alone.out.c) * sizeof(double)),
                 0);
    free(beside.y);
    free(beside.moments);
    end(&alone);
}

/* OpenCL takes seconds to build a kernel: one shape there. */
#define ON_LAYERS(property)                                                                        \
    Test(threads, property)                                                                        \
    {                                                                                              \
        open_or_skip("threads");                                                                   \
        for (int i = 0; i < N_SHAPES; i++) property(&shapes[i]);                                   \
    }                                                                                              \
    Test(opencl, property)                                                                         \
    {                                                                                              \
        open_or_skip("opencl");                                                                    \
        property(&shapes[0]);                                                                      \
    }

ON_LAYERS(moments_are_those_of_what_is_written)
ON_LAYERS(only_the_range_is_written)
ON_LAYERS(bias_is_added)
ON_LAYERS(company_changes_no_bit)
