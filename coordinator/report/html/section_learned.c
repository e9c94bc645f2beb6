/* What a method has learned of the metrics: weights, or how its posterior goes with each; why it
 * evaluated what it did. */
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"
#include "coordinator/report/report_internal.h"
#include "coordinator/report/summary.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_METRICS = 40, MOST_REPEATS = 40 };

bool nas_page_has_learned(const nas_page_t *page)
{
    const nas_state_t *state = page->state;
    for (int64_t r = 0; r < state->n_repeat && state->metrics.n > 0; r++)
        if (nas_summary_weights(state, r)) return true;
    return nas_page_is_search(page) && nas_summary_has_reasons(state);
}

static bool knows_weights(const nas_state_t *state)
{
    for (size_t m = 0; m < state->metrics.n; m++)
        if (isfinite(nas_summary_mean_weight(state, m))) return true;
    return false;
}

static void fill(const nas_state_t *state, int n, nas_bar_t *bar, double *part)
{
    const int64_t stride = nas_html_stride(state->n_repeat, MOST_REPEATS);
    for (int m = 0; m < n; m++) {
        double *of_metric = part + (ptrdiff_t)m * MOST_REPEATS;
        int n_part = 0;
        for (int64_t r = 0; r < state->n_repeat; r += stride)
            of_metric[n_part++] = nas_summary_weight(state, r, (size_t)m);
        bar[m] = (nas_bar_t){.label = state->metrics.at[m],
                             .value = nas_summary_mean_weight(state, (size_t)m),
                             .part = of_metric,
                             .n_part = state->n_repeat > 1 ? n_part : 0,
                             .when_none = "tells nothing apart",
                             .format = "%.3f"};
    }
}

static nas_status_t draw_weights(const nas_page_t *page, nas_error_t *err)
{
    const nas_state_t *state = page->state;
    const int n = state->metrics.n < MOST_METRICS ? (int)state->metrics.n : MOST_METRICS;
    nas_bar_t *bar = calloc((size_t)n + 1, sizeof *bar);
    double *part = calloc((size_t)n * MOST_REPEATS + 1, sizeof *part);
    const char *title = state->has_weights ? "Weight of each metric"
                                           : "Correlation of the posterior mean with each metric";
    if (bar && part) {
        fill(state, n, bar, part);
        const nas_bars_t bars = {.out = page->out,
                                 .id = "weights",
                                 .title = title,
                                 .bar = bar,
                                 .n = n,
                                 .least = -1,
                                 .largest = 1};
        (void)fputs("<figure>\n", page->out);
        nas_bars_draw(&bars);
        (void)fprintf(page->out,
                      "<figcaption>%s: the bar is the mean of the repeats%s; %d of %zu "
                      "metrics.</figcaption>\n</figure>\n",
                      title, state->n_repeat > 1 ? ", the ticks below it are repeats" : "", n,
                      state->metrics.n);
    }
    const nas_status_t status = bar && part ? NAS_OK : nas_error_nomem(err, "a plot");
    free(part);
    free(bar);
    return status;
}

static void print_line(const char *label, const nas_statistics_t *s, void *context)
{
    FILE *out = context;
    (void)fprintf(out, "<tr><th scope=\"row\">%s</th><td class=\"n\">%.6g</td>", label, s->mean);
    (void)fprintf(out, "<td class=\"n\">%.6g</td><td class=\"n\">%.6g</td></tr>\n", s->min, s->max);
}

typedef nas_status_t (*lines_t)(const nas_state_t *state, const nas_report_visitor_t *visitor,
                                nas_error_t *err);

static nas_status_t print_table(const nas_page_t *page, const char *heading, lines_t lines,
                                nas_error_t *err)
{
    const nas_report_visitor_t visitor = {.visit = print_line, .context = page->out};
    (void)fprintf(
        page->out,
        "<h3>%s</h3>\n<table><thead><tr><td></td><th scope=\"col\" class=\"n\">mean</th>"
        "<th scope=\"col\" class=\"n\">min</th><th scope=\"col\" class=\"n\">max</th></tr>"
        "</thead><tbody>\n",
        heading);
    const nas_status_t status = lines(page->state, &visitor, err);
    (void)fputs("</tbody></table>\n", page->out);
    return status;
}

nas_status_t nas_section_learned(const nas_page_t *page, nas_error_t *err)
{
    nas_statistics_t known = {.n = 0};
    nas_status_t status = NAS_OK;
    (void)fputs("<div class=\"grid\">\n", page->out);
    if (knows_weights(page->state)) status = draw_weights(page, err);
    if (!status && nas_summary_has_reasons(page->state)) {
        (void)fputs("<div>\n", page->out);
        status =
            print_table(page, "Evaluations by reason, in each repeat", nas_report_reasons, err);
        if (!status) status = NAS_SUMMARY(page->state, posterior_mean, &known, err);
        if (!status && known.n > 0)
            status =
                print_table(page, "Posterior of the best, in standard deviations of the targets",
                            nas_report_posterior, err);
        (void)fputs("</div>\n", page->out);
    }
    (void)fputs("</div>\n", page->out);
    return status;
}
