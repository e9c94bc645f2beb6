#define WITH_GPUS 1
#include "backend_tensors.h"

#include <stdio.h>

#define POOL(N, C, H, W, H_OUT, W_OUT, K_H, K_W, S_H, S_W, TOP, LEFT, BOTTOM, RIGHT)               \
    {                                                                                              \
        .n = (N), .c = (C), .h_in = (H), .w_in = (W), .h_out = (H_OUT), .w_out = (W_OUT),          \
        .window = {                                                                                \
            K_H,                                                                                   \
            K_W,                                                                                   \
            S_H,                                                                                   \
            S_W,                                                                                   \
            1,                                                                                     \
            1,                                                                                     \
            TOP,                                                                                   \
            LEFT,                                                                                  \
            BOTTOM,                                                                                \
            RIGHT                                                                                  \
        }                                                                                          \
    }

/* Name first: what a row adds to the others. Each is tried as any kind of pool. */
static const struct {
    const char *name;
    nas_pool_shape_t pool;
} CASES[] = {
    {"2 x 2, stride 2", POOL(2, 16, 6, 8, 3, 4, 2, 2, 2, 2, 0, 0, 0, 0)},
    {"2 x 2, stride 2, odd size", POOL(2, 24, 7, 5, 3, 2, 2, 2, 2, 2, 0, 0, 0, 0)},
    {"2 x 2, stride 2, sticking out", POOL(2, 16, 7, 5, 4, 3, 2, 2, 2, 2, 0, 0, 0, 0)},
    {"2 x 2, stride 1", POOL(2, 8, 4, 5, 3, 4, 2, 2, 1, 1, 0, 0, 0, 0)},
    {"3 x 3, stride 1", POOL(2, 16, 6, 7, 6, 7, 3, 3, 1, 1, 1, 1, 1, 1)},
    {"3 x 3, stride 1, wide rows", POOL(1, 8, 3, 140, 3, 140, 3, 3, 1, 1, 1, 1, 1, 1)},
    {"3 x 3, stride 1, one pixel", POOL(3, 16, 1, 1, 1, 1, 3, 3, 1, 1, 1, 1, 1, 1)},
    {"3 x 3, stride 1, many images", POOL(33, 16, 4, 5, 4, 5, 3, 3, 1, 1, 1, 1, 1, 1)},
    {"3 x 3, stride 2", POOL(2, 16, 8, 9, 4, 5, 3, 3, 2, 2, 1, 1, 1, 1)},
    {"3 x 3, stride 2, sticking out", POOL(2, 40, 8, 10, 5, 6, 3, 3, 2, 2, 1, 1, 1, 1)},
    {"3 x 3, stride 2 without padding", POOL(2, 10, 9, 8, 4, 3, 3, 3, 2, 2, 0, 0, 0, 0)},
    {"3 x 3, stride 2 without padding, sticking out",
     POOL(2, 6, 8, 8, 4, 4, 3, 3, 2, 2, 0, 0, 0, 0)},
    {"3 x 3, stride 2, padded below and on the right",
     POOL(2, 16, 8, 6, 4, 3, 3, 3, 2, 2, 0, 0, 1, 1)},
    {"5 x 5, stride 1", POOL(2, 17, 6, 5, 6, 5, 5, 5, 1, 1, 2, 2, 2, 2)},
    {"5 x 5, stride 3", POOL(2, 16, 11, 10, 4, 4, 5, 5, 3, 3, 2, 2, 2, 2)},
    {"2 x 2, stride 3", POOL(2, 16, 8, 9, 3, 3, 2, 2, 3, 3, 0, 0, 0, 0)},
    {"1 x 1, stride 2", POOL(2, 16, 5, 6, 3, 3, 1, 1, 2, 2, 0, 0, 0, 0)},
    {"1 x 3, stride 1 x 2", POOL(2, 3, 4, 9, 4, 5, 1, 3, 1, 2, 0, 1, 0, 1)},
    {"3 x 2, padding 1 and 0", POOL(2, 16, 5, 6, 5, 5, 3, 2, 1, 1, 1, 0, 1, 0)},
    {"padding on four sides", POOL(1, 16, 5, 4, 4, 4, 4, 5, 2, 1, 2, 3, 1, 1)},
    {"all pixels", POOL(2, 32, 8, 8, 1, 1, 8, 8, 1, 1, 0, 0, 0, 0)},
    {"all pixels, odd size", POOL(3, 20, 7, 5, 1, 1, 7, 5, 1, 1, 0, 0, 0, 0)},
};

enum { N_CASES = sizeof CASES / sizeof *CASES, N_KINDS = 3 };

/* Case and kind of pool that a variant is: mean, mean over the padding too, maximum. */
static nas_pool_shape_t pool_of(int variant)
{
    nas_pool_shape_t pool = CASES[variant / N_KINDS].pool;
    pool.kind = variant % N_KINDS == 2 ? NAS_POOL_MAX : NAS_POOL_MEAN;
    pool.counts_padding = variant % N_KINDS == 1;
    return pool;
}

static const char *name_of(int variant)
{
    static const char *const KINDS[N_KINDS] = {"mean", "mean over the padding", "maximum"};
    static char name[128];
    (void)snprintf(name, sizeof name, "%s, %s", KINDS[variant % N_KINDS],
                   CASES[variant / N_KINDS].name);
    return name;
}

static nas_shape_t shape_in(const nas_pool_shape_t *pool)
{
    return (nas_shape_t){pool->n, pool->c, pool->h_in, pool->w_in};
}

static nas_shape_t shape_out(const nas_pool_shape_t *pool)
{
    return (nas_shape_t){pool->n, pool->c, pool->h_out, pool->w_out};
}

/* Pixel of the window of an element of y at a place in its row order; it may lie outside. */
static element_t pixel(const nas_pool_shape_t *pool, element_t y, int i)
{
    const nas_window_t *w = &pool->window;
    return (element_t){y.n, y.c, y.h * w->stride_h - w->top + i / w->k_w,
                       y.w * w->stride_w - w->left + i % w->k_w};
}

static bool is_within(const nas_pool_shape_t *pool, element_t p, bool padding_too)
{
    const nas_window_t *w = &pool->window;
    if (!padding_too) return p.h >= 0 && p.h < pool->h_in && p.w >= 0 && p.w < pool->w_in;
    return p.h >= -w->top && p.h < pool->h_in + w->bottom && p.w >= -w->left &&
           p.w < pool->w_in + w->right;
}

/* What stands at the largest value, the first of several. */
static element_t largest(const nas_pool_shape_t *pool, const placed_t *x, element_t y)
{
    const int n = pool->window.k_h * pool->window.k_w;
    element_t at = {.n = -1};
    for (int i = 0; i < n; i++) {
        const element_t p = pixel(pool, y, i);
        if (!is_within(pool, p, false)) continue;
        if (at.n < 0 || value_at(x, p) > value_at(x, at)) at = p;
    }
    return at;
}

/* How much pixel p of x, which lies in the window of y, counts in it. */
static double weight(const nas_pool_shape_t *pool, const placed_t *x, element_t y, element_t p)
{
    const int n = pool->window.k_h * pool->window.k_w;
    if (pool->kind == NAS_POOL_MAX) {
        const element_t at = largest(pool, x, y);
        return at.h == p.h && at.w == p.w ? 1.0 : 0.0;
    }
    int count = 0;
    for (int i = 0; i < n; i++) count += is_within(pool, pixel(pool, y, i), pool->counts_padding);
    return 1.0 / count;
}

/* The pool at x as a matrix, applied to a tensor of the input's shape, or its transpose to one of
 * the output's. */
static double *expect(fixture_t *f, const nas_pool_shape_t *pool, const placed_t *x,
                      const placed_t *of, bool transposed)
{
    const nas_shape_t in = shape_in(pool), out = shape_out(pool);
    double *values = take_zeros(f, n_elements(transposed ? in : out));
    for (size_t at = 0; at < n_elements(out); at++) {
        const element_t y = element(out, at);
        for (int i = 0; i < pool->window.k_h * pool->window.k_w; i++) {
            const element_t p = pixel(pool, y, i);
            if (!is_within(pool, p, false)) continue;
            const double share = weight(pool, x, y, p);
            if (transposed)
                values[position(in, p)] += share * value_at(of, y);
            else if (share > 0)
                values[at] += share * value_at(of, p);
        }
    }
    return values;
}

/* Input of a pool; where values are few, most windows have several that are largest. */
static placed_t place_input(fixture_t *f, const nas_pool_shape_t *pool, bool few)
{
    const placed_t x = place(f, shape_in(pool));
    for (size_t i = 0; few && i < n_elements(x.tensor.shape); i++)
        x.tensor.values[i] = round(2.0 * x.tensor.values[i]);
    f->backend->load(x.tensor.shape, x.tensor.values, x.tensor.data);
    return x;
}

static void check_pool(int index, int variant, bool few)
{
    fixture_t f = setup(index);
    const nas_pool_shape_t pool = pool_of(variant);
    const nas_shape_t in = shape_in(&pool), out = shape_out(&pool);
    const placed_t x = place_input(&f, &pool, few), dy = place(&f, out), tx = place(&f, in);
    const placed_t y = place_output(&f, out), dx = place_output(&f, in), ty = place_output(&f, out);
    f.backend->pool_forward(&pool, range(&x), range(&y));
    check_output(&f, &y, out, expect(&f, &pool, &x, &x, false), name_of(variant));
    f.backend->pool_backward(&pool, range(&x), range(&dy), range(&dx));
    check_output(&f, &dx, in, expect(&f, &pool, &x, &dy, true), name_of(variant));
    if (pool.kind == NAS_POOL_MAX) {
        f.backend->pool_tangent(&pool, range(&x), range(&tx), range(&ty));
        check_output(&f, &ty, out, expect(&f, &pool, &x, &tx, false), name_of(variant));
    }
    teardown(&f);
}

BACKEND_TEST(backend_pool, passes_equal_the_definition)
{
    for (int variant = 0; variant < N_CASES * N_KINDS; variant++)
        check_pool(*index, variant, false);
}

BACKEND_TEST(backend_pool, the_first_of_several_largest_counts)
{
    for (int variant = 2; variant < N_CASES * N_KINDS; variant += N_KINDS)
        check_pool(*index, variant, true);
}

/* <a, b>, and how large it could be. */
static double dot(const double *a, const double *b, size_t n, double *magnitude)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
        *magnitude += fabs(a[i] * b[i]);
    }
    return sum;
}

/* <A tx, dy> = <tx, A' dy>, where A is a mean or the tangent of a maximum. */
BACKEND_TEST(backend_pool, passes_are_adjoint)
{
    for (int variant = 0; variant < N_CASES * N_KINDS; variant++) {
        fixture_t f = setup(*index);
        const nas_pool_shape_t pool = pool_of(variant);
        const nas_shape_t in = shape_in(&pool), out = shape_out(&pool);
        const tensor_t x = random_tensor(&f, in), tx = random_tensor(&f, in);
        const tensor_t dy = random_tensor(&f, out);
        void *dx = take(&f, f.backend->tensor_bytes(in));
        void *ty = take(&f, f.backend->tensor_bytes(out));
        if (pool.kind == NAS_POOL_MAX)
            f.backend->pool_tangent(&pool, channels(&x, 0), channels(&tx, 0),
                                    (nas_channels_t){ty, out.c, 0});
        else
            f.backend->pool_forward(&pool, channels(&tx, 0), (nas_channels_t){ty, out.c, 0});
        f.backend->pool_backward(&pool, channels(&x, 0), channels(&dy, 0),
                                 (nas_channels_t){dx, in.c, 0});
        double magnitude = 0;
        const double in_y = dot(stored(&f, out, ty), dy.values, n_elements(out), &magnitude);
        const double in_x = dot(tx.values, stored(&f, in, dx), n_elements(in), &magnitude);
        check_sum(&f, in_x, in_y, magnitude, name_of(variant));
        teardown(&f);
    }
}

/* Windows with NaN are NaN, whether it is first or last in them; the others know nothing of it. */
BACKEND_TEST(backend_pool, nan_is_the_largest)
{
    static const nas_pool_shape_t AVERAGE = POOL(1, 16, 4, 4, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0);
    fixture_t f = setup(*index);
    nas_pool_shape_t pool = AVERAGE;
    pool.kind = NAS_POOL_MAX;
    const nas_shape_t in = shape_in(&pool), out = shape_out(&pool);
    double *values = take_random(&f, n_elements(in));
    values[position(in, (element_t){.c = 3, .h = 0, .w = 0})] = (double)NAN;
    values[position(in, (element_t){.c = 3, .h = 1, .w = 3})] = (double)NAN;
    values[position(in, (element_t){.c = 5, .h = 2, .w = 3})] = (double)NAN;
    const tensor_t x = take_tensor(&f, in, values);
    void *y = take(&f, f.backend->tensor_bytes(out));
    f.backend->pool_forward(&pool, channels(&x, 0), (nas_channels_t){y, out.c, 0});
    const double *found = stored(&f, out, y);
    for (size_t i = 0; i < n_elements(out); i++) {
        const element_t e = element(out, i);
        const bool has_nan = (e.c == 3 && e.h == 0) || (e.c == 5 && e.h == 1 && e.w == 1);
        cr_assert_eq(isnan(found[i]) != 0, has_nan, "channel %d, pixel %d, %d", e.c, e.h, e.w);
    }
    teardown(&f);
}

/* Windows of nothing but -infinity, and of values that are all negative with padding at the edges:
 * padding is no pixel. */
BACKEND_TEST(backend_pool, padding_is_never_the_largest)
{
    for (int c = 0; c < N_CASES; c++) {
        fixture_t f = setup(*index);
        nas_pool_shape_t pool = CASES[c].pool;
        pool.kind = NAS_POOL_MAX;
        const nas_shape_t in = shape_in(&pool), out = shape_out(&pool);
        double *values = take_doubles(&f, n_elements(in));
        for (size_t i = 0; i < n_elements(in); i++)
            values[i] = element(in, i).c == 0 ? -(double)INFINITY : -3.0;
        const tensor_t x = take_tensor(&f, in, values);
        void *y = take(&f, f.backend->tensor_bytes(out));
        f.backend->pool_forward(&pool, channels(&x, 0), (nas_channels_t){y, out.c, 0});
        const double *found = stored(&f, out, y);
        for (size_t i = 0; i < n_elements(out); i++)
            cr_assert_eq(found[i], element(out, i).c == 0 ? -(double)INFINITY : -3.0, "%s",
                         CASES[c].name);
        teardown(&f);
    }
}
