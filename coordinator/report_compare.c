/* Runs beside each other, a line each. */
#include "common/strings.h"
#include "coordinator/report.h"
#include "coordinator/summary.h"

#include <math.h>
#include <stddef.h>

static void print_number(double x, FILE *out)
{
    if (isfinite(x))
        (void)fprintf(out, " %12.6g", x);
    else
        (void)fprintf(out, " %12s", "unknown");
}

/* 80 columns in all. */
enum { INDENT = 2, LABEL = 21 };

static nas_status_t print_run(const nas_state_t *state, FILE *out, nas_error_t *err)
{
    nas_statistics_t target, cost;
    char label[64];
    nas_status_t status = nas_summary_over(state, offsetof(nas_figures_t, target), &target, err);
    if (!status) status = nas_summary_over(state, offsetof(nas_figures_t, cost), &cost, err);
    if (status) return status;
    (void)snprintf(label, sizeof label, "%.9s%s", state->method,
                   state->complete ? "" : ", incomplete");
    nas_string_tame(label);
    (void)fprintf(out, "%*s%-*.*s %8lld %8lld", INDENT, "", LABEL, LABEL, label,
                  (long long)state->budget, (long long)state->n_repeat);
    print_number(target.n ? target.mean : (double)NAN, out);
    print_number(target.n ? target.std : (double)NAN, out);
    print_number(cost.n ? cost.mean : (double)NAN, out);
    (void)fputs("\n", out);
    return NAS_OK;
}

nas_status_t nas_report_compare(const nas_state_t *state, size_t n, FILE *out, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    (void)fprintf(out, "\n%-*s %8s %8s %12s %12s %12s\n", INDENT + LABEL, "Best objective, by run",
                  "budget", "repeats", "mean", "std", "cost");
    for (size_t i = 0; i < n && !status; i++) status = print_run(&state[i], out, err);
    if (status) return status;
    if (fflush(out) || ferror(out))
        return nas_error_set(err, NAS_EIO, "the report cannot be written");
    return NAS_OK;
}
