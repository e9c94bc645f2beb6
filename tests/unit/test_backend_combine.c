#define WITH_GPUS 1
#include "backend_tensors.h"

enum { N_KINDS = NAS_TERM_IMAGE + 1 };

/* A combination, with the values of its tensors. */
typedef struct problem {
    nas_combination_t combination;
    placed_t term[NAS_MAX_TERMS];
    placed_t dot[NAS_MAX_DOTS];
    placed_t mask;
    placed_t out;
    placed_t relu;
} problem_t;

/* Whether a plane of this kind exists for a value of this shape. */
static bool fits(nas_term_kind_t kind, nas_shape_t value)
{
    return kind != NAS_TERM_POOL2_ADJOINT || (value.h % 2 == 0 && value.w % 2 == 0);
}

static nas_shape_t shape_of_term(nas_term_kind_t kind, nas_shape_t value)
{
    if (kind == NAS_TERM_POOL2) return (nas_shape_t){value.n, value.c, 2 * value.h, 2 * value.w};
    if (kind == NAS_TERM_POOL2_ADJOINT)
        return (nas_shape_t){value.n, value.c, value.h / 2, value.w / 2};
    return value;
}

static bool is_near(element_t p, element_t q)
{
    return abs(p.h - q.h) <= 1 && abs(p.w - q.w) <= 1;
}

static int count_near(nas_shape_t plane, element_t p)
{
    int count = 0;
    for (int h = 0; h < plane.h; h++) {
        for (int w = 0; w < plane.w; w++) count += is_near(p, (element_t){.h = h, .w = w});
    }
    return count;
}

/* How much pixel q of the tensor's plane counts in pixel p of a term's reading; the adjoint's
 * matrix is the transpose. */
static double weight(nas_term_kind_t kind, nas_shape_t plane, element_t p, element_t q)
{
    switch (kind) {
    case NAS_TERM_PLAIN:
        return p.h == q.h && p.w == q.w ? 1.0 : 0.0;
    case NAS_TERM_POOL3:
        return is_near(p, q) ? 1.0 / count_near(plane, p) : 0.0;
    case NAS_TERM_POOL3_ADJOINT:
        return weight(NAS_TERM_POOL3, plane, q, p);
    case NAS_TERM_POOL2:
        return p.h == q.h / 2 && p.w == q.w / 2 ? 0.25 : 0.0;
    case NAS_TERM_POOL2_ADJOINT:
        return weight(NAS_TERM_POOL2, plane, q, p);
    case NAS_TERM_IMAGE:
        break;
    }
    return 0.0;
}

/* What a term reads at element p of the value. */
static double reading(nas_term_kind_t kind, const placed_t *placed, element_t p)
{
    if (kind == NAS_TERM_IMAGE) return 1.0;
    const nas_shape_t plane = placed->tensor.shape;
    element_t q = p;
    double sum = 0;
    for (q.h = 0; q.h < plane.h; q.h++) {
        for (q.w = 0; q.w < plane.w; q.w++) {
            const double share = weight(kind, plane, p, q);
            if (share > 0) sum += share * value_at(placed, q);
        }
    }
    return sum;
}

/* Whether masked terms count. */
static bool is_open(const problem_t *problem, element_t p)
{
    const double gate = value_at(&problem->mask, p), ceiling = problem->combination.ceiling;
    return gate > 0 && (ceiling == 0 || gate < ceiling);
}

static double expected_value(const problem_t *problem, element_t p)
{
    const nas_combination_t *k = &problem->combination;
    double value = k->shift ? k->shift[p.c] : 0.0;
    for (int t = 0; t < k->n_terms; t++) {
        const nas_term_t *term = &k->term[t];
        if (term->masked && !is_open(problem, p)) continue;
        const int entry = term->kind == NAS_TERM_IMAGE ? p.n * k->shape.c + p.c : p.c;
        value += (term->coefficient ? term->coefficient[entry] : 1.0) *
                 reading(term->kind, &problem->term[t], p);
    }
    return value;
}

static double *expected_values(fixture_t *f, const problem_t *problem)
{
    const nas_shape_t shape = problem->combination.shape;
    double *values = take_doubles(f, n_elements(shape));
    for (size_t i = 0; i < n_elements(shape); i++)
        values[i] = expected_value(problem, element(shape, i));
    return values;
}

static void check_dot(fixture_t *f, const problem_t *problem, int d, const double *values)
{
    const nas_shape_t shape = problem->combination.shape;
    const nas_dot_t *dot = &problem->combination.dot[d];
    double *sum = take_zeros(f, (size_t)shape.c);
    double *magnitude = take_zeros(f, (size_t)shape.c);
    for (size_t i = 0; i < n_elements(shape); i++) {
        const element_t e = element(shape, i);
        const double factor = dot->tensor.data ? value_at(&problem->dot[d], e) : 1.0;
        const double product = values[i] * (factor - (dot->center ? dot->center[e.c] : 0.0));
        sum[e.c] += product;
        magnitude[e.c] += fabs(product);
    }
    for (int c = 0; c < shape.c; c++) check_sum(f, dot->sum[c], sum[c], magnitude[c], "dot");
}

/* values: where there is a mask, 0 where it does not count; else at least 0 and at most the
 * ceiling. */
static void rectify(const problem_t *problem, double *values)
{
    const nas_combination_t *k = &problem->combination;
    for (size_t i = 0; i < n_elements(k->shape); i++) {
        const bool is_zero =
            k->mask.data ? !is_open(problem, element(k->shape, i)) : !(values[i] > 0);
        if (is_zero) values[i] = 0.0;
        if (!k->mask.data && k->ceiling > 0) values[i] = fmin(values[i], k->ceiling);
    }
}

/* Combines, and compares all that was wanted with the definition. */
static void check_combination(fixture_t *f, problem_t *problem)
{
    const nas_combination_t *k = &problem->combination;
    double *values = expected_values(f, problem);
    f->backend->combine(k);
    if (k->out.data) check_output(f, &problem->out, k->shape, values, "out");
    for (int d = 0; d < k->n_dots; d++) check_dot(f, problem, d, values);
    rectify(problem, values);
    if (k->relu.data) check_output(f, &problem->relu, k->shape, values, "relu");
}

static void add_term(fixture_t *f, problem_t *problem, nas_term_kind_t kind, bool with_coefficient)
{
    nas_combination_t *k = &problem->combination;
    const int t = k->n_terms++;
    k->term[t].kind = kind;
    if (kind != NAS_TERM_IMAGE) {
        problem->term[t] = place(f, shape_of_term(kind, k->shape));
        k->term[t].tensor = range(&problem->term[t]);
    }
    const int n_coefficients = kind == NAS_TERM_IMAGE ? k->shape.n * k->shape.c : k->shape.c;
    if (with_coefficient) k->term[t].coefficient = take_random(f, (size_t)n_coefficients);
}

static void add_dot(fixture_t *f, problem_t *problem, bool with_tensor, bool with_center)
{
    nas_combination_t *k = &problem->combination;
    const int d = k->n_dots++;
    if (with_tensor) {
        problem->dot[d] = place(f, k->shape);
        k->dot[d].tensor = range(&problem->dot[d]);
    }
    if (with_center) k->dot[d].center = take_random(f, (size_t)k->shape.c);
    k->dot[d].sum = take_doubles(f, (size_t)k->shape.c);
}

/* A combination without terms, with everything that can go with them. */
static problem_t begin(fixture_t *f, nas_shape_t shape)
{
    problem_t problem = {.combination.shape = shape};
    nas_combination_t *k = &problem.combination;
    problem.mask = place(f, shape);
    k->mask = range(&problem.mask);
    k->shift = take_random(f, (size_t)shape.c);
    problem.out = place_output(f, shape);
    k->out = range(&problem.out);
    problem.relu = place_output(f, shape);
    k->relu = range(&problem.relu);
    add_dot(f, &problem, true, true);
    return problem;
}

BACKEND_TEST(backend_combine, every_kind_of_term_equals_its_definition)
{
    for (int variant = 0; variant < N_SHAPES * N_KINDS * 4; variant++) {
        const nas_shape_t shape = SHAPES[variant / 4 / N_KINDS];
        const nas_term_kind_t kind = (nas_term_kind_t)(variant / 4 % N_KINDS);
        fixture_t f = setup(*index);
        problem_t problem = begin(&f, shape);
        if (fits(kind, shape)) add_term(&f, &problem, kind, variant % 2 == 1);
        problem.combination.term[0].masked = variant / 2 % 2 == 1;
        check_combination(&f, &problem);
        teardown(&f);
    }
}

BACKEND_TEST(backend_combine, all_terms_and_dots_at_once)
{
    for (int s = 0; s < N_SHAPES; s++) {
        fixture_t f = setup(*index);
        problem_t problem = begin(&f, SHAPES[s]);
        for (int t = 0; t < NAS_MAX_TERMS; t++) {
            const nas_term_kind_t kind = (nas_term_kind_t)(t % N_KINDS);
            if (!fits(kind, SHAPES[s])) continue;
            problem.combination.term[problem.combination.n_terms].masked = t % 4 > 1;
            add_term(&f, &problem, kind, t % 3 > 0);
        }
        while (problem.combination.n_dots < NAS_MAX_DOTS) {
            const int d = problem.combination.n_dots;
            add_dot(&f, &problem, d % 3 > 0, d % 2 == 1);
        }
        check_combination(&f, &problem);
        teardown(&f);
    }
}

/* Ceilings that cut values and masks off, and one above all. */
BACKEND_TEST(backend_combine, a_rectifier_may_have_a_ceiling)
{
    static const double CEILINGS[] = {0.25, 6.0};
    for (int variant = 0; variant < N_SHAPES * 4; variant++) {
        fixture_t f = setup(*index);
        problem_t problem = begin(&f, SHAPES[variant / 4]);
        nas_combination_t *k = &problem.combination;
        k->ceiling = CEILINGS[variant % 2];
        k->term[0].masked = variant / 2 % 2 == 1;
        if (variant / 2 % 2 == 0) k->mask = (nas_channels_t){0};
        add_term(&f, &problem, NAS_TERM_PLAIN, true);
        add_term(&f, &problem, NAS_TERM_POOL3, false);
        check_combination(&f, &problem);
        teardown(&f);
    }
}

BACKEND_TEST(backend_combine, out_may_be_a_plain_term)
{
    for (int s = 0; s < N_SHAPES; s++) {
        fixture_t f = setup(*index);
        problem_t problem = begin(&f, SHAPES[s]);
        add_term(&f, &problem, NAS_TERM_POOL3, true);
        add_term(&f, &problem, NAS_TERM_PLAIN, true);
        problem.out = problem.term[1];
        problem.combination.out = range(&problem.out);
        check_combination(&f, &problem);
        teardown(&f);
    }
}

/* Bit 0: out, bit 1: relu, bit 2: dot, bit 3: shift, bit 4: mask. */
BACKEND_TEST(backend_combine, every_part_but_the_terms_can_be_left_out)
{
    for (int wanted = 0; wanted < 32; wanted++) {
        fixture_t f = setup(*index);
        problem_t problem = begin(&f, SHAPES[0]);
        nas_combination_t *k = &problem.combination;
        add_term(&f, &problem, NAS_TERM_PLAIN, true);
        if (!(wanted & 1)) k->out = (nas_channels_t){0};
        if (!(wanted & 2)) k->relu = (nas_channels_t){0};
        if (!(wanted & 4)) k->n_dots = 0;
        if (!(wanted & 8)) k->shift = NULL;
        if (!(wanted & 16)) k->mask = (nas_channels_t){0};
        check_combination(&f, &problem);
        teardown(&f);
    }
}

BACKEND_TEST(backend_combine, a_masked_term_is_not_read_where_the_mask_is_0)
{
    fixture_t f = setup(*index);
    const nas_shape_t shape = SHAPES[0];
    double *values = take_doubles(&f, n_elements(shape));
    double *mask = take_random(&f, n_elements(shape));
    double *expected = take_doubles(&f, n_elements(shape));
    for (size_t i = 0; i < n_elements(shape); i++) {
        values[i] = mask[i] > 0 ? 0.5 : INFINITY;
        expected[i] = mask[i] > 0 ? 0.5 : 0.0;
    }
    const tensor_t term = take_tensor(&f, shape, values);
    const tensor_t masks = take_tensor(&f, shape, mask);
    f.backend->combine(&(nas_combination_t){
        .shape = shape,
        .n_terms = 1,
        .term = {{.kind = NAS_TERM_PLAIN, .tensor = channels(&term, 0), .masked = true}},
        .mask = channels(&masks, 0),
        .out = channels(&term, 0)});
    check_close(&f, stored(&f, shape, term.data), expected, n_elements(shape), "masked");
    teardown(&f);
}

/* One term applied to x, [N, C, H, W] of the value. */
static double *apply(fixture_t *f, nas_term_kind_t kind, nas_shape_t value, double *x)
{
    const tensor_t tensor = take_tensor(f, shape_of_term(kind, value), x);
    void *out = take(f, f->backend->tensor_bytes(value));
    f->backend->combine(
        &(nas_combination_t){.shape = value,
                             .n_terms = 1,
                             .term = {{.kind = kind, .tensor = channels(&tensor, 0)}},
                             .out = {out, value.c, 0}});
    return stored(f, value, out);
}

static double dot_product(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* <pool x, y> = <x, adjoint y>. */
static void check_adjoint(fixture_t *f, nas_term_kind_t kind, nas_shape_t shape)
{
    const nas_shape_t input = shape_of_term(kind, shape);
    const nas_term_kind_t adjoint =
        kind == NAS_TERM_POOL2 ? NAS_TERM_POOL2_ADJOINT : NAS_TERM_POOL3_ADJOINT;
    double *x = take_random(f, n_elements(input));
    double *y = take_random(f, n_elements(shape));
    const double *pooled = apply(f, kind, shape, x);
    const double *spread = apply(f, adjoint, input, y);
    check_sum(f, dot_product(x, spread, n_elements(input)),
              dot_product(pooled, y, n_elements(shape)), (double)n_elements(input), "adjoint");
}

BACKEND_TEST(backend_combine, pools_and_their_adjoints_are_adjoint)
{
    for (int s = 0; s < N_SHAPES; s++) {
        fixture_t f = setup(*index);
        check_adjoint(&f, NAS_TERM_POOL3, SHAPES[s]);
        check_adjoint(&f, NAS_TERM_POOL2, SHAPES[s]);
        teardown(&f);
    }
}

/* Where a convolution's output was filled up to whole blocks, the range before the filling leaves
 * it 0. */
BACKEND_TEST(backend_combine, channels_that_fill_up_a_block_stay_0)
{
    fixture_t f = setup(*index);
    const nas_shape_t shape = {2, BLOCK + 8, 5, 4};
    const nas_shape_t part = {2, 8, 5, 4};
    double *values = take_random(&f, n_elements(shape));
    for (size_t i = 0; i < n_elements(shape); i++) {
        const int c = element(shape, i).c;
        if (c >= part.c && c < BLOCK) values[i] = 0.0;
    }
    problem_t problem = {.combination = {.shape = part, .n_terms = 1}};
    nas_combination_t *k = &problem.combination;
    problem.out = (placed_t){take_tensor(&f, shape, values), 0};
    problem.term[0] = problem.out;
    k->term[0].tensor = range(&problem.term[0]);
    k->shift = take_random(&f, (size_t)part.c);
    k->out = range(&problem.out);
    check_combination(&f, &problem);
    teardown(&f);
}
