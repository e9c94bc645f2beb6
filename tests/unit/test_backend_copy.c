#define WITH_GPUS 1
#include "backend_tensors.h"

/* Extents and place of a copy, and the channels that it is from and to. */
typedef struct copy_case {
    const char *name; /* what a row adds to the others */
    nas_shape_t shape;
    int h_from, w_from;
    int top, left;
    int from_first, from_total;
    int to_first, to_total;
} copy_case_t;

static const copy_case_t CASES[] = {
    {"whole", {2, 16, 4, 5}, 4, 5, 0, 0, 0, 16, 0, 16},
    {"whole, 10 channels", {2, 10, 4, 5}, 4, 5, 0, 0, 0, 10, 0, 10},
    {"first of two", {2, 16, 4, 5}, 4, 5, 0, 0, 0, 16, 0, 32},
    {"second of two", {2, 16, 4, 5}, 4, 5, 0, 0, 0, 16, 16, 32},
    {"behind 6 channels", {2, 10, 4, 5}, 4, 5, 0, 0, 0, 10, 6, 16},
    {"behind 6 channels, before 7", {3, 17, 3, 4}, 3, 4, 0, 0, 0, 17, 6, 30},
    {"of the last channels", {2, 10, 4, 5}, 4, 5, 0, 0, 6, 16, 0, 10},
    {"from channel 9 to channel 5", {2, 20, 4, 5}, 4, 5, 0, 0, 9, 33, 5, 40},
    {"from channel 3 to channel 19", {2, 16, 3, 3}, 3, 3, 0, 0, 3, 19, 19, 35},
    {"one channel", {2, 1, 4, 5}, 4, 5, 0, 0, 17, 40, 13, 24},
    {"one pixel", {3, 24, 1, 1}, 1, 1, 0, 0, 8, 32, 3, 27},
    {"wide rows", {1, 8, 2, 140}, 2, 140, 0, 0, 0, 8, 5, 16},
    {"one pixel further", {2, 16, 6, 6}, 6, 6, 1, 1, 0, 16, 0, 16},
    {"one pixel further, between channels", {2, 12, 6, 6}, 6, 6, 1, 1, 2, 16, 5, 20},
    {"inner pixels", {2, 16, 3, 2}, 6, 5, 2, 1, 0, 16, 0, 16},
    {"with zeros around", {2, 16, 8, 9}, 4, 5, -2, -1, 0, 16, 0, 16},
    {"with zeros around, between channels", {2, 7, 8, 9}, 4, 5, -2, -1, 9, 16, 3, 16},
    {"with zeros above and less below", {2, 16, 4, 4}, 5, 6, -1, 2, 0, 16, 16, 32},
    {"with nothing but zeros", {2, 16, 3, 3}, 4, 4, 4, 0, 0, 16, 0, 16},
    {"many images", {33, 12, 2, 3}, 2, 3, 0, 0, 0, 12, 12, 24},
};

enum { N_CASES = sizeof CASES / sizeof *CASES };

static nas_shape_t shape_from(const copy_case_t *c)
{
    return (nas_shape_t){c->shape.n, c->from_total, c->h_from, c->w_from};
}

static nas_shape_t shape_to(const copy_case_t *c)
{
    return (nas_shape_t){c->shape.n, c->to_total, c->shape.h, c->shape.w};
}

static nas_copy_t copy_of(const copy_case_t *c, void *from, void *to)
{
    return (nas_copy_t){.shape = c->shape,
                        .h_from = c->h_from,
                        .w_from = c->w_from,
                        .top = c->top,
                        .left = c->left,
                        .from = {from, c->from_total, c->from_first},
                        .to = {to, c->to_total, c->to_first}};
}

/* What `to` holds afterwards. */
static void expect(const copy_case_t *c, const double *from, double *to)
{
    for (size_t i = 0; i < n_elements(c->shape); i++) {
        const element_t e = element(c->shape, i);
        const element_t p = {e.n, e.c + c->from_first, e.h + c->top, e.w + c->left};
        const element_t q = {e.n, e.c + c->to_first, e.h, e.w};
        const bool is_within = p.h >= 0 && p.h < c->h_from && p.w >= 0 && p.w < c->w_from;
        to[position(shape_to(c), q)] = is_within ? from[position(shape_from(c), p)] : 0.0;
    }
}

BACKEND_TEST(backend_copy, a_copy_equals_its_definition)
{
    for (int i = 0; i < N_CASES; i++) {
        fixture_t f = setup(*index);
        const copy_case_t *c = &CASES[i];
        const tensor_t from = random_tensor(&f, shape_from(c)), to = random_tensor(&f, shape_to(c));
        const nas_copy_t copy = copy_of(c, from.data, to.data);
        f.backend->copy(&copy);
        expect(c, from.values, to.values);
        check_close(&f, stored(&f, to.shape, to.data), to.values, n_elements(to.shape), c->name);
        const double *read = stored(&f, from.shape, from.data);
        cr_assert_eq(memcmp(read, from.values, n_elements(from.shape) * sizeof *read), 0, "%s",
                     c->name);
        teardown(&f);
    }
}

/* <A x, y> = <x, A' y>, where A' copies back from as many pixels before. */
BACKEND_TEST(backend_copy, a_copy_back_is_its_adjoint)
{
    for (int i = 0; i < N_CASES; i++) {
        fixture_t f = setup(*index);
        const copy_case_t *c = &CASES[i];
        const copy_case_t back = {.shape = {c->shape.n, c->shape.c, c->h_from, c->w_from},
                                  .h_from = c->shape.h,
                                  .w_from = c->shape.w,
                                  .top = -c->top,
                                  .left = -c->left,
                                  .from_first = c->to_first,
                                  .from_total = c->to_total,
                                  .to_first = c->from_first,
                                  .to_total = c->from_total};
        const tensor_t x = random_tensor(&f, shape_from(c)), y = random_tensor(&f, shape_to(c));
        const tensor_t ax = take_tensor(&f, y.shape, take_zeros(&f, n_elements(y.shape)));
        const tensor_t ay = take_tensor(&f, x.shape, take_zeros(&f, n_elements(x.shape)));
        const nas_copy_t forward = copy_of(c, x.data, ax.data);
        const nas_copy_t backward = copy_of(&back, y.data, ay.data);
        f.backend->copy(&forward);
        f.backend->copy(&backward);
        const double *found_y = stored(&f, y.shape, ax.data);
        const double *found_x = stored(&f, x.shape, ay.data);
        double in_y = 0, in_x = 0;
        for (size_t j = 0; j < n_elements(y.shape); j++) in_y += found_y[j] * y.values[j];
        for (size_t j = 0; j < n_elements(x.shape); j++) in_x += found_x[j] * x.values[j];
        check_sum(&f, in_x, in_y, (double)n_elements(y.shape), c->name);
        teardown(&f);
    }
}

/* A tensor is made of parts, in any order, where memory held anything: what fills up its last
 * block is 0. */
BACKEND_TEST(backend_copy, parts_make_up_a_whole)
{
    enum { N_PARTS = 6, C = 83 };
    static const int FIRST[N_PARTS + 1] = {0, 6, 16, 17, 34, 50, C};
    static const int ORDER[N_PARTS] = {3, 5, 0, 4, 2, 1};
    fixture_t f = setup(*index);
    const nas_shape_t shape = {2, C, 3, 5};
    double *values = take_doubles(&f, n_elements(shape));
    void *whole = take(&f, f.backend->tensor_bytes(shape));
    for (int i = 0; i < N_PARTS; i++) {
        const int c_first = FIRST[ORDER[i]], c = FIRST[ORDER[i] + 1] - c_first;
        const copy_case_t part = {.shape = {shape.n, c, shape.h, shape.w},
                                  .h_from = shape.h,
                                  .w_from = shape.w,
                                  .from_total = c,
                                  .to_first = c_first,
                                  .to_total = C};
        const tensor_t from = random_tensor(&f, shape_from(&part));
        const nas_copy_t copy = copy_of(&part, from.data, whole);
        f.backend->copy(&copy);
        expect(&part, from.values, values);
    }
    check_close(&f, stored(&f, shape, whole), values, n_elements(shape), "parts");
    teardown(&f);
}

/* Values [N, C, H, W] stand in one order in both. */
BACKEND_TEST(backend_copy, flat_tensors_hold_the_same_values)
{
    static const nas_shape_t FLATTENED[] = {
        {2, 16, 3, 4}, {3, 10, 2, 3},  {2, 6, 5, 5},  {1, 17, 1, 1},
        {2, 3, 4, 4},  {33, 24, 2, 2}, {2, 40, 7, 7}, {1, 1, 1, 20},
    };
    for (size_t i = 0; i < sizeof FLATTENED / sizeof *FLATTENED; i++) {
        fixture_t f = setup(*index);
        const nas_shape_t shape = FLATTENED[i];
        const nas_shape_t flat = {shape.n, shape.c * shape.h * shape.w, 1, 1};
        const tensor_t x = random_tensor(&f, shape);
        void *y = take(&f, f.backend->tensor_bytes(flat));
        void *back = take(&f, f.backend->tensor_bytes(shape));
        f.backend->flatten(shape, x.data, y);
        f.backend->unflatten(shape, y, back);
        const size_t bytes = n_elements(shape) * sizeof(double);
        cr_assert_eq(memcmp(stored(&f, flat, y), x.values, bytes), 0, "flat, shape %d", (int)i);
        cr_assert_eq(memcmp(stored(&f, shape, back), x.values, bytes), 0, "back, shape %d", (int)i);
        teardown(&f);
    }
}
