/* RoBoT: Bayesian optimisation over the weights of the metrics, then greedy search under the best
 * weights.
 *
 * He et al., Robustifying and Boosting Training-Free Neural Architecture Search, ICLR 2024,
 * algorithm 1.
 *
 * Exploration is T observations. Observation i is a weight vector in [-1, 1]^M and the target of
 * the architecture it ranks first: number 0 is drawn uniformly, number i maximises the upper
 * confidence bound of a Gaussian process conditioned on those before it. All randomness is keyed by
 * i. A vector that leads to an architecture known already costs no evaluation and is an observation
 * like any other.
 *
 * q vectors of one step are chosen one after the other. Those whose targets are not known yet are
 * pending: they enter the process with its mean there (0 where it has seen nothing), which moves
 * the next one elsewhere.
 *
 * Up to 300 observations, pending ones included, the length scale is fitted to all of them for each
 * vector. Beyond, where that would take the most of the time by far, to the first n' alone: the
 * largest of 300 x 1.1^k that is at or below their number, rounded down to a multiple of q, so that
 * all n' have targets; where q is larger than that, not rounded. The process is conditioned on all.
 *
 * Targets whose squares would overflow are divided by a power of two first
 * (common/base/magnitude.h).
 *
 * A failed observation enters with the lowest target among those that succeeded (0 where none did),
 * as known when the process is fitted, so that the search turns away from it. That is all a failure
 * does here.
 *
 * Exploitation is the greedy search under the weights of the best observation, the later on a tie,
 * until T distinct architectures are evaluated. Its results never enter the process.
 */
#include "common/base/magnitude.h"
#include "common/base/visited.h"
#include "coordinator/search/bo/acquisition.h"
#include "coordinator/search/bo/gp.h"
#include "coordinator/search/methods/greedy.h"
#include "coordinator/search/methods/method.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FITTED_WHOLE = 300 };

typedef struct robot {
    nas_method_setup_t setup;
    nas_gp_t *gp;
    nas_visited_t visited;
    nas_greedy_t greedy;
    int64_t n_observation; /* of exploration, told */
    double *weights;       /* [T x M] of the observations, then of the pending */
    double *target;        /* [T] of the observations, as told */
    bool *failed;          /* [T] */
    double *y;             /* [T] what the process is fitted to: observations, then pending */
    int64_t n_fitted;      /* beyond FITTED_WHOLE, those that the length scale was fitted to ... */
    double *y_fitted;      /* [T] ... with these targets ... */
    double length_scale;   /* ... and what came of it */
} robot_t;

static void destroy(void *self)
{
    robot_t *robot = self;
    if (!robot) return;
    free(robot->y_fitted);
    free(robot->y);
    free(robot->failed);
    free(robot->target);
    free(robot->weights);
    nas_greedy_fini(&robot->greedy);
    nas_visited_fini(&robot->visited);
    nas_gp_destroy(robot->gp);
    free(robot);
}

static nas_status_t allocate_observations(robot_t *robot, nas_error_t *err)
{
    const size_t n = (size_t)robot->setup.budget;
    robot->weights = malloc(n * (size_t)robot->setup.n_metric * sizeof *robot->weights);
    robot->target = malloc(n * sizeof *robot->target);
    robot->failed = malloc(n * sizeof *robot->failed);
    robot->y = malloc(n * sizeof *robot->y);
    robot->y_fitted = malloc(n * sizeof *robot->y_fitted);
    const bool ok = robot->weights && robot->target && robot->failed && robot->y && robot->y_fitted;
    return ok ? NAS_OK : nas_error_nomem(err, "the observations of robot");
}

static nas_status_t create(const nas_method_setup_t *setup, void **self_p, nas_error_t *err)
{
    NAS_ASSERT(setup->n_metric > 0);
    robot_t *robot = calloc(1, sizeof *robot);
    if (!robot) return nas_error_nomem(err, "robot");
    robot->setup = *setup;
    nas_status_t status = allocate_observations(robot, err);
    if (status) goto out;
    status = nas_gp_create(setup->n_metric, setup->budget, setup->interrupt, &robot->gp, err);
    if (status) goto out;
    status = nas_visited_init(&robot->visited, setup->n_arch, setup->budget, err);
    if (status) goto out;
    status = nas_greedy_init(&robot->greedy, setup, err);
    if (status) goto out;
    *self_p = robot;
    robot = NULL;
out:
    destroy(robot);
    return status;
}

static double *weights_of(const robot_t *robot, int64_t i)
{
    return robot->weights + i * robot->setup.n_metric;
}

static double lowest_target(const robot_t *robot)
{
    double lowest = 0.0;
    bool any = false;
    for (int64_t i = 0; i < robot->n_observation; i++) {
        if (robot->failed[i] || (any && robot->target[i] >= lowest)) continue;
        lowest = robot->target[i];
        any = true;
    }
    return lowest;
}

static void first_weights(robot_t *robot)
{
    nas_rng_t rng;
    nas_rng_init(&rng, robot->setup.seed, NAS_STREAM_FIRST_WEIGHTS, 0);
    for (int64_t m = 0; m < robot->setup.n_metric; m++)
        robot->weights[m] = nas_rng_between(&rng, -1.0, 1.0);
}

/* How many of n observations the length scale is fitted to. */
static int64_t count_fitted(int64_t n, int64_t parallel)
{
    double step = FITTED_WHOLE;
    if (n <= FITTED_WHOLE) return n;
    while (floor(1.1 * step) <= (double)n) step *= 1.1;
    const int64_t reached = (int64_t)step, rounded = reached - reached % parallel;
    return rounded > 0 ? rounded : reached;
}

static nas_matrix_view_t first_observations(const robot_t *robot, int64_t n)
{
    const int64_t d = robot->setup.n_metric;
    return (nas_matrix_view_t){.data = robot->weights, .n = n, .d = d, .stride = d};
}

/* The length scale of the first n, beyond FITTED_WHOLE: known as long as their targets stay, which
 * a failure's may not. */
static nas_status_t fit_first(robot_t *robot, int64_t n, nas_error_t *err)
{
    const size_t size = (size_t)n * sizeof *robot->y;
    if (robot->n_fitted == n && memcmp(robot->y_fitted, robot->y, size) == 0) return NAS_OK;
    const nas_status_t status = nas_gp_fit(robot->gp, first_observations(robot, n), robot->y,
                                           robot->setup.seed, (uint64_t)n, err);
    if (status) return status;
    robot->n_fitted = n;
    memcpy(robot->y_fitted, robot->y, size);
    robot->length_scale = nas_gp_length_scale(robot->gp);
    return NAS_OK;
}

/* The process of the first n. */
static nas_status_t fit(robot_t *robot, int64_t n, nas_error_t *err)
{
    const nas_matrix_view_t X = first_observations(robot, n);
    if (n <= FITTED_WHOLE)
        return nas_gp_fit(robot->gp, X, robot->y, robot->setup.seed, (uint64_t)n, err);
    const nas_status_t status = fit_first(robot, count_fitted(n, robot->setup.parallel), err);
    if (status) return status;
    return nas_gp_condition(robot->gp, X, robot->y, robot->length_scale, err);
}

/* Choose weight vector i > 0 by the i before it, and set y[i] to the mean there. */
static nas_status_t next_weights(robot_t *robot, int64_t i, nas_error_t *err)
{
    const int64_t d = robot->setup.n_metric;
    const uint64_t seed = robot->setup.seed;
    double *w = weights_of(robot, i);
    nas_status_t status = fit(robot, i, err);
    if (status) return status;
    status = nas_ucb_maximise(robot->gp, d, seed, (uint64_t)i, w, err);
    if (status) return status;
    const nas_matrix_view_t here = {.data = w, .n = 1, .d = d, .stride = d};
    double std;
    status = nas_gp_predict(robot->gp, here, &robot->y[i], &std);
    return status ? nas_interrupt_check(robot->setup.interrupt, 0.0, err) : NAS_OK;
}

/* What the process is told of the observations. */
static void set_targets(robot_t *robot)
{
    const int64_t n = robot->n_observation;
    const double lowest = lowest_target(robot);
    for (int64_t i = 0; i < n; i++) robot->y[i] = robot->failed[i] ? lowest : robot->target[i];
    const int exponent = nas_magnitude_of(robot->y, n);
    for (int64_t i = 0; i < n && exponent; i++) robot->y[i] = ldexp(robot->y[i], -exponent);
}

static nas_status_t ask_exploration(robot_t *robot, nas_query_t *query, nas_error_t *err)
{
    const int64_t n = robot->n_observation;
    const int64_t left = robot->setup.budget - n;
    const int64_t n_weights = left < robot->setup.parallel ? left : robot->setup.parallel;
    set_targets(robot);
    for (int64_t i = n; i < n + n_weights; i++) {
        if (i > 0) {
            const nas_status_t status = next_weights(robot, i, err);
            if (status) return status;
        } else {
            first_weights(robot);
            robot->y[0] = 0.0;
        }
    }
    *query = (nas_query_t){
        .kind = NAS_QUERY_BEST, .n_weights = n_weights, .k = 1, .weights = weights_of(robot, n)};
    return NAS_OK;
}

/* The weights of the best observation, the later on a tie; where all failed, of the last. */
static const double *best_weights(const robot_t *robot)
{
    int64_t best = -1;
    for (int64_t i = 0; i < robot->n_observation; i++)
        if (!robot->failed[i] && (best < 0 || robot->target[i] >= robot->target[best])) best = i;
    return weights_of(robot, best < 0 ? robot->n_observation - 1 : best);
}

static bool exploring(const robot_t *robot)
{
    return robot->n_observation < robot->setup.budget;
}

static nas_status_t ask(void *self, nas_query_t *query, nas_error_t *err)
{
    robot_t *robot = self;
    if (exploring(robot)) return ask_exploration(robot, query, err);
    nas_greedy_ask(&robot->greedy, &robot->visited, best_weights(robot), query);
    return NAS_OK;
}

static nas_status_t propose(void *self, const int64_t *answer, nas_proposals_t *proposals,
                            nas_error_t *err)
{
    (void)err;
    robot_t *robot = self;
    if (!exploring(robot)) {
        nas_greedy_propose(&robot->greedy, &robot->visited, best_weights(robot), answer, proposals);
        return NAS_OK;
    }
    const int64_t left = robot->setup.budget - robot->n_observation;
    proposals->n = left < robot->setup.parallel ? left : robot->setup.parallel;
    for (int64_t i = 0; i < proposals->n; i++) proposals->phase[i] = NAS_PHASE_EXPLORE;
    proposals->n_frontier = 0;
    const size_t n_weight = (size_t)(proposals->n * robot->setup.n_metric);
    memcpy(proposals->arch, answer, (size_t)proposals->n * sizeof *answer);
    memcpy(proposals->weights, weights_of(robot, robot->n_observation),
           n_weight * sizeof *proposals->weights);
    return NAS_OK;
}

static nas_status_t tell(void *self, const nas_result_t *result, int64_t n, nas_error_t *err)
{
    robot_t *robot = self;
    for (int64_t i = 0; i < n; i++) {
        const nas_status_t status = nas_interrupt_check(robot->setup.interrupt, 0.0, err);
        if (status) return status;
        const bool is_exploration = result[i].phase == NAS_PHASE_EXPLORE;
        if (is_exploration != exploring(robot))
            return nas_error_set(err, NAS_EINPUT,
                                 "robot: architecture %" PRId64
                                 " is recorded out of order; the record is of another search",
                                 result[i].arch);
        (void)nas_visited_add(&robot->visited, result[i].arch);
        if (!is_exploration) continue;
        const int64_t at = robot->n_observation++;
        memcpy(weights_of(robot, at), result[i].weights,
               (size_t)robot->setup.n_metric * sizeof *robot->weights);
        robot->target[at] = result[i].target;
        robot->failed[at] = result[i].failed;
    }
    return NAS_OK;
}

/* One evaluation of the likelihood with its derivative, and one without, of n observations.
 * Measured on a core that factorises at 40 GFLOP/s, as are the constants below. */
static double likelihood_s(double n)
{
    return 4.7e-9 * n * n + 2.8e-11 * n * n * n;
}

static double condition_s(double n)
{
    return 2.4e-9 * n * n + 9.3e-12 * n * n * n;
}

/* Sum over n = 0 .. m of what `seconds` says, which grows at most with n^3: Simpson's rule. */
static double sum_s(double (*seconds)(double n), double m)
{
    return m / 6.0 * (seconds(0.0) + 4.0 * seconds(m / 2.0) + seconds(m));
}

/* 10,000 points and some local searches. */
static double maximise_s(double n)
{
    return 1.5e-3 + 4.5e-5 * n + 2.2e-7 * n * n;
}

static nas_method_need_t need(const nas_method_setup_t *setup)
{
    const double n_likelihoods = 80.0; /* of a fit */
    const double n = (double)setup->budget, n_whole = fmin(n, FITTED_WHOLE);
    double seconds = n_likelihoods * sum_s(likelihood_s, n_whole) + sum_s(maximise_s, n);
    seconds += sum_s(condition_s, n) - sum_s(condition_s, n_whole);
    double step = FITTED_WHOLE;
    while (step < n) {
        seconds += n_likelihoods * likelihood_s(step);
        step *= 1.1;
    }
    return (nas_method_need_t){.n_bytes = nas_gp_bytes(setup->n_metric, setup->budget),
                               .seconds = seconds};
}

const nas_method_t nas_method_robot = {
    .name = "robot",
    .summary = "RoBoT: Bayesian optimisation of metric weights, then greedy search",
    .observes = true,
    .needs_metrics = true,
    .need = need,
    .create = create,
    .destroy = destroy,
    .ask = ask,
    .propose = propose,
    .tell = tell,
};
