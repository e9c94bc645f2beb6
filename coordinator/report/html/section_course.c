/* The best so far against evaluations, of every run and repeat, and every evaluation by itself. */
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"
#include "coordinator/report/html/plot.h"
#include "coordinator/report/report_internal.h"
#include "coordinator/report/summary.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_STEPS = 200, MOST_REPEATS = 24, MOST_MARKS = 1000 };

/* Numbers of evaluations after which a run is looked at, at most MOST_STEPS + 1, the last one among
 * them. */
typedef struct steps {
    double at[MOST_STEPS + 1];
    int64_t n;
} steps_t;

static int64_t longest(const nas_state_t *state)
{
    int64_t n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++)
        if (state->repeat[r].n_evaluation > n) n = state->repeat[r].n_evaluation;
    return n;
}

static steps_t steps_of(int64_t n)
{
    steps_t steps = {.n = 0};
    const int64_t stride = nas_html_stride(n, MOST_STEPS);
    for (int64_t at = 1; at <= n; at += stride) steps.at[steps.n++] = (double)at;
    if (n > 0 && steps.at[steps.n - 1] < (double)n) steps.at[steps.n++] = (double)n;
    return steps;
}

static bool is_better(const nas_state_t *state, double a, double b)
{
    return isnan(b) || (state->minimise ? a < b : a > b);
}

/* Best of a repeat at each step; NaN where it has none yet or has not come so far. */
static void follow(const nas_state_t *state, int64_t r, const steps_t *steps, double *best)
{
    const nas_repeat_t *repeat = &state->repeat[r];
    double so_far = NAN;
    int64_t i = 0;
    for (int64_t k = 0; k < steps->n; k++) {
        const int64_t n = (int64_t)steps->at[k];
        for (; i < n && i < repeat->n_evaluation; i++) {
            const nas_evaluation_t *e = &repeat->evaluation[i];
            if (e->status == NAS_EVAL_OK && is_better(state, e->value[0], so_far))
                so_far = e->value[0];
        }
        best[k] = n <= repeat->n_evaluation ? so_far : (double)NAN;
    }
}

/* Mean over the repeats, as the text report has it. */
static void average(const nas_state_t *state, const steps_t *steps, double *best)
{
    for (int64_t k = 0; k < steps->n; k++)
        best[k] = nas_summary_best_after(state, (int64_t)steps->at[k]);
}

/* Whether the mean goes all the way; of a run under way it may not, and its repeats tell. */
static bool has_mean(const steps_t *steps, const double *mean)
{
    return steps->n > 0 && isfinite(mean[steps->n - 1]);
}

/* What the axes take in: from a tenth of the budget on, where the first finds, which are far below
 * all that follows, would flatten it. */
typedef struct range {
    nas_extent_t x, y;
    bool is_cut;
} range_t;

static void widen(range_t *range, int64_t budget, const steps_t *steps, const double *best)
{
    for (int64_t k = 0; k < steps->n; k++) {
        nas_extent_add(&range->x, steps->at[k]);
        if (10 * (int64_t)steps->at[k] >= budget)
            nas_extent_add(&range->y, best[k]);
        else if (isfinite(best[k]))
            range->is_cut = true;
    }
}

/* The lines that tell: the mean, or each repeat where there is none. */
static void look(const nas_page_t *page, range_t *range)
{
    double best[MOST_STEPS + 1];
    for (size_t i = 0; i < page->n_run; i++) {
        const nas_state_t *state = page->run[i].state;
        const steps_t steps = steps_of(longest(state));
        average(state, &steps, best);
        widen(range, state->budget, &steps, best);
        const bool is_told = has_mean(&steps, best);
        const int64_t stride = nas_html_stride(state->n_repeat, MOST_REPEATS);
        for (int64_t r = 0; r < state->n_repeat; r += stride) {
            follow(state, r, &steps, best);
            if (!is_told)
                widen(range, state->budget, &steps, best);
            else /* of these the end alone, so that all of them arrive */
                nas_extent_add(&range->y, best[steps.n - 1]);
        }
    }
}

/* What the axis does not take in is a gap. */
static void cut(const range_t *range, int64_t n, double *best)
{
    for (int64_t k = 0; k < n; k++)
        if (best[k] < range->y.least || best[k] > range->y.largest) best[k] = NAN;
}

static void draw_run(const nas_page_t *page, const nas_plot_t *plot, const range_t *range, size_t i)
{
    const nas_state_t *state = page->run[i].state;
    const steps_t steps = steps_of(longest(state));
    const int64_t most = page->n_run > 3 ? MOST_REPEATS / 4 : MOST_REPEATS;
    const int64_t stride = nas_html_stride(state->n_repeat, most);
    double best[MOST_STEPS + 1], mean[MOST_STEPS + 1];
    average(state, &steps, mean);
    const char *kind = has_mean(&steps, mean) ? "thin" : "plain";
    for (int64_t r = 0; r < state->n_repeat && state->n_repeat > 1; r += stride) {
        follow(state, r, &steps, best);
        cut(range, steps.n, best);
        nas_plot_stairs(plot, steps.at, best, steps.n, (int)i, kind);
    }
    cut(range, steps.n, mean);
    nas_plot_stairs(plot, steps.at, mean, steps.n, (int)i, "main");
}

static nas_status_t print_keys(const nas_page_t *page, nas_error_t *err)
{
    (void)fputs("<ul class=\"keys\">\n", page->out);
    for (size_t i = 0; i < page->n_run; i++) {
        char *label = nas_report_run_label(page->run, page->n_run, i, err);
        if (!label) return NAS_ENOMEM;
        nas_plot_key((int)i, true, label, page->out);
        free(label);
    }
    (void)fputs("</ul>\n", page->out);
    return NAS_OK;
}

static nas_status_t draw_best(const nas_page_t *page, nas_error_t *err)
{
    range_t range = {0};
    look(page, &range);
    nas_plot_t plot = {.out = page->out,
                       .id = "course-best",
                       .title = "Best objective so far against evaluations",
                       .x_label = "evaluations",
                       .x_is_whole = true,
                       .y_label = "best objective so far",
                       .x_extent = range.x,
                       .y_extent = range.y};
    (void)fputs("<figure>\n", page->out);
    nas_plot_begin(&plot);
    /* the first run is drawn last, over the others */
    for (size_t i = page->n_run; i-- > 0;) draw_run(page, &plot, &range, i);
    nas_plot_end(&plot);
    const nas_status_t status = print_keys(page, err);
    (void)fputs(
        "<figcaption>Best objective so far: thick the mean of the repeats, as far as all of "
        "them have come, thin each repeat",
        page->out);
    if (page->state->n_repeat > MOST_REPEATS)
        (void)fprintf(page->out, " (one of %lld)",
                      (long long)nas_html_stride(page->state->n_repeat, MOST_REPEATS));
    (void)fprintf(page->out, ".%s</figcaption>\n</figure>\n",
                  range.is_cut ? " What was worse in the first tenth of the budget is not drawn."
                               : "");
    return status;
}

/* Every evaluation of one phase, at its number. */
typedef struct cloud {
    double *x, *y;
    int64_t n;
} cloud_t;

static void gather(const nas_state_t *state, int32_t phase, cloud_t *cloud)
{
    cloud->n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++) {
            const nas_evaluation_t *e = &state->repeat[r].evaluation[i];
            if (e->status != NAS_EVAL_OK || (phase >= 0 && e->phase != phase)) continue;
            cloud->x[cloud->n] = (double)(i + 1);
            cloud->y[cloud->n++] = e->value[0];
        }
}

static int64_t draw_phases(const nas_plot_t *plot, const nas_state_t *state, cloud_t *cloud)
{
    int64_t n_drawn = 0;
    for (int32_t phase = 0; phase < NAS_N_PHASES; phase++) {
        gather(state, phase, cloud);
        if (cloud->n > 0)
            n_drawn += nas_plot_marks(plot, cloud->x, cloud->y, cloud->n, phase, MOST_MARKS);
    }
    return n_drawn;
}

static void print_phases(const nas_page_t *page, cloud_t *cloud)
{
    (void)fputs("<ul class=\"keys\">\n", page->out);
    for (int32_t phase = 0; phase < NAS_N_PHASES; phase++) {
        gather(page->state, phase, cloud);
        if (cloud->n > 0) nas_plot_key(phase, false, nas_phase_name(phase), page->out);
    }
    (void)fputs("</ul>\n", page->out);
}

static nas_status_t draw_evaluations(const nas_page_t *page, nas_error_t *err)
{
    int64_t n = 0;
    for (int64_t r = 0; r < page->state->n_repeat; r++) n += page->state->repeat[r].n_evaluation;
    double *room = malloc(2 * (size_t)n * sizeof *room + 1);
    if (!room) return nas_error_nomem(err, "a plot");
    cloud_t cloud = {.x = room, .y = room + n};
    gather(page->state, -1, &cloud);
    const int64_t n_known = cloud.n;
    nas_plot_t plot = {.out = page->out,
                       .id = "course-all",
                       .title = "Objective of every evaluation",
                       .x_label = "number of the evaluation",
                       .x_is_whole = true,
                       .y_label = "objective"};
    for (int64_t i = 0; i < cloud.n; i++) {
        nas_extent_add(&plot.x_extent, cloud.x[i]);
        nas_extent_add(&plot.y_extent, cloud.y[i]);
    }
    (void)fputs("<figure>\n", page->out);
    nas_plot_begin(&plot);
    const int64_t n_drawn = draw_phases(&plot, page->state, &cloud);
    nas_plot_end(&plot);
    print_phases(page, &cloud);
    (void)fprintf(page->out,
                  "<figcaption>Evaluations that succeeded, by what they were made for: %lld of "
                  "%lld are drawn.</figcaption>\n</figure>\n",
                  (long long)n_drawn, (long long)n_known);
    free(room);
    return NAS_OK;
}

static nas_status_t compare_run(const nas_page_t *page, size_t i, nas_error_t *err)
{
    const nas_state_t *state = page->run[i].state;
    nas_statistics_t target, cost;
    nas_status_t status = NAS_SUMMARY(state, target, &target, err);
    if (!status) status = NAS_SUMMARY(state, cost, &cost, err);
    char *label = status ? NULL : nas_report_run_label(page->run, page->n_run, i, err);
    if (!label) return NAS_ENOMEM;
    (void)fputs("<tr><th scope=\"row\">", page->out);
    nas_html_text(label, page->out);
    free(label);
    (void)fprintf(page->out, "</th><td class=\"n\">%lld</td><td class=\"n\">%lld</td>",
                  (long long)state->budget, (long long)state->n_repeat);
    const double value[] = {target.mean, target.std, cost.mean};
    for (size_t k = 0; k < sizeof value / sizeof *value; k++) {
        (void)fputs("<td class=\"n\">", page->out);
        nas_html_statistic(value[k], page->out);
        (void)fputs("</td>", page->out);
    }
    (void)fputs("</tr>\n", page->out);
    return NAS_OK;
}

static nas_status_t compare(const nas_page_t *page, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    (void)fputs(
        "<h3>Best objective, by run</h3>\n<div class=\"scroll\"><table><thead><tr><td></td>",
        page->out);
    static const char *const column[] = {"budget", "repeats", "mean", "std", "cost"};
    for (size_t c = 0; c < sizeof column / sizeof *column; c++)
        (void)fprintf(page->out, "<th scope=\"col\" class=\"n\">%s</th>", column[c]);
    (void)fputs("</tr></thead><tbody>\n", page->out);
    for (size_t i = 0; i < page->n_run && !status; i++) status = compare_run(page, i, err);
    (void)fputs("</tbody></table></div>\n", page->out);
    return status;
}

nas_status_t nas_section_course(const nas_page_t *page, nas_error_t *err)
{
    if (nas_summary_best_repeat(page->state) < 0) {
        (void)fputs("<p>No evaluation has succeeded yet.</p>\n", page->out);
        return NAS_OK;
    }
    (void)fputs("<div class=\"grid\">\n", page->out);
    nas_status_t status = draw_best(page, err);
    if (!status) status = draw_evaluations(page, err);
    (void)fputs("</div>\n", page->out);
    if (!status && page->n_run > 1) status = compare(page, err);
    return status;
}
