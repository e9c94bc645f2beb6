/* Metrics that the run computed, over its pool: what they are like, and how alike they rank. */
#include "coordinator/report/html/correlation.h"
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"
#include "coordinator/report/summary.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_METRICS = 16, MOST_ARCHS = 10000, N_TONES = 8 };

/* Columns of metrics, of every k-th architecture. */
typedef struct sample {
    double *value; /* n_metrics x n */
    int64_t n;
    int n_metrics;
} sample_t;

static nas_status_t take(const nas_state_t *state, sample_t *sample, nas_error_t *err)
{
    const nas_scores_t *scores = &state->scores;
    const int64_t n_metrics = (int64_t)state->metrics.n;
    const int64_t stride = nas_html_stride(scores->n, MOST_ARCHS);
    sample->n_metrics = n_metrics < MOST_METRICS ? (int)n_metrics : MOST_METRICS;
    sample->n = (scores->n + stride - 1) / stride;
    sample->value = malloc((size_t)(sample->n * sample->n_metrics) * sizeof *sample->value + 1);
    if (!sample->value) return nas_error_nomem(err, "a sample of the pool");
    for (int m = 0; m < sample->n_metrics; m++)
        for (int64_t i = 0; i < sample->n; i++) {
            const int64_t arch = i * stride;
            sample->value[m * sample->n + i] = scores->status[arch] == NAS_SCORE_OK
                                                   ? scores->value[arch * n_metrics + m]
                                                   : (double)NAN;
        }
    return NAS_OK;
}

static void print_correlation(double rho, FILE *out)
{
    if (isfinite(rho))
        (void)fprintf(out, "<td class=\"h%d\">%.2f</td>", (int)lround((rho + 1) * N_TONES / 2),
                      rho);
    else
        (void)fputs("<td>-</td>", out);
}

static nas_status_t print_row(const nas_page_t *page, const sample_t *sample, int row,
                              nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    (void)fputs("<tr><th scope=\"row\">", page->out);
    nas_html_text(page->state->metrics.at[row], page->out);
    (void)fputs("</th>", page->out);
    for (int m = 0; m < sample->n_metrics && !status; m++) {
        double rho = NAN;
        int64_t n_pairs = 0;
        status =
            nas_rank_correlation(sample->value + row * sample->n, sample->value + m * sample->n,
                                 sample->n, &rho, &n_pairs, err);
        if (!status) print_correlation(rho, page->out);
    }
    (void)fputs("</tr>\n", page->out);
    return status;
}

static nas_status_t print_heat(const nas_page_t *page, nas_error_t *err)
{
    sample_t sample = {0};
    nas_status_t status = take(page->state, &sample, err);
    if (status) return status;
    (void)fputs("<figure class=\"scroll\"><table class=\"heat\"><thead><tr><td></td>", page->out);
    for (int m = 0; m < sample.n_metrics; m++) {
        (void)fputs("<th scope=\"col\">", page->out);
        nas_html_text(page->state->metrics.at[m], page->out);
        (void)fputs("</th>", page->out);
    }
    (void)fputs("</tr></thead><tbody>\n", page->out);
    for (int m = 0; m < sample.n_metrics && !status; m++) status = print_row(page, &sample, m, err);
    (void)fprintf(page->out,
                  "</tbody></table><figcaption>Spearman's rank correlation of each two metrics, "
                  "where both are finite: %lld of %lld architectures, %d of %zu "
                  "metrics.</figcaption></figure>\n",
                  (long long)sample.n, (long long)page->state->scores.n, sample.n_metrics,
                  page->state->metrics.n);
    free(sample.value);
    return status;
}

static void print_metric(const nas_page_t *page, size_t m)
{
    int64_t n_missing = 0;
    const nas_statistics_t s = nas_summary_metric(page->state, m, &n_missing);
    const double value[] = {s.mean, s.min, s.max};
    (void)fputs("<tr><th scope=\"row\">", page->out);
    nas_html_text(page->state->metrics.at[m], page->out);
    (void)fputs("</th>", page->out);
    for (size_t i = 0; i < sizeof value / sizeof *value; i++)
        (void)fprintf(page->out, s.n ? "<td class=\"n\">%.4g</td>" : "<td class=\"n\">unknown</td>",
                      value[i]);
    (void)fprintf(page->out, "<td class=\"n\">%lld</td></tr>\n", (long long)n_missing);
}

nas_status_t nas_section_metrics(const nas_page_t *page, nas_error_t *err)
{
    static const char *const column[] = {"mean", "min", "max", "missing"};
    const nas_status_t status = print_heat(page, err);
    (void)fputs("<h3>Values</h3>\n<div class=\"scroll\"><table><thead><tr><td></td>", page->out);
    for (size_t c = 0; c < sizeof column / sizeof *column; c++)
        (void)fprintf(page->out, "<th scope=\"col\" class=\"n\">%s</th>", column[c]);
    (void)fputs("</tr></thead><tbody>\n", page->out);
    for (size_t m = 0; m < page->state->metrics.n; m++) print_metric(page, m);
    (void)fputs("</tbody></table></div>\n", page->out);
    return status;
}
