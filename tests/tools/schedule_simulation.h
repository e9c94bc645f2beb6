/* The rounds of scoring, as shipped, played through with made-up ranks in place of real ones. */
#ifndef NAS_TESTS_ROUNDS_SIMULATION_H
#define NAS_TESTS_ROUNDS_SIMULATION_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stdint.h>

/** What to play. A rank's speed is uniform in [1, fastest), an item's true cost is its predicted one times
 *  exp(cost_error * normal); both are drawn by seed. */
typedef struct nas_simulation_options {
    int64_t n;
    const double *cost; /**< [n] predicted: seconds on a rank of speed 1; borrowed for the call */
    int n_ranks;
    double fastest;
    int width;           /**< items that each rank takes at once */
    double pack_alone_s; /**< least seconds of a pack, on a rank of speed 1 */
    double target_s;
    double cost_error;
    double meeting_s; /**< gather and broadcast at the end of a round */
    bool speeds_known;
    uint64_t seed;
} nas_simulation_options_t;

/** What came out. Ideal is each rank at the speed that it has in full packs. Shares are of n_ranks * seconds; the idle ones sum to idle. */
typedef struct nas_simulation {
    int n_rounds;
    double seconds;      /**< of all rounds, each as long as its last rank and the meeting */
    double longest_s;    /**< of one round */
    double ideal_s;      /**< total work over total speed */
    double idle;         /**< everything but work */
    double idle_first;   /**< waiting in the first round */
    double idle_between; /**< in the rounds between */
    double idle_last;    /**< in the last round */
    double idle_meeting;
} nas_simulation_t;

/** Costs of the 15,625 cells of NAS-Bench-201, `copies` times over, at 16 channels, 5 cells and
 *  32 x 32 images: multiply-adds of the live part and a fixed part, a share of the costliest's, which
 *  takes 2.0.
 *  n [out]. The caller frees the result; NULL where memory is out. */
double *nas_simulation_costs(int copies, double fixed_part, int64_t *n);

/** Multiply all costs, so that their mean is mean_s. */
void nas_simulation_set_mean(double *cost, int64_t n, double mean_s);

/** Play all rounds.  Deterministic; O(rounds * n).
 *  result [out].
 *  NAS_ENOMEM. */
nas_status_t nas_simulate_schedule(const nas_simulation_options_t *options,
                                   nas_simulation_t *result, nas_error_t *err);

#endif
