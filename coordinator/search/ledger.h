/* The ledger: rank 0's record of every observation and evaluation, and the schedule of repeats over
 * groups. */
#ifndef NAS_COORDINATOR_SEARCH_LEDGER_H
#define NAS_COORDINATOR_SEARCH_LEDGER_H

#include "common/base/error.h"
#include "common/state/state.h"
#include "coordinator/search/message.h"
#include "worker/candidates/candidate.h"
#include "worker/objectives/table/objective_table.h"

#include <stdint.h>

/** Opaque. */
typedef struct nas_ledger nas_ledger_t;

/** What a ledger works on; borrowed and kept. */
typedef struct nas_ledger_options {
    nas_state_t *state; /**< extended by every step; may hold an earlier session's results */
    nas_objective_t *objective;      /**< a table's; NULL: candidates are evaluated by work */
    const nas_names_t *names;        /**< of the pool's architectures; NULL: the table has them */
    const nas_shared_table_t *table; /**< of the pool, or of the objective; what a step speaks of is
                                          fetched before it is recorded or collected; NULL: none */
    const nas_state_t *reuse; /**< evaluations to take over instead of making them anew, but for
                                     failures; may be NULL */
    int64_t n_weight;         /**< of a proposal in a step or a reply: nas_state_weights of state */
    int64_t n_groups;
} nas_ledger_options_t;

/** Coordinator only.
 *  The caller owns *ledger_p.  NAS_ENOMEM. */
nas_status_t nas_ledger_create(const nas_ledger_options_t *options, nas_ledger_t **ledger_p,
                               nas_error_t *err);

/** A round begins: no candidates.  Coordinator only. */
void nas_ledger_begin_round(nas_ledger_t *ledger);

/** Note the architectures that a step proposes, as candidates to be evaluated: each once a repeat,
 *  and none that is recorded, is known from before a retry, or can be taken over.  Coordinator
 *  only; without an objective's table.
 *  NAS_ENOMEM. */
nas_status_t nas_ledger_collect(nas_ledger_t *ledger, const nas_step_t *step, nas_error_t *err);

/** The round's candidates, n [out] of them. Borrowed until the next collect or round. */
const nas_candidate_t *nas_ledger_candidates(const nas_ledger_t *ledger, int64_t *n);

/** What came of candidate `index`, evaluated by a rank; the outcome's arrays become the
 *  ledger's. */
void nas_ledger_evaluated(nas_ledger_t *ledger, int64_t index, const nas_outcome_t *outcome,
                          int rank);

/** Record the step of a group and say what it hears: results, its next repeat, or that there is
 *  none.  Coordinator only. An architecture is evaluated unless this repeat has it already;
 *  without an objective's table, every candidate of the step must have its outcome.
 *  reply [out]: arrays are the ledger's, valid until its next call.  NAS_ENOMEM. */
nas_status_t nas_ledger_record(nas_ledger_t *ledger, int64_t group, const nas_step_t *step,
                               nas_reply_t *reply, nas_error_t *err);

/** Observations recorded so far, over all repeats, evaluations among them. O(1). */
int64_t nas_ledger_observed(const nas_ledger_t *ledger);

/** For a method that explores T observations a repeat and then evaluates until T are: the share of
 *  all observations that is recorded. How many of those to come will lead to architectures that are
 *  known already is taken from those so far. O(1). */
double nas_ledger_observed_share(const nas_ledger_t *ledger);

/** Whether every repeat is complete, and how many are. O(1). */
bool nas_ledger_complete(const nas_ledger_t *ledger);
int64_t nas_ledger_repeats_complete(const nas_ledger_t *ledger);

/** Evaluations recorded so far, over all repeats; and how many of them were taken over. O(1). */
int64_t nas_ledger_count(const nas_ledger_t *ledger);
int64_t nas_ledger_reused(const nas_ledger_t *ledger);

/** Accepts NULL. */
void nas_ledger_destroy(nas_ledger_t *ledger);

#endif
