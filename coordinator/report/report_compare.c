/* Runs beside each other, a line each. */
#include "common/base/strings.h"
#include "common/base/utf8.h"
#include "coordinator/report/report.h"
#include "coordinator/report/report_internal.h"
#include "coordinator/report/summary.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void print_number(double x, FILE *out)
{
    if (isfinite(x))
        (void)fprintf(out, " %12.6g", x);
    else
        (void)fprintf(out, " %12s", "unknown");
}

/* 80 columns in all. */
enum { INDENT = 2, LABEL = 21 };

/* What tells two runs apart, coarse to fine. */
typedef enum detail { BY_JOB = 0, BY_METHOD, BY_FILE } detail_t;

static bool is_same(const nas_compared_t *a, const nas_compared_t *b, detail_t detail)
{
    return strcmp(a->state->job_name, b->state->job_name) == 0 &&
           (detail < BY_METHOD || strcmp(a->state->method, b->state->method) == 0);
}

/* How much of its name run i needs. */
static detail_t detail_of(const nas_compared_t *run, size_t n, size_t i)
{
    detail_t detail = BY_JOB;
    for (size_t k = 0; k < n; k++) {
        if (k == i || !is_same(&run[i], &run[k], BY_JOB)) continue;
        const detail_t needed = is_same(&run[i], &run[k], BY_METHOD) ? BY_FILE : BY_METHOD;
        if (needed > detail) detail = needed;
    }
    return detail;
}

char *nas_report_run_label(const nas_compared_t *run, size_t n, size_t i, nas_error_t *err)
{
    const nas_state_t *state = run[i].state;
    const detail_t detail = detail_of(run, n, i);
    char *label = nas_string_format(
        err, "%s%s%s%s%s%s", state->job_name, detail >= BY_METHOD ? ", " : "",
        detail >= BY_METHOD ? state->method : "", detail >= BY_FILE ? ", " : "",
        detail >= BY_FILE ? run[i].path : "", state->complete ? "" : ", incomplete");
    if (label) nas_utf8_tame(label); /* names come from anywhere */
    return label;
}

/* A label too long for its column has a line of its own. */
static void print_label(const char *label, FILE *out)
{
    const bool is_short = strlen(label) <= LABEL;
    if (!is_short) nas_report_print_name(INDENT, label, out);
    (void)fprintf(out, "%*s%-*s", INDENT, "", LABEL, is_short ? label : "");
}

static nas_status_t print_run(const nas_compared_t *run, size_t n, size_t i, FILE *out,
                              nas_error_t *err)
{
    const nas_state_t *state = run[i].state;
    nas_statistics_t target, cost;
    nas_status_t status = nas_summary_over(state, offsetof(nas_figures_t, target), &target, err);
    if (!status) status = nas_summary_over(state, offsetof(nas_figures_t, cost), &cost, err);
    if (status) return status;
    char *label = nas_report_run_label(run, n, i, err);
    if (!label) return NAS_ENOMEM;
    print_label(label, out);
    free(label);
    (void)fprintf(out, " %8lld %8lld", (long long)state->budget, (long long)state->n_repeat);
    print_number(target.n ? target.mean : (double)NAN, out);
    print_number(target.n ? target.std : (double)NAN, out);
    print_number(cost.n ? cost.mean : (double)NAN, out);
    (void)fputs("\n", out);
    return NAS_OK;
}

nas_status_t nas_report_compare(const nas_compared_t *run, size_t n, FILE *out, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    (void)fprintf(out, "\n%-*s %8s %8s %12s %12s %12s\n", INDENT + LABEL, "Best objective, by run",
                  "budget", "repeats", "mean", "std", "cost");
    for (size_t i = 0; i < n && !status; i++) status = print_run(run, n, i, out, err);
    if (status) return status;
    if (fflush(out) || ferror(out))
        return nas_error_set(err, NAS_EIO, "the report cannot be written");
    return NAS_OK;
}
