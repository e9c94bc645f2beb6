/* A Gaussian process over the architectures themselves, whose inputs are the ranks of the metrics
 * and the encoding.
 *
 * docs/methods.md has features, prior and constants; none is fitted. The posterior (posterior.h)
 * streams the pool and knows covariances. This file decides what is a point, which value it has and
 * what is looked for.
 *
 * The points are the evaluations in the order of record, then the picks of the step under way,
 * which are pending. Their values are the standardised targets (pool_gp_targets.h), worked out from
 * the evaluations when a step begins and left alone until it ends. A step is q picks, one after the
 * other, cut to the budget; the first step of all is a step of one. For each:
 *
 *   append    every point that the posterior does not have: after a restart all of them
 *   hedge     with ten points or more, and the probability that points_doubt says: a uniform
 *             draw among the admitted; its value is 0 while it is pending
 *   improve   otherwise the highest expected improvement among the admitted; its value is the
 *             posterior mean while it is pending, so that its z is 0
 *
 * Without points that is the highest mean feature, the start; without metrics a draw. Admitted is
 * what is no point, and in steps that begin with fewer than ten evaluations not hidden either, so
 * that seeds differ; where all that is left is hidden it is admitted for the rest of the step.
 *
 * A failed evaluation is a point like any other, with the lower quartile of the targets.
 *
 * With the budget spent the posterior is asked once more: what it says of the best architecture,
 * and of each metric. That is told in a step without proposals; after a restart in between it is
 * asked again. Where all failed there is nothing to learn.
 *
 * A pool that has neither metrics nor positions is searched as method random does, to the bit.
 *
 * State is the evaluations; rows of L (pool_gp_points.h) are a function of the points alone, so
 * that it does not matter when they were made.
 */
#include "common/base/visited.h"
#include "coordinator/search/methods/method.h"
#include "coordinator/search/methods/pool_gp_points.h"
#include "coordinator/search/methods/pool_gp_targets.h"
#include "worker/ranking/posterior.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SETTLED = 10 /* evaluations after which nothing is hidden, points after which is hedged */
};

typedef enum learning { LEARNING, LEARNED, SAID } learning_t;

typedef struct pool_gp {
    nas_method_setup_t setup;
    nas_visited_t visited; /* the points, number i with architecture node[i].arch */
    int64_t n;             /* evaluations among them */
    double *target;        /* [T] as told */
    bool *failed;          /* [T] */
    double *value;         /* [T] of the points in the step under way */
    nas_points_t points;   /* that the posterior has */

    bool in_step;
    int64_t n_picks;       /* that it is to have */
    nas_phase_t *phase;    /* [min(q, T)] of its picks */
    double hidden;         /* share that it does not admit */
    double incumbent;      /* highest value of a point */
    nas_query_kind_t kind; /* of the question under way */

    learning_t learning;
    double *correlation; /* [n_metric] learned */
    double mean, std;    /* of the best, learned */
} pool_gp_t;

static void destroy(void *self)
{
    pool_gp_t *gp = self;
    if (!gp) return;
    free(gp->correlation);
    free(gp->phase);
    nas_points_fini(&gp->points);
    free(gp->value);
    free(gp->failed);
    free(gp->target);
    nas_visited_fini(&gp->visited);
    free(gp);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static nas_status_t allocate(pool_gp_t *gp, nas_error_t *err)
{
    const size_t budget = (size_t)gp->setup.budget;
    const size_t n_picks = (size_t)least(gp->setup.parallel, gp->setup.budget);
    gp->target = malloc(budget * sizeof *gp->target);
    gp->failed = malloc(budget * sizeof *gp->failed);
    gp->value = malloc(budget * sizeof *gp->value);
    gp->phase = malloc(n_picks * sizeof *gp->phase);
    gp->correlation = calloc((size_t)gp->setup.n_metric + 1, sizeof *gp->correlation);
    const bool ok = gp->target && gp->failed && gp->value && gp->phase && gp->correlation;
    return ok ? NAS_OK : nas_error_nomem(err, "the evaluations of pool-gp");
}

static nas_status_t create(const nas_method_setup_t *setup, void **self_p, nas_error_t *err)
{
    pool_gp_t *gp = calloc(1, sizeof *gp);
    if (!gp) return nas_error_nomem(err, "pool-gp");
    gp->setup = *setup;
    nas_status_t status = allocate(gp, err);
    if (status) goto out;
    status = nas_visited_init(&gp->visited, setup->n_arch, setup->budget, err);
    if (status) goto out;
    *self_p = gp;
    gp = NULL;
out:
    destroy(gp);
    return status;
}

/* ------------------------------------------------------------------------------ picks of a step */

/* Whether the posterior knows anything but names. */
static bool learns(const nas_method_setup_t *setup)
{
    return setup->n_kept > 0 || setup->n_position > 0;
}

static nas_status_t begin_step(pool_gp_t *gp, nas_error_t *err)
{
    NAS_ASSERT(gp->visited.n == gp->n);
    const nas_method_setup_t *setup = &gp->setup;
    const bool hides = gp->n < SETTLED && setup->n_arch >= NAS_METHOD_LEAST_HIDING;
    const bool is_first = learns(setup) && gp->n == 0;
    const nas_evaluated_t evaluated = {
        .target = gp->target, .failed = gp->failed, .n = gp->n, .interrupt = setup->interrupt};
    const nas_status_t status = nas_pool_gp_targets(&evaluated, gp->value, err);
    if (status) return status;
    gp->incumbent = gp->n > 0 ? gp->value[0] : 0.0;
    for (int64_t i = 1; i < gp->n; i++) gp->incumbent = fmax(gp->incumbent, gp->value[i]);
    gp->n_picks = is_first ? 1 : least(setup->parallel, setup->budget - gp->n);
    gp->hidden = hides ? setup->hidden : 0.0;
    nas_points_forget(&gp->points);
    gp->in_step = true;
    return NAS_OK;
}

static void pend(pool_gp_t *gp, int64_t arch, nas_phase_t phase, double value)
{
    const int64_t at = gp->visited.n;
    const bool is_new = nas_visited_add(&gp->visited, arch);
    NAS_ASSERT(is_new);
    gp->phase[at - gp->n] = phase;
    gp->value[at] = value;
    if (at > 0) gp->incumbent = fmax(gp->incumbent, value);
}

/* Whether the points that the posterior has still lack one. */
static bool lacks_points(const pool_gp_t *gp)
{
    return gp->points.n < gp->visited.n;
}

/* z of all points, once the posterior has them. */
static nas_status_t solve(pool_gp_t *gp, nas_error_t *err)
{
    nas_points_t *points = &gp->points;
    nas_status_t status = nas_points_solve(points, gp->value, gp->n, gp->setup.interrupt, err);
    while (!status && points->n_known < points->n) {
        const int64_t i = points->n_known;
        if (gp->phase[i - gp->n] == NAS_PHASE_IMPROVEMENT)
            nas_points_agree(points);
        else
            status = nas_points_solve(points, gp->value, i + 1, gp->setup.interrupt, err);
    }
    return status;
}

static bool is_admitted(const pool_gp_t *gp, int64_t arch)
{
    if (nas_visited_has(&gp->visited, arch)) return false;
    return gp->hidden == 0.0 || !nas_posterior_hides(gp->setup.seed, gp->hidden, arch);
}

/* The next one, cyclically; -1 where there is none. */
static nas_status_t next_admitted(const pool_gp_t *gp, int64_t *arch, nas_error_t *err)
{
    const int64_t n_arch = gp->setup.n_arch;
    for (int64_t i = 0; i < n_arch; i++) {
        const nas_status_t status =
            nas_interrupt_check(gp->setup.interrupt, (double)i / (double)n_arch, err);
        if (status) return status;
        *arch = *arch + 1 < n_arch ? *arch + 1 : 0;
        if (is_admitted(gp, *arch)) return NAS_OK;
    }
    *arch = -1;
    return NAS_OK;
}

/* A uniform draw among the admitted, of which there may be few; -1 where there is none. */
static nas_status_t draw(const pool_gp_t *gp, nas_rng_t rng, int64_t *arch, nas_error_t *err)
{
    const int n_tries = 64;
    for (int i = 0; i < n_tries; i++) {
        *arch = (int64_t)(nas_rng_uniform(&rng) * (double)gp->setup.n_arch);
        if (is_admitted(gp, *arch)) return NAS_OK;
    }
    return next_admitted(gp, arch, err);
}

/* The probability of a draw. */
static double doubt(const pool_gp_t *gp)
{
    if (gp->visited.n == 0) return gp->setup.n_kept > 0 ? 0.0 : 1.0;
    return gp->visited.n < SETTLED ? 0.0 : nas_points_doubt(&gp->points, gp->n);
}

/* Draw the next pick, if this one is to be drawn. */
static nas_status_t hedge(pool_gp_t *gp, bool *is_drawn, nas_error_t *err)
{
    nas_rng_t rng;
    int64_t arch = 0;
    nas_rng_init(&rng, gp->setup.seed, NAS_STREAM_HEDGE, (uint64_t)gp->visited.n);
    *is_drawn = nas_rng_uniform(&rng) < doubt(gp);
    if (!*is_drawn) return NAS_OK;
    nas_status_t status = draw(gp, rng, &arch, err);
    if (!status && arch < 0) {
        gp->hidden = 0.0; /* all that is left is hidden */
        status = draw(gp, rng, &arch, err);
    }
    if (status) return status;
    pend(gp, arch, gp->visited.n == 0 ? NAS_PHASE_START : NAS_PHASE_HEDGE, 0.0);
    return NAS_OK;
}

/* A pick of method random. */
static void explore(pool_gp_t *gp)
{
    nas_rng_t rng;
    nas_rng_init(&rng, gp->setup.seed, NAS_STREAM_RANDOM, (uint64_t)gp->visited.n);
    pend(gp, nas_visited_draw(&gp->visited, &rng), NAS_PHASE_EXPLORE, 0.0);
}

/* ------------------------------------------------------------------- questions to the posterior */

/* The highest target, the earliest on a tie; -1 where all failed. */
static int64_t best_arch(const pool_gp_t *gp)
{
    int64_t best = -1;
    for (int64_t i = 0; i < gp->n; i++)
        if (!gp->failed[i] && (best < 0 || gp->target[i] > gp->target[best])) best = i;
    return best < 0 ? -1 : gp->visited.node[best].arch;
}

static nas_query_t about_append(const pool_gp_t *gp)
{
    const int64_t n = gp->points.n;
    return (nas_query_t){.kind = NAS_QUERY_APPEND, .n_points = n, .arch = gp->visited.node[n].arch};
}

static nas_query_t about_improve(const pool_gp_t *gp)
{
    return (nas_query_t){.kind = NAS_QUERY_IMPROVE,
                         .n_points = gp->points.n,
                         .z = gp->points.z,
                         .incumbent = gp->incumbent,
                         .hidden = gp->hidden};
}

static nas_query_t about_best(const pool_gp_t *gp)
{
    return (nas_query_t){.kind = NAS_QUERY_LEARNED,
                         .n_points = gp->points.n,
                         .arch = best_arch(gp),
                         .z = gp->points.z};
}

static bool has_picked(const pool_gp_t *gp)
{
    return gp->visited.n - gp->n == gp->n_picks;
}

/* Draw picks until there is something to ask for, or they are complete. */
static nas_status_t ask_of_picks(pool_gp_t *gp, nas_query_t *query, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    bool is_drawn = true;
    while (!status && is_drawn && !has_picked(gp)) {
        status = nas_interrupt_check(gp->setup.interrupt, 0.0, err);
        if (status) return status;
        if (!learns(&gp->setup)) {
            explore(gp);
        } else if (lacks_points(gp)) {
            *query = about_append(gp);
            return NAS_OK;
        } else {
            status = solve(gp, err);
            if (!status) status = hedge(gp, &is_drawn, err);
        }
    }
    *query = is_drawn ? (nas_query_t){.kind = NAS_QUERY_NONE} : about_improve(gp);
    return status;
}

static nas_status_t ask_of_what_is_learned(pool_gp_t *gp, nas_query_t *query, nas_error_t *err)
{
    nas_status_t status = nas_interrupt_check(gp->setup.interrupt, 0.0, err);
    if (status) return status;
    *query = (nas_query_t){.kind = NAS_QUERY_NONE};
    if (gp->learning == LEARNED) return NAS_OK;
    if (lacks_points(gp)) {
        *query = about_append(gp);
        return NAS_OK;
    }
    status = solve(gp, err);
    *query = about_best(gp);
    return status;
}

/* Whether nothing more is to be evaluated or known. */
static bool is_done(const pool_gp_t *gp)
{
    if (gp->n < gp->setup.budget) return false;
    return gp->learning == SAID || !learns(&gp->setup) || best_arch(gp) < 0;
}

static nas_status_t ask(void *self, nas_query_t *query, nas_error_t *err)
{
    pool_gp_t *gp = self;
    nas_status_t status = NAS_OK;
    if (is_done(gp)) {
        *query = (nas_query_t){.kind = NAS_QUERY_DONE};
        return NAS_OK;
    }
    if (!gp->in_step) status = begin_step(gp, err);
    if (!status && gp->n == gp->setup.budget)
        status = ask_of_what_is_learned(gp, query, err);
    else if (!status)
        status = ask_of_picks(gp, query, err);
    gp->kind = query->kind;
    return status;
}

static void hear_pick(pool_gp_t *gp, const nas_posterior_answer_t *answer)
{
    const bool is_start = gp->visited.n == 0;
    if (answer->arch >= 0) {
        pend(gp, answer->arch, is_start ? NAS_PHASE_START : NAS_PHASE_IMPROVEMENT, answer->mean);
        return;
    }
    NAS_ASSERT(gp->hidden > 0.0); /* the budget is at most the pool */
    gp->hidden = 0.0;
}

static nas_status_t hear(void *self, const nas_posterior_answer_t *answer, nas_error_t *err)
{
    pool_gp_t *gp = self;
    if (gp->kind == NAS_QUERY_APPEND)
        return nas_points_add(&gp->points, answer->mean, answer->values, err);
    if (gp->kind == NAS_QUERY_IMPROVE) {
        hear_pick(gp, answer);
        return NAS_OK;
    }
    NAS_ASSERT(gp->kind == NAS_QUERY_LEARNED);
    gp->mean = answer->mean;
    gp->std = answer->std;
    for (int64_t j = 0; j < gp->setup.n_metric; j++) gp->correlation[j] = answer->values[j];
    gp->learning = LEARNED;
    return NAS_OK;
}

/* ------------------------------------------------------------------------ proposals and results */

static nas_status_t propose(void *self, const int64_t *answer, nas_proposals_t *proposals,
                            nas_error_t *err)
{
    (void)answer;
    (void)err;
    pool_gp_t *gp = self;
    NAS_ASSERT(gp->in_step && has_picked(gp));
    gp->in_step = false;
    proposals->n = gp->n_picks;
    proposals->n_frontier = 0;
    for (int64_t i = 0; i < gp->n_picks; i++) {
        proposals->arch[i] = gp->visited.node[gp->n + i].arch;
        proposals->phase[i] = gp->phase[i];
    }
    if (gp->learning != LEARNED) return NAS_OK;
    gp->learning = SAID;
    proposals->has_learned = true;
    proposals->posterior_mean = gp->mean;
    proposals->posterior_std = gp->std;
    memcpy(proposals->best_weights, gp->correlation,
           (size_t)gp->setup.n_metric * sizeof *gp->correlation);
    return NAS_OK;
}

static nas_status_t tell(void *self, const nas_result_t *result, int64_t n, nas_error_t *err)
{
    pool_gp_t *gp = self;
    for (int64_t i = 0; i < n; i++) {
        const nas_status_t status = nas_interrupt_check(gp->setup.interrupt, 0.0, err);
        if (status) return status;
        const bool is_too_many = gp->n == gp->setup.budget;
        if (!is_too_many && gp->n == gp->visited.n)
            (void)nas_visited_add(&gp->visited, result[i].arch);
        if (is_too_many || nas_visited_find(&gp->visited, result[i].arch) != gp->n)
            return nas_error_set(err, NAS_EINPUT,
                                 "pool-gp: architecture %" PRId64
                                 " is recorded out of order; the record is of another search",
                                 result[i].arch);
        gp->target[gp->n] = result[i].target;
        gp->failed[gp->n++] = result[i].failed;
    }
    return NAS_OK;
}

/* The factor, and 70 bytes an evaluation; a forward substitution and a sort a step. */
static nas_method_need_t need(const nas_method_setup_t *setup)
{
    const double n = (double)setup->budget, n_steps = n / (double)setup->parallel;
    const double product_s = 1.5e-9, number_s = 6e-7;
    if (!learns(setup)) return (nas_method_need_t){.n_bytes = 70.0 * n, .seconds = 1e-6 * n};
    return (nas_method_need_t){.n_bytes = nas_points_bytes(setup->budget) + 70.0 * n,
                               .seconds = n_steps * (product_s * n * n / 6.0 + number_s * n / 2.0) +
                                          1e-6 * n};
}

const nas_method_t nas_method_pool_gp = {
    .name = "pool-gp",
    .summary = "a Gaussian process over the architectures: ranks of metrics, and encoding",
    .has_posterior = true,
    .need = need,
    .create = create,
    .destroy = destroy,
    .ask = ask,
    .propose = propose,
    .hear = hear,
    .tell = tell,
};
