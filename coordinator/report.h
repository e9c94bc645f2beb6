/* Reports of a state, finished or not: for people (80 columns) and for programs (one JSON object).
 */
#ifndef NAS_COORDINATOR_REPORT_H
#define NAS_COORDINATOR_REPORT_H

#include "common/error.h"
#include "common/state.h"

#include <stdio.h>

/** Best architecture, its columns, statistics over the repeats, the budget's course, the weights of
 *  repeats in which something succeeded, and failures.  Not collective.
 *  path: of the state file, beside which its candidates' files lie.
 *  NAS_ENOMEM, NAS_EIO (out cannot be written). */
nas_status_t nas_report_text(const nas_state_t *state, const char *path, FILE *out,
                             nas_error_t *err);

/** The best that each of n runs found, a line each, the statistics over its repeats.  Not
 *  collective.
 *  NAS_ENOMEM, NAS_EIO. */
nas_status_t nas_report_compare(const nas_state_t *state, size_t n, FILE *out, nas_error_t *err);

/** One JSON object as docs/report.md describes it; equal runs give equal bytes but for the member
 *  "timing". Numbers have 15 significant digits; what is unknown is null.  NAS_ENOMEM, NAS_EIO. */
nas_status_t nas_report_json(const nas_state_t *state, FILE *out, nas_error_t *err);

/** One row an architecture that this run scored: arch, every metric, status, seconds. Numbers have the
 *  digits that give them back exactly; undefined values are nan, those of failed or pending
 *  architectures empty.  Not collective.
 *  state: with scores (scores.n > 0).
 *  NAS_EIO. */
nas_status_t nas_report_csv(const nas_state_t *state, FILE *out, nas_error_t *err);

#endif
