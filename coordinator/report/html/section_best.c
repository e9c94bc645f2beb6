#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"
#include "coordinator/report/report_internal.h"
#include "coordinator/report/summary.h"

#include <math.h>

static void print_statistics(const char *label, const nas_statistics_t *s, void *context)
{
    FILE *out = context;
    const double value[] = {s->mean, s->std, s->min, s->max};
    (void)fputs("<tr><th scope=\"row\">", out);
    nas_html_text(label, out);
    (void)fputs("</th>", out);
    for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
        (void)fputs("<td class=\"n\">", out);
        nas_html_statistic(value[i], out);
        (void)fputs("</td>", out);
    }
    (void)fputs("</tr>\n", out);
}

static nas_status_t print_repeats(const nas_page_t *page, nas_error_t *err)
{
    const nas_report_visitor_t visitor = {.visit = print_statistics, .context = page->out};
    (void)fputs("<h3>Best of each repeat</h3>\n<div class=\"scroll\"><table><thead><tr><td></td>"
                "<th scope=\"col\" class=\"n\">mean</th><th scope=\"col\" class=\"n\">std</th>"
                "<th scope=\"col\" class=\"n\">min</th><th scope=\"col\" class=\"n\">max</th></tr>"
                "</thead><tbody>\n",
                page->out);
    const nas_status_t status = nas_report_repeats(page->state, &visitor, err);
    (void)fputs("</tbody></table></div>\n", page->out);
    return status;
}

static void print_facts(const nas_page_t *page, const nas_evaluation_t *best)
{
    const nas_state_t *state = page->state;
    (void)fputs("<table><tbody>\n", page->out);
    nas_html_fact_number("objective", best->value[0], page->out);
    for (size_t c = 0; c < state->report_columns.n; c++)
        nas_html_fact_number(state->report_columns.at[c], best->columns[c], page->out);
    nas_html_fact_number("cost", best->cost, page->out);
    if (best->pool_rank)
        (void)fprintf(page->out,
                      "<tr><th scope=\"row\">rank in the pool</th><td>%lld of %lld</td></tr>\n",
                      (long long)best->pool_rank, (long long)state->n_arch);
    (void)fprintf(page->out, "<tr><th scope=\"row\">seed</th><td>%llu</td></tr>\n",
                  (unsigned long long)best->seed);
    (void)fputs("</tbody></table>\n", page->out);
}

nas_status_t nas_section_best(const nas_page_t *page, nas_error_t *err)
{
    const nas_state_t *state = page->state;
    const int64_t r = nas_summary_best_repeat(state);
    if (r < 0) {
        (void)fputs("<p>No architecture has been evaluated successfully yet.</p>\n", page->out);
        return NAS_OK;
    }
    const nas_evaluation_t *best = nas_repeat_best(&state->repeat[r], state->minimise);
    (void)fputs("<p class=\"arch\"><code>", page->out);
    nas_html_text(best->name, page->out);
    (void)fputs("</code></p>\n<div class=\"grid\"><div>\n", page->out);
    nas_status_t status = nas_page_draw_arch(best->name, page->out, err);
    (void)fputs("</div><div>\n", page->out);
    print_facts(page, best);
    if (!status) status = print_repeats(page, err);
    (void)fputs("</div></div>\n", page->out);
    return status;
}
