/* Convolutions at the shapes of NAS-Bench-201's networks, 64 images, 16 channels in the first stage:
 * the stem; cells' own, alone and three edges that read the same node as one; those between
 * stages. */
#include "worker/gpu_bench/waves.h"

#include <stdio.h>

enum { N_PASSES = 3 };

static const nas_conv_shape_t real[] = {
    {.n = 64, .c_in = 3, .c_out = 16, .h_in = 32, .w_in = 32, .k = 3, .stride = 1, .image = true},
    {.n = 64, .c_in = 16, .c_out = 16, .h_in = 32, .w_in = 32, .k = 3, .stride = 1},
    {.n = 64, .c_in = 16, .c_out = 48, .h_in = 32, .w_in = 32, .k = 3, .stride = 1},
    {.n = 64, .c_in = 16, .c_out = 16, .h_in = 32, .w_in = 32, .k = 1, .stride = 1},
    {.n = 64, .c_in = 16, .c_out = 32, .h_in = 32, .w_in = 32, .k = 3, .stride = 2},
    {.n = 64, .c_in = 32, .c_out = 32, .h_in = 16, .w_in = 16, .k = 3, .stride = 1},
    {.n = 64, .c_in = 32, .c_out = 96, .h_in = 16, .w_in = 16, .k = 3, .stride = 1},
    {.n = 64, .c_in = 32, .c_out = 32, .h_in = 16, .w_in = 16, .k = 1, .stride = 1},
    {.n = 64, .c_in = 32, .c_out = 64, .h_in = 16, .w_in = 16, .k = 3, .stride = 2},
    {.n = 64, .c_in = 64, .c_out = 64, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
    {.n = 64, .c_in = 64, .c_out = 192, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
    {.n = 64, .c_in = 64, .c_out = 64, .h_in = 8, .w_in = 8, .k = 1, .stride = 1}};

static const nas_conv_shape_t tiny[] = {
    {.n = 2, .c_in = 3, .c_out = 4, .h_in = 8, .w_in = 8, .k = 3, .stride = 1, .image = true},
    {.n = 2, .c_in = 4, .c_out = 4, .h_in = 8, .w_in = 8, .k = 1, .stride = 1}};

static const char *const pass_name[N_PASSES] = {"forward", "by data", "by weights"};

typedef struct conv {
    nas_conv_shape_t shape;
    nas_shape_t in, out;
    int64_t n_weights;
    nas_gpu_variant_t variant;
} conv_t;

/* A descriptor for each block of channels of one network. */
static void place_pixels(const conv_t *conv, bool is_adjoint, nas_room_t *room)
{
    const nas_conv_shape_t *s = &conv->shape;
    nas_gpu_conv_t work = {.moments = -1,
                           .bias = -1,
                           .n = s->n,
                           .c_in = is_adjoint ? s->c_out : s->c_in,
                           .c_out = is_adjoint ? s->c_in : s->c_out,
                           .w_o = s->c_out,
                           .w_i = s->c_in};
    work.x = nas_room_tensor(room, is_adjoint ? conv->out : conv->in);
    if (is_adjoint && s->image)
        work.y = (nas_gpu_slice_t){
            .at = nas_room_doubles(room, (int64_t)s->n * s->c_in * s->h_in * s->w_in),
            .c_total = s->c_in};
    else
        work.y = nas_room_tensor(room, is_adjoint ? conv->in : conv->out);
    work.w = nas_room_floats(room, conv->n_weights);
    if (!is_adjoint)
        work.moments = nas_room_doubles(
            room, 2 * (int64_t)nas_gpu_conv_tiles(&conv->variant, s->n) * s->c_out);
    for (; work.c_block < work.c_out; work.c_block += conv->variant.block_o)
        (void)nas_room_describe(room, &work, sizeof work);
}

/* The same by weights: for each block of outputs and inputs. Returns where its parts are to be. */
static int64_t place_weights(const conv_t *conv, nas_room_t *room)
{
    const nas_conv_shape_t *s = &conv->shape;
    nas_gpu_weights_t work = {.n = s->n,
                              .w_o = s->c_out,
                              .w_i = s->c_in,
                              .splits = nas_gpu_weight_splits(&conv->variant, s->n)};
    work.x = nas_room_tensor(room, conv->in);
    work.dy = nas_room_tensor(room, conv->out);
    work.parts = nas_room_floats(room, work.splits * conv->n_weights);
    for (; work.o_block < work.w_o; work.o_block += conv->variant.block_o)
        for (work.i_block = 0; work.i_block < work.w_i; work.i_block += conv->variant.block_i)
            (void)nas_room_describe(room, &work, sizeof work);
    return work.parts;
}

/* Descriptors since `at`, of so many bytes, are rows of one launch. */
static nas_timed_launch_t launch_since(const nas_room_t *room, int64_t at, size_t bytes)
{
    return (nas_timed_launch_t){.groups_y = (int)((room->table.taken - at) / (int64_t)bytes),
                                .at = at};
}

static void place_pixel_launch(const conv_t *conv, bool is_adjoint, int n_networks,
                               nas_room_t *room, nas_timed_t *timed)
{
    const int64_t at = room->table.taken;
    for (int i = 0; i < n_networks; i++) place_pixels(conv, is_adjoint, room);
    timed->launch[0] = launch_since(room, at, sizeof(nas_gpu_conv_t));
    timed->launch[0].variant = conv->variant;
    timed->launch[0].groups_x = nas_gpu_conv_tiles(&conv->variant, conv->shape.n);
    timed->n = 1;
}

/* The gradient's parts, and then their sums. */
static void place_weight_launches(const conv_t *conv, int n_networks, nas_room_t *room,
                                  nas_timed_t *timed)
{
    int64_t parts[NAS_WAVES_MOST], at = room->table.taken;
    const int splits = nas_gpu_weight_splits(&conv->variant, conv->shape.n);
    for (int i = 0; i < n_networks; i++) parts[i] = place_weights(conv, room);
    timed->launch[0] = launch_since(room, at, sizeof(nas_gpu_weights_t));
    timed->launch[0].variant = conv->variant;
    timed->launch[0].groups_x = splits;
    at = room->table.taken;
    for (int i = 0; i < n_networks; i++) {
        nas_gpu_weight_parts_t sum = {.parts = parts[i], .n = conv->n_weights, .splits = splits};
        sum.gradient = nas_room_floats(room, conv->n_weights);
        (void)nas_room_describe(room, &sum, sizeof sum);
    }
    timed->launch[1] = launch_since(room, at, sizeof(nas_gpu_weight_parts_t));
    timed->launch[1].variant = nas_gpu_plain_variant("parts", "weight_parts");
    timed->launch[1].groups_x = (int)((conv->n_weights + 255) / 256);
    timed->n = 2;
}

static conv_t conv_of(const nas_conv_shape_t *shape, nas_gpu_pass_t pass)
{
    return (conv_t){.shape = *shape,
                    .in = {shape->n, shape->c_in, shape->h_in, shape->w_in},
                    .out = {shape->n, shape->c_out, nas_conv_h_out(shape), nas_conv_w_out(shape)},
                    .n_weights = (int64_t)shape->c_out * nas_conv_fan_in(shape),
                    .variant = nas_gpu_conv_variant(shape, pass)};
}

/* Numbers of a tensor. */
static double count(nas_shape_t shape)
{
    return (double)shape.n * shape.c * shape.h * shape.w;
}

static void place(const nas_gpu_bench_t *bench, int i, int n_networks, nas_room_t *room,
                  nas_wave_case_t *the_case)
{
    const nas_gpu_pass_t pass = (nas_gpu_pass_t)(i % N_PASSES);
    const conv_t conv = conv_of(&(bench->is_quick ? tiny : real)[i / N_PASSES], pass);
    const nas_conv_shape_t *s = &conv.shape;
    the_case->kernel = pass_name[pass];
    (void)snprintf(the_case->shape, sizeof the_case->shape, "%d x %d%s, %d > %d, %d x %d", s->k,
                   s->k, s->stride == 2 ? " / 2" : "", s->c_in, s->c_out, s->h_in, s->w_in);
    the_case->flops = 2 * count(conv.out) * nas_conv_fan_in(s);
    the_case->bytes = sizeof(float) * (count(conv.in) + count(conv.out) + (double)conv.n_weights);
    if (pass == NAS_GPU_BACKWARD_WEIGHTS)
        place_weight_launches(&conv, n_networks, room, &the_case->timed);
    else
        place_pixel_launch(&conv, pass == NAS_GPU_BACKWARD_DATA, n_networks, room,
                           &the_case->timed);
}

nas_status_t nas_gpu_bench_convs(const nas_gpu_bench_t *bench, nas_error_t *err)
{
    const size_t n_shapes =
        bench->is_quick ? sizeof tiny / sizeof *tiny : sizeof real / sizeof *real;
    const nas_waves_t waves = {.key = "convolutions",
                               .title = "Convolutions; GB/s: what must be read and written, once",
                               .n_cases = N_PASSES * (int)n_shapes,
                               .has_flops = true,
                               .place = place};
    return nas_waves_measure(bench, &waves, err);
}
