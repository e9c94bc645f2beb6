/* What reports share. */
#ifndef NAS_COORDINATOR_REPORT_REPORT_INTERNAL_H
#define NAS_COORDINATOR_REPORT_REPORT_INTERNAL_H

#include "coordinator/report/report.h"
#include "coordinator/report/summary.h"

#include <stddef.h>
#include <stdio.h>

enum { NAS_REPORT_LINE = 256 };

/** A name on lines of its own, broken behind punctuation where it is too long for 80 columns. */
void nas_report_print_name(int indent, const char *name, FILE *out);

/** What a run is and how far it has come, in one line.
 *  line [out] size bytes; NAS_REPORT_LINE is enough. */
void nas_report_describe(const nas_state_t *state, char *line, size_t size);

/** Is told of statistics that some repeat knows, a line each. */
typedef struct nas_report_visitor {
    void (*visit)(const char *label, const nas_statistics_t *statistics, void *context);
    void *context; /**< borrowed */
} nas_report_visitor_t;

/** The best of each repeat; evaluations by reason, and the posterior of the best, of methods that
 *  have such.  Not collective. NAS_ENOMEM. */
nas_status_t nas_report_repeats(const nas_state_t *state, const nas_report_visitor_t *visitor,
                                nas_error_t *err);
nas_status_t nas_report_reasons(const nas_state_t *state, const nas_report_visitor_t *visitor,
                                nas_error_t *err);
nas_status_t nas_report_posterior(const nas_state_t *state, const nas_report_visitor_t *visitor,
                                  nas_error_t *err);

/** What run i of n is called among them (nas_report_compare). The caller's (free), or NULL with err
 *  set. */
char *nas_report_run_label(const nas_compared_t *run, size_t n, size_t i, nas_error_t *err);

#endif
