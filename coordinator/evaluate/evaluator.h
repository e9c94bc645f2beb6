/* Evaluations on all ranks: candidates that rank 0 names are evaluated by the job's objective, by
 * teams of ranks at the same time. */
#ifndef NAS_COORDINATOR_EVALUATE_EVALUATOR_H
#define NAS_COORDINATOR_EVALUATE_EVALUATOR_H

#include "common/base/error.h"
#include "common/base/strings.h"
#include "common/comm/comm.h"
#include "common/comm/heartbeat.h"
#include "coordinator/devices/devices.h"
#include "coordinator/evaluate/evaluate_parameters.h"
#include "worker/candidates/candidate.h"
#include "worker/data/dataset.h"
#include "worker/engine/graph/networks.h"

#include <stdint.h>

/** Opaque. */
typedef struct nas_evaluator nas_evaluator_t;

/** What rank 0 has for all; borrowed for the call, but for the images, which are kept
 *  (borrowed). */
typedef struct nas_evaluator_options {
    nas_evaluate_parameters_t parameters; /**< of the run */
    const char *output;                   /**< of the run: beside it lie the candidates' files */
    const nas_job_t *job;
    const nas_strings_t *columns; /**< numbers that an outcome has besides its value */
    const nas_dataset_t *images;  /**< of an objective on images; NULL otherwise */
} nas_evaluator_options_t;

/** What every rank has; kept (borrowed). */
typedef struct nas_evaluator_ranks {
    nas_comm_t *world;
    const nas_devices_t *devices; /**< what networks are computed on */
    nas_networks_t *networks;     /**< this rank's source of the pool's; NULL: none are computed */
    nas_heartbeat_t *heartbeat;   /**< by which ranks hear of a stop */
} nas_evaluator_ranks_t;

/** Make teams and share what the objective needs.  Collective over world.
 *  options: on rank 0, NULL elsewhere. The caller owns *evaluator_p, which is NULL where nothing is to be evaluated.
 *  NAS_ENOMEM on any rank fails all. */
nas_status_t nas_evaluator_create(const nas_evaluator_ranks_t *ranks,
                                  const nas_evaluator_options_t *options,
                                  nas_evaluator_t **evaluator_p, nas_error_t *err);

/** A round on rank 0: its candidates, and who hears what came of each. */
typedef struct nas_evaluator_round {
    const nas_candidate_t *candidate; /**< [n]; borrowed for the round */
    int64_t n;
    /** What came of candidate `index`, evaluated by a rank; the arrays of outcome become the
     *  hearer's. */
    void (*hear)(void *context, int64_t index, const nas_outcome_t *outcome, int rank);
    void *context;
} nas_evaluator_round_t;

/** Evaluate the candidates of a round and let rank 0 hear their outcomes.  Collective over world;
 *  ranks without work sleep. Deterministic but for what the user's trainers do, whatever the number
 *  of ranks.
 *  given: the round, on rank 0; NULL elsewhere.
 *  NAS_ESTOP: a rank was asked to stop; what was under way is saved, or has been ended, and not
 *  every candidate has an outcome. NAS_EIO, NAS_ENOMEM; the same on every rank. */
nas_status_t nas_evaluator_evaluate(nas_evaluator_t *evaluator, const nas_evaluator_round_t *given,
                                    nas_error_t *err);

/** Accepts NULL. Collective over world. */
void nas_evaluator_destroy(nas_evaluator_t *evaluator);

#endif
