/* The yardstick of `robotnas verify`: what agrees by a hair, and what just does not. */
#include "tests/unit/arch_case.h"
#include "worker/engine/metrics/metric.h"
#include "worker/verify/comparison.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 2, CLASSES = 2, N_STEPS = 6, SHALLOW = 0, DEEP, ILL };
enum { VALUES = 1, TRAINING = 2 }; /* what a reference has */

static const double TINY = 1e-3; /* of a tolerance: on either side of it */

/* A reference, and values that are equal to it. */
typedef struct pair {
    nas_reference_t reference;
    nas_reference_values_t found;
} pair_t;

static void *flags(int n)
{
    bool *flag = malloc((size_t)n * sizeof *flag);
    cr_assert_not_null(flag);
    memset(flag, true, (size_t)n * sizeof *flag);
    return flag;
}

static int n_metrics(void)
{
    int n = 0;
    (void)nas_metric_list(&n);
    return n;
}

static int metric_at(const char *name)
{
    int n = 0, i = 0;
    const nas_metric_t *const *metric = nas_metric_list(&n);
    while (i < n && strcmp(metric[i]->name, name) != 0) i++;
    cr_assert_lt(i, n, "there is no metric %s", name);
    return i;
}

static void fill(double *values, int64_t n, double value)
{
    for (int64_t i = 0; i < n; i++) values[i] = value;
}

static void fill_values(const nas_reference_t *r, nas_reference_values_t *values)
{
    cr_assert_eq(nas_reference_values_init(r, values, NULL), NAS_OK);
    values->loss = 2;
    fill(values->losses, r->n_steps, 4);
    if (!nas_reference_has_values(r)) return;
    fill(values->logits, BATCH * CLASSES, -8);
    fill(values->metric, n_metrics(), 3);
    fill(values->gradient, r->graph->n_values, 1);
    fill(values->input_gradient, (int64_t)nas_reference_n_pixels(r), 1);
}

static pair_t make_pair(int condition, unsigned contents)
{
    const nas_network_t network = {.image_channels = 1,
                                   .height = 4,
                                   .width = 4,
                                   .channels = 1,
                                   .cells = condition == SHALLOW ? 2 : 3,
                                   .classes = CLASSES,
                                   .convention = NAS_CONVENTION_TRAIN};
    pair_t pair = {.reference = {.arch = arch_of(condition == ILL ? "(3, 3, 3, 3, 3, 3)"
                                                                  : "(3, 3, 3, 3, 3, 0)"),
                                 .batch = BATCH,
                                 .input = {.n = contents & VALUES ? BATCH : 0},
                                 .n_steps = contents & TRAINING ? N_STEPS : 0,
                                 .has_input_gradient = true}};
    nas_reference_t *r = &pair.reference;
    cr_assert_eq(nas_graph_create(&network, &r->arch, &r->graph, NULL), NAS_OK);
    r->has_metric = flags(n_metrics());
    r->has_gradient = flags(r->graph->n_parameters);
    fill_values(r, &r->expected);
    fill_values(r, &pair.found);
    return pair;
}

static void free_pair(pair_t *pair)
{
    nas_reference_values_fini(&pair->found);
    nas_reference_fini(&pair->reference);
}

/* The verdict on one value; all others agree. */
static nas_comparison_t verdict(const pair_t *pair, bool is_float64, const char *name)
{
    nas_comparison_t *comparison = NULL, one = {.name = ""};
    size_t n = 0;
    cr_assert_eq(nas_compare(&pair->reference, &pair->found, is_float64, &comparison, &n, NULL),
                 NAS_OK);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(comparison[i].name, name) == 0)
            one = comparison[i];
        else
            cr_assert(comparison[i].agrees, "%s differs beside %s", comparison[i].name, name);
    }
    free(comparison);
    cr_assert_str_eq(one.name, name);
    return one;
}

/* *found is off by that many units of one: within tolerance just below it, not just above. */
static void expect_bound(const pair_t *pair, bool is_float64, const char *name, double *found,
                         double tolerance)
{
    const double exact = *found, unit = fabs(tolerance);
    *found = exact + unit * (1 - TINY);
    cr_assert(verdict(pair, is_float64, name).agrees, "%s off by less than %g", name, tolerance);
    *found = exact + unit * (1 + TINY);
    cr_assert_not(verdict(pair, is_float64, name).agrees, "%s off by more than %g", name,
                  tolerance);
    *found = exact;
}

Test(comparison, float32_values_may_differ_as_far_as_the_network_allows)
{
    /* Of the metrics, every value is 3, snip too; the largest logit is 8. */
    static const struct {
        const char *name;
        double unit;
        double tolerance[3]; /* shallow, deep, ill */
    } cases[] = {
        {"grad_norm", 3, {5e-5, 3e-4, 5e-3}},   {"snip", 3, {5e-5, 3e-4, 5e-3}},
        {"fisher", 3, {5e-5, 3e-4, 5e-3}},      {"nwot", 3, {5e-5, 3e-4, 5e-3}},
        {"params", 3, {5e-5, 3e-4, 5e-3}},      {"grasp", 3, {5e-4, 3e-3, 5e-2}},
        {"plain", 3, {1e-5, 1e-5, 1e-5}},       {"jacob_cov", 1, {1e-3, 1e-3, 1e-3}},
        {"log_synflow", 1, {1e-5, 1e-5, 1e-5}}, {"synflow", 3, {1e-5, 1e-5, 1e-5}},
    };
    for (int condition = SHALLOW; condition <= ILL; condition++) {
        pair_t pair = make_pair(condition, VALUES);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            expect_bound(&pair, false, cases[i].name, &pair.found.metric[metric_at(cases[i].name)],
                         cases[i].unit * cases[i].tolerance[condition]);
        expect_bound(&pair, false, "logits", &pair.found.logits[1],
                     8 * cases[0].tolerance[condition]);
        expect_bound(&pair, false, "loss", &pair.found.loss, 8 * cases[0].tolerance[condition]);
        free_pair(&pair);
    }
}

Test(comparison, float64_values_must_be_equal_to_eight_digits)
{
    pair_t pair = make_pair(ILL, VALUES);
    for (int i = 0; i < n_metrics(); i++) {
        int n = 0;
        expect_bound(&pair, true, nas_metric_list(&n)[i]->name, &pair.found.metric[i], 3e-8);
    }
    expect_bound(&pair, true, "logits", &pair.found.logits[0], 8e-8);
    expect_bound(&pair, true, "loss", &pair.found.loss, 8e-8);
    free_pair(&pair);
}

Test(comparison, gradients_are_measured_by_their_norm)
{
    pair_t pair = make_pair(SHALLOW, VALUES);
    const nas_parameter_t *parameter = &pair.reference.graph->parameter[0];
    char name[256];
    (void)snprintf(name, sizeof name, "gradients/%s", parameter->name);
    double *found = &pair.found.gradient[parameter->offset];
    expect_bound(&pair, false, name, found, 1e-3 * sqrt((double)parameter->n));
    expect_bound(&pair, true, name, found, 1e-8 * sqrt((double)parameter->n));
    const double n_pixels = (double)nas_reference_n_pixels(&pair.reference);
    expect_bound(&pair, false, "input_gradient", pair.found.input_gradient, 1e-3 * sqrt(n_pixels));
    /* Of next to nothing, by a share of all gradients together. */
    double *expected = &pair.reference.expected.gradient[parameter->offset];
    fill(expected, parameter->n, 0);
    fill(found, parameter->n, 0);
    const double others = sqrt((double)(pair.reference.graph->n_values - parameter->n));
    expect_bound(&pair, false, name, found, 1e-3 * 1e-4 * others);
    free_pair(&pair);
}

/* Alone, or beside values. */
static void check_losses(unsigned contents, char *model, const double *tolerance)
{
    pair_t pair = make_pair(SHALLOW, contents);
    pair.reference.model = model;
    for (int i = 0; i < N_STEPS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "losses[%d]", i);
        expect_bound(&pair, false, name, &pair.found.losses[i], 4 * tolerance[i]);
        expect_bound(&pair, true, name, &pair.found.losses[i], 4e-6);
        /* A loss below 1 is measured by 1. */
        pair.reference.expected.losses[i] = pair.found.losses[i] = 0.25;
        expect_bound(&pair, false, name, &pair.found.losses[i], tolerance[i]);
    }
    pair.reference.model = NULL;
    free_pair(&pair);
}

Test(comparison, losses_of_a_training_may_wander_apart_step_by_step)
{
    static const double of_cells[N_STEPS] = {1e-5, 1e-5, 1e-3, 1e-3, 1e-1, 1e-1};
    static const double of_files[N_STEPS] = {1e-5, 1e-5, 2e-2, 2e-2, 1e-1, 1e-1};
    char model[] = "an ONNX file's";
    check_losses(TRAINING, NULL, of_cells);
    check_losses(TRAINING | VALUES, NULL, of_cells);
    check_losses(TRAINING | VALUES, model, of_files);
}

Test(comparison, what_is_no_number_agrees_with_itself_alone)
{
    static const double special[] = {NAN, INFINITY, -INFINITY, 0, 1};
    enum { N_SPECIAL = sizeof special / sizeof *special };
    const int at = metric_at("jacob_cov");
    pair_t pair = make_pair(SHALLOW, VALUES);
    for (int i = 0; i < N_SPECIAL; i++)
        for (int j = 0; j < N_SPECIAL; j++)
            for (int is_float64 = 0; is_float64 < 2; is_float64++) {
                pair.reference.expected.metric[at] = special[i];
                pair.found.metric[at] = special[j];
                cr_assert_eq(verdict(&pair, is_float64, "jacob_cov").agrees, i == j,
                             "%g expected, %g found", special[i], special[j]);
            }
    free_pair(&pair);
}

Test(comparison, what_a_file_has_not_is_not_compared)
{
    pair_t pair = make_pair(SHALLOW, VALUES);
    nas_comparison_t *comparison = NULL;
    size_t n = 0;
    memset(pair.reference.has_metric, false, (size_t)n_metrics() * sizeof(bool));
    memset(pair.reference.has_gradient, false,
           (size_t)pair.reference.graph->n_parameters * sizeof(bool));
    pair.reference.has_input_gradient = false;
    fill(pair.found.metric, n_metrics(), 77);
    fill(pair.found.gradient, pair.reference.graph->n_values, 77);
    cr_assert_eq(nas_compare(&pair.reference, &pair.found, false, &comparison, &n, NULL), NAS_OK);
    cr_assert_eq(n, 2);
    cr_assert_str_eq(comparison[0].name, "logits");
    cr_assert_str_eq(comparison[1].name, "loss");
    cr_assert(comparison[0].agrees && comparison[1].agrees);
    free(comparison);
    free_pair(&pair);
}
