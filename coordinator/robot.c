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
 * A failed observation enters with the lowest target among those that succeeded (0 where none did),
 * as known when the process is fitted, so that the search turns away from it. That is all a failure
 * does here.
 *
 * Exploitation is the greedy search under the weights of the best observation, the later on a tie,
 * until T distinct architectures are evaluated. Its results never enter the process.
 */
#include "common/visited.h"
#include "coordinator/acquisition.h"
#include "coordinator/gp.h"
#include "coordinator/greedy.h"
#include "coordinator/method.h"

#include <stdlib.h>
#include <string.h>

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
} robot_t;

static void destroy(void *self)
{
    robot_t *robot = self;
    if (!robot) return;
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
    const bool ok = robot->weights && robot->target && robot->failed && robot->y;
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
    status = nas_gp_create(setup->n_metric, &robot->gp, err);
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

/* Choose weight vector i > 0 by the i before it, and set y[i] to the mean there. */
static nas_status_t next_weights(robot_t *robot, int64_t i, nas_error_t *err)
{
    const int64_t d = robot->setup.n_metric;
    const uint64_t seed = robot->setup.seed;
    double *w = weights_of(robot, i);
    const nas_matrix_view_t before = {.data = robot->weights, .n = i, .d = d, .stride = d};
    nas_status_t status = nas_gp_fit(robot->gp, before, robot->y, seed, (uint64_t)i, err);
    if (status) return status;
    status = nas_ucb_maximise(robot->gp, d, seed, (uint64_t)i, w, err);
    if (status) return status;
    const nas_matrix_view_t here = {.data = w, .n = 1, .d = d, .stride = d};
    double std;
    nas_gp_predict(robot->gp, here, &robot->y[i], &std);
    return NAS_OK;
}

static nas_status_t ask_exploration(robot_t *robot, nas_query_t *query, nas_error_t *err)
{
    const int64_t n = robot->n_observation;
    const int64_t left = robot->setup.budget - n;
    const int64_t n_weights = left < robot->setup.parallel ? left : robot->setup.parallel;
    const double lowest = lowest_target(robot);
    for (int64_t i = 0; i < n; i++) robot->y[i] = robot->failed[i] ? lowest : robot->target[i];
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
    proposals->phase = NAS_PHASE_EXPLORE;
    proposals->n_frontier = 0;
    const size_t n_weight = (size_t)(proposals->n * robot->setup.n_metric);
    memcpy(proposals->arch, answer, (size_t)proposals->n * sizeof *answer);
    memcpy(proposals->weights, weights_of(robot, robot->n_observation),
           n_weight * sizeof *proposals->weights);
    return NAS_OK;
}

static nas_status_t tell(void *self, const nas_result_t *result, int64_t n, nas_error_t *err)
{
    (void)err;
    robot_t *robot = self;
    for (int64_t i = 0; i < n; i++) {
        (void)nas_visited_add(&robot->visited, result[i].arch);
        if (result[i].phase != NAS_PHASE_EXPLORE) continue;
        NAS_ASSERT(exploring(robot));
        const int64_t at = robot->n_observation++;
        memcpy(weights_of(robot, at), result[i].weights,
               (size_t)robot->setup.n_metric * sizeof *robot->weights);
        robot->target[at] = result[i].target;
        robot->failed[at] = result[i].failed;
    }
    return NAS_OK;
}

const nas_method_t nas_method_robot = {
    .name = "robot",
    .summary = "RoBoT: Bayesian optimisation of metric weights, then greedy search",
    .needs_metrics = true,
    .create = create,
    .destroy = destroy,
    .ask = ask,
    .propose = propose,
    .tell = tell,
};
