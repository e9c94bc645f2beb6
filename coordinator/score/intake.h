/* The pool on its way into the schedule of all ranks, a chunk at a time. */
#ifndef NAS_COORDINATOR_SCORE_INTAKE_H
#define NAS_COORDINATOR_SCORE_INTAKE_H

#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/comm/comm.h"
#include "coordinator/score/score.h"
#include "coordinator/score/score_parameters.h"
#include "worker/engine/graph/networks.h"
#include "worker/schedule/schedule.h"

#include <stdbool.h>
#include <stdint.h>

/** Where the pool is; borrowed, and kept while the intake lives. */
typedef struct nas_intake_options {
    nas_comm_t *world;
    nas_score_stage_t *stage; /**< rank 0, NULL elsewhere */
    const nas_score_parameters_t *parameters;
    nas_networks_t *networks; /**< this rank's source of the pool's */
} nas_intake_options_t;

/** Opaque. */
typedef struct nas_intake nas_intake_t;

/** Begin at the pool's first architecture that is not scored.  Collective. O(1) memory, whatever
 *  the pool.
 *  n_pending [out] on every rank: architectures that will come in, all in all. The caller owns
 *  *intake_p. NAS_ENOMEM, the same on all ranks. */
nas_status_t nas_intake_create(const nas_intake_options_t *options, nas_intake_t **intake_p,
                               int64_t *n_pending, nas_error_t *err);

/** Fill a schedule's window, between two rounds.  Collective: for every chunk two broadcasts of
 *  what is in it, a gather and a broadcast of costs, none above 1 MiB. The schedule is the same on
 *  all ranks, before and after.
 *  interrupt: asked between architectures; once it says to stop, what is left of this rank's share
 *  counts as costing nothing, since the round that follows scores none of it. */
void nas_intake_fill(nas_intake_t *intake, nas_schedule_t *schedule,
                     const nas_interrupt_t *interrupt);

/** What an item that came in stands for.  Not collective.
 *  Returns the architecture's number among the networks, to be scored; item->index is its place in the
 *  pool. is_partly [out]: some of its metrics are known. */
int64_t nas_intake_arch(const nas_schedule_item_t *item, bool *is_partly);

/** Accepts NULL. */
void nas_intake_destroy(nas_intake_t *intake);

#endif
