/* Convolutions, and how tensors lie. */
#include "tests/tools/gpu_backend.h"
#include "worker/engine/gpu/plan/layout.h"
#include "worker/engine/gpu/plan/window.h"

#include <stdlib.h>
#include <string.h>

struct nas_conv {
    nas_conv_shape_t shape;
    nas_conv_t *next;
};

static size_t planes(nas_shape_t shape)
{
    return (size_t)shape.n * (size_t)shape.c;
}

static size_t pixels(nas_shape_t shape)
{
    return (size_t)shape.h * (size_t)shape.w;
}

static size_t pitch(nas_shape_t shape)
{
    return (size_t)NAS_GPU_PITCH(shape.h, shape.w);
}

static void load_images(nas_shape_t shape, const float *images, void *tensor)
{
    float *to = tensor;
    for (size_t i = 0; i < planes(shape); i++)
        memcpy(to + i * pitch(shape), images + i * pixels(shape), pixels(shape) * sizeof *to);
}

static void load(nas_shape_t shape, const double *values, void *tensor)
{
    float *to = tensor;
    for (size_t i = 0; i < planes(shape); i++)
        for (size_t j = 0; j < pixels(shape); j++)
            to[i * pitch(shape) + j] = (float)values[i * pixels(shape) + j];
}

static void store(nas_shape_t shape, const void *tensor, double *values)
{
    const float *from = tensor;
    for (size_t i = 0; i < planes(shape); i++)
        for (size_t j = 0; j < pixels(shape); j++)
            values[i * pixels(shape) + j] = (double)from[i * pitch(shape) + j];
}

static nas_shape_t shape_in(const nas_conv_shape_t *s)
{
    return (nas_shape_t){s->n, s->c_in, s->h_in, s->w_in};
}

static nas_shape_t shape_out(const nas_conv_shape_t *s)
{
    return (nas_shape_t){s->n, s->c_out, nas_conv_h_out(s), nas_conv_w_out(s)};
}

static size_t weight_elements(const nas_conv_t *conv)
{
    const nas_conv_shape_t *s = &conv->shape;
    return (size_t)s->c_out * (size_t)nas_conv_fan_in(s);
}

static size_t packed_bytes(const nas_conv_t *conv)
{
    return weight_elements(conv) * sizeof(float);
}

static void pack(const nas_conv_t *conv, const double *weights, void *packed)
{
    float *to = packed;
    for (size_t i = 0; i < weight_elements(conv); i++) to[i] = (float)weights[i];
}

static void unpack(const nas_conv_t *conv, const void *gradient, double *weights)
{
    const float *from = gradient;
    for (size_t i = 0; i < weight_elements(conv); i++) weights[i] = (double)from[i];
}

static nas_status_t find(const nas_conv_shape_t *shape, bool backward, const nas_conv_t **conv_p,
                         nas_error_t *err)
{
    static nas_conv_t *all;
    const nas_conv_t *layout;
    const nas_status_t status = nas_gpu_layout()->conv_find(shape, backward, &layout, err);
    if (status != NAS_OK) return status;
    nas_conv_t *conv = all;
    while (conv && !nas_conv_is_same(&conv->shape, shape)) conv = conv->next;
    if (!conv) {
        conv = malloc(sizeof *conv);
        if (!conv) return nas_error_nomem(err, "convolution");
        *conv = (nas_conv_t){*shape, all};
        all = conv;
    }
    *conv_p = conv;
    return NAS_OK;
}

/* A work for every block of the channels that are written. */
static void run_blocks(const nas_gpu_variant_t *variant, nas_gpu_conv_t work)
{
    enum { MOST = 64 };
    nas_gpu_conv_t works[MOST];
    int n = 0;
    for (; n * variant->block_o < work.c_out; n++) {
        NAS_ASSERT(n < MOST);
        work.c_block = n * variant->block_o;
        works[n] = work;
    }
    const i64 at = gpu_put_table(works, (size_t)n * sizeof *works);
    gpu_run(variant, nas_gpu_conv_tiles(variant, work.n), n, at);
}

static nas_gpu_conv_t work_of(const nas_conv_t *conv, const void *packed)
{
    return (nas_gpu_conv_t){.w = gpu_put_floats(packed, weight_elements(conv)),
                            .moments = -1,
                            .bias = -1,
                            .n = conv->shape.n,
                            .w_o = conv->shape.c_out,
                            .w_i = conv->shape.c_in};
}

/* One that is not plain. `y` was put; a group too many, of which nothing comes. */
static void run_window(const nas_conv_t *conv, nas_gpu_pass_t pass, nas_gpu_window_t work)
{
    const nas_conv_shape_t *s = &conv->shape;
    const nas_gpu_variant_t variant = nas_gpu_conv_variant(s, pass);
    nas_gpu_window_geometry(s, pass, &work);
    gpu_run(&variant, nas_gpu_window_groups(s, pass) + 1, 1, gpu_put_table(&work, sizeof work));
}

static void forward(const nas_conv_t *conv, const void *packed, const void *x, void *y,
                    void *scratch)
{
    (void)scratch;
    const nas_shape_t out = shape_out(&conv->shape);
    const nas_gpu_variant_t variant = nas_gpu_conv_variant(&conv->shape, NAS_GPU_FORWARD);
    gpu_call_begin();
    nas_gpu_conv_t work = work_of(conv, packed);
    work.x = gpu_put_tensor(shape_in(&conv->shape), x);
    work.y = gpu_put_tensor(out, NULL);
    work.c_in = conv->shape.c_in;
    work.c_out = conv->shape.c_out;
    if (conv->shape.k)
        run_blocks(&variant, work);
    else
        run_window(conv, NAS_GPU_FORWARD,
                   (nas_gpu_window_t){.x = work.x, .y = work.y, .w = work.w});
    gpu_take_range(out, work.y, (nas_channels_t){y, out.c, 0});
}

static void backward_data(const nas_conv_t *conv, const void *packed, const void *dy, void *dx,
                          void *scratch)
{
    (void)scratch;
    const nas_shape_t in = shape_in(&conv->shape);
    const size_t n_values = planes(in) * pixels(in);
    const nas_gpu_variant_t variant = nas_gpu_conv_variant(&conv->shape, NAS_GPU_BACKWARD_DATA);
    gpu_call_begin();
    nas_gpu_conv_t work = work_of(conv, packed);
    work.x = gpu_put_tensor(shape_out(&conv->shape), dy);
    if (conv->shape.image)
        work.y = (nas_gpu_slice_t){gpu_put_doubles(NULL, n_values), in.c, 0};
    else
        work.y = gpu_put_tensor(in, NULL);
    work.c_in = conv->shape.c_out;
    work.c_out = conv->shape.c_in;
    if (conv->shape.k)
        run_blocks(&variant, work);
    else
        run_window(conv, NAS_GPU_BACKWARD_DATA,
                   (nas_gpu_window_t){.x = work.x, .y = work.y, .w = work.w});
    if (conv->shape.image)
        gpu_take_doubles(work.y.at, dx, n_values);
    else
        gpu_take_range(in, work.y, (nas_channels_t){dx, in.c, 0});
}

/* A work for every block of outputs and inputs. */
static void run_parts(const nas_gpu_variant_t *variant, nas_gpu_weights_t work)
{
    enum { MOST = 256 };
    static nas_gpu_weights_t works[MOST];
    int n = 0;
    for (work.o_block = 0; work.o_block < work.w_o; work.o_block += variant->block_o) {
        for (work.i_block = 0; work.i_block < work.w_i; work.i_block += variant->block_i) {
            NAS_ASSERT(n < MOST);
            works[n++] = work;
        }
    }
    gpu_run(variant, work.splits, n, gpu_put_table(works, (size_t)n * sizeof *works));
}

static void backward_weights(const nas_conv_t *conv, const void *x, const void *dy, void *dw,
                             void *scratch)
{
    (void)scratch;
    const nas_conv_shape_t *s = &conv->shape;
    const size_t n = weight_elements(conv);
    const nas_gpu_variant_t variant = nas_gpu_conv_variant(s, NAS_GPU_BACKWARD_WEIGHTS);
    const nas_gpu_variant_t sum = nas_gpu_plain_variant("parts", "weight_parts");
    gpu_call_begin();
    nas_gpu_weights_t work = {.n = s->n, .w_o = s->c_out, .w_i = s->c_in};
    work.x = gpu_put_tensor(shape_in(s), x);
    work.dy = gpu_put_tensor(shape_out(s), dy);
    work.splits = s->k ? nas_gpu_weight_splits(&variant, s->n) : nas_gpu_window_splits(s);
    work.parts = gpu_put_floats(NULL, (size_t)work.splits * n);
    const nas_gpu_weight_parts_t parts = {work.parts, gpu_put_floats(NULL, n), (i64)n, work.splits,
                                          0};
    const i64 parts_at = gpu_put_table(&parts, sizeof parts);
    if (s->k)
        run_parts(&variant, work);
    else
        run_window(conv, NAS_GPU_BACKWARD_WEIGHTS,
                   (nas_gpu_window_t){.parts = work.parts, .x = work.x, .y = work.dy});
    gpu_run(&sum, (int)((n + 255) / 256), 1, parts_at);
    gpu_take_floats(parts.gradient, dw, n);
}

static size_t scratch_bytes(const nas_conv_t *conv)
{
    (void)conv;
    return 0;
}

void gpu_backend_add_layout(nas_backend_t *backend)
{
    *backend = *nas_gpu_layout();
    backend->load_images = load_images;
    backend->load = load;
    backend->store = store;
}

void gpu_backend_add_conv(nas_backend_t *backend)
{
    backend->conv_find = find;
    backend->conv_weight_elements = weight_elements;
    backend->conv_packed_bytes = packed_bytes;
    backend->conv_pack = pack;
    backend->conv_unpack = unpack;
    backend->conv_forward = forward;
    backend->conv_backward_data = backward_data;
    backend->conv_backward_weights = backward_weights;
    backend->conv_scratch_bytes = scratch_bytes;
}
