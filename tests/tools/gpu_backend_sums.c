/* Combinations, and sums over tensors. */
#include "tests/tools/gpu_backend.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_TENSORS = 32 };

/* The tensors of a call: one that it names twice is there once. */
typedef struct tensors {
    nas_shape_t shape[MAX_TENSORS]; /* all channels in memory */
    void *data[MAX_TENSORS];
    i64 at[MAX_TENSORS];
    int n;
} tensors_t;

/* A range of channels of a tensor, extents of the range; data NULL: none. */
static nas_gpu_slice_t put(tensors_t *tensors, nas_shape_t shape, nas_channels_t range)
{
    if (!range.data) return (nas_gpu_slice_t){.at = -1};
    int i = 0;
    while (i < tensors->n && tensors->data[i] != range.data) i++;
    if (i == tensors->n) {
        NAS_ASSERT(tensors->n < MAX_TENSORS);
        shape.c = range.c_total;
        tensors->shape[i] = shape;
        tensors->data[i] = range.data;
        tensors->at[i] = gpu_put_tensor(shape, range.data).at;
        tensors->n++;
    }
    return (nas_gpu_slice_t){tensors->at[i], range.c_total, range.c_first};
}

/* All of a tensor, so that what was written beside the range is seen. */
static void take(const tensors_t *tensors, void *data)
{
    for (int i = 0; i < tensors->n; i++) {
        if (tensors->data[i] != data) continue;
        const nas_shape_t shape = tensors->shape[i];
        gpu_take_range(shape, (nas_gpu_slice_t){tensors->at[i], shape.c, 0},
                       (nas_channels_t){data, shape.c, 0});
    }
}

static i64 put_optional(const double *from, size_t n)
{
    return from ? gpu_put_doubles(from, n) : -1;
}

/* ----------------------------------------------------------------------------------------- combine */

static nas_shape_t shape_of_term(nas_term_kind_t kind, nas_shape_t value)
{
    if (kind == NAS_TERM_POOL2) return (nas_shape_t){value.n, value.c, 2 * value.h, 2 * value.w};
    if (kind == NAS_TERM_POOL2_ADJOINT)
        return (nas_shape_t){value.n, value.c, value.h / 2, value.w / 2};
    return value;
}

static i64 put_terms(tensors_t *tensors, const nas_combination_t *k)
{
    nas_gpu_term_t terms[NAS_MAX_TERMS] = {0};
    for (int t = 0; t < k->n_terms; t++) {
        const nas_term_t *from = &k->term[t];
        const int images = from->kind == NAS_TERM_IMAGE ? k->shape.n : 1;
        const nas_channels_t none = {0};
        terms[t] = (nas_gpu_term_t){
            .tensor = put(tensors, shape_of_term(from->kind, k->shape),
                          from->kind == NAS_TERM_IMAGE ? none : from->tensor),
            .coefficient = put_optional(from->coefficient, (size_t)images * (size_t)k->shape.c),
            .kind = (int)from->kind,
            .masked = from->masked};
    }
    return gpu_put_table(terms, sizeof terms);
}

static i64 put_dots(tensors_t *tensors, const nas_combination_t *k, nas_gpu_dot_t *dots)
{
    const size_t c = (size_t)k->shape.c;
    for (int d = 0; d < k->n_dots; d++)
        dots[d] = (nas_gpu_dot_t){.tensor = put(tensors, k->shape, k->dot[d].tensor),
                                  .center = put_optional(k->dot[d].center, c),
                                  .parts = gpu_put_doubles(NULL, NAS_GPU_PARTS * c)};
    return gpu_put_table(dots, NAS_MAX_DOTS * sizeof *dots);
}

static void add_parts(const nas_combination_t *k, const nas_gpu_dot_t *dots)
{
    const int c = k->shape.c;
    for (int d = 0; d < k->n_dots; d++)
        for (int i = 0; i < c; i++) {
            k->dot[d].sum[i] = 0;
            for (int p = 0; p < NAS_GPU_PARTS; p++) {
                double part;
                gpu_take_doubles(dots[d].parts + (i64)p * c + i, &part, 1);
                k->dot[d].sum[i] += part;
            }
        }
}

static void combine(const nas_combination_t *k)
{
    const nas_gpu_variant_t variant = nas_gpu_plain_variant("combine", "combine");
    nas_gpu_dot_t dots[NAS_MAX_DOTS] = {0};
    tensors_t tensors = {0};
    gpu_call_begin();
    const nas_gpu_combination_t work = {.terms = put_terms(&tensors, k),
                                        .dots = put_dots(&tensors, k, dots),
                                        .shift = put_optional(k->shift, (size_t)k->shape.c),
                                        .mask = put(&tensors, k->shape, k->mask),
                                        .out = put(&tensors, k->shape, k->out),
                                        .relu = put(&tensors, k->shape, k->relu),
                                        .n = k->shape.n,
                                        .c = k->shape.c,
                                        .h = k->shape.h,
                                        .w = k->shape.w,
                                        .n_terms = k->n_terms,
                                        .n_dots = k->n_dots,
                                        .ceiling = (float)k->ceiling};
    const i64 at = gpu_put_table(&work, sizeof work);
    /* a group too many: launches are as wide as their widest member */
    gpu_run(&variant, k->shape.c * NAS_GPU_PARTS + 1, 1, at);
    take(&tensors, k->out.data);
    take(&tensors, k->relu.data);
    add_parts(k, dots);
}

/* -------------------------------------------------------------------------------------------- sums */

/* Means and squared deviations of tiles, put together by Chan's rule. */
static void join_tiles(const nas_gpu_moments_t *work, double *mean, double *variance)
{
    const int per = NAS_GPU_TILE_IMAGES(work->n), c = work->c;
    for (int i = 0; i < c; i++) {
        double count = 0, squares = 0;
        mean[i] = 0;
        for (int t = 0; t < NAS_GPU_TILES(work->n); t++) {
            const int images = work->n - t * per < per ? work->n - t * per : per;
            const double n = (double)images * work->h * work->w;
            double m, s;
            gpu_take_doubles(work->moments + (i64)(2 * t) * c + i, &m, 1);
            gpu_take_doubles(work->moments + (i64)(2 * t + 1) * c + i, &s, 1);
            squares += s + (m - mean[i]) * (m - mean[i]) * count * n / (count + n);
            mean[i] += (m - mean[i]) * n / (count + n);
            count += n;
        }
        variance[i] = squares / count;
    }
}

static void moments(nas_shape_t shape, nas_channels_t tensor, double *mean, double *variance)
{
    const nas_gpu_variant_t variant = nas_gpu_plain_variant("sums", "moments");
    const int tiles = NAS_GPU_TILES(shape.n);
    tensors_t tensors = {0};
    gpu_call_begin();
    const nas_gpu_moments_t work = {.x = put(&tensors, shape, tensor),
                                    .moments =
                                        gpu_put_doubles(NULL, (size_t)tiles * 2 * (size_t)shape.c),
                                    .n = shape.n,
                                    .c = shape.c,
                                    .h = shape.h,
                                    .w = shape.w};
    gpu_run(&variant, shape.c * NAS_GPU_PARTS + 1, 1, gpu_put_table(&work, sizeof work));
    join_tiles(&work, mean, variance);
}

static void image_dots(nas_shape_t shape, nas_channels_t a, nas_channels_t b, double *sum)
{
    const nas_gpu_variant_t variant = nas_gpu_plain_variant("sums", "image_dots");
    const size_t n = (size_t)shape.n * (size_t)shape.c;
    tensors_t tensors = {0};
    gpu_call_begin();
    const nas_gpu_image_dots_t work = {.a = put(&tensors, shape, a),
                                       .b = put(&tensors, shape, b),
                                       .sum = gpu_put_doubles(NULL, n),
                                       .n = shape.n,
                                       .c = shape.c,
                                       .h = shape.h,
                                       .w = shape.w};
    gpu_run(&variant, (int)n / NAS_GPU_PLANES + 2, 1, gpu_put_table(&work, sizeof work));
    gpu_take_doubles(work.sum, sum, n);
}

static double max_abs(nas_shape_t shape, nas_channels_t tensor)
{
    const nas_gpu_variant_t variant = nas_gpu_plain_variant("scalars", "scalars");
    tensors_t tensors = {0};
    gpu_call_begin();
    const nas_gpu_slice_t slice = put(&tensors, shape, tensor);
    const i64 first = (i64)slice.c_first * NAS_GPU_PITCH(shape.h, shape.w);
    const nas_gpu_scalar_t op = {.in = slice.at + first,
                                 .out = gpu_put_doubles(NULL, 1),
                                 .kind = NAS_GPU_MAX_ABS,
                                 .c = shape.c,
                                 .n = shape.n,
                                 .h = shape.h,
                                 .w = shape.w,
                                 .stride = slice.c_total};
    const nas_gpu_scalars_t work = {.ops = gpu_put_table(&op, sizeof op), .n = 1};
    gpu_run(&variant, 1, 1, gpu_put_table(&work, sizeof work));
    double largest;
    gpu_take_doubles(op.out, &largest, 1);
    return largest;
}

static void weight_dots(const void *a, const void *b, size_t n, double sums[2])
{
    const nas_gpu_variant_t variant = nas_gpu_plain_variant("sums", "weight_dots");
    gpu_call_begin();
    const nas_gpu_weight_dot_t work = {.a = gpu_put_floats(a, n),
                                       .b = gpu_put_floats(b, n),
                                       .n = (i64)n,
                                       .sums = gpu_put_doubles(NULL, 2)};
    gpu_run(&variant, 1, 1, gpu_put_table(&work, sizeof work));
    double found[2];
    gpu_take_doubles(work.sums, found, 2);
    sums[0] += found[0];
    sums[1] += found[1];
}

void gpu_backend_add_sums(nas_backend_t *backend)
{
    backend->combine = combine;
    backend->moments = moments;
    backend->image_dots = image_dots;
    backend->max_abs = max_abs;
    backend->weight_dots = weight_dots;
}
