#include "common/base/strings.h"
#include "common/base/utf8.h"
#include "coordinator/report/report.h"
#include "coordinator/report/report_internal.h"
#include "coordinator/report/summary.h"
#include "coordinator/report/verdict.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A label is as wide as leaves room for four numbers of any size in a line. */
enum { WIDTH = 80, INDENT = 2, LABEL = 25, BAR = 20 };

/* A part of a text that may come from anywhere, as it may be shown. */
typedef struct shown {
    char text[WIDTH + 1];
} shown_t;

static shown_t show(const char *text, size_t n)
{
    shown_t shown = {.text = ""};
    memcpy(shown.text, text, n);
    nas_utf8_tame(shown.text);
    return shown;
}

/* The most bytes of text, up to n, that end with a character of UTF-8. */
static size_t whole_characters(const char *text, size_t n)
{
    size_t cut = n;
    while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80) cut--;
    return cut ? cut : n;
}

static shown_t label(const char *name)
{
    const size_t n = strlen(name);
    return show(name, n <= LABEL ? n : whole_characters(name, LABEL));
}

void nas_report_print_name(int indent, const char *name, FILE *out)
{
    const size_t room = (size_t)(WIDTH - indent);
    size_t n = strlen(name);
    while (n > room) {
        size_t cut = room;
        while (cut > 1 && !strchr("+|,-.", name[cut - 1])) cut--;
        if (cut == 1) cut = whole_characters(name, room);
        (void)fprintf(out, "%*s%s\n", indent, "", show(name, cut).text);
        name += cut;
        n -= cut;
    }
    (void)fprintf(out, "%*s%s\n", indent, "", show(name, n).text);
}

void nas_report_describe(const nas_state_t *state, char *line, size_t size)
{
    const char *progress = state->complete  ? "complete"
                           : state->gave_up ? "GAVE UP"
                                            : "NOT COMPLETE";
    if (state->n_repeat == 0)
        (void)snprintf(line, size, "scores of %lld architectures, %s", (long long)state->n_arch,
                       progress);
    else
        (void)snprintf(line, size, "%s over %lld architectures, budget %lld, %lld repeat%s, %s",
                       label(state->method).text, (long long)state->n_arch,
                       (long long)state->budget, (long long)state->n_repeat,
                       state->n_repeat == 1 ? "" : "s", progress);
}

static void print_heading(const nas_state_t *state, FILE *out)
{
    char line[NAS_REPORT_LINE];
    nas_report_print_name(0, state->job_name, out);
    nas_report_describe(state, line, sizeof line);
    (void)fprintf(out, "%*s%s\n", INDENT, "", line);
}

static void print_value(const char *name, double value, FILE *out)
{
    if (isfinite(value))
        (void)fprintf(out, "%*s%-*s %.8g\n", INDENT, "", LABEL, label(name).text, value);
    else
        (void)fprintf(out, "%*s%-*s unknown\n", INDENT, "", LABEL, label(name).text);
}

static void print_best(const nas_state_t *state, FILE *out)
{
    const int64_t r = nas_summary_best_repeat(state);
    if (r < 0) {
        (void)fprintf(out, "\nNo architecture has been evaluated successfully yet.\n");
        return;
    }
    const nas_evaluation_t *best = nas_repeat_best(&state->repeat[r], state->minimise);
    (void)fprintf(out, "\nBest architecture (seed %llu)\n",
                  (unsigned long long)state->repeat[r].seed);
    nas_report_print_name(INDENT, best->name, out);
    print_value("objective", best->value[0], out);
    for (size_t c = 0; c < state->report_columns.n; c++)
        print_value(state->report_columns.at[c], best->columns[c], out);
    print_value("cost", best->cost, out);
    if (best->pool_rank)
        (void)fprintf(out, "%*s%-*s %lld of %lld\n", INDENT, "", LABEL, "rank in the pool",
                      (long long)best->pool_rank, (long long)state->n_arch);
}

static void print_statistics(const char *name, const nas_statistics_t *s, void *context)
{
    FILE *out = context;
    (void)fprintf(out, "%*s%-*s %12.6g %10.4g %12.6g %12.6g\n", INDENT, "", LABEL, label(name).text,
                  s->mean, s->std, s->min, s->max);
}

/* A figure of each repeat. */
typedef struct figure {
    const char *label;
    size_t field;
} figure_t;

static nas_status_t visit_figures(const nas_state_t *state, const figure_t *figure, size_t n,
                                  const nas_report_visitor_t *visitor, nas_error_t *err)
{
    nas_statistics_t s;
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < n; i++) {
        status = nas_summary_over(state, figure[i].field, &s, err);
        if (!status && s.n > 0) visitor->visit(figure[i].label, &s, visitor->context);
    }
    return status;
}

nas_status_t nas_report_repeats(const nas_state_t *state, const nas_report_visitor_t *visitor,
                                nas_error_t *err)
{
    static const figure_t figure[] = {
        {"objective", offsetof(nas_figures_t, target)},
        {"rank in the pool", offsetof(nas_figures_t, pool_rank)},
        {"expected rank (theory)", offsetof(nas_figures_t, expected_rank)},
        {"precision at T", offsetof(nas_figures_t, precision_at_t)}};
    static const figure_t explored = {"explored (T0)", offsetof(nas_figures_t, t0)};
    static const figure_t cost = {"cost", offsetof(nas_figures_t, cost)};
    nas_statistics_t s;
    nas_status_t status = NAS_OK;
    for (size_t c = 0; !status && c < state->report_columns.n; c++) {
        status = nas_summary_column(state, c, &s, err);
        if (!status && s.n > 0) visitor->visit(state->report_columns.at[c], &s, visitor->context);
    }
    if (!status)
        status = visit_figures(state, figure, sizeof figure / sizeof *figure, visitor, err);
    /* weights are what exploring is for */
    if (!status && state->has_weights) status = visit_figures(state, &explored, 1, visitor, err);
    return status ? status : visit_figures(state, &cost, 1, visitor, err);
}

nas_status_t nas_report_reasons(const nas_state_t *state, const nas_report_visitor_t *visitor,
                                nas_error_t *err)
{
    static const figure_t reason[] = {
        {"start", offsetof(nas_figures_t, start)},
        {"expected improvement", offsetof(nas_figures_t, improvement)},
        {"hedge", offsetof(nas_figures_t, hedge)}};
    return visit_figures(state, reason, sizeof reason / sizeof *reason, visitor, err);
}

nas_status_t nas_report_posterior(const nas_state_t *state, const nas_report_visitor_t *visitor,
                                  nas_error_t *err)
{
    static const figure_t posterior[] = {
        {"mean", offsetof(nas_figures_t, posterior_mean)},
        {"standard deviation", offsetof(nas_figures_t, posterior_std)}};
    return visit_figures(state, posterior, sizeof posterior / sizeof *posterior, visitor, err);
}

static nas_status_t print_repeats(const nas_state_t *state, FILE *out, nas_error_t *err)
{
    const nas_report_visitor_t visitor = {.visit = print_statistics, .context = out};
    (void)fprintf(out, "\n%-*s %12s %10s %12s %12s\n", LABEL + INDENT, "Best of each repeat",
                  "mean", "std", "min", "max");
    return nas_report_repeats(state, &visitor, err);
}

/* Why a method that has reasons made its evaluations, and what it thinks of the best. */
static nas_status_t print_reasons(const nas_state_t *state, FILE *out, nas_error_t *err)
{
    const nas_report_visitor_t visitor = {.visit = print_statistics, .context = out};
    if (!nas_summary_has_reasons(state)) return NAS_OK;
    (void)fprintf(out, "\nEvaluations by reason, in each repeat\n");
    nas_statistics_t known;
    nas_status_t status = nas_report_reasons(state, &visitor, err);
    if (!status) status = NAS_SUMMARY(state, posterior_mean, &known, err);
    if (status || known.n == 0) return status;
    (void)fprintf(out, "\nPosterior of the best (in standard deviations of the targets)\n");
    return nas_report_posterior(state, &visitor, err);
}

/* Best objective so far after 1, 2, 5, 10, 20, ... evaluations, as far as every repeat has come. */
static void print_history(const nas_state_t *state, FILE *out)
{
    static const int64_t step[] = {1, 2, 5};
    int64_t n_done = state->budget;
    for (int64_t r = 0; r < state->n_repeat; r++)
        if (state->repeat[r].n_evaluation < n_done) n_done = state->repeat[r].n_evaluation;
    if (n_done == 0) return;
    (void)fprintf(out, "\n%-*s %s\n", LABEL + INDENT, "Evaluations",
                  "best objective so far (mean of the repeats)");
    int64_t shown = 0;
    for (int64_t decade = 1, i = 0; shown < n_done; decade *= i == 2 ? 10 : 1, i = (i + 1) % 3) {
        shown = step[i] * decade < n_done ? step[i] * decade : n_done;
        const double best = nas_summary_best_after(state, shown);
        (void)fprintf(out, "%*s%-*lld ", INDENT, "", LABEL, (long long)shown);
        (void)fprintf(out, isfinite(best) ? "%.8g\n" : "unknown\n", best);
    }
}

/* Mean weight over the repeats that know theirs; a bar from the middle, or a dash for a metric that
 * has none. */
static void print_weight(const nas_state_t *state, size_t metric, FILE *out)
{
    const double mean = nas_summary_mean_weight(state, metric);
    (void)fprintf(out, "%*s%-*s ", INDENT, "", LABEL, label(state->metrics.at[metric]).text);
    if (isnan(mean)) {
        (void)fprintf(out, "%10s  tells nothing apart\n", "-");
        return;
    }
    const int length = (int)lround(fabs(mean) * BAR / 2);
    char bar[BAR + 2];
    memset(bar, ' ', sizeof bar);
    bar[BAR / 2] = '|';
    memset(bar + (mean < 0 ? BAR / 2 - length : BAR / 2 + 1), mean < 0 ? '-' : '+', (size_t)length);
    bar[BAR + 1] = '\0';
    (void)fprintf(out, "%10.3f  %s\n", mean, bar);
}

static void print_weights(const nas_state_t *state, FILE *out)
{
    int64_t n_known = 0;
    for (int64_t r = 0; r < state->n_repeat; r++) n_known += nas_summary_weights(state, r) != NULL;
    if (n_known == 0 || state->metrics.n == 0) return;
    (void)fprintf(out, state->has_weights
                           ? "\nWeight of each metric (mean)\n"
                           : "\nCorrelation of the posterior mean with each metric (mean)\n");
    for (size_t m = 0; m < state->metrics.n; m++) print_weight(state, m, out);
}

/* Results of before a retry that were not asked for again are no part of the search. */
static void print_earlier(const nas_state_t *state, FILE *out)
{
    int64_t n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++) {
        const nas_repeat_t *repeat = &state->repeat[r];
        for (int64_t i = 0; i < repeat->n_known; i++)
            n += !nas_repeat_find(repeat, repeat->known[i].arch);
    }
    if (n > 0)
        (void)fprintf(out, "\nEarlier results, not asked for again since a retry: %lld\n",
                      (long long)n);
}

/* One failure; the path of its output is in one piece, to be copied. */
static void print_failure(const nas_state_t *state, const char *path,
                          const nas_evaluation_t *evaluation, FILE *out)
{
    char *output = nas_verdict_output(state, path, evaluation);
    nas_report_print_name(INDENT, evaluation->name, out);
    nas_report_print_name(2 * INDENT, evaluation->reason ? evaluation->reason : "no reason", out);
    if (output) {
        nas_utf8_tame(output);
        (void)fprintf(out, "%*s%s\n", 2 * INDENT, "", output);
    }
    free(output);
}

/* Failures, each with its reason and its output, as far as a page has room. */
static void print_failures(const nas_state_t *state, const char *path, FILE *out)
{
    const int64_t most = 20;
    int64_t n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++) {
            const nas_evaluation_t *evaluation = &state->repeat[r].evaluation[i];
            if (evaluation->status != NAS_EVAL_FAILED) continue;
            if (n == 0) (void)fprintf(out, "\nFailed evaluations\n");
            if (++n <= most) print_failure(state, path, evaluation, out);
        }
    if (n > most) (void)fprintf(out, "%*sand %lld more\n", INDENT, "", (long long)(n - most));
}

static void print_scores(const nas_state_t *state, FILE *out)
{
    const int64_t n_unfit = nas_scores_count(&state->scores, NAS_SCORE_UNFIT);
    (void)fprintf(out, "\nScored %lld of %lld architectures, %lld failed",
                  (long long)nas_scores_count(&state->scores, NAS_SCORE_OK),
                  (long long)state->scores.n,
                  (long long)nas_scores_count(&state->scores, NAS_SCORE_FAILED));
    if (n_unfit > 0) (void)fprintf(out, ", %lld did not fit the GPU", (long long)n_unfit);
    (void)fputc('\n', out);
    (void)fprintf(out, "%-*s %10s %10s %10s %10s\n", LABEL + INDENT, "", "mean", "min", "max",
                  "missing");
    for (size_t m = 0; m < state->metrics.n; m++) {
        int64_t n_missing = 0;
        const nas_statistics_t s = nas_summary_metric(state, m, &n_missing);
        (void)fprintf(out, "%*s%-*s ", INDENT, "", LABEL, label(state->metrics.at[m]).text);
        if (s.n)
            (void)fprintf(out, "%10.4g %10.4g %10.4g %10lld\n", s.mean, s.min, s.max,
                          (long long)n_missing);
        else
            (void)fprintf(out, "%10s %10s %10s %10lld\n", "unknown", "unknown", "unknown",
                          (long long)n_missing);
    }
}

static nas_status_t print_search(const nas_state_t *state, const char *path, FILE *out,
                                 nas_error_t *err)
{
    print_best(state, out);
    nas_status_t status = print_repeats(state, out, err);
    if (!status) status = print_reasons(state, out, err);
    if (status) return status;
    print_history(state, out);
    print_weights(state, out);
    print_earlier(state, out);
    print_failures(state, path, out);
    return NAS_OK;
}

nas_status_t nas_report_text(const nas_state_t *state, const char *path, FILE *out,
                             nas_error_t *err)
{
    print_heading(state, out);
    const nas_status_t status = state->n_repeat > 0 ? print_search(state, path, out, err) : NAS_OK;
    if (status) return status;
    if (state->scores.n > 0) print_scores(state, out);
    if (fflush(out) || ferror(out))
        return nas_error_set(err, NAS_EIO, "the report cannot be written");
    return NAS_OK;
}

/* ----------------------------------------------------------------------------------- under way */

static void print_item(const nas_under_way_item_t *item, int64_t n_epochs, FILE *out)
{
    if (item->name)
        nas_report_print_name(INDENT, item->name, out);
    else
        (void)fprintf(out, "%*sarchitecture %lld of the pool\n", INDENT, "", (long long)item->arch);
    (void)fprintf(out, "%*sseed %llu, ", 2 * INDENT, "", (unsigned long long)item->seed);
    if (item->done && item->outcome.status == NAS_EVAL_OK)
        (void)fprintf(out, "done, objective %.8g\n", item->outcome.value[0]);
    else if (item->done)
        (void)fprintf(out, "failed\n");
    else if (item->begun && item->n_steps == 0)
        (void)fprintf(out, "its command has begun\n");
    else
        (void)fprintf(out, "in training, %lld of %lld epochs, %lld steps\n",
                      (long long)item->n_epochs, (long long)n_epochs, (long long)item->n_steps);
    if (item->done && *item->outcome.reason)
        nas_report_print_name(2 * INDENT, item->outcome.reason, out);
}

nas_status_t nas_report_under_way(const nas_under_way_t *under_way, int64_t n_epochs, FILE *out,
                                  nas_error_t *err)
{
    const int64_t most = 20;
    if (under_way->n == 0) return NAS_OK;
    (void)fprintf(out, "\nCandidates of the step under way (as last saved)\n");
    for (int64_t i = 0; i < under_way->n && i < most; i++)
        print_item(&under_way->at[i], n_epochs, out);
    if (under_way->n > most)
        (void)fprintf(out, "%*sand %lld more\n", INDENT, "", (long long)(under_way->n - most));
    if (fflush(out) || ferror(out))
        return nas_error_set(err, NAS_EIO, "the report cannot be written");
    return NAS_OK;
}
