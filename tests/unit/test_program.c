/* What programs compute, against its definition and finite differences, on ref. */
#include "program_slopes.h"

static const nas_network_t TINY = {3, 8, 8, 4, 1, 5, NAS_CONVENTION_SCORE};
static const nas_network_t TINY_TRAIN = {3, 8, 8, 4, 1, 5, NAS_CONVENTION_TRAIN};

enum { TINY_BATCH = 5 };

/* Cells with an even number have the score convention; of both, half have smooth labels. */
static program_case_t tiny_case(int number)
{
    program_case_t c =
        make_case(nas_backend_ref(), number % 2 == 0 ? &TINY : &TINY_TRAIN, TINY_BATCH, number);
    c.options.smoothing = number / 2 % 2 == 0 ? 0.1 : 0;
    return c;
}

Test(program, gradients_equal_finite_differences)
{
    check_slopes(check_gradients, tiny_case, N_CASES);
}

Test(program, jacobian_equals_finite_differences)
{
    check_slopes(check_jacobian, tiny_case, N_CASES);
}

Test(program, curvature_equals_finite_differences)
{
    check_slopes(check_curvature, tiny_case, N_CASES);
}

/* The loss is the mean over the images of - sum over the classes of q log p, where q has the
 * smoothing in equal parts and the rest at the label. */
Test(program, loss_equals_its_definition)
{
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = tiny_case(number);
        const int classes = c.graph->network.classes;
        const double smoothing = c.options.smoothing;
        c.options.needs = NAS_NEED_LOSS;
        results_t results = compute(&c, &engine);
        double loss = 0;
        for (int n = 0; n < TINY_BATCH; n++) {
            const double *logits = results.logits + n * classes;
            double sum = 0;
            for (int o = 0; o < classes; o++) sum += exp(logits[o]);
            for (int o = 0; o < classes; o++) {
                const double q = smoothing / classes + (o == c.labels[n] ? 1 - smoothing : 0);
                loss -= q * log(exp(logits[o]) / sum) / TINY_BATCH;
            }
        }
        cr_assert_float_eq(results.loss, loss, 1e-12 * loss);
        free_results(&results);
        free_case(&c);
        nas_engine_destroy(engine);
    }
}

/* A layer's sums are those of its weights and its gradient. */
Test(program, layer_sums_equal_their_definition)
{
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = tiny_case(number);
        results_t results = compute(&c, &engine);
        for (int p = 0; p < c.graph->n_parameters; p++) {
            const nas_parameter_t *parameter = &c.graph->parameter[p];
            const nas_layer_values_t *layer = &results.layer[p];
            const double *w = c.parameters + parameter->offset;
            const double *g = results.gradient + parameter->offset;
            const size_t n = (size_t)parameter->n;
            double magnitude = 0;
            if (parameter->kind != NAS_PARAMETER_WEIGHT) continue;
            for (size_t i = 0; i < n; i++) magnitude += fabs(w[i] * g[i]);
            cr_assert_float_eq(layer->gradient_squares, dot(g, g, n), 1e-12 * dot(g, g, n));
            cr_assert_float_eq(layer->dot, dot(w, g, n), 1e-12 * magnitude);
            cr_assert_float_eq(layer->abs_dot, magnitude, 1e-12 * magnitude);
        }
        free_results(&results);
        free_case(&c);
        nas_engine_destroy(engine);
    }
}

/* Sums of more terms than a combination may have are chained, in their order: in float64 that
 * leaves every bit as it is. */
Test(program, long_sums_are_chained)
{
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = tiny_case(number);
        results_t whole = compute(&c, &engine);
        for (int max_terms = 2; max_terms <= 3; max_terms++) {
            c.options.max_terms = max_terms;
            results_t chained = compute(&c, &engine);
            check_same_bits(&c, &whole, &chained);
            free_results(&chained);
        }
        free_results(&whole);
        free_case(&c);
        nas_engine_destroy(engine);
    }
}

/* ---------------------------------------------------------------------------- wide networks */

enum { N_WIDE = 15, N_FIRST = 7 }; /* terms of a sum: more than a combination has, and dots */

static int rectified_conv(nas_builder_t *b, int source, int number)
{
    const bool is_large = number % 2 == 0;
    const nas_conv_spec_t conv = {
        .name = "conv", .c_out = 4, .k = is_large ? 3 : 1, .padding = is_large};
    b->enter(b, "edge", number);
    const int x = b->conv(b, b->rectify(b, source, NAS_RECTIFIER_RELU), &conv);
    b->leave(b);
    b->enter(b, "bn", number);
    const int y = b->norm(b, x, &(nas_norm_spec_t){.name = "bn", .eps = 1e-5, .affine = true});
    b->leave(b);
    return y;
}

/* Two convolutions of the images, 3 x 3 and 1 x 1. */
static int add_stems(nas_builder_t *b)
{
    const int image = b->image(b);
    int stem[2];
    for (int i = 0; i < 2; i++) {
        b->enter(b, "stem", i);
        stem[i] =
            b->conv(b, image,
                    &(nas_conv_spec_t){.name = "conv", .c_out = 4, .k = i ? 1 : 3, .padding = !i});
        stem[i] =
            b->norm(b, stem[i], &(nas_norm_spec_t){.name = "bn", .eps = 1e-5, .affine = true});
        b->leave(b);
    }
    return b->sum(b, &(nas_join_spec_t){.name = "begin", .source = stem, .n = 2},
                  (nas_extents_t){0});
}

/* One sum of all, or where *what is true the first ones in a sum of their own. */
static nas_status_t make_wide(const void *what, const nas_network_t *network, nas_builder_t *b,
                              nas_error_t *err)
{
    const bool *nested = what;
    int term[N_WIDE + 1], *all = term, n = N_WIDE;
    (void)err;
    const int begin = add_stems(b);
    for (int i = 0; i < N_WIDE - 1; i++) term[i] = rectified_conv(b, begin, i);
    term[N_WIDE - 1] = begin;
    if (*nested) {
        const int first =
            b->sum(b, &(nas_join_spec_t){.name = "first", .source = term, .n = N_FIRST},
                   (nas_extents_t){0});
        all += N_FIRST - 1;
        n -= N_FIRST - 1;
        all[0] = first;
    }
    int x = b->sum(b, &(nas_join_spec_t){.name = "all", .source = all, .n = n}, (nas_extents_t){0});
    other_head(b, x, network);
    return NAS_OK;
}

static program_case_t wide_case(const nas_backend_t *backend, bool nested)
{
    program_case_t c = begin_case(backend, TINY_BATCH, 1);
    nas_error_t err = {0};
    cr_assert_eq(nas_graph_make(make_wide, &nested, &TINY, &c.graph, &err), NAS_OK, "%s", err.text);
    draw_case(&c, 1);
    return c;
}

static void check_nearly(const char *what, const double *found, const double *expected, size_t n)
{
    check_array(what, found, expected, n, 1e-10 * (1e-3 + norm(expected, n)));
}

/* A sum of any number of terms is what sums of fewer are: forward, backward, along the weights. */
Test(program, wide_sums_equal_nested_ones)
{
    nas_engine_t *engine = NULL;
    program_case_t c = wide_case(nas_backend_ref(), false);
    program_case_t nested = wide_case(nas_backend_ref(), true);
    results_t found = compute(&c, &engine), expected = compute(&nested, &engine);
    const size_t n_layers = (size_t)c.graph->n_parameters * (sizeof *found.layer / sizeof(double));
    cr_assert_eq(c.graph->n_values, nested.graph->n_values);
    check_nearly("loss", &found.loss, &expected.loss, 1);
    check_nearly("jacobian", found.jacobian, expected.jacobian, c.n_pixels);
    check_nearly("gradient", found.gradient, expected.gradient, (size_t)c.graph->n_values);
    check_nearly("layers", &found.layer->dot, &expected.layer->dot, n_layers);
    cr_assert_gt(norm(found.jacobian, c.n_pixels), 0);
    free_results(&found);
    free_results(&expected);
    free_case(&c);
    free_case(&nested);
    nas_engine_destroy(engine);
}

/* The images' gradient is what all convolutions of them hand back. */
Test(program, jacobian_of_two_convolutions_of_the_images)
{
    nas_engine_t *engine = NULL;
    program_case_t c = wide_case(nas_backend_ref(), false);
    check_jacobian(&c, &engine, &FLOAT64_SLOPES, "wide");
    free_case(&c);
    nas_engine_destroy(engine);
}
