/* What programs compute, against its definition and finite differences, on ref. */
#include "program_case.h"

#include <stdio.h>

static const nas_network_t TINY = {3, 8, 8, 4, 1, 5, NAS_CONVENTION_SCORE};
static const nas_network_t TINY_TRAIN = {3, 8, 8, 4, 1, 5, NAS_CONVENTION_TRAIN};

enum { TINY_BATCH = 5 };

static const double step = 1e-7;       /* of finite differences */
static const double difference = 1e-6; /* relative, of central differences */

/* Cells with an even number have the score convention; of both, half have smooth labels. */
static program_case_t tiny_case(int number)
{
    program_case_t c =
        make_case(nas_backend_ref(), number % 2 == 0 ? &TINY : &TINY_TRAIN, TINY_BATCH, number);
    c.options.smoothing = number / 2 % 2 == 0 ? 0.1 : 0;
    return c;
}

/* A function of the case after a step along a direction: f(parameters + h direction). */
static results_t moved(program_case_t *c, nas_engine_t **engine, const double *direction, double h)
{
    double *at = c->parameters;
    const size_t n = (size_t)c->graph->n_values;
    c->parameters = copy_of(at, n);
    for (size_t i = 0; i < n; i++) c->parameters[i] += h * direction[i];
    const results_t results = compute(c, engine);
    free(c->parameters);
    c->parameters = at;
    return results;
}

/* Derivative of the loss along a direction, by central differences. */
static double loss_slope(program_case_t *c, nas_engine_t **engine, const double *direction)
{
    results_t ahead = moved(c, engine, direction, step),
              behind = moved(c, engine, direction, -step);
    const double slope = (ahead.loss - behind.loss) / (2 * step);
    free_results(&ahead);
    free_results(&behind);
    return slope;
}

/* A direction of length about 1 in one parameter, half along its gradient, half random. */
static double *make_direction(program_case_t *c, const results_t *results, int p)
{
    const nas_parameter_t *parameter = &c->graph->parameter[p];
    const size_t n = (size_t)parameter->n;
    double *direction = copy_of(NULL, (size_t)c->graph->n_values);
    double *part = direction + parameter->offset;
    const double *gradient = results->gradient + parameter->offset;
    const double length = norm(gradient, n);
    for (size_t i = 0; i < n; i++)
        part[i] =
            nas_rng_normal(&c->rng) / sqrt((double)n) + (length > 0 ? gradient[i] / length : 0);
    return direction;
}

/* Every parameter's gradient of the loss is what finite differences of ref's loss say. */
Test(program, gradients_equal_finite_differences)
{
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = tiny_case(number);
        c.options.needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT;
        results_t results = compute(&c, &engine);
        const size_t n = (size_t)c.graph->n_values;
        const double all = norm(results.gradient, n);
        c.options.needs = NAS_NEED_LOSS;
        for (int p = 0; p < c.graph->n_parameters; p++) {
            double *direction = make_direction(&c, &results, p);
            const double expected = loss_slope(&c, &engine, direction);
            const double found = dot(results.gradient, direction, n);
            cr_assert(fabs(found - expected) <= difference * (fabs(expected) + 1e-3 * all),
                      "cell %d, %s: %.12g, expected %.12g", number, c.graph->parameter[p].name,
                      found, expected);
            free(direction);
        }
        free_results(&results);
        free_case(&c);
        nas_engine_destroy(engine);
    }
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

/* Sum of the logits after a step of h along the signs of a direction, over all pixels. */
static double logits_sum(program_case_t *c, nas_engine_t **engine, const double *direction,
                         double h)
{
    float *at = c->images;
    c->images = calloc(c->n_pixels, sizeof *c->images);
    cr_assert_not_null(c->images);
    for (size_t i = 0; i < c->n_pixels; i++) c->images[i] = at[i] + (float)(h * direction[i]);
    results_t results = compute(c, engine);
    double sum = 0;
    for (int i = 0; i < c->options.batch * c->graph->network.classes; i++) sum += results.logits[i];
    free_results(&results);
    free(c->images);
    c->images = at;
    return sum;
}

/* So is the sum of the logits' gradient by the images: along random signs, along its own signs. */
static void check_jacobian(program_case_t *c, nas_engine_t **engine, const results_t *results,
                           const char *what)
{
    const double h = 0x1p-20; /* exact in float32 beside the images */
    double *direction = copy_of(NULL, c->n_pixels);
    c->options.needs = NAS_NEED_LOSS;
    for (int trial = 0; trial < 4; trial++) {
        for (size_t i = 0; i < c->n_pixels; i++) {
            const double own = results->jacobian[i] < 0 ? -1.0 : 1.0;
            direction[i] = trial == 0 || nas_rng_below(&c->rng, 2) ? own : -own;
            if (trial > 1 && nas_rng_below(&c->rng, 16) != 0) direction[i] = 0;
        }
        const double expected =
            (logits_sum(c, engine, direction, h) - logits_sum(c, engine, direction, -h)) / (2 * h);
        const double found = dot(results->jacobian, direction, c->n_pixels);
        cr_assert(fabs(found - expected) <=
                      difference * (fabs(expected) + norm(results->jacobian, c->n_pixels)),
                  "%s, trial %d: %.12g, expected %.12g", what, trial, found, expected);
    }
    free(direction);
}

Test(program, jacobian_equals_finite_differences)
{
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = tiny_case(number);
        results_t results = compute(&c, &engine);
        char name[32];
        (void)snprintf(name, sizeof name, "cell %d", number);
        check_jacobian(&c, &engine, &results, name);
        free_results(&results);
        free_case(&c);
        nas_engine_destroy(engine);
    }
}

/* The weights, and 0 for every other parameter. */
static double *weights_of(const program_case_t *c)
{
    double *weights = copy_of(c->parameters, (size_t)c->graph->n_values);
    for (int p = 0; p < c->graph->n_parameters; p++) {
        const nas_parameter_t *parameter = &c->graph->parameter[p];
        if (parameter->kind != NAS_PARAMETER_WEIGHT)
            memset(weights + parameter->offset, 0, (size_t)parameter->n * sizeof *weights);
    }
    return weights;
}

/* Each layer's part of g' H w is what finite differences of its gradient along all weights say:
 * tangents forward, and their adjoints. */
Test(program, curvature_equals_finite_differences)
{
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = tiny_case(number);
        results_t results = compute(&c, &engine);
        double *weights = weights_of(&c);
        c.options.needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT;
        results_t ahead = moved(&c, &engine, weights, step);
        results_t behind = moved(&c, &engine, weights, -step);
        for (int p = 0; p < c.graph->n_parameters; p++) {
            const nas_parameter_t *parameter = &c.graph->parameter[p];
            const size_t n = (size_t)parameter->n;
            if (parameter->kind != NAS_PARAMETER_WEIGHT) continue;
            const double *g = results.gradient + parameter->offset;
            const double expected = (dot(ahead.gradient + parameter->offset, g, n) -
                                     dot(behind.gradient + parameter->offset, g, n)) /
                                    (2 * step);
            const double found = results.layer[p].curvature;
            cr_assert(fabs(found - expected) <= difference * (fabs(expected) + dot(g, g, n)),
                      "cell %d, %s: %.12g, expected %.12g", number, parameter->name, found,
                      expected);
        }
        free(weights);
        free_results(&ahead);
        free_results(&behind);
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
    results_t results = compute(&c, &engine);
    check_jacobian(&c, &engine, &results, "wide");
    free_results(&results);
    free_case(&c);
    nas_engine_destroy(engine);
}
