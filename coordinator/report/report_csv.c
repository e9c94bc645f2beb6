#include "common/io/csv_write.h"
#include "coordinator/report/report.h"

#include <math.h>
#include <string.h>

static nas_status_t finish(FILE *out, const char *what, nas_error_t *err)
{
    if (fflush(out) || ferror(out))
        return nas_error_set(err, NAS_EIO, "the %s cannot be written", what);
    return NAS_OK;
}

/* --------------------------------------------------------------------------------- evaluations */

static void print_evaluation(const nas_state_t *state, int64_t repeat, int64_t i, FILE *out)
{
    static const char *const status[] = {
        [NAS_EVAL_OK] = "ok", [NAS_EVAL_MISSING] = "missing", [NAS_EVAL_FAILED] = "failed"};
    const nas_evaluation_t *evaluation = &state->repeat[repeat].evaluation[i];
    (void)fprintf(out, "%lld,%llu,", (long long)repeat, (unsigned long long)evaluation->seed);
    nas_csv_write(evaluation->name, out);
    nas_csv_write_number(evaluation->value[0], out);
    nas_csv_write_number(evaluation->cost, out);
    (void)fprintf(out, ",%s,%s", nas_phase_name(evaluation->phase), status[evaluation->status]);
    nas_csv_write_next(evaluation->reason ? evaluation->reason : "", out);
    for (size_t c = 0; c < state->report_columns.n; c++)
        nas_csv_write_number(evaluation->columns[c], out);
    (void)fputc('\n', out);
}

nas_status_t nas_report_csv(const nas_state_t *state, FILE *out, nas_error_t *err)
{
    (void)fputs("repeat,seed,arch,target,cost,phase,status,reason", out);
    for (size_t c = 0; c < state->report_columns.n; c++)
        nas_csv_write_next(state->report_columns.at[c], out);
    (void)fputc('\n', out);
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++)
            print_evaluation(state, r, i, out);
    return finish(out, "evaluations", err);
}

/* -------------------------------------------------------------------------------------- scores */

static void print_scores(const nas_state_t *state, int64_t i, FILE *out)
{
    static const char *const status[] = {"pending", "ok", "failed", "unfit"};
    const nas_scores_t *scores = &state->scores;
    const double *value = scores->value + i * (int64_t)state->metrics.n;
    nas_csv_write(nas_name_source_at(&scores->arch, i), out);
    for (size_t m = 0; m < state->metrics.n; m++) {
        (void)fputc(',', out);
        if (scores->status[i] != NAS_SCORE_OK) continue;
        if (isnan(value[m]))
            (void)fputs("nan", out);
        else
            (void)fprintf(out, "%.17g", value[m]);
    }
    (void)fprintf(out, ",%s,%.6f\n", status[scores->status[i]], (double)scores->seconds[i]);
}

nas_status_t nas_report_csv_scores(const nas_state_t *state, FILE *out, nas_error_t *err)
{
    (void)fputs("arch", out);
    for (size_t m = 0; m < state->metrics.n; m++) nas_csv_write_next(state->metrics.at[m], out);
    (void)fputs(",status,seconds\n", out);
    for (int64_t i = 0; i < state->scores.n; i++) print_scores(state, i, out);
    return finish(out, "scores", err);
}
