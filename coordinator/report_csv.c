#include "coordinator/report.h"

#include <math.h>
#include <string.h>

/* A field as RFC 4180 wants it: in quotes, doubled inside, where it has a comma or a quote. */
static void print_field(const char *text, FILE *out)
{
    if (!strpbrk(text, ",\"\r\n")) {
        (void)fputs(text, out);
        return;
    }
    (void)fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '"') (void)fputc('"', out);
        (void)fputc(*c, out);
    }
    (void)fputc('"', out);
}

static void print_row(const nas_state_t *state, int64_t i, FILE *out)
{
    static const char *const status[] = {"pending", "ok", "failed"};
    const nas_scores_t *scores = &state->scores;
    const double *value = scores->value + i * (int64_t)state->metrics.n;
    print_field(scores->arch.at[i], out);
    for (size_t m = 0; m < state->metrics.n; m++) {
        (void)fputc(',', out);
        if (scores->status[i] != NAS_SCORE_OK) continue;
        if (isnan(value[m]))
            (void)fputs("nan", out);
        else
            (void)fprintf(out, "%.17g", value[m]);
    }
    (void)fprintf(out, ",%s,%.6f\n", status[scores->status[i]], scores->seconds[i]);
}

nas_status_t nas_report_csv(const nas_state_t *state, FILE *out, nas_error_t *err)
{
    (void)fputs("arch", out);
    for (size_t m = 0; m < state->metrics.n; m++) {
        (void)fputc(',', out);
        print_field(state->metrics.at[m], out);
    }
    (void)fputs(",status,seconds\n", out);
    for (int64_t i = 0; i < state->scores.n; i++) print_row(state, i, out);
    if (fflush(out) || ferror(out))
        return nas_error_set(err, NAS_EIO, "the scores cannot be written");
    return NAS_OK;
}
