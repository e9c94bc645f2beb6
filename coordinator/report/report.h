/* Reports of a state, finished or not: for people (80 columns) and for programs (one JSON object).
 */
#ifndef NAS_COORDINATOR_REPORT_REPORT_H
#define NAS_COORDINATOR_REPORT_REPORT_H

#include "common/base/error.h"
#include "common/state/state.h"
#include "coordinator/report/under_way.h"

#include <stdio.h>

/** Best architecture, its columns, statistics over the repeats, what the budget brought, the
 *  weights of repeats in which something succeeded, and failures.  Not collective.
 *  path: of the state file, beside which its candidates' files lie.
 *  NAS_ENOMEM, NAS_EIO (out cannot be written). */
nas_status_t nas_report_text(const nas_state_t *state, const char *path, FILE *out,
                             nas_error_t *err);

/** Candidates in training and those done in a step that is not, as text; nothing where there are
 *  none.  Not collective. n_epochs: of a training, from the state.
 *  NAS_EIO. */
nas_status_t nas_report_under_way(const nas_under_way_t *under_way, int64_t n_epochs, FILE *out,
                                  nas_error_t *err);

/** A run to compare. Borrowed. */
typedef struct nas_compared {
    const nas_state_t *state;
    const char *path; /**< of its file */
} nas_compared_t;

/** The best that each of n runs found, a line each, the statistics over its repeats.  Not
 *  collective. Runs are called by their jobs; those of one name by job and method, and by their
 *  files too where that is one as well.
 *  NAS_ENOMEM, NAS_EIO. */
nas_status_t nas_report_compare(const nas_compared_t *run, size_t n, FILE *out, nas_error_t *err);

/** One JSON object as docs/report.md describes it; equal runs give equal bytes but for the member
 *  "timing". Numbers have 15 significant digits; what is unknown is null.
 *  under_way: candidates besides, told under "timing"; NULL: none. Memory for a member at a time.
 *  NAS_ENOMEM: out has a part of it. NAS_EIO. */
nas_status_t nas_report_json(const nas_state_t *state, const nas_under_way_t *under_way, FILE *out,
                             nas_error_t *err);

/** One row an evaluation, the repeats one after the other: repeat (from 0), seed, arch, target,
 *  cost, phase, status, reason and the report columns. Numbers have the digits that give them back
 *  exactly; what is unknown is empty. Equal for equal runs.  Not collective. NAS_EIO. */
nas_status_t nas_report_csv(const nas_state_t *state, FILE *out, nas_error_t *err);

/** One row an architecture that this run scored: arch, every metric, status, seconds. Numbers have
 *  the digits that give them back exactly; undefined values are nan, those of failed or pending
 *  architectures empty.  Not collective.
 *  state: with scores (scores.n > 0).
 *  NAS_EIO. */
nas_status_t nas_report_csv_scores(const nas_state_t *state, FILE *out, nas_error_t *err);

#endif
