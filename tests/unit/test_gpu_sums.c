/* Kernels of sums and combinations, beyond what the tests of backends ask of every backend: signs and
 * correlations, batches that no part has the same number of images of, and company in a launch. */
#define WITH_GPUS 1
#include "backend_tensors.h"
#include "worker/engine/host/run.h"

/* A property, void PROPERTY(fixture_t *), on the layers of GPUs: GPU_LAYERS in backend_case.h. */
#define ON_LAYERS(property)                                                                        \
    ON_LAYER(property, opencl, 0)                                                                  \
    ON_LAYER(property, threads, 1)
#define ON_LAYER(property, layer, number)                                                          \
    Test(layer, property)                                                                          \
    {                                                                                              \
        fixture_t f = setup(1 + NAS_ISA_COUNT + number);                                           \
        property(&f);                                                                              \
        teardown(&f);                                                                              \
    }

/* --------------------------------------------------------------------------------------- signs */

enum { TIMES = 3 };

/* Values of which half are > 0, a few are 0, and one is NaN, which is not. */
static placed_t place_signs(fixture_t *f, nas_shape_t shape)
{
    shape.c += 3;
    placed_t placed = {.c_first = 2, .tensor = {.shape = shape}};
    double *values = take_random(f, n_elements(shape));
    for (size_t i = 0; i < n_elements(shape); i += 7) values[i] = 0;
    values[n_elements(shape) / 2] = (double)NAN;
    placed.tensor = take_tensor(f, shape, values);
    return placed;
}

static u32 count_differing(const placed_t *x, nas_shape_t shape, int a, int b)
{
    u32 count = 0;
    for (size_t i = 0; i < n_elements((nas_shape_t){1, shape.c, shape.h, shape.w}); i++) {
        element_t e = element(shape, i), o = e;
        e.n = a;
        o.n = b;
        count += (value_at(x, e) > 0) != (value_at(x, o) > 0);
    }
    return count;
}

/* Counts are added to what is there. */
static void check_agreement(fixture_t *f, nas_shape_t shape)
{
    const nas_gpu_variant_t variant = nas_gpu_plain_variant("signs", "agreement");
    const placed_t x = place_signs(f, shape);
    const size_t n_counts = (size_t)shape.n * (size_t)shape.n, n_doubles = n_counts / 2 + 1;
    u32 *counts = take(f, n_doubles * sizeof(double));
    memset(counts, 0, n_doubles * sizeof(double));
    counts[n_counts - 1] = 5;
    gpu_call_begin();
    const nas_channels_t all = channels(&x.tensor, 0);
    nas_gpu_slice_t slice = gpu_put_tensor(x.tensor.shape, all.data);
    slice.c_first = x.c_first;
    const nas_gpu_agreement_t work = {.relu = slice,
                                      .counts = gpu_put_doubles((const double *)counts, n_doubles),
                                      .n = shape.n,
                                      .c = shape.c,
                                      .h = shape.h,
                                      .w = shape.w,
                                      .times = TIMES};
    const int groups = NAS_GPU_SIGN_GROUPS(shape.n, shape.c, shape.h, shape.w);
    gpu_run(&variant, groups + 1, 1, gpu_put_table(&work, sizeof work));
    gpu_take_doubles(work.counts, (double *)counts, n_doubles);
    counts[n_counts - 1] -= 5;
    for (int i = 0; i < shape.n; i++)
        for (int j = 0; j < shape.n; j++) {
            const u32 expected = j < i ? TIMES * count_differing(&x, shape, i, j) : 0;
            cr_assert_eq(counts[i * shape.n + j], expected,
                         "%d images, %d x %d x %d, images %d and %d: %u, expected %u", shape.n,
                         shape.c, shape.h, shape.w, i, j, counts[i * shape.n + j], expected);
        }
}

static void signs_that_differ_are_counted_in_planes_of_any_size(fixture_t *f)
{
    for (int pixels = 1; pixels <= 70; pixels++) check_agreement(f, (nas_shape_t){5, 3, 1, pixels});
}
ON_LAYERS(signs_that_differ_are_counted_in_planes_of_any_size)

static void signs_that_differ_are_counted_between_all_images(fixture_t *f)
{
    static const int n_images[] = {1, 2, 64, 65, 130};
    for (size_t i = 0; i < sizeof n_images / sizeof *n_images; i++) {
        check_agreement(f, (nas_shape_t){n_images[i], 2, 3, 5});
        check_agreement(f, (nas_shape_t){n_images[i], 1, 1, 1});
    }
    check_agreement(f, (nas_shape_t){66, 37, 7, 9}); /* 2,368 floats: three groups */
}
ON_LAYERS(signs_that_differ_are_counted_between_all_images)

/* -------------------------------------------------------------------------------- correlations */

/* The host's. rows are changed. */
static void correlate_by_host(int n, int64_t d, double *vectors, nas_vector_t out)
{
    const nas_program_t program = {.n = n};
    const nas_run_t run = {.program = &program, .vectors = vectors};
    const nas_scalar_op_t op = {.kind = NAS_SCALAR_CORRELATION, .c = d, .in = 0, .out = out};
    nas_run_jacobian(&run, &op);
}

static void correlate(const double *rows, int n, int64_t d, double *K)
{
    const size_t n_values = (size_t)n * (size_t)n;
    gpu_call_begin();
    const nas_gpu_correlation_t work = {.rows = gpu_put_doubles(rows, (size_t)n * (size_t)d),
                                        .out = gpu_put_doubles(NULL, n_values),
                                        .d = d,
                                        .n = n};
    const i64 at = gpu_put_table(&work, sizeof work);
    const nas_gpu_variant_t first = nas_gpu_plain_variant("jacobian", "standardise");
    const nas_gpu_variant_t second = nas_gpu_plain_variant("jacobian", "correlate");
    gpu_run(&first, n + 1, 1, at);
    gpu_run(&second, n + 1, 1, at);
    gpu_take_doubles(work.out, K, n_values);
}

/* The last row but one has one value throughout, which has no correlations. */
static void check_correlations(fixture_t *f, int n, int64_t d)
{
    const size_t n_rows = (size_t)n * (size_t)d, n_values = (size_t)n * (size_t)n;
    double *vectors = take_random(f, n_rows + n_values);
    if (n > 2)
        for (int64_t i = 0; i < d; i++) vectors[(n - 2) * d + i] = 0.75;
    double *found = take_doubles(f, n_values);
    correlate(vectors, n, d, found);
    const double *expected = vectors + n_rows;
    correlate_by_host(n, d, vectors, (nas_vector_t)n_rows);
    for (size_t i = 0; i < n_values; i++) {
        cr_assert_eq(isnan(found[i]), isnan(expected[i]), "%d rows, value %zu", n, i);
        cr_assert(isnan(found[i]) || fabs(found[i] - expected[i]) <= 1e-13,
                  "%d rows of %d, value %zu: %.17g, expected %.17g", n, (int)d, i, found[i],
                  expected[i]);
        cr_assert(isnan(found[i]) || fabs(found[i]) <= 1.0);
    }
}

static void correlations_equal_the_hosts(fixture_t *f)
{
    check_correlations(f, 1, 2);
    check_correlations(f, 2, 15);
    check_correlations(f, 6, 192);
    check_correlations(f, 17, 1000);
    check_correlations(f, 33, 3072);
}
ON_LAYERS(correlations_equal_the_hosts)

/* ----------------------------------------------------------------------------- batches, company */

/* A combination with a pool, masked terms, out, relu and two dots. */
static void combine_once(fixture_t *f, const nas_backend_t *backend, nas_shape_t shape,
                         double *const values[3], double *results[4])
{
    nas_combination_t k = {.shape = shape, .n_terms = 2, .n_dots = 2};
    void *tensor[5];
    for (int i = 0; i < 5; i++) {
        tensor[i] = take(f, backend->tensor_bytes(shape));
        if (i < 3) backend->load(shape, values[i], tensor[i]);
    }
    k.term[0] = (nas_term_t){.kind = NAS_TERM_POOL3, .tensor = {tensor[0], shape.c, 0}};
    k.term[1] =
        (nas_term_t){.kind = NAS_TERM_PLAIN, .tensor = {tensor[1], shape.c, 0}, .masked = true};
    k.mask = (nas_channels_t){tensor[2], shape.c, 0};
    k.out = (nas_channels_t){tensor[3], shape.c, 0};
    k.relu = (nas_channels_t){tensor[4], shape.c, 0};
    k.dot[0].sum = results[2];
    k.dot[1] = (nas_dot_t){.tensor = k.term[0].tensor, .sum = results[3]};
    backend->combine(&k);
    backend->store(shape, tensor[3], results[0]);
    backend->store(shape, tensor[4], results[1]);
}

static void take_results(fixture_t *f, nas_shape_t shape, double *results[4])
{
    for (int i = 0; i < 4; i++) results[i] = take_doubles(f, n_elements(shape));
}

static void check_batch(fixture_t *f, nas_shape_t shape)
{
    double *values[3], *found[4], *expected[4];
    for (int i = 0; i < 3; i++) values[i] = take_random(f, n_elements(shape));
    take_results(f, shape, found);
    take_results(f, shape, expected);
    combine_once(f, f->backend, shape, values, found);
    combine_once(f, nas_backend_ref(), shape, values, expected);
    check_close(f, found[0], expected[0], n_elements(shape), "out");
    check_close(f, found[1], expected[1], n_elements(shape), "relu");
    for (int d = 2; d < 4; d++)
        for (int c = 0; c < shape.c; c++)
            check_sum(f, found[d][c], expected[d][c], (double)(shape.n * shape.h * shape.w), "dot");
}

/* Parts of none, one and two images; planes of fewer quads than a group, and of many more. */
static void batches_of_any_number_of_images_are_combined(fixture_t *f)
{
    static const nas_shape_t shapes[] = {{17, 3, 5, 5}, {33, 2, 8, 8},  {6, 3, 1, 3},
                                         {16, 1, 2, 2}, {3, 2, 24, 32}, {40, 1, 19, 21}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) check_batch(f, shapes[i]);
}
ON_LAYERS(batches_of_any_number_of_images_are_combined)

/* A deviation of 1e-3 about a mean of 1,000, in tiles of unequal size. */
static void moments_far_from_0_keep_their_deviation(fixture_t *f)
{
    static const nas_shape_t shapes[] = {{1, 3, 3, 3}, {17, 2, 5, 7}, {35, 1, 20, 20}};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const nas_shape_t shape = shapes[s];
        double *values = take_random(f, n_elements(shape));
        for (size_t i = 0; i < n_elements(shape); i++) values[i] = 1000.0 + values[i] * 1e-3;
        for (size_t i = 0; i < n_elements(shape); i++) values[i] = (double)(float)values[i];
        const tensor_t x = take_tensor(f, shape, values);
        double found[2][8], expected[2][8];
        f->backend->moments(shape, channels(&x, 0), found[0], found[1]);
        nas_backend_ref()->moments(shape, (nas_channels_t){values, shape.c, 0}, expected[0],
                                   expected[1]);
        for (int c = 0; c < shape.c; c++) {
            cr_assert_float_eq(found[0][c], expected[0][c], 1e-7 * 1000);
            cr_assert_float_eq(found[1][c], expected[1][c], 1e-5 * expected[1][c]);
        }
    }
}
ON_LAYERS(moments_far_from_0_keep_their_deviation)

static void weight_dots_of_any_number_are_added(fixture_t *f)
{
    static const size_t n[] = {1, 255, 256, 257, 4608};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        float *a = take(f, n[i] * sizeof *a), *b = take(f, n[i] * sizeof *b);
        const double *from = take_random(f, 2 * n[i]);
        double found[2] = {1.5, 2.5}, expected[2] = {1.5, 2.5};
        nas_backend_ref()->weight_dots(from, from + n[i], n[i], expected);
        for (size_t j = 0; j < n[i]; j++) a[j] = (float)from[j], b[j] = (float)from[n[i] + j];
        f->backend->weight_dots(a, b, n[i], found);
        cr_assert_eq(found[0], expected[0]); /* all products and sums are exact */
        cr_assert_eq(found[1], expected[1]);
    }
}
ON_LAYERS(weight_dots_of_any_number_are_added)

/* A work that rectifies a pool of x and sums its products with y, in `parts` [out]. */
static nas_gpu_combination_t put_work(fixture_t *f, nas_shape_t shape, i64 *parts)
{
    const nas_gpu_slice_t none = {.at = -1};
    const size_t n = n_elements(shape), c = (size_t)shape.c;
    float *x = take(f, f->backend->tensor_bytes(shape)),
          *y = take(f, f->backend->tensor_bytes(shape));
    f->backend->load(shape, take_random(f, n), x);
    f->backend->load(shape, take_random(f, n), y);
    const nas_gpu_term_t term = {.tensor = gpu_put_tensor(shape, x),
                                 .coefficient = gpu_put_doubles(take_random(f, c), c),
                                 .kind = NAS_GPU_TERM_POOL3_ADJOINT};
    const nas_gpu_dot_t dot = {.tensor = gpu_put_tensor(shape, y),
                               .center = -1,
                               .parts = gpu_put_doubles(NULL, NAS_GPU_PARTS * c)};
    *parts = dot.parts;
    return (nas_gpu_combination_t){.terms = gpu_put_table(&term, sizeof term),
                                   .dots = gpu_put_table(&dot, sizeof dot),
                                   .shift = -1,
                                   .mask = none,
                                   .out = none,
                                   .relu = gpu_put_tensor(shape, NULL),
                                   .n = shape.n,
                                   .c = shape.c,
                                   .h = shape.h,
                                   .w = shape.w,
                                   .n_terms = 1,
                                   .n_dots = 1};
}

/* Runs the members' works, each with a seed of its own; the last one's results. */
static void combine_in_company(fixture_t *f, const nas_shape_t *shapes, int n, double *values,
                               double *parts)
{
    const nas_gpu_variant_t variant = nas_gpu_plain_variant("combine", "combine");
    nas_gpu_combination_t works[4];
    i64 place = -1;
    gpu_call_begin();
    for (int i = 0; i < n; i++) {
        nas_rng_init(&f->rng, 1, NAS_STREAM_BENCH, (uint64_t)shapes[i].c);
        works[i] = put_work(f, shapes[i], &place);
    }
    const nas_shape_t last = shapes[n - 1];
    const i64 at = gpu_put_table(works, (size_t)n * sizeof *works);
    gpu_run(&variant, 8 * NAS_GPU_PARTS, n, at);
    float *relu = take(f, f->backend->tensor_bytes(last));
    gpu_take_range(last, works[n - 1].relu, (nas_channels_t){relu, last.c, 0});
    f->backend->store(last, relu, values);
    gpu_take_doubles(place, parts, (size_t)last.c * NAS_GPU_PARTS);
}

static void results_do_not_depend_on_company(fixture_t *f)
{
    const nas_shape_t shapes[] = {{5, 8, 6, 6}, {20, 1, 4, 4}, {18, 3, 7, 9}};
    const nas_shape_t last = shapes[2];
    double *alone = take_doubles(f, n_elements(last)), *among = take_doubles(f, n_elements(last));
    double parts_alone[3 * NAS_GPU_PARTS], parts_among[3 * NAS_GPU_PARTS];
    combine_in_company(f, &last, 1, alone, parts_alone);
    combine_in_company(f, shapes, 3, among, parts_among);
    cr_assert_arr_eq(alone, among, n_elements(last) * sizeof *alone);
    cr_assert_arr_eq(parts_alone, parts_among, sizeof parts_alone);
}
ON_LAYERS(results_do_not_depend_on_company)
