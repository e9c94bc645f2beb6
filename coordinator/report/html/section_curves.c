/* Losses and accuracies of trainings, epoch by epoch. */
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"
#include "coordinator/report/html/plot.h"
#include "coordinator/report/summary.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_CURVES = 30 };

/* Series of the drawings. */
enum { TRAIN = 0, VALID = 1 };

bool nas_page_has_curves(const nas_page_t *page)
{
    const nas_state_t *state = page->state;
    for (int64_t r = 0; r < state->n_repeat && state->n_epochs > 0; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++)
            if (state->repeat[r].evaluation[i].curve) return true;
    return false;
}

/* The trainings that are drawn, and room for a line. */
typedef struct curves {
    const nas_evaluation_t *at[MOST_CURVES];
    int n;
    int64_t n_all;
    const nas_evaluation_t *best;
    int64_t n_epochs;
    double *x, *y; /* [n_epochs] */
} curves_t;

static void choose(const nas_state_t *state, curves_t *curves)
{
    int64_t n_seen = 0;
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++)
            curves->n_all += state->repeat[r].evaluation[i].curve != NULL;
    const int64_t stride = nas_html_stride(curves->n_all, MOST_CURVES);
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++) {
            const nas_evaluation_t *e = &state->repeat[r].evaluation[i];
            if (e->curve && n_seen++ % stride == 0) curves->at[curves->n++] = e;
        }
    const int64_t r = nas_summary_best_repeat(state);
    curves->best = r < 0 ? NULL : nas_repeat_best(&state->repeat[r], state->minimise);
    if (curves->best && !curves->best->curve) curves->best = NULL;
}

static void fill(curves_t *curves, const nas_evaluation_t *e, int column)
{
    for (int64_t i = 0; i < curves->n_epochs; i++)
        curves->y[i] = e->curve[i * NAS_CURVE_COLUMNS + column];
}

static void widen(curves_t *curves, const nas_evaluation_t *e, int column, nas_plot_t *plot)
{
    fill(curves, e, column);
    for (int64_t i = 0; i < curves->n_epochs; i++) nas_extent_add(&plot->y_extent, curves->y[i]);
}

/* Columns `first` to `last` of the curves, one series each. */
static void draw(curves_t *curves, nas_plot_t *plot, int first, int last)
{
    for (int column = first; column <= last; column++) {
        for (int i = 0; i < curves->n; i++) widen(curves, curves->at[i], column, plot);
        if (curves->best) widen(curves, curves->best, column, plot);
    }
    nas_extent_add(&plot->x_extent, 1);
    nas_extent_add(&plot->x_extent, (double)curves->n_epochs);
    (void)fputs("<figure>\n", plot->out);
    nas_plot_begin(plot);
    for (int column = first; column <= last; column++) {
        const int series = column == NAS_CURVE_TRAIN_LOSS ? TRAIN : VALID;
        for (int i = 0; i < curves->n; i++) {
            fill(curves, curves->at[i], column);
            nas_plot_line(plot, curves->x, curves->y, curves->n_epochs, series, "thin");
        }
        if (!curves->best) continue;
        fill(curves, curves->best, column);
        nas_plot_line(plot, curves->x, curves->y, curves->n_epochs, series, "main");
        (void)nas_plot_marks(plot, curves->x, curves->y, curves->n_epochs, series, MOST_CURVES);
    }
    nas_plot_end(plot);
    (void)fputs("<ul class=\"keys\">\n", plot->out);
    if (first == NAS_CURVE_TRAIN_LOSS) nas_plot_key(TRAIN, true, "training", plot->out);
    nas_plot_key(VALID, true, "validation", plot->out);
    (void)fputs("</ul>\n</figure>\n", plot->out);
}

nas_status_t nas_section_curves(const nas_page_t *page, nas_error_t *err)
{
    curves_t curves = {.n_epochs = page->state->n_epochs};
    curves.x = malloc(2 * (size_t)curves.n_epochs * sizeof *curves.x);
    if (!curves.x) return nas_error_nomem(err, "a plot");
    curves.y = curves.x + curves.n_epochs;
    for (int64_t i = 0; i < curves.n_epochs; i++) curves.x[i] = (double)(i + 1);
    choose(page->state, &curves);
    nas_plot_t loss = {.out = page->out,
                       .id = "losses",
                       .title = "Training and validation loss against epochs",
                       .x_label = "epoch",
                       .x_is_whole = true,
                       .y_label = "loss"};
    nas_plot_t accuracy = {.out = page->out,
                           .id = "accuracies",
                           .title = "Validation accuracy against epochs",
                           .x_label = "epoch",
                           .x_is_whole = true,
                           .y_label = "validation accuracy (%)"};
    (void)fputs("<div class=\"grid\">\n", page->out);
    draw(&curves, &loss, NAS_CURVE_TRAIN_LOSS, NAS_CURVE_VALID_LOSS);
    draw(&curves, &accuracy, NAS_CURVE_VALID_ACCURACY, NAS_CURVE_VALID_ACCURACY);
    (void)fprintf(page->out,
                  "</div>\n<p class=\"note\">Thick, with marks: the best architecture. Thin: %d of "
                  "%lld trainings.</p>\n",
                  curves.n, (long long)curves.n_all);
    free(curves.x);
    return NAS_OK;
}
