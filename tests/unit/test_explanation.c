/* Values that differ because a ReLU stands at its kink are told from values that are wrong. */
#include "tests/unit/arch_case.h"
#include "tests/unit/explanation_case.h"
#include "worker/engine/graph/parameters.h"

#include <math.h>

enum { N_TRIED = 4, N_NEAR = 16 };

/* ----------------------------------------------------------------------------- turned ones */

Test(explanation, a_relu_at_its_kink_explains_what_differs)
{
    fixture_t f = setup("reference-mixed.h5");
    for (int i = 0; i < N_TRIED; i++) {
        const nas_kink_t *kink = &f.near.kink[i];
        double distance = 0;
        nas_reference_values_t found = compute(&f.reference, &kink->position, 1, NULL);
        cr_assert_not(do_agree(&f.reference, &f.reference.expected, &found));
        cr_assert_eq(explain(&f.reference, &found, kink->share, &distance), 1);
        cr_assert_eq(distance, fabs(kink->input));
        /* one that is further away than rounding goes explains nothing */
        cr_assert_eq(explain(&f.reference, &found, 0.999 * kink->share, NULL), 0);
        nas_reference_values_fini(&found);
    }
    nas_reference_fini(&f.reference);
}

static void check_together(const fixture_t *f, const int *chosen, int n)
{
    const nas_kink_t *kink = f->near.kink;
    int64_t turned[3];
    double distance = 0, furthest = 0;
    for (int i = 0; i < n; i++) {
        turned[i] = kink[chosen[i]].position;
        furthest = fmax(furthest, fabs(kink[chosen[i]].input));
    }
    nas_reference_values_t found = compute(&f->reference, turned, n, NULL);
    cr_assert_eq(explain(&f->reference, &found, kink[N_NEAR - 1].share, &distance), n);
    cr_assert_eq(distance, furthest);
    cr_assert_eq(explain(&f->reference, &found, kink[chosen[n - 1] - 1].share, NULL), 0);
    nas_reference_values_fini(&found);
}

Test(explanation, several_relus_explain_what_differs_together)
{
    fixture_t f = setup("reference-mixed.h5");
    for (int i = 0; i < N_TRIED; i++)
        for (int k = i + 1; k <= N_TRIED; k++) check_together(&f, (const int[]){i, k}, 2);
    check_together(&f, (const int[]){1, 2, 4}, 3);
    check_together(&f, (const int[]){0, 5, 6}, 3);
    nas_reference_fini(&f.reference);
}

/* Another network for the same batch, with values of its own; its parameters are `scale` times as
 * large as they are drawn. */
static void change_graph(nas_reference_t *r, nas_graph_t *graph, double scale)
{
    nas_graph_destroy(r->graph);
    r->graph = graph;
    r->parameters = realloc(r->parameters, (size_t)r->graph->n_values * sizeof *r->parameters);
    r->has_gradient = realloc(r->has_gradient, (size_t)r->graph->n_parameters * sizeof(bool));
    cr_assert(r->parameters && r->has_gradient);
    nas_parameters_init(r->graph, 1, nas_reference_name(r), r->parameters);
    for (int64_t i = 0; i < r->graph->n_values; i++) r->parameters[i] *= scale;
    memset(r->has_gradient, true, (size_t)r->graph->n_parameters * sizeof(bool));
    nas_reference_values_fini(&r->expected);
    r->expected = compute(r, NULL, 0, NULL);
}

static void change_arch(nas_reference_t *r, const char *text)
{
    const nas_network_t network = r->graph->network;
    nas_graph_t *graph = NULL;
    nas_arch_fini(&r->arch);
    r->arch = arch_of(text);
    cr_assert_eq(nas_graph_create(&network, &r->arch, &graph, NULL), NAS_OK);
    change_graph(r, graph, 1);
}

static nas_status_t make_relu6(const void *what, const nas_network_t *network, nas_builder_t *b,
                               nas_error_t *err)
{
    const nas_conv_spec_t conv[] = {{.name = "a", .c_out = 48, .k = 3, .padding = 1},
                                    {.name = "b", .c_out = 16, .k = 3, .padding = 1}};
    int x = b->image(b);
    (void)what;
    (void)err;
    for (int i = 0; i < 2; i++) x = b->rectify(b, b->conv(b, x, &conv[i]), NAS_RECTIFIER_RELU6);
    x = b->flatten(b, b->pool(b, x, &(nas_pool_spec_t){.name = "p"}), "f");
    b->output(b, b->linear(b, x, &(nas_linear_spec_t){.name = "l", .n_out = network->classes}));
    return NAS_OK;
}

/* Of a ReLU6 on both sides of both of its kinks. */
Test(explanation, a_relu6_at_its_ceiling_explains_what_differs)
{
    fixture_t f = setup("reference-mixed.h5");
    nas_reference_t *r = &f.reference;
    const nas_network_t network = r->graph->network;
    nas_graph_t *graph = NULL;
    int n_tried[4] = {0};
    cr_assert_eq(nas_graph_make(make_relu6, NULL, &network, &graph, NULL), NAS_OK);
    change_graph(r, graph, 6);
    nas_reference_values_t values = compute(r, NULL, 0, &f.near);
    nas_reference_values_fini(&values);
    for (int i = 0; i < f.near.n; i++) {
        const nas_kink_t *kink = &f.near.kink[i];
        const int side = kink->input > 6 ? 3 : kink->input > 3 ? 2 : kink->input > 0;
        double distance = 0;
        if (n_tried[side] > 0) continue;
        cr_assert_float_eq(fabs(kink->input - (side > 1 ? 6 : 0)), kink->distance, 1e-15);
        nas_reference_values_t found = compute(r, &kink->position, 1, NULL);
        /* those behind which all is at a ceiling change nothing */
        if (!do_agree(r, &r->expected, &found)) {
            cr_assert_eq(explain(r, &found, kink->share, &distance), 1, "%g", kink->input);
            cr_assert_eq(distance, kink->distance);
            n_tried[side] = 1;
        }
        nas_reference_values_fini(&found);
    }
    for (int side = 0; side < 4; side++) cr_assert_gt(n_tried[side], 0, "%d", side);
    nas_reference_fini(r);
}

/* The cell's second node is a copy of its first. */
Test(explanation, inputs_that_are_equal_are_turned_together)
{
    fixture_t f = setup("reference-mixed.h5");
    nas_reference_t *r = &f.reference;
    change_arch(r, "|skip_connect~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_3x3~1|none~2|");
    const nas_network_t *net = &r->graph->network;
    const int64_t n = (int64_t)r->batch * net->channels * net->height * net->width;
    nas_kinks_t near;
    nas_reference_values_t values = compute(r, NULL, 0, &near);
    nas_reference_values_fini(&values);
    int n_tried = 0;
    for (int i = 0; i < near.n; i++) {
        const int64_t both[] = {near.kink[i].position, near.kink[i].position + n};
        for (int k = 0; k < i; k++) cr_assert_neq(near.kink[i].input, near.kink[k].input);
        if (both[0] >= n) continue;
        nas_reference_values_t one = compute(r, both, 1, NULL), two = compute(r, both, 2, NULL);
        cr_assert_not(do_agree(r, &r->expected, &one));
        cr_assert_eq(memcmp(one.input_gradient, two.input_gradient,
                            nas_reference_n_pixels(r) * sizeof(double)),
                     0);
        nas_reference_values_fini(&one);
        nas_reference_values_fini(&two);
        n_tried++;
    }
    cr_assert_gt(n_tried, 0);
    nas_reference_fini(&f.reference);
}

/* ---------------------------------------------------------------------- what is not excused */

Test(explanation, a_wrong_value_beside_it_is_not_excused)
{
    fixture_t f = setup("reference-mixed.h5");
    const nas_kink_t *kink = &f.near.kink[0];
    nas_reference_values_t found = compute(&f.reference, &kink->position, 1, NULL);
    const nas_parameter_t *last =
        &f.reference.graph->parameter[f.reference.graph->n_parameters - 1];
    struct {
        double *value;
        double by;
    } wrong[] = {{&found.loss, 1e-3},
                 {&found.logits[3], 1e-2},
                 {metric_of(&found, "snip"), 1e-3},
                 {metric_of(&found, "fisher"), -1e-3},
                 {metric_of(&found, "nwot"), 1e-3},
                 {metric_of(&found, "params"), 1e-3},
                 {metric_of(&found, "synflow"), 1e-3},
                 {&found.input_gradient[5], 10},
                 {&found.gradient[0], 1},
                 {&found.gradient[last->offset], 0.1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const double right = *wrong[i].value;
        *wrong[i].value *= 1 + wrong[i].by;
        cr_assert_eq(explain(&f.reference, &found, f.near.kink[5].share, NULL), 0, "%zu", i);
        *wrong[i].value = right;
        cr_assert_eq(explain(&f.reference, &found, f.near.kink[5].share, NULL), 1);
    }
    nas_reference_values_fini(&found);
    nas_reference_fini(&f.reference);
}

/* By 1.2 tolerances, of which a ReLU at its kink takes a little: all agrees with it turned. */
Test(explanation, a_value_that_is_wrong_by_a_little_is_not_excused)
{
    static const double tolerance = 5e-5; /* of metrics as grad_norm */
    static const char *const names[] = {"grad_norm", "snip", "fisher", "nwot"};
    fixture_t f = setup("reference-mixed.h5");
    int n_tried = 0;
    for (int i = 0; i < f.near.n; i++) {
        const nas_kink_t *kink = &f.near.kink[i];
        nas_reference_values_t found = compute(&f.reference, &kink->position, 1, NULL);
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            const double expected = *metric_of(&f.reference.expected, names[k]);
            double *value = metric_of(&found, names[k]);
            const double turned = *value, effect = (turned / expected - 1) / tolerance;
            if (fabs(effect) < 0.3 || fabs(effect) > 0.55) continue;
            *value = expected * (1 + copysign(1.2 * tolerance, effect));
            cr_assert_lt(fabs(*value - turned), tolerance * fabs(turned));
            cr_assert_eq(explain(&f.reference, &found, kink->share, NULL), 0);
            *value = turned;
            n_tried++;
        }
        nas_reference_values_fini(&found);
    }
    cr_assert_gt(n_tried, 0);
    nas_reference_fini(&f.reference);
}

Test(explanation, a_wrong_reference_is_not_excused)
{
    fixture_t f = setup("reference-mixed.h5");
    const nas_kink_t *kink = &f.near.kink[0];
    nas_reference_values_t found = compute(&f.reference, &kink->position, 1, NULL);
    double *const expected[] = {metric_of(&f.reference.expected, "snip"),
                                metric_of(&f.reference.expected, "nwot"),
                                &f.reference.expected.loss, &f.reference.expected.gradient[0],
                                &f.reference.expected.input_gradient[5]};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const double right = *expected[i];
        *expected[i] *= 1.001;
        cr_assert_eq(explain(&f.reference, &found, kink->share, NULL), 0, "%zu", i);
        *expected[i] = right;
    }
    nas_reference_values_fini(&found);
    nas_reference_fini(&f.reference);
}
