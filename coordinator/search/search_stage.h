/* What the rounds of the search (search.c) ask of rank 0's side of the stage (search_stage.c). */
#ifndef NAS_COORDINATOR_SEARCH_SEARCH_STAGE_H
#define NAS_COORDINATOR_SEARCH_SEARCH_STAGE_H

#include "coordinator/evaluate/evaluator.h"
#include "coordinator/search/ledger.h"
#include "coordinator/search/search.h"

#include <stdbool.h>
#include <stddef.h>

struct nas_search_stage {
    nas_session_t *session;
    const nas_pool_t *pool;
    nas_search_inputs_t *inputs;
    const nas_image_inputs_t *images;
    nas_search_parameters_t parameters;
    nas_evaluate_parameters_t evaluate;
    nas_ledger_t *ledger;
    nas_progress_t progress;
    bool has_watched; /* progress, while ranks work */
    nas_buffer_t replies;
    const nas_objective_t *objective; /* of a table; NULL: none */
    bool has_table;                   /* whose rows have to be fetched */
    int64_t *row;                     /* [n_row] those that the round needs; owned */
    int64_t n_row, row_capacity;
    const char *steps; /* of the round, of n_groups leaders; borrowed */
    const size_t *offset;
    double taken_s;         /* when the round began */
    nas_status_t evaluated; /* how evaluations ended */
    nas_error_t evaluated_text;
    int stop; /* a signal that ended them, or 0 */
};

/** Show progress from here on.  Coordinator only. */
void nas_search_stage_begin(nas_search_stage_t *stage);

/** Look at the metrics before a search weighs them, now that their values are known: say in the
 *  state which are constant, and, of those that this run has computed, what is worth a note.
 *  Coordinator only. Errors of nas_search_inputs_look. */
nas_status_t nas_search_stage_look_at_metrics(nas_search_stage_t *stage, nas_error_t *err);

/** A request to stop came before the first round: note it and save.  Coordinator only. stop: the
 *  signal that some rank received, or 0. Returns NAS_ESTOP with the line for the user, or the error
 *  of saving. */
nas_status_t nas_search_stage_stop_early(nas_search_stage_t *stage, int stop, nas_error_t *err);

/** What evaluations take; kind TABLE where there are none. Borrowed from the stage's inputs.
 *  Coordinator only. */
nas_evaluator_options_t nas_search_stage_evaluator(const nas_search_stage_t *stage);

/** A lockstep round begins: take the steps of all groups.  Coordinator only.
 *  steps [in] messages of n_groups leaders, offset [n_groups + 1]; kept (borrowed) until the round
 *  ends. Errors show in nas_search_stage_end_round. */
void nas_search_stage_take_steps(nas_search_stage_t *stage, const char *steps,
                                 const size_t *offset);

/** Rows of the table that the steps speak of, which are to be fetched now.  Coordinator only.
 *  Borrowed until the round ends. n [out]. */
const int64_t *nas_search_stage_rows(nas_search_stage_t *stage, int64_t *n);

/** Work out which architectures have to be evaluated for the steps.  Coordinator only. Errors show
 *  in nas_search_stage_end_round. */
void nas_search_stage_collect(nas_search_stage_t *stage);

/** The architectures to evaluate in this round, none where the search is about to end, whose
 *  outcomes become the stage's.  Coordinator only. Borrowed until the round ends. */
nas_evaluator_round_t nas_search_stage_candidates(nas_search_stage_t *stage);

/** How evaluations ended: a status other than NAS_OK, with its text, ends the search in this round;
 *  stop: for NAS_ESTOP, the signal that some rank received.  Coordinator only. */
void nas_search_stage_end_evaluations(nas_search_stage_t *stage, nas_status_t status,
                                      const nas_error_t *err, int stop);

/** While ranks work: show progress and look for OUTPUT.stop.  Coordinator only; of a second or so
 *  between calls. share: of the round's work that is done. Returns SIGTERM where the file asks to
 *  stop, otherwise 0. */
int nas_search_stage_watch(nas_search_stage_t *stage, double share);

/** The round ends: record, save when due, and answer.  Coordinator only.
 *  replies [out] borrowed until the next round, with reply_offset [n_groups + 1]. Every error ends
 *  the search for all through the replies. */
void nas_search_stage_end_round(nas_search_stage_t *stage, const char **replies,
                                size_t *reply_offset);

#endif
