#include "worker/verify/comparison.h"

#include "worker/engine/graph/cost.h"
#include "worker/engine/metrics/metric.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEP_CELLS = 3 };

static const double float64_tolerance = 1e-8;
static const double float64_loss_tolerance = 1e-6; /* in a training */
static const double least_share = 1e-4; /* of the norm of all gradients, in which one is measured */

/* How a network conditions its values in float32, see the header. */
typedef enum condition { SHALLOW = 0, DEEP, ILL, N_CONDITIONS } condition_t;

/* What an error is measured in. */
typedef enum measure { RELATIVE = 0, OF_SNIP, ABSOLUTE, OF_LOGARITHM } measure_t;

/* Values, and how they agree in float32. */
typedef struct rule {
    const char *name;
    measure_t measure;
    double tolerance[N_CONDITIONS];
} rule_t;

static const rule_t RULES[] = {
    {"grasp", RELATIVE, {5e-4, 3e-3, 5e-2}},       {"plain", OF_SNIP, {1e-5, 1e-5, 1e-5}},
    {"synflow", OF_LOGARITHM, {1e-5, 1e-5, 1e-5}}, {"log_synflow", ABSOLUTE, {1e-5, 1e-5, 1e-5}},
    {"jacob_cov", ABSOLUTE, {1e-3, 1e-3, 1e-3}},   {"gradient", RELATIVE, {1e-3, 1e-3, 1e-3}},
    {"zico", RELATIVE, {1e-2, 1e-2, 1e-2}},        {"others", RELATIVE, {5e-5, 3e-4, 5e-3}},
};

enum { N_RULES = sizeof RULES / sizeof *RULES };

/* A comparison under way. */
typedef struct compare {
    const nas_reference_t *reference;
    const nas_reference_values_t *found;
    bool is_float64;
    condition_t condition;
    nas_comparison_t *comparison;
    size_t n;
} compare_t;

/* The rule of this name, or that of the others. */
static const rule_t *find_rule(const char *name)
{
    int i = 0;
    while (i < N_RULES - 1 && strcmp(RULES[i].name, name) != 0) i++;
    return &RULES[i];
}

/* Losses of a training in float32: those of steps before `end`. */
typedef struct losses_rule {
    int end;
    double of_cells; /* tolerance, of a network of a space */
    double of_files; /* of an ONNX file */
} losses_rule_t;

static const losses_rule_t LOSSES[] = {{2, 1e-5, 1e-5}, {4, 1e-3, 2e-2}, {INT_MAX, 1e-1, 1e-1}};

static double losses_tolerance(const compare_t *compare, const losses_rule_t *rule)
{
    if (compare->is_float64) return float64_loss_tolerance;
    return compare->reference->model ? rule->of_files : rule->of_cells;
}

static double tolerance_of(const compare_t *compare, const rule_t *rule)
{
    return compare->is_float64 ? float64_tolerance : rule->tolerance[compare->condition];
}

/* Deep ones are ill-conditioned where nothing but convolutions is on any way: as many as the
 * costliest network of the space has. */
static nas_status_t find_condition(compare_t *compare, nas_error_t *err)
{
    const nas_graph_t *graph = compare->reference->graph;
    nas_arch_t costliest = {0};
    nas_cost_t own, most;
    if (!compare->reference->arch.space) return NAS_OK;
    nas_status_t status = nas_arch_init(&costliest, compare->reference->arch.space, err);
    if (!status) nas_arch_set(&costliest, costliest.space->costliest);
    if (!status) status = nas_arch_cost(&costliest, &graph->network, &most, NULL, err);
    if (!status) status = nas_graph_cost(graph, &own, NULL, err);
    if (!status && graph->network.cells >= DEEP_CELLS)
        compare->condition = own.n_convs < most.n_convs ? DEEP : ILL;
    nas_arch_fini(&costliest);
    return status;
}

/* --------------------------------------------------------------------------------- errors */

static bool are_equal(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* |found - expected| in units of scale; infinite where that makes no sense. */
static double error_in(double found, double expected, double scale)
{
    if (are_equal(found, expected)) return 0;
    const double error = fabs(found - expected) / fabs(scale);
    return isnan(error) ? INFINITY : error;
}

static double norm(const double *values, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++) squares += values[i] * values[i];
    return sqrt(squares);
}

static double distance(const double *a, const double *b, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        if (!are_equal(a[i], b[i])) squares += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(squares);
}

static double largest(const double *values, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(values[i]));
    return most;
}

/* Largest |found - expected|. */
static double largest_difference(const double *found, const double *expected, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, error_in(found[i], expected[i], 1.0));
    return most;
}

/* ---------------------------------------------------------------------------- comparisons */

/* Append a comparison with its verdict. */
static nas_comparison_t *add_within(compare_t *compare, const char *name, double tolerance,
                                    nas_comparison_t comparison)
{
    nas_comparison_t *added = &compare->comparison[compare->n++];
    *added = comparison;
    added->tolerance = tolerance;
    added->agrees = added->error <= added->tolerance;
    (void)snprintf(added->name, sizeof added->name, "%s", name);
    return added;
}

static nas_comparison_t *add(compare_t *compare, const char *name, const rule_t *rule,
                             nas_comparison_t comparison)
{
    return add_within(compare, name, tolerance_of(compare, rule), comparison);
}

static void compare_outputs(compare_t *compare)
{
    const nas_reference_values_t *expected = &compare->reference->expected, *found = compare->found;
    const size_t n =
        (size_t)compare->reference->batch * (size_t)compare->reference->graph->network.classes;
    const double scale = largest(expected->logits, n);
    const double difference = largest_difference(found->logits, expected->logits, n);
    const nas_comparison_t logits = {.expected = norm(expected->logits, n),
                                     .found = norm(found->logits, n),
                                     .error = error_in(difference, 0, scale)};
    const nas_comparison_t loss = {.expected = expected->loss,
                                   .found = found->loss,
                                   .error = error_in(found->loss, expected->loss, scale)};
    (void)add(compare, "logits", find_rule("logits"), logits);
    (void)add(compare, "loss", find_rule("loss"), loss);
}

/* The expected snip, by which plain is measured; 0 where the file has none. */
static double expected_snip(const nas_reference_t *reference)
{
    int n_metrics;
    const nas_metric_t *const *metric = nas_metric_list(&n_metrics);
    for (int i = 0; i < n_metrics; i++)
        if (strcmp(metric[i]->name, "snip") == 0) return reference->expected.metric[i];
    return 0;
}

static double metric_error(const compare_t *compare, measure_t measure, double found,
                           double expected)
{
    if (compare->is_float64) return error_in(found, expected, expected);
    switch (measure) {
    case RELATIVE:
        break;
    case OF_SNIP:
        return error_in(found, expected, expected_snip(compare->reference));
    case ABSOLUTE:
        return error_in(found, expected, 1.0);
    case OF_LOGARITHM:
        return error_in(log(found), log(expected), 1.0);
    }
    return error_in(found, expected, expected);
}

static void compare_metrics(compare_t *compare)
{
    int n_metrics;
    const nas_metric_t *const *metric = nas_metric_list(&n_metrics);
    for (int i = 0; i < n_metrics; i++) {
        const double expected = compare->reference->expected.metric[i];
        const double found = compare->found->metric[i];
        const rule_t *rule = find_rule(metric[i]->name);
        if (!compare->reference->has_metric[i] || metric[i]->needs & compare->found->lacks)
            continue;
        const double error = metric_error(compare, rule->measure, found, expected);
        (void)add(compare, metric[i]->name, rule,
                  (nas_comparison_t){.expected = expected, .found = found, .error = error});
    }
}

/* A gradient: the distance in units of its norm, of `least` where that is larger. */
static nas_comparison_t *add_gradient(compare_t *compare, const char *name, const double *arrays[2],
                                      size_t n, double least)
{
    nas_comparison_t gradient = {.expected = norm(arrays[0], n), .found = norm(arrays[1], n)};
    gradient.error = error_in(distance(arrays[1], arrays[0], n), 0, fmax(gradient.expected, least));
    return add(compare, name, find_rule("gradient"), gradient);
}

static void compare_gradients(compare_t *compare)
{
    const nas_reference_t *reference = compare->reference;
    const nas_graph_t *graph = reference->graph;
    const double all = norm(reference->expected.gradient, (size_t)graph->n_values);
    for (int i = 0; i < graph->n_parameters; i++) {
        const nas_parameter_t *parameter = &graph->parameter[i];
        const double *arrays[2] = {reference->expected.gradient + parameter->offset,
                                   compare->found->gradient + parameter->offset};
        char name[sizeof compare->comparison->name];
        if (!reference->has_gradient[i]) continue;
        (void)snprintf(name, sizeof name, "gradients/%s",
                       nas_reference_parameter_name(reference, i));
        add_gradient(compare, name, arrays, (size_t)parameter->n, least_share * all)->group =
            "gradients";
    }
}

static void compare_losses(compare_t *compare)
{
    const double *expected = compare->reference->expected.losses, *found = compare->found->losses;
    for (int i = 0, rule = 0; i < compare->reference->n_steps; i++) {
        char name[sizeof compare->comparison->name];
        if (i == LOSSES[rule].end) rule++;
        const nas_comparison_t loss = {
            .group = "losses",
            .expected = expected[i],
            .found = found[i],
            .error = error_in(found[i], expected[i], fmax(fabs(expected[i]), 1))};
        (void)snprintf(name, sizeof name, "losses[%d]", i);
        (void)add_within(compare, name, losses_tolerance(compare, &LOSSES[rule]), loss);
    }
}

static void compare_batch(compare_t *compare)
{
    compare_outputs(compare);
    compare_metrics(compare);
    if (compare->reference->has_input_gradient) {
        const double *arrays[2] = {compare->reference->expected.input_gradient,
                                   compare->found->input_gradient};
        (void)add_gradient(compare, "input_gradient", arrays,
                           nas_reference_n_pixels(compare->reference), 0);
    }
    compare_gradients(compare);
}

nas_status_t nas_compare(const nas_reference_t *reference, const nas_reference_values_t *found,
                         bool is_float64, nas_comparison_t **comparison_p, size_t *n,
                         nas_error_t *err)
{
    int n_metrics;
    (void)nas_metric_list(&n_metrics);
    const size_t most =
        3 + (size_t)n_metrics + (size_t)reference->graph->n_parameters + (size_t)reference->n_steps;
    compare_t compare = {.reference = reference,
                         .found = found,
                         .is_float64 = is_float64,
                         .condition = SHALLOW,
                         .comparison = calloc(most, sizeof *compare.comparison)};
    if (!compare.comparison) return nas_error_nomem(err, "a comparison");
    const nas_status_t status = find_condition(&compare, err);
    if (status) {
        free(compare.comparison);
        return status;
    }
    if (nas_reference_has_values(reference)) compare_batch(&compare);
    compare_losses(&compare);
    *comparison_p = compare.comparison;
    *n = compare.n;
    return NAS_OK;
}

bool nas_comparisons_agree(const nas_comparison_t *comparison, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!comparison[i].agrees) return false;
    return true;
}

bool nas_comparisons_agree_forward(const nas_comparison_t *comparison, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = comparison[i].name;
        const bool is_forward = strcmp(name, "logits") == 0 || strcmp(name, "loss") == 0;
        if (is_forward && !comparison[i].agrees) return false;
    }
    return true;
}
