/* What a program says of slopes, against finite differences of what the same engine computes:
 * gradients, images' gradients, and tangents with their adjoints. */
#ifndef NAS_TESTS_UNIT_PROGRAM_SLOPES_H
#define NAS_TESTS_UNIT_PROGRAM_SLOPES_H

#include "program_case.h"

#include <stdio.h>

/* Central differences: how far they step, and what is asked of them. */
typedef struct slope_rule {
    double step;               /* along parameters, of a direction whose length is about 1 */
    double image_step;         /* of a pixel: exact in float32 beside the images */
    double along_step;         /* along all weights, a fraction of them */
    double relative;           /* of what is expected */
    double floor, image_floor; /* of the length of the whole gradient, of that by the images */
} slope_rule_t;

/* In float64. */
static const slope_rule_t FLOAT64_SLOPES = {.step = 1e-7,
                                            .image_step = 0x1p-20,
                                            .along_step = 1e-7,
                                            .relative = 1e-6,
                                            .floor = 1e-9,
                                            .image_floor = 1e-6};

typedef void check_slopes_t(program_case_t *c, nas_engine_t **engine, const slope_rule_t *rule,
                            const char *what);

/* Of n cases that are made by their numbers, on ref. */
static inline void check_slopes(check_slopes_t *check, program_case_t (*make)(int), int n)
{
    for (int number = 0; number < n; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = make(number);
        char name[32];
        (void)snprintf(name, sizeof name, "case %d", number);
        check(&c, &engine, &FLOAT64_SLOPES, name);
        free_case(&c);
        nas_engine_destroy(engine);
    }
}

/* A function of the case after a step along a direction: f(parameters + h direction). */
static inline results_t moved(program_case_t *c, nas_engine_t **engine, const double *direction,
                              double h)
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

/* Derivative of the loss along a direction. */
static inline double loss_slope(program_case_t *c, nas_engine_t **engine, const double *direction,
                                double h)
{
    results_t ahead = moved(c, engine, direction, h), behind = moved(c, engine, direction, -h);
    const double slope = (ahead.loss - behind.loss) / (2 * h);
    free_results(&ahead);
    free_results(&behind);
    return slope;
}

/* A direction of length about 1 in one parameter, half along its gradient, half random. */
static inline double *make_direction(program_case_t *c, const results_t *results, int p)
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

/* Every parameter's gradient of the loss is what finite differences of the loss say. */
static inline void check_gradients(program_case_t *c, nas_engine_t **engine,
                                   const slope_rule_t *rule, const char *what)
{
    c->options.needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT;
    results_t results = compute(c, engine);
    const size_t n = (size_t)c->graph->n_values;
    const double all = norm(results.gradient, n);
    c->options.needs = NAS_NEED_LOSS;
    for (int p = 0; p < c->graph->n_parameters; p++) {
        double *direction = make_direction(c, &results, p);
        const double expected = loss_slope(c, engine, direction, rule->step);
        const double found = dot(results.gradient, direction, n);
        cr_assert(fabs(found - expected) <= rule->relative * fabs(expected) + rule->floor * all,
                  "%s, %s: %.12g, expected %.12g", what, c->graph->parameter[p].name, found,
                  expected);
        free(direction);
    }
    free_results(&results);
}

/* Sum of the logits after a step of h along a direction over all pixels. */
static inline double logits_sum(program_case_t *c, nas_engine_t **engine, const double *direction,
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

/* So is the sum of the logits' gradient by the images: along its own signs, along random signs. */
static inline void check_jacobian(program_case_t *c, nas_engine_t **engine,
                                  const slope_rule_t *rule, const char *what)
{
    const double h = rule->image_step;
    c->options.needs = EVERYTHING;
    results_t results = compute(c, engine);
    double *direction = copy_of(NULL, c->n_pixels);
    c->options.needs = NAS_NEED_LOSS;
    for (int trial = 0; trial < 4; trial++) {
        for (size_t i = 0; i < c->n_pixels; i++) {
            const double own = results.jacobian[i] < 0 ? -1.0 : 1.0;
            direction[i] = trial == 0 || nas_rng_below(&c->rng, 2) ? own : -own;
            if (trial > 1 && nas_rng_below(&c->rng, 16) != 0) direction[i] = 0;
        }
        const double expected =
            (logits_sum(c, engine, direction, h) - logits_sum(c, engine, direction, -h)) / (2 * h);
        const double found = dot(results.jacobian, direction, c->n_pixels);
        cr_assert(fabs(found - expected) <=
                      rule->relative * fabs(expected) +
                          rule->image_floor * norm(results.jacobian, c->n_pixels),
                  "%s, trial %d: %.12g, expected %.12g", what, trial, found, expected);
    }
    free(direction);
    free_results(&results);
}

/* The weights, and 0 for every other parameter. */
static inline double *weights_of(const program_case_t *c)
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
static inline void check_curvature(program_case_t *c, nas_engine_t **engine,
                                   const slope_rule_t *rule, const char *what)
{
    const double h = rule->along_step;
    c->options.needs = EVERYTHING;
    results_t results = compute(c, engine);
    double *weights = weights_of(c);
    c->options.needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT;
    results_t ahead = moved(c, engine, weights, h), behind = moved(c, engine, weights, -h);
    for (int p = 0; p < c->graph->n_parameters; p++) {
        const nas_parameter_t *parameter = &c->graph->parameter[p];
        const size_t n = (size_t)parameter->n;
        if (parameter->kind != NAS_PARAMETER_WEIGHT) continue;
        const double *g = results.gradient + parameter->offset;
        const double expected = (dot(ahead.gradient + parameter->offset, g, n) -
                                 dot(behind.gradient + parameter->offset, g, n)) /
                                (2 * h);
        const double found = results.layer[p].curvature;
        cr_assert(fabs(found - expected) <= rule->relative * (fabs(expected) + dot(g, g, n)),
                  "%s, %s: %.12g, expected %.12g", what, parameter->name, found, expected);
    }
    free(weights);
    free_results(&ahead);
    free_results(&behind);
    free_results(&results);
}

#endif
