/* Candidates of a run that its state does not have yet: those in training, and those that are done
 * while others of their step are not. Their files say so (worker/candidates/candidate_file.h). */
#ifndef NAS_COORDINATOR_REPORT_UNDER_WAY_H
#define NAS_COORDINATOR_REPORT_UNDER_WAY_H

#include "common/base/error.h"
#include "common/state/state.h"
#include "worker/candidates/candidate.h"

#include <stdbool.h>
#include <stdint.h>

/** One of them. */
typedef struct nas_under_way_item {
    int64_t arch; /**< pool index */
    uint64_t seed;
    char *name;            /**< owned; NULL where nothing says it */
    bool done;             /**< the outcome counts; it has no arrays */
    bool begun;            /**< a command was started, and has not answered yet */
    nas_outcome_t outcome; /**< without its arrays */
    int64_t n_epochs;      /**< of a training: whole epochs and steps that are saved */
    int64_t n_steps;
} nas_under_way_item_t;

/** A list; zero-initialise, end with nas_under_way_fini. */
typedef struct nas_under_way {
    nas_under_way_item_t *at; /**< in the order of arch and seed */
    int64_t n;
} nas_under_way_t;

/** Find them, by the state file's path.  Not collective. Reads the files of candidates that no
 *  evaluation of the state is of; damaged ones are passed over, as the run does. Of a complete run
 *  there are none.
 *  list [out]; the caller's.
 *  NAS_ENOMEM. */
nas_status_t nas_under_way_read(const char *path, const nas_state_t *state, nas_under_way_t *list,
                                nas_error_t *err);

void nas_under_way_fini(nas_under_way_t *list);

#endif
