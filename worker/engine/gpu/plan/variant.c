#include "worker/engine/gpu/plan/variant.h"

#include "worker/engine/gpu/kernels/sources.h"
#include "worker/engine/gpu/plan/window.h"

#include <stdio.h>
#include <string.h>

enum {
    GROUP = 256,         /* work-items at most */
    ENOUGH = 128,        /* and as many are aimed at: four such groups share a multiprocessor */
    LOCAL_FLOATS = 9000, /* of 12,288: pixels that are read; weights and sums take the rest */
    UNIT_FLOATS = 11000, /* pixels of a unit of weights.cl */
    CHANNELS_READ = 8,   /* in local memory, where they fit */
    UNITS = 8,           /* of a part */
    WIDEST = 64          /* columns of a unit */
};

/* A convolution's pass as its kernel sees it. */
typedef struct geometry {
    int k, stride;
    int h, w;       /* pixels of what is written */
    int h_in, w_in; /* of what is read */
    bool adjoint;
    bool image; /* what is written is the images' adjoint */
} geometry_t;

static int ceiling(int n, int by)
{
    return (n + by - 1) / by;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int clamp(int n, int low, int high)
{
    return n < low ? low : smaller(n, high);
}

static void define(nas_gpu_variant_t *variant, const char *name, int value)
{
    NAS_ASSERT(variant->n_defines < NAS_GPU_MAX_DEFINES);
    char *to = variant->define[variant->n_defines++];
    const int n = snprintf(to, NAS_GPU_DEFINE_SIZE, "%s=%d", name, value);
    NAS_ASSERT(n < NAS_GPU_DEFINE_SIZE);
}

static geometry_t geometry_of(const nas_conv_shape_t *shape, nas_gpu_pass_t pass)
{
    const int h_out = ceiling(shape->h_in, shape->stride);
    const int w_out = ceiling(shape->w_in, shape->stride);
    geometry_t g = {.k = shape->k, .stride = shape->stride};
    g.adjoint = pass == NAS_GPU_BACKWARD_DATA;
    g.image = g.adjoint && shape->image;
    g.h = g.adjoint ? shape->h_in : h_out;
    g.w = g.adjoint ? shape->w_in : w_out;
    g.h_in = g.adjoint ? h_out : shape->h_in;
    g.w_in = g.adjoint ? w_out : shape->w_in;
    return g;
}

static void define_geometry(nas_gpu_variant_t *variant, const geometry_t *g)
{
    define(variant, "K", g->k);
    define(variant, "STRIDE", g->stride);
    define(variant, "H", g->h);
    define(variant, "W", g->w);
    define(variant, "H_IN", g->h_in);
    define(variant, "W_IN", g->w_in);
    variant->h = g->h;
    variant->w = g->w;
}

/* Adjoint with a stride: a work-item has 2 x 4 pixels, elsewhere 1 x 8. */
static bool is_spread(const geometry_t *g)
{
    return g->adjoint && g->stride == 2;
}

static int item_channels(const geometry_t *g)
{
    return g->image ? 4 : 8;
}

/* Floats of one channel and image of what is read for `rows` of what is written: at least what
 * conv.cl has in local memory. */
static int read_floats(const geometry_t *g, int rows)
{
    if (is_spread(g)) return (rows / 2 + 2) * (g->w / 2 + 6);
    if (g->stride == 2 && g->k > 1) return 4 * (rows + 1) * (g->w + 10);
    return (rows + 2) * (g->w + 11);
}

/* Rows, images and channels: about 64 work-items over the pixels of long rows, 32 over those of
 * short ones, whose channels are more. The pixels of a tile decide the bits of its moments. */
static int choose_tile(nas_gpu_variant_t *variant, const geometry_t *g)
{
    const int rows_item = is_spread(g) ? 2 : 1;
    const int segments = ceiling(g->w, is_spread(g) ? 4 : 8);
    const int h = ceiling(g->h, rows_item); /* in work-items */
    const int lanes = g->w > 16 ? 64 : 32;
    const int rows = ceiling(h, ceiling(h, clamp(lanes / segments, 1, h))); /* as even as can be */
    variant->tile_rows = smaller(rows * rows_item, g->h);
    variant->tile_images = 1;
    const int floats = read_floats(g, variant->tile_rows);
    int channels_read = CHANNELS_READ;
    while (channels_read > 1 && channels_read * floats > LOCAL_FLOATS) channels_read /= 2;
    if (variant->tile_rows == g->h)
        variant->tile_images = clamp(lanes / (segments * rows), 1,
                                     clamp(LOCAL_FLOATS / (channels_read * floats + 32), 1, lanes));
    const int pixels = segments * rows * variant->tile_images;
    const int items = g->image ? 1 : clamp(ENOUGH / pixels, 1, 4);
    variant->block_o = items * item_channels(g);
    variant->lanes = ceiling(items * pixels, 32) * 32;
    NAS_ASSERT(variant->lanes <= GROUP);
    return channels_read;
}

static nas_gpu_variant_t pixels_variant(const geometry_t *g)
{
    nas_gpu_variant_t variant = {.source = "conv", .kernel = "conv"};
    define_geometry(&variant, g);
    const int channels_read = choose_tile(&variant, g);
    define(&variant, "ADJOINT", g->adjoint);
    define(&variant, "IMAGE_ADJOINT", g->image);
    define(&variant, "TI", variant.tile_images);
    define(&variant, "TR", variant.tile_rows);
    define(&variant, "CO", variant.block_o);
    define(&variant, "OL", item_channels(g));
    define(&variant, "CC", channels_read);
    return variant;
}

/* What weights.cl has in local memory at once. */
typedef struct unit {
    int rows, columns, images;
} unit_t;

/* Rows, columns and images of dy, as even as they can be. */
static unit_t choose_unit(const geometry_t *g, int outputs, int inputs)
{
    unit_t unit;
    const int quads = ceiling(g->w, 4);
    unit.columns = 4 * ceiling(quads, ceiling(quads, WIDEST / 4));
    const int stride = g->k > 1 ? g->stride : 1;
    const int x_row = stride * (unit.columns + (g->k > 1 ? 4 : 0)) * inputs;
    const int frame = (g->k > 1 ? 2 : 0) * x_row; /* rows of x around those of dy */
    const int row = x_row * stride + unit.columns * outputs;
    const int most = clamp((UNIT_FLOATS - frame) / row, 1, g->h);
    unit.rows = ceiling(g->h, ceiling(g->h, most));
    unit.images = 1;
    if (unit.rows == g->h) unit.images = clamp(UNIT_FLOATS / (unit.rows * row + frame), 1, 16);
    return unit;
}

static nas_gpu_variant_t weights_variant(const geometry_t *g, bool image)
{
    nas_gpu_variant_t variant = {.source = "weights", .kernel = "weights", .lanes = ENOUGH};
    const int outputs = g->w > 16 ? 2 : 4;                     /* lanes over them, with 8 each */
    const int each = g->k > 1 ? 1 : 8;                         /* inputs of a lane */
    const int inputs = (g->k == 1 ? outputs : image ? 4 : 16); /* lanes over them */
    variant.block_o = 8 * outputs;
    variant.block_i = each * inputs;
    const unit_t unit = choose_unit(g, variant.block_o, variant.block_i);
    define_geometry(&variant, g);
    define(&variant, "CI", inputs);
    define(&variant, "IT", each);
    define(&variant, "CO", variant.block_o);
    define(&variant, "SLICES", ENOUGH / (inputs * outputs));
    define(&variant, "UNIT_ROWS", unit.rows);
    define(&variant, "UNIT_COLUMNS", unit.columns);
    define(&variant, "UNIT_IMAGES", unit.images);
    define(&variant, "UNITS", UNITS);
    variant.tile_rows = unit.rows;
    variant.tile_images = unit.images;
    variant.units = ceiling(g->h, unit.rows) * ceiling(g->w, unit.columns);
    return variant;
}

/* Of one that is not plain: its extents are in the descriptor. */
static nas_gpu_variant_t window_variant(const nas_conv_shape_t *shape, nas_gpu_pass_t pass)
{
    const char *kernel = pass == NAS_GPU_BACKWARD_WEIGHTS ? "window_weights" : "window";
    nas_gpu_variant_t variant = nas_gpu_plain_variant("window", kernel);
    define(&variant, "OUTPUTS", nas_gpu_window_outputs(shape, pass));
    return variant;
}

nas_gpu_variant_t nas_gpu_conv_variant(const nas_conv_shape_t *shape, nas_gpu_pass_t pass)
{
    if (!shape->k) return window_variant(shape, pass);
    const geometry_t g = geometry_of(shape, pass);
    return pass == NAS_GPU_BACKWARD_WEIGHTS ? weights_variant(&g, shape->image)
                                            : pixels_variant(&g);
}

int nas_gpu_conv_tiles(const nas_gpu_variant_t *variant, int n)
{
    return ceiling(n, variant->tile_images) * ceiling(variant->h, variant->tile_rows);
}

int nas_gpu_weight_splits(const nas_gpu_variant_t *variant, int n)
{
    return ceiling(ceiling(n, variant->tile_images) * variant->units, UNITS);
}

nas_gpu_variant_t nas_gpu_plain_variant(const char *source, const char *kernel)
{
    return (nas_gpu_variant_t){.source = source, .kernel = kernel};
}

bool nas_gpu_variant_is(const nas_gpu_variant_t *a, const nas_gpu_variant_t *b)
{
    if (strcmp(a->source, b->source) != 0 || strcmp(a->kernel, b->kernel) != 0 ||
        a->n_defines != b->n_defines)
        return false;
    for (int i = 0; i < a->n_defines; i++)
        if (strcmp(a->define[i], b->define[i]) != 0) return false;
    return true;
}

nas_status_t nas_gpu_variant_kernel(nas_gpu_t *gpu, const nas_gpu_variant_t *variant,
                                    const nas_gpu_kernel_t **kernel_p, nas_error_t *err)
{
    const char *define_at[NAS_GPU_MAX_DEFINES];
    for (int i = 0; i < variant->n_defines; i++) define_at[i] = variant->define[i];
    const nas_gpu_source_t source = {.name = variant->source,
                                     .text = nas_gpu_source(variant->source),
                                     .define = define_at,
                                     .n_defines = variant->n_defines};
    NAS_ASSERT(source.text);
    return gpu->layer->kernel(gpu, &source, variant->kernel, kernel_p, err);
}
