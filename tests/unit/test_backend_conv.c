#define WITH_GPUS 1
#include "backend_case.h"

/* Layers of GPUs build kernels for every shape: threads in less than a second, OpenCL in ten. */
typedef enum where { ON_CPUS, ON_THREADS, ON_ALL } where_t;

#define PLAIN(N, I, O, H, W, K, STRIDE, IMAGE)                                                     \
    {                                                                                              \
        .n = (N), .c_in = (I), .c_out = (O), .h_in = (H), .w_in = (W), .k = (K),                   \
        .stride = (STRIDE), .image = (IMAGE)                                                       \
    }

/* Name first: what a row adds to the others. */
static const struct {
    const char *name;
    nas_conv_shape_t shape;
    where_t where;
} CASES[] = {
    {"stem", PLAIN(2, 3, 16, 32, 32, 3, 1, true), ON_ALL},
    {"stem of 8 channels, odd size", PLAIN(3, 3, 8, 9, 7, 3, 1, true), ON_CPUS},
    {"stem of gray images", PLAIN(2, 1, 16, 28, 28, 3, 1, true), ON_CPUS},
    {"stem of gray images, 24 channels", PLAIN(1, 1, 24, 7, 7, 3, 1, true), ON_THREADS},
    {"3 x 3", PLAIN(2, 16, 16, 32, 32, 3, 1, false), ON_CPUS},
    {"3 x 3, 8 channels", PLAIN(2, 8, 8, 6, 6, 3, 1, false), ON_CPUS},
    {"3 x 3, odd size", PLAIN(2, 16, 32, 9, 7, 3, 1, false), ON_THREADS},
    {"3 x 3, 24 to 48 channels", PLAIN(2, 24, 48, 5, 6, 3, 1, false), ON_CPUS},
    {"3 x 3, 48 to 24 channels", PLAIN(1, 48, 24, 4, 4, 3, 1, false), ON_THREADS},
    {"3 x 3, 64 channels", PLAIN(1, 64, 64, 8, 8, 3, 1, false), ON_CPUS},
    {"3 x 3, one pixel", PLAIN(2, 16, 8, 1, 1, 3, 1, false), ON_THREADS},
    {"3 x 3, wide rows", PLAIN(1, 8, 16, 3, 70, 3, 1, false), ON_THREADS},
    {"3 x 3, many images", PLAIN(17, 16, 16, 4, 4, 3, 1, false), ON_CPUS},
    {"3 x 3, more images, odd size", PLAIN(33, 16, 8, 10, 7, 3, 1, false), ON_CPUS},
    {"3 x 3, more images, 24 to 40 channels", PLAIN(33, 24, 40, 4, 4, 3, 1, false), ON_CPUS},
    {"3 x 3, more images, many channels", PLAIN(32, 64, 32, 8, 8, 3, 1, false), ON_THREADS},
    {"3 x 3, more images, wide rows", PLAIN(32, 8, 16, 4, 70, 3, 1, false), ON_CPUS},
    {"1 x 1", PLAIN(2, 16, 16, 32, 32, 1, 1, false), ON_CPUS},
    {"1 x 1, 8 to 24 channels, odd size", PLAIN(2, 8, 24, 5, 7, 1, 1, false), ON_CPUS},
    {"1 x 1, 48 to 32 channels", PLAIN(3, 48, 32, 4, 4, 1, 1, false), ON_THREADS},
    {"1 x 1, one pixel", PLAIN(1, 24, 16, 1, 1, 1, 1, false), ON_CPUS},
    {"stride 2", PLAIN(2, 16, 32, 32, 32, 3, 2, false), ON_CPUS},
    {"stride 2, 8 to 16 channels", PLAIN(2, 8, 16, 8, 8, 3, 2, false), ON_CPUS},
    {"stride 2, 24 to 48 channels, odd size", PLAIN(2, 24, 48, 9, 7, 3, 2, false), ON_ALL},
    {"stride 2, two pixels", PLAIN(1, 16, 8, 2, 1, 3, 2, false), ON_CPUS},
    {"stride 2, 1 x 1", PLAIN(2, 16, 32, 7, 6, 1, 2, false), ON_THREADS},
};

enum { N_CASES = sizeof CASES / sizeof *CASES };

static where_t where_is(int index)
{
    if (index <= NAS_ISA_COUNT) return ON_CPUS;
    return strcmp(GPU_LAYERS[index - 1 - NAS_ISA_COUNT], "opencl") == 0 ? ON_ALL : ON_THREADS;
}

static bool is_case_of(int index, int i)
{
    return CASES[i].where >= where_is(index);
}

/* One convolution: weights and tensors, and what its passes make of them. */
typedef struct passes {
    double *w; /* [O, I, K, K] */
    double *x;
    double *dy;
    double *y;
    double *dx;
    double *dw;
} passes_t;

static nas_shape_t shape_in(const nas_conv_shape_t *s)
{
    return (nas_shape_t){s->n, s->c_in, s->h_in, s->w_in};
}

static nas_shape_t shape_out(const nas_conv_shape_t *s)
{
    return (nas_shape_t){s->n, s->c_out, (s->h_in + s->stride - 1) / s->stride,
                         (s->w_in + s->stride - 1) / s->stride};
}

static size_t n_weights(const nas_conv_shape_t *s)
{
    return n_elements((nas_shape_t){s->c_out, s->c_in, s->k, s->k});
}

static void draw(fixture_t *f, const nas_conv_shape_t *s, passes_t *p)
{
    p->w = take_random(f, n_weights(s));
    p->x = take_random(f, n_elements(shape_in(s)));
    p->dy = take_random(f, n_elements(shape_out(s)));
}

/* All products of a weight, a pixel of x and a pixel of y that the definition has for one element
 * of y. */
static void add_products(const nas_conv_shape_t *s, const passes_t *p, size_t out)
{
    const element_t y = element(shape_out(s), out);
    const nas_shape_t kernel = {1, s->c_in, s->k, s->k};
    for (size_t i = 0; i < n_elements(kernel); i++) {
        const element_t tap = element(kernel, i);
        const int h = y.h * s->stride + tap.h - s->k / 2;
        const int w = y.w * s->stride + tap.w - s->k / 2;
        if (h < 0 || h >= s->h_in || w < 0 || w >= s->w_in) continue;
        const size_t in = position(shape_in(s), (element_t){y.n, tap.c, h, w});
        const size_t weight = (size_t)y.c * n_elements(kernel) + i;
        p->y[out] += p->w[weight] * p->x[in];
        p->dx[in] += p->w[weight] * p->dy[out];
        p->dw[weight] += p->x[in] * p->dy[out];
    }
}

/* y, dx and dw from the definition. */
static passes_t expect(fixture_t *f, const nas_conv_shape_t *s, const passes_t *drawn)
{
    passes_t p = *drawn;
    p.y = take_zeros(f, n_elements(shape_out(s)));
    p.dx = take_zeros(f, n_elements(shape_in(s)));
    p.dw = take_zeros(f, n_weights(s));
    for (size_t out = 0; out < n_elements(shape_out(s)); out++) add_products(s, &p, out);
    return p;
}

static void *load_input(fixture_t *f, const nas_conv_shape_t *s, double *values)
{
    const nas_shape_t shape = shape_in(s);
    if (!s->image) return take_tensor(f, shape, values).data;
    float *images = take(f, n_elements(shape) * sizeof *images);
    for (size_t i = 0; i < n_elements(shape); i++) images[i] = (float)values[i];
    void *tensor = take(f, f->backend->image_bytes(shape));
    f->backend->load_images(shape, images, tensor);
    return tensor;
}

static const nas_conv_t *find(const fixture_t *f, const nas_conv_shape_t *s)
{
    const nas_conv_t *conv = NULL;
    nas_error_t err = {0};
    cr_assert_eq(f->backend->conv_find(s, true, &conv, &err), NAS_OK, "%s", err.text);
    return conv;
}

static void *pack(fixture_t *f, const nas_conv_t *conv, const double *w)
{
    void *packed = take(f, f->backend->conv_packed_bytes(conv));
    f->backend->conv_pack(conv, w, packed);
    return packed;
}

/* A gradient or weights, from `first` elements into the packed layout. */
static double *unpack(fixture_t *f, const nas_conv_shape_t *s, const void *packed, size_t first)
{
    double *w = take_doubles(f, n_weights(s));
    const char *part = (const char *)packed + first * f->backend->element_bytes;
    f->backend->conv_unpack(find(f, s), part, w);
    return w;
}

static void *gradient(fixture_t *f, const nas_conv_t *conv, const void *x, const void *dy)
{
    void *dw = take(f, f->backend->conv_weight_elements(conv) * f->backend->element_bytes);
    f->backend->conv_backward_weights(conv, x, dy, dw,
                                      take(f, f->backend->conv_scratch_bytes(conv)));
    return dw;
}

/* y, dx and dw from the backend. */
static passes_t compute(fixture_t *f, const nas_conv_shape_t *s, const passes_t *drawn)
{
    const nas_backend_t *b = f->backend;
    passes_t p = *drawn;
    const nas_conv_t *conv = find(f, s);
    const void *packed = pack(f, conv, p.w);
    const void *x = load_input(f, s, p.x);
    const void *dy = take_tensor(f, shape_out(s), p.dy).data;
    void *scratch = take(f, b->conv_scratch_bytes(conv));

    void *y = take(f, b->tensor_bytes(shape_out(s)));
    b->conv_forward(conv, packed, x, y, scratch);
    p.y = stored(f, shape_out(s), y);

    const size_t input_bytes = n_elements(shape_in(s)) * sizeof(double);
    void *dx = take(f, s->image ? input_bytes : b->tensor_bytes(shape_in(s)));
    b->conv_backward_data(conv, packed, dy, dx, scratch);
    p.dx = s->image ? dx : stored(f, shape_in(s), dx);

    p.dw = unpack(f, s, gradient(f, conv, x, dy), 0);
    return p;
}

BACKEND_TEST(backend_conv, passes_equal_the_definition)
{
    for (int i = 0; i < N_CASES; i++) {
        if (!is_case_of(*index, i)) continue;
        fixture_t f = setup(*index);
        const nas_conv_shape_t *s = &CASES[i].shape;
        passes_t drawn;
        draw(&f, s, &drawn);
        const passes_t expected = expect(&f, s, &drawn);
        const passes_t found = compute(&f, s, &drawn);
        check_close(&f, found.y, expected.y, n_elements(shape_out(s)), CASES[i].name);
        check_close(&f, found.dx, expected.dx, n_elements(shape_in(s)), CASES[i].name);
        check_close(&f, found.dw, expected.dw, n_weights(s), CASES[i].name);
        teardown(&f);
    }
}

static double dot(const double *a, const double *b, size_t n, double *magnitude)
{
    double sum = 0;
    *magnitude = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
        *magnitude += fabs(a[i] * b[i]);
    }
    return sum;
}

BACKEND_TEST(backend_conv, passes_are_adjoint)
{
    for (int i = 0; i < N_CASES; i++) {
        if (!is_case_of(*index, i)) continue;
        fixture_t f = setup(*index);
        const nas_conv_shape_t *s = &CASES[i].shape;
        passes_t p;
        draw(&f, s, &p);
        p = compute(&f, s, &p);
        double magnitude[3];
        const double y_dy = dot(p.y, p.dy, n_elements(shape_out(s)), &magnitude[0]);
        const double x_dx = dot(p.x, p.dx, n_elements(shape_in(s)), &magnitude[1]);
        const double w_dw = dot(p.w, p.dw, n_weights(s), &magnitude[2]);
        check_sum(&f, x_dx, y_dy, magnitude[0] + magnitude[1], CASES[i].name);
        check_sum(&f, w_dw, y_dy, magnitude[0] + magnitude[2], CASES[i].name);
        teardown(&f);
    }
}

BACKEND_TEST(backend_conv, same_arguments_give_the_same_bits)
{
    fixture_t f = setup(*index);
    const nas_conv_shape_t *s = &CASES[0].shape;
    passes_t drawn;
    draw(&f, s, &drawn);
    const passes_t a = compute(&f, s, &drawn);
    const passes_t b = compute(&f, s, &drawn);
    cr_assert_eq(memcmp(a.y, b.y, n_elements(shape_out(s)) * sizeof(double)), 0);
    cr_assert_eq(memcmp(a.dx, b.dx, n_elements(shape_in(s)) * sizeof(double)), 0);
    cr_assert_eq(memcmp(a.dw, b.dw, n_weights(s) * sizeof(double)), 0);
    teardown(&f);
}

/* Images [1, N) and then image 0. */
static double *rotated(fixture_t *f, nas_shape_t shape, const double *values)
{
    const size_t n = n_elements(shape), image = n / (size_t)shape.n;
    double *to = take_doubles(f, n);
    memcpy(to, values + image, (n - image) * sizeof *to);
    memcpy(to + n - image, values, image * sizeof *to);
    return to;
}

BACKEND_TEST(backend_conv, an_image_does_not_depend_on_the_others)
{
    for (int i = 0; i < N_CASES; i++) {
        if (!is_case_of(*index, i)) continue;
        fixture_t f = setup(*index);
        const nas_conv_shape_t *s = &CASES[i].shape;
        const nas_shape_t in = shape_in(s), out = shape_out(s);
        passes_t p, other;
        draw(&f, s, &p);
        other = p;
        other.x = rotated(&f, in, p.x);
        other.dy = rotated(&f, out, p.dy);
        p = compute(&f, s, &p);
        other = compute(&f, s, &other);
        cr_assert_eq(memcmp(other.y, rotated(&f, out, p.y), n_elements(out) * sizeof(double)), 0,
                     "%s", CASES[i].name);
        cr_assert_eq(memcmp(other.dx, rotated(&f, in, p.dx), n_elements(in) * sizeof(double)), 0,
                     "%s", CASES[i].name);
        teardown(&f);
    }
}

BACKEND_TEST(backend_conv, packed_weights_unpack_to_what_they_were)
{
    for (int i = 0; i < N_CASES; i++) {
        if (!is_case_of(*index, i)) continue;
        fixture_t f = setup(*index);
        const nas_conv_shape_t *s = &CASES[i].shape;
        double *w = take_random(&f, n_weights(s));
        const double *found = unpack(&f, s, pack(&f, find(&f, s), w), 0);
        cr_assert_eq(memcmp(found, w, n_weights(s) * sizeof *w), 0, "%s", CASES[i].name);
        teardown(&f);
    }
}

BACKEND_TEST(backend_conv, weight_dots_add_products_and_their_absolute_values)
{
    for (int i = 0; i < N_CASES; i++) {
        if (!is_case_of(*index, i)) continue;
        fixture_t f = setup(*index);
        const nas_conv_shape_t *s = &CASES[i].shape;
        if (!f.backend->weight_dots) criterion_skip_test("%s has no weight_dots", f.backend->name);
        const nas_conv_t *conv = find(&f, s);
        double *a = take_random(&f, n_weights(s));
        double *b = take_random(&f, n_weights(s));
        double sums[2] = {1.0, 2.0};
        f.backend->weight_dots(pack(&f, conv, a), pack(&f, conv, b),
                               f.backend->conv_weight_elements(conv), sums);
        double magnitude;
        const double expected = dot(a, b, n_weights(s), &magnitude);
        check_sum(&f, sums[0], 1.0 + expected, 1.0 + magnitude, CASES[i].name);
        check_sum(&f, sums[1], 2.0 + magnitude, 2.0 + magnitude, CASES[i].name);
        teardown(&f);
    }
}

/* Convolutions of one input packed together, the first filled up to a whole block of channels. */
static void check_parts(fixture_t *f, const nas_conv_shape_t *a, const nas_conv_shape_t *b)
{
    nas_conv_shape_t both = *a;
    const int c_first = padded(f, a->c_out);
    both.c_out = c_first + b->c_out;
    const size_t first = n_weights(&both) - n_weights(b);
    const size_t first_packed = f->backend->conv_weight_elements(find(f, &both)) -
                                f->backend->conv_weight_elements(find(f, b));
    passes_t p;
    draw(f, &both, &p);
    const void *packed = pack(f, find(f, &both), p.w);
    check_close(f, unpack(f, b, packed, first_packed), p.w + first, n_weights(b), "weights");
    check_close(f, unpack(f, a, packed, 0), p.w, n_weights(a), "weights");

    const void *dw = gradient(f, find(f, &both), load_input(f, &both, p.x),
                              take_tensor(f, shape_out(&both), p.dy).data);
    const double *whole = unpack(f, &both, dw, 0);
    check_close(f, unpack(f, b, dw, first_packed), whole + first, n_weights(b), "gradient");
    check_close(f, unpack(f, a, dw, 0), whole, n_weights(a), "gradient");
}

BACKEND_TEST(backend_conv, a_part_of_packed_convolutions_can_be_taken_out)
{
    for (int c = 8; c <= 48; c *= 2) {
        if (where_is(*index) == ON_ALL || (where_is(*index) == ON_THREADS && c > 8)) break;
        fixture_t f = setup(*index);
        check_parts(&f,
                    &(nas_conv_shape_t){
                        .n = 2, .c_in = c, .c_out = c, .h_in = 6, .w_in = 5, .k = 3, .stride = 1},
                    &(nas_conv_shape_t){
                        .n = 2, .c_in = c, .c_out = 24, .h_in = 6, .w_in = 5, .k = 3, .stride = 1});
        check_parts(&f,
                    &(nas_conv_shape_t){
                        .n = 2, .c_in = c, .c_out = c, .h_in = 6, .w_in = 5, .k = 1, .stride = 1},
                    &(nas_conv_shape_t){
                        .n = 2, .c_in = c, .c_out = c, .h_in = 6, .w_in = 5, .k = 1, .stride = 1});
        teardown(&f);
    }
}

/* Shapes that differ in one extent each. */
BACKEND_TEST(backend_conv, one_object_a_shape)
{
    static const nas_conv_shape_t shape[] = {
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
        {.n = 3, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
        {.n = 2, .c_in = 32, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 32, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 6, .w_in = 8, .k = 3, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 6, .k = 3, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 1, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 2},
    };
    enum { N = sizeof shape / sizeof *shape };
    fixture_t f = setup(*index);
    const nas_conv_t *conv[N];
    for (int i = 0; i < N; i++) conv[i] = find(&f, &shape[i]);
    for (int i = 0; i < N; i++) {
        cr_assert_eq(find(&f, &shape[i]), conv[i], "shape %d", i);
        for (int j = 0; j < i; j++) cr_assert_neq(conv[i], conv[j], "shapes %d and %d", i, j);
    }
    teardown(&f);
}

BACKEND_TEST(backend_conv, other_kernels_and_strides_are_refused)
{
    fixture_t f = setup(*index);
    const nas_conv_shape_t refused[] = {
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 2, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 5, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 3},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 0},
        {.n = 2, .c_in = 16, .c_out = 0, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const nas_conv_t *untouched = NULL;
        nas_error_t err = {0};
        cr_assert_eq(f.backend->conv_find(&refused[i], true, &untouched, &err), NAS_EARG);
        cr_assert_null(untouched);
        cr_assert_neq(err.text[0], '\0');
    }
    teardown(&f);
}
