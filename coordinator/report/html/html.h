/* A page of a run: one HTML file with drawings inside, which asks for nothing from elsewhere and
 * has no scripts. */
#ifndef NAS_COORDINATOR_REPORT_HTML_HTML_H
#define NAS_COORDINATOR_REPORT_HTML_HTML_H

#include "common/base/error.h"
#include "coordinator/report/report.h"
#include "coordinator/report/under_way.h"

#include <stddef.h>
#include <stdio.h>

/** The page of run[0], finished or not, with the course of all n runs over each other.  Not
 *  collective. Equal runs give equal bytes but for the section "timing". Of large pools and long
 *  runs a part is drawn, evenly chosen, and the page says how much of what: it has less than 2 MB,
 *  besides the job's text.
 *  run [in] n >= 1; all of them searched where n > 1; under_way: candidates of run[0] that its
 *  state does not have yet.
 *  O(evaluations + n_arch metrics^2) time at most, less where a part is drawn.
 *  NAS_ENOMEM, NAS_EIO: out has a part of it. */
nas_status_t nas_report_html(const nas_compared_t *run, size_t n, const nas_under_way_t *under_way,
                             FILE *out, nas_error_t *err);

#endif
