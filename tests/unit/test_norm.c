/* What eps is to batch normalisation. */
#include "program_case.h"

static const nas_network_t SMALL = {3, 8, 8, 4, 1, 5, NAS_CONVENTION_SCORE};

/* A convolution with BN between others that have one, too. what: its eps. */
static nas_status_t make_between(const void *what, const nas_network_t *network, nas_builder_t *b,
                                 nas_error_t *err)
{
    const nas_norm_spec_t usual = {.name = "bn", .eps = 1e-5, .affine = true},
                          between = {.name = "between", .eps = *(const double *)what};
    const nas_conv_spec_t stem = {.name = "stem", .c_out = network->channels, .k = 3, .padding = 1},
                          conv = {.name = "conv", .c_out = network->channels, .k = 1};
    (void)err;
    int x = b->norm(b, b->conv(b, b->image(b), &stem), &usual);
    x = b->norm(b, b->conv(b, b->rectify(b, x, NAS_RECTIFIER_RELU), &conv), &between);
    x = other_conv(b, x, "last", network->channels, 1);
    other_head(b, x, network);
    return NAS_OK;
}

/* The loss, and the gradient of the convolution before the BN with that eps, whose weights are as
 * drawn, times a factor. */
static double loss_of(double eps, double factor, double *gradient, int64_t *n)
{
    nas_engine_t *engine = NULL;
    program_case_t c = begin_case(nas_backend_ref(), 4, 1);
    cr_assert_eq(nas_graph_make(make_between, &eps, &SMALL, &c.graph, NULL), NAS_OK);
    draw_case(&c, 1);
    const nas_parameter_t *p = &c.graph->parameter[nas_graph_find(c.graph, "conv/weight")];
    for (int64_t i = 0; i < p->n; i++) c.parameters[p->offset + i] *= factor;
    results_t results = compute(&c, &engine);
    const double loss = results.loss;
    *n = p->n;
    memcpy(gradient, results.gradient + p->offset, (size_t)p->n * sizeof *gradient);
    free_results(&results);
    nas_engine_destroy(engine);
    free_case(&c);
    return loss;
}

/* x / 2 with eps / 4 is normalised to what x with eps is, bit by bit; with another eps it
 * is not. */
Test(norm, eps_is_of_the_scale_of_the_variance)
{
    static double whole[64], half[64], other[64];
    const double eps[] = {1e-5, 0.5, 8};
    int64_t n = 0;
    for (size_t i = 0; i < sizeof eps / sizeof *eps; i++) {
        const double loss = loss_of(eps[i], 1, whole, &n);
        cr_assert(loss_of(eps[i] / 4, 0.5, half, &n) == loss, "%g", eps[i]);
        cr_assert(loss_of(eps[i], 0.5, other, &n) != loss, "%g", eps[i]);
        for (int64_t w = 0; w < n; w++) cr_assert(half[w] == 2 * whole[w], "%g", eps[i]);
    }
}

/* Without eps a BN undoes any scaling of the weights before it, and the gradient is at a right
 * angle to them; the larger eps is, the less of that is so. */
Test(norm, a_large_eps_leaves_the_scale_of_what_it_normalises)
{
    static double gradient[64];
    int64_t n = 0;
    const double small = fabs(loss_of(1e-12, 1, gradient, &n) - loss_of(1e-12, 1.5, gradient, &n));
    const double large = fabs(loss_of(1, 1, gradient, &n) - loss_of(1, 1.5, gradient, &n));
    cr_assert_lt(small, 1e-9);
    cr_assert_gt(large, 1e-3);
}
