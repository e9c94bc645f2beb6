/* Objectives of what was evaluated against what else is known of it: metrics that the run computed,
 * columns of the report. */
#include "coordinator/report/html/correlation.h"
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"
#include "coordinator/report/html/plot.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_PANELS = 12, MOST_MARKS = 500 };

/* Pairs of one panel, a row an evaluation. */
typedef struct pairs {
    double *x, *y;
    int64_t n;
} pairs_t;

bool nas_page_has_pairs(const nas_page_t *page)
{
    return nas_page_is_search(page) &&
           (nas_page_is_scored(page) || page->state->report_columns.n > 0);
}

static int64_t count(const nas_state_t *state)
{
    int64_t n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++) n += state->repeat[r].n_evaluation;
    return n;
}

static double metric_at(const nas_state_t *state, int64_t arch, size_t metric)
{
    const nas_scores_t *scores = &state->scores;
    if (arch >= scores->n || scores->status[arch] != NAS_SCORE_OK) return NAN;
    return scores->value[arch * (int64_t)state->metrics.n + (int64_t)metric];
}

/* A metric, or behind the metrics a column, as x. */
static void gather(const nas_state_t *state, size_t which, pairs_t *pairs)
{
    const size_t n_metrics = state->scores.n > 0 ? state->metrics.n : 0;
    pairs->n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++) {
            const nas_evaluation_t *e = &state->repeat[r].evaluation[i];
            pairs->x[pairs->n] = which < n_metrics ? metric_at(state, e->arch, which)
                                                   : e->columns[which - n_metrics];
            pairs->y[pairs->n++] = e->value[0];
        }
}

static nas_status_t draw_panel(const nas_page_t *page, size_t which, const char *name,
                               pairs_t *pairs, nas_error_t *err)
{
    double rho = NAN;
    int64_t n_pairs = 0;
    gather(page->state, which, pairs);
    const nas_status_t status =
        nas_rank_correlation(pairs->x, pairs->y, pairs->n, &rho, &n_pairs, err);
    if (status) return status;
    nas_plot_t plot = {.out = page->out,
                       .id = "pair",
                       .number = (int)which,
                       .title = name,
                       .x_label = name,
                       .y_label = "objective",
                       .is_small = true};
    for (int64_t i = 0; i < pairs->n; i++) {
        if (!isfinite(pairs->x[i]) || !isfinite(pairs->y[i])) continue;
        nas_extent_add(&plot.x_extent, pairs->x[i]);
        nas_extent_add(&plot.y_extent, pairs->y[i]);
    }
    (void)fputs("<figure>\n", page->out);
    nas_plot_begin(&plot);
    const int64_t n_drawn = nas_plot_marks(&plot, pairs->x, pairs->y, pairs->n, 0, MOST_MARKS);
    nas_plot_end(&plot);
    (void)fputs("<figcaption>", page->out);
    if (isfinite(rho)) (void)fprintf(page->out, "rank correlation %.3f, ", rho);
    (void)fprintf(page->out, "%lld of %lld</figcaption>\n</figure>\n", (long long)n_drawn,
                  (long long)n_pairs);
    return NAS_OK;
}

static nas_status_t draw_panels(const nas_page_t *page, size_t first, const nas_strings_t *names,
                                pairs_t *pairs, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    (void)fputs("<div class=\"panels\">\n", page->out);
    for (size_t i = 0; i < names->n && i < MOST_PANELS && !status; i++)
        status = draw_panel(page, first + i, names->at[i], pairs, err);
    (void)fputs("</div>\n", page->out);
    if (names->n > MOST_PANELS)
        (void)fprintf(page->out, "<p class=\"note\">The first %d of %zu are drawn.</p>\n",
                      MOST_PANELS, names->n);
    return status;
}

nas_status_t nas_section_objective(const nas_page_t *page, nas_error_t *err)
{
    const nas_state_t *state = page->state;
    const size_t n_metrics = state->scores.n > 0 ? state->metrics.n : 0;
    const int64_t n = count(state);
    double *room = malloc(2 * (size_t)n * sizeof *room + 1);
    if (!room) return nas_error_nomem(err, "a plot");
    pairs_t pairs = {.x = room, .y = room + n};
    nas_status_t status = NAS_OK;
    (void)fputs("<p class=\"note\">Of what was evaluated, in all repeats. Rank correlations are "
                "Spearman's; then how many of how many are drawn.</p>\n",
                page->out);
    if (n_metrics > 0)
        status = draw_panels(page, 0, &state->metrics, &pairs, err);
    else if (state->metrics.n > 0)
        (void)fputs("<p class=\"note\">Metrics of this run came from a table or another run; the "
                    "run's file does not have their values, so that its columns are shown "
                    "alone.</p>\n",
                    page->out);
    if (!status && state->report_columns.n > 0)
        status = draw_panels(page, n_metrics, &state->report_columns, &pairs, err);
    free(room);
    return status;
}
