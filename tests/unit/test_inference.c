/* Networks with running statistics: they compute what training does, image by image. */
#include "backend_case.h"
#include "program_case.h"

/* Channels around a block; both conventions. */
static const nas_network_t NETWORKS[] = {{3, 8, 8, 8, 1, 10, NAS_CONVENTION_SCORE},
                                         {1, 12, 16, 16, 1, 5, NAS_CONVENTION_TRAIN}};
static const nas_network_t TINY = {3, 8, 8, 4, 1, 5, NAS_CONVENTION_SCORE};

enum { N_NETWORKS = sizeof NETWORKS / sizeof *NETWORKS, BATCH = 6, TINY_BATCH = 3 };

/* Running statistics that a network may have after some steps. */
static double *random_statistics(program_case_t *c)
{
    double *statistics = copy_of(NULL, (size_t)c->graph->n_statistics);
    for (int i = 0; i < c->graph->n_nodes; i++) {
        const nas_node_t *norm_of = &c->graph->node[i];
        double *mean = statistics + norm_of->statistics, *variance = mean + norm_of->extents.c;
        for (int k = 0; norm_of->kind == NAS_NODE_NORM && k < norm_of->extents.c; k++) {
            mean[k] = nas_rng_between(&c->rng, -0.5, 0.5);
            variance[k] = nas_rng_between(&c->rng, 0.5, 2.0);
        }
    }
    return statistics;
}

/* Logits by statistics; owned. */
static double *infer(const program_case_t *c, const double *statistics, nas_engine_t **engine)
{
    program_case_t of_inference = *c;
    nas_program_values_t values;
    of_inference.options.needs = NAS_NEED_INFERENCE;
    run_case(&of_inference, statistics, engine, &values);
    return copy_of(values.logits, (size_t)c->options.batch * (size_t)c->graph->network.classes);
}

/* The batch's moments; owned. logits [out], owned: as training has them. */
static double *moments_of(const program_case_t *c, nas_engine_t **engine, double **logits)
{
    program_case_t of_training = *c;
    nas_program_values_t values;
    of_training.options.needs = NAS_NEED_LOSS | NAS_NEED_GRADIENT;
    run_case(&of_training, NULL, engine, &values);
    *logits = copy_of(values.logits, (size_t)c->options.batch * (size_t)c->graph->network.classes);
    return copy_of(values.moments, (size_t)c->graph->n_statistics);
}

static void check_logits(const program_case_t *c, const double *found, const double *expected,
                         double tolerance)
{
    const int n = c->options.batch * c->graph->network.classes;
    const double length = norm(expected, (size_t)n);
    for (int i = 0; i < n; i++)
        cr_assert(fabs(found[i] - expected[i]) <= tolerance * length,
                  "logit %d: %.12g, expected %.12g", i, found[i], expected[i]);
}

/* With a batch's own moments as statistics its logits are those of training. */
BACKEND_TEST(inference, own_moments_give_the_logits_of_training)
{
    fixture_t f = setup(*index);
    const double tolerance = *index == 0 ? 1e-10 : 1e-4;
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = make_case(f.backend, &NETWORKS[number % N_NETWORKS], BATCH, number);
        double *logits = NULL, *moments = moments_of(&c, &engine, &logits);
        double *inferred = infer(&c, moments, &engine);
        check_logits(&c, inferred, logits, tolerance);
        free(logits);
        free(moments);
        free(inferred);
        free_case(&c);
        nas_engine_destroy(engine);
    }
    teardown(&f);
}

/* Change all images but one. */
static void change_others(program_case_t *c, int kept)
{
    const size_t n_pixels = c->n_pixels / (size_t)c->options.batch;
    for (int n = 0; n < c->options.batch; n++)
        for (size_t i = 0; n != kept && i < n_pixels; i++)
            c->images[(size_t)n * n_pixels + i] = (float)(100.0 * nas_rng_normal(&c->rng));
}

/* An image's logits keep their bits whatever else is in the batch. */
BACKEND_TEST(inference, logits_do_not_depend_on_other_images)
{
    fixture_t f = setup(*index);
    nas_engine_t *engine = NULL;
    for (int number = 0; number < N_CASES; number++) {
        program_case_t c = make_case(f.backend, &NETWORKS[number % N_NETWORKS], BATCH, number);
        const size_t classes = (size_t)c.graph->network.classes;
        double *statistics = random_statistics(&c), *before = infer(&c, statistics, &engine);
        for (int kept = 0; kept < BATCH; kept += BATCH - 1) {
            change_others(&c, kept);
            double *after = infer(&c, statistics, &engine);
            cr_assert_eq(memcmp(before + (size_t)kept * classes, after + (size_t)kept * classes,
                                classes * sizeof *after),
                         0, "cell %d, image %d", number, kept);
            free(after);
            free(before);
            before = infer(&c, statistics, &engine);
        }
        free(before);
        free(statistics);
        free_case(&c);
    }
    nas_engine_destroy(engine);
    teardown(&f);
}

/* A convolution's bias is a part of what its BN normalises: a larger one is a smaller mean to
 * inference, and a larger mean to training. */
Test(inference, bias_counts)
{
    const double more = 0.25;
    int n_biases = 0;
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = make_case(nas_backend_ref(), &TINY, TINY_BATCH, number);
        for (int i = 0; i < c.graph->n_nodes; i++) {
            const nas_node_t *norm = &c.graph->node[i];
            if (norm->kind != NAS_NODE_NORM || !norm->live) continue;
            const nas_node_t *conv = &c.graph->node[nas_graph_input(c.graph, i, 0)];
            const int c_out = conv->extents.c;
            if (conv->kind != NAS_NODE_CONV || conv->bias < 0) continue;
            n_biases++;
            double *logits[2], *moments[2], *statistics = random_statistics(&c), *inferred[2];
            double *bias = c.parameters + c.graph->parameter[conv->bias].offset;
            const int64_t mean = norm->statistics;
            moments[0] = moments_of(&c, &engine, &logits[0]);
            inferred[0] = infer(&c, statistics, &engine);
            for (int k = 0; k < c_out; k++) bias[k] += more;
            for (int k = 0; k < c_out; k++) statistics[mean + k] += more;
            moments[1] = moments_of(&c, &engine, &logits[1]);
            inferred[1] = infer(&c, statistics, &engine);
            check_logits(&c, inferred[1], inferred[0], 1e-12);
            check_logits(&c, logits[1], logits[0], 0);
            for (int64_t k = 0; k < c.graph->n_statistics; k++) {
                const bool moved = k >= mean && k < mean + c_out;
                cr_assert_float_eq(moments[1][k], moments[0][k] + (moved ? more : 0), 1e-12);
            }
            for (int k = 0; k < 2; k++) {
                free(logits[k]);
                free(moments[k]);
                free(inferred[k]);
            }
            free(statistics);
        }
        free_case(&c);
        nas_engine_destroy(engine);
    }
    cr_assert_gt(n_biases, 0);
}

/* A BN's scale is gamma / sqrt(variance + 1e-5): one may stand in for the other. */
Test(inference, variance_and_gamma_scale_alike)
{
    const double epsilon = 1e-5, factor = 1.5;
    nas_engine_t *engine = NULL;
    const int all_convolutions = 1;
    const nas_network_t network = {3, 8, 8, 4, 1, 5, NAS_CONVENTION_TRAIN};
    program_case_t c = make_case(nas_backend_ref(), &network, TINY_BATCH, all_convolutions);
    double *statistics = random_statistics(&c), *before = infer(&c, statistics, &engine);
    for (int i = 0; i < c.graph->n_nodes; i++) {
        const nas_node_t *g = &c.graph->node[i];
        if (g->kind != NAS_NODE_NORM) continue;
        double *variance = statistics + g->statistics + g->extents.c;
        double *gamma = c.parameters + c.graph->parameter[g->weight].offset;
        for (int k = 0; k < g->extents.c; k++) {
            gamma[k] *= factor;
            variance[k] = factor * factor * (variance[k] + epsilon) - epsilon;
        }
    }
    double *after = infer(&c, statistics, &engine);
    check_logits(&c, after, before, 1e-12);
    free(before);
    free(after);
    free(statistics);
    free_case(&c);
    nas_engine_destroy(engine);
}

/* Moments come of the norms that reach the logits, and of no other. */
Test(inference, moments_of_dead_edges_are_0)
{
    int n_live = 0;
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *engine = NULL;
        program_case_t c = make_case(nas_backend_ref(), &TINY, TINY_BATCH, number);
        double *logits = NULL, *moments = moments_of(&c, &engine, &logits);
        for (int i = 0; i < c.graph->n_nodes; i++) {
            const nas_node_t *g = &c.graph->node[i];
            const double *mean = moments + g->statistics, *variance = mean + g->extents.c;
            for (int k = 0; g->kind == NAS_NODE_NORM && k < g->extents.c; k++) {
                cr_assert(g->live || (mean[k] == 0 && variance[k] == 0));
                n_live += g->live && variance[k] > 0;
            }
        }
        free(logits);
        free(moments);
        free_case(&c);
        nas_engine_destroy(engine);
    }
    cr_assert_gt(n_live, 0);
}

/* Inference convolves as often as the loss does, dead edges left out, and takes no moments. */
Test(inference, computes_the_forward_pass_alone)
{
    for (int number = 0; number < N_CASES; number++) {
        nas_engine_t *engine = NULL;
        nas_profile_t of_loss = {0}, of_inference = {0};
        program_case_t c = make_case(nas_backend_ref(), &TINY, TINY_BATCH, number);
        double flops = 0, *statistics = random_statistics(&c);
        c.options.needs = NAS_NEED_LOSS;
        c.profile = &of_loss;
        results_t results = compute(&c, &engine);
        c.profile = &of_inference;
        nas_engine_destroy(engine);
        engine = NULL;
        free(infer(&c, statistics, &engine));
        for (int i = 0; i < of_loss.n; i++) flops += of_loss.entry[i].flops;
        for (int i = 0; i < of_inference.n; i++) {
            cr_assert_neq(of_inference.entry[i].work, NAS_WORK_MOMENTS);
            flops -= of_inference.entry[i].flops;
        }
        cr_assert_eq(flops, 0.0);
        free(statistics);
        free_results(&results);
        free_case(&c);
        nas_engine_destroy(engine);
    }
}
