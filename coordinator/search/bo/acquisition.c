#include "coordinator/search/bo/acquisition.h"

#include "common/base/rng.h"
#include "coordinator/search/bo/minimise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES_AT_ONCE = 250 };

double nas_ucb(const nas_gp_t *gp, int64_t d, const double *x, double *gradient)
{
    nas_gp_point_t point;
    nas_gp_predict_gradient(gp, x, &point);
    if (gradient) {
        for (int64_t c = 0; c < d; c++) {
            gradient[c] = point.mean_gradient[c] + NAS_UCB_KAPPA * point.std_gradient[c];
        }
    }
    return point.mean + NAS_UCB_KAPPA * point.std;
}

/* A const process for the minimiser, whose context is not. */
typedef struct objective {
    const nas_gp_t *gp;
    nas_minimiser_t *minimiser;
} objective_t;

static double negative_ucb(int64_t d, const double *x, double *gradient, void *context)
{
    const objective_t *objective = context;
    if (nas_gp_interrupted(objective->gp)) nas_minimiser_stop(objective->minimiser);
    const double value = nas_ucb(objective->gp, d, x, gradient);
    for (int64_t c = 0; c < d; c++) gradient[c] = -gradient[c];
    return -value;
}

static void draw(nas_rng_t *rng, int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) x[i] = nas_rng_between(rng, -1.0, 1.0);
}

/* x [out]: the best of NAS_UCB_CANDIDATES uniform points, the first one on a tie. candidate: memory
 * for CANDIDATES_AT_ONCE points. NAS_ESTOP. */
static nas_status_t best_candidate(const nas_gp_t *gp, int64_t d, nas_rng_t *rng, double *candidate,
                                   double *x)
{
    double mean[CANDIDATES_AT_ONCE];
    double std[CANDIDATES_AT_ONCE];
    double best = -HUGE_VAL;
    _Static_assert(NAS_UCB_CANDIDATES % CANDIDATES_AT_ONCE == 0, "the last block would be short");
    for (int done = 0; done < NAS_UCB_CANDIDATES; done += CANDIDATES_AT_ONCE) {
        draw(rng, CANDIDATES_AT_ONCE * d, candidate);
        const nas_matrix_view_t X = {candidate, CANDIDATES_AT_ONCE, d, d};
        const nas_status_t status = nas_gp_predict(gp, X, mean, std);
        if (status) return status;
        for (int64_t j = 0; j < CANDIDATES_AT_ONCE; j++) {
            const double value = mean[j] + NAS_UCB_KAPPA * std[j];
            if (value > best) {
                best = value;
                memcpy(x, candidate + j * d, (size_t)d * sizeof *x);
            }
        }
    }
    return NAS_OK;
}

nas_status_t nas_ucb_maximise(const nas_gp_t *gp, int64_t d, uint64_t seed, uint64_t index,
                              double *x, nas_error_t *err)
{
    double *candidate = malloc((size_t)(CANDIDATES_AT_ONCE * d) * sizeof *candidate);
    if (!candidate) return nas_error_nomem(err, "candidates");
    nas_minimiser_t *minimiser = NULL;
    nas_status_t status = nas_minimiser_create(d, -1.0, 1.0, &minimiser, err);
    if (status != NAS_OK) goto out;

    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_ACQUISITION, index);
    status = best_candidate(gp, d, &rng, candidate, x);
    objective_t objective = {gp, minimiser};
    double best = status ? 0.0 : nas_ucb(gp, d, x, NULL);
    for (int search = 0; search < NAS_UCB_LOCAL_SEARCHES && !status; search++) {
        double *start = candidate;
        draw(&rng, d, start);
        const double value = -nas_minimise(minimiser, negative_ucb, &objective, start);
        if (value >= best) {
            best = value;
            memcpy(x, start, (size_t)d * sizeof *x);
        }
        if (nas_gp_interrupted(gp)) status = NAS_ESTOP;
    }
    if (status) (void)nas_error_set(err, status, "a maximisation was interrupted");

out:
    nas_minimiser_destroy(minimiser);
    free(candidate);
    return status;
}
