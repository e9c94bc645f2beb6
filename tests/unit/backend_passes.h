/* What tests of convolutions share: the passes of one by its definition and by a backend. */
#ifndef NAS_TESTS_UNIT_BACKEND_PASSES_H
#define NAS_TESTS_UNIT_BACKEND_PASSES_H

#include "backend_case.h"

/* Layers of GPUs build kernels for every shape: threads in less than a second, OpenCL in ten. */
typedef enum where { ON_CPUS, ON_THREADS, ON_ALL } where_t;

static inline where_t where_is(int index)
{
    if (index <= NAS_ISA_COUNT) return ON_CPUS;
    return strcmp(GPU_LAYERS[index - 1 - NAS_ISA_COUNT], "opencl") == 0 ? ON_ALL : ON_THREADS;
}

typedef struct conv_case {
    const char *name;
    nas_conv_shape_t shape;
    where_t where;
} conv_case_t;

/* One convolution: weights and tensors, and what its passes make of them. */
typedef struct passes {
    double *w; /* [O, I / groups, K, K] */
    double *x;
    double *dy;
    double *y;
    double *dx;
    double *dw;
} passes_t;

static inline nas_shape_t shape_in(const nas_conv_shape_t *s)
{
    return (nas_shape_t){s->n, s->c_in, s->h_in, s->w_in};
}

static inline nas_shape_t shape_out(const nas_conv_shape_t *s)
{
    return (nas_shape_t){s->n, s->c_out, nas_conv_h_out(s), nas_conv_w_out(s)};
}

static inline size_t n_weights(const nas_conv_shape_t *s)
{
    return (size_t)s->c_out * (size_t)nas_conv_fan_in(s);
}

static inline void draw(fixture_t *f, const nas_conv_shape_t *s, passes_t *p)
{
    p->w = take_random(f, n_weights(s));
    p->x = take_random(f, n_elements(shape_in(s)));
    p->dy = take_random(f, n_elements(shape_out(s)));
}

/* All products of a weight, a pixel of x and a pixel of y that the definition has for one element
 * of y. */
static inline void add_products(const nas_conv_shape_t *s, const passes_t *p, size_t out)
{
    const nas_window_t window = nas_conv_window(s);
    const element_t y = element(shape_out(s), out);
    const nas_shape_t kernel = {1, s->c_in / nas_conv_groups(s), window.k_h, window.k_w};
    const int group = y.c / (s->c_out / nas_conv_groups(s));
    for (size_t i = 0; i < n_elements(kernel); i++) {
        const element_t tap = element(kernel, i);
        const int h = y.h * window.stride_h + tap.h * window.dilation_h - window.top;
        const int w = y.w * window.stride_w + tap.w * window.dilation_w - window.left;
        if (h < 0 || h >= s->h_in || w < 0 || w >= s->w_in) continue;
        const int c = group * kernel.c + tap.c;
        const size_t in = position(shape_in(s), (element_t){y.n, c, h, w});
        const size_t weight = (size_t)y.c * n_elements(kernel) + i;
        p->y[out] += p->w[weight] * p->x[in];
        p->dx[in] += p->w[weight] * p->dy[out];
        p->dw[weight] += p->x[in] * p->dy[out];
    }
}

/* y, dx and dw from the definition. */
static inline passes_t expect(fixture_t *f, const nas_conv_shape_t *s, const passes_t *drawn)
{
    passes_t p = *drawn;
    p.y = take_zeros(f, n_elements(shape_out(s)));
    p.dx = take_zeros(f, n_elements(shape_in(s)));
    p.dw = take_zeros(f, n_weights(s));
    for (size_t out = 0; out < n_elements(shape_out(s)); out++) add_products(s, &p, out);
    return p;
}

static inline void *load_input(fixture_t *f, const nas_conv_shape_t *s, double *values)
{
    const nas_shape_t shape = shape_in(s);
    if (!s->image) return take_tensor(f, shape, values).data;
    float *images = take(f, n_elements(shape) * sizeof *images);
    for (size_t i = 0; i < n_elements(shape); i++) images[i] = (float)values[i];
    void *tensor = take(f, f->backend->image_bytes(shape));
    f->backend->load_images(shape, images, tensor);
    return tensor;
}

static inline const nas_conv_t *find(const fixture_t *f, const nas_conv_shape_t *s)
{
    const nas_conv_t *conv = NULL;
    nas_error_t err = {0};
    cr_assert_eq(f->backend->conv_find(s, true, &conv, &err), NAS_OK, "%s", err.text);
    return conv;
}

static inline void *pack(fixture_t *f, const nas_conv_t *conv, const double *w)
{
    void *packed = take(f, f->backend->conv_packed_bytes(conv));
    f->backend->conv_pack(conv, w, packed);
    return packed;
}

/* A gradient or weights, from `first` elements into the packed layout. */
static inline double *unpack(fixture_t *f, const nas_conv_shape_t *s, const void *packed,
                             size_t first)
{
    double *w = take_doubles(f, n_weights(s));
    const char *part = (const char *)packed + first * f->backend->element_bytes;
    f->backend->conv_unpack(find(f, s), part, w);
    return w;
}

static inline void *gradient(fixture_t *f, const nas_conv_t *conv, const void *x, const void *dy)
{
    void *dw = take(f, f->backend->conv_weight_elements(conv) * f->backend->element_bytes);
    f->backend->conv_backward_weights(conv, x, dy, dw,
                                      take(f, f->backend->conv_scratch_bytes(conv)));
    return dw;
}

/* y, dx and dw from the backend. */
static inline passes_t compute(fixture_t *f, const nas_conv_shape_t *s, const passes_t *drawn)
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

/* ------------------------------------------------------------------- properties of one case */

static inline void check_definition(int index, const conv_case_t *the_case)
{
    fixture_t f = setup(index);
    const nas_conv_shape_t *s = &the_case->shape;
    passes_t drawn;
    draw(&f, s, &drawn);
    const passes_t expected = expect(&f, s, &drawn);
    const passes_t found = compute(&f, s, &drawn);
    check_close(&f, found.y, expected.y, n_elements(shape_out(s)), the_case->name);
    check_close(&f, found.dx, expected.dx, n_elements(shape_in(s)), the_case->name);
    check_close(&f, found.dw, expected.dw, n_weights(s), the_case->name);
    teardown(&f);
}

static inline double dot(const double *a, const double *b, size_t n, double *magnitude)
{
    double sum = 0;
    *magnitude = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
        *magnitude += fabs(a[i] * b[i]);
    }
    return sum;
}

static inline void check_adjoint(int index, const conv_case_t *the_case)
{
    fixture_t f = setup(index);
    const nas_conv_shape_t *s = &the_case->shape;
    passes_t p;
    draw(&f, s, &p);
    p = compute(&f, s, &p);
    double magnitude[3];
    const double y_dy = dot(p.y, p.dy, n_elements(shape_out(s)), &magnitude[0]);
    const double x_dx = dot(p.x, p.dx, n_elements(shape_in(s)), &magnitude[1]);
    const double w_dw = dot(p.w, p.dw, n_weights(s), &magnitude[2]);
    check_sum(&f, x_dx, y_dy, magnitude[0] + magnitude[1], the_case->name);
    check_sum(&f, w_dw, y_dy, magnitude[0] + magnitude[2], the_case->name);
    teardown(&f);
}

static inline void check_same_bits(int index, const conv_case_t *the_case)
{
    fixture_t f = setup(index);
    const nas_conv_shape_t *s = &the_case->shape;
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
static inline double *rotated(fixture_t *f, nas_shape_t shape, const double *values)
{
    const size_t n = n_elements(shape), image = n / (size_t)shape.n;
    double *to = take_doubles(f, n);
    memcpy(to, values + image, (n - image) * sizeof *to);
    memcpy(to + n - image, values, image * sizeof *to);
    return to;
}

static inline void check_independence(int index, const conv_case_t *the_case)
{
    fixture_t f = setup(index);
    const nas_conv_shape_t *s = &the_case->shape;
    const nas_shape_t in = shape_in(s), out = shape_out(s);
    passes_t p, other;
    draw(&f, s, &p);
    other = p;
    other.x = rotated(&f, in, p.x);
    other.dy = rotated(&f, out, p.dy);
    p = compute(&f, s, &p);
    other = compute(&f, s, &other);
    cr_assert_eq(memcmp(other.y, rotated(&f, out, p.y), n_elements(out) * sizeof(double)), 0, "%s",
                 the_case->name);
    cr_assert_eq(memcmp(other.dx, rotated(&f, in, p.dx), n_elements(in) * sizeof(double)), 0, "%s",
                 the_case->name);
    teardown(&f);
}

static inline void check_packing(int index, const conv_case_t *the_case)
{
    fixture_t f = setup(index);
    const nas_conv_shape_t *s = &the_case->shape;
    double *w = take_random(&f, n_weights(s));
    const double *found = unpack(&f, s, pack(&f, find(&f, s), w), 0);
    cr_assert_eq(memcmp(found, w, n_weights(s) * sizeof *w), 0, "%s", the_case->name);
    teardown(&f);
}

static inline void check_weight_dots(int index, const conv_case_t *the_case)
{
    fixture_t f = setup(index);
    const nas_conv_shape_t *s = &the_case->shape;
    if (!f.backend->weight_dots) criterion_skip_test("%s has no weight_dots", f.backend->name);
    const nas_conv_t *conv = find(&f, s);
    double *a = take_random(&f, n_weights(s));
    double *b = take_random(&f, n_weights(s));
    double sums[2] = {1.0, 2.0};
    f.backend->weight_dots(pack(&f, conv, a), pack(&f, conv, b),
                           f.backend->conv_weight_elements(conv), sums);
    double magnitude;
    const double expected = dot(a, b, n_weights(s), &magnitude);
    check_sum(&f, sums[0], 1.0 + expected, 1.0 + magnitude, the_case->name);
    check_sum(&f, sums[1], 2.0 + magnitude, 2.0 + magnitude, the_case->name);
    teardown(&f);
}

/* Convolutions of one input packed together, the first filled up to a whole block of channels. */
static inline void check_parts(fixture_t *f, const nas_conv_shape_t *a, const nas_conv_shape_t *b)
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

#endif
