/* What failed, by its reason. */
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"

#include <string.h>

enum { MOST_REASONS = 50 };

/* Failures of one reason. */
typedef struct failures {
    const char *reason;
    const char *first; /* architecture */
    int64_t n;
} failures_t;

typedef struct tally {
    failures_t at[MOST_REASONS];
    int n;
    int64_t n_other; /* of reasons beyond these */
    int64_t n_missing;
} tally_t;

static void add(tally_t *tally, const nas_evaluation_t *e)
{
    const char *reason = e->reason ? e->reason : "no reason";
    for (int i = 0; i < tally->n; i++)
        if (strcmp(tally->at[i].reason, reason) == 0) {
            tally->at[i].n++;
            return;
        }
    if (tally->n < MOST_REASONS)
        tally->at[tally->n++] = (failures_t){.reason = reason, .first = e->name, .n = 1};
    else
        tally->n_other++;
}

static void count(const nas_state_t *state, tally_t *tally)
{
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++) {
            const nas_evaluation_t *e = &state->repeat[r].evaluation[i];
            if (e->status == NAS_EVAL_FAILED) add(tally, e);
            tally->n_missing += e->status == NAS_EVAL_MISSING;
        }
}

static void print_reasons(const tally_t *tally, FILE *out)
{
    (void)fputs("<div class=\"scroll\"><table><thead><tr><th scope=\"col\" class=\"n\">failed</th>"
                "<th scope=\"col\">reason</th><th scope=\"col\">first of them</th></tr></thead>"
                "<tbody>\n",
                out);
    for (int i = 0; i < tally->n; i++) {
        (void)fprintf(out, "<tr><td class=\"n\">%lld</td><td>", (long long)tally->at[i].n);
        nas_html_text(tally->at[i].reason, out);
        (void)fputs("</td><td><code>", out);
        nas_html_text(tally->at[i].first, out);
        (void)fputs("</code></td></tr>\n", out);
    }
    if (tally->n_other > 0)
        (void)fprintf(out, "<tr><td class=\"n\">%lld</td><td>other reasons</td><td></td></tr>\n",
                      (long long)tally->n_other);
    (void)fputs("</tbody></table></div>\n", out);
}

static void print_scores(const nas_scores_t *scores, FILE *out)
{
    (void)fprintf(out, "<p>Of %lld architectures %lld could not be scored", (long long)scores->n,
                  (long long)nas_scores_count(scores, NAS_SCORE_FAILED));
    const int64_t n_unfit = nas_scores_count(scores, NAS_SCORE_UNFIT);
    if (n_unfit > 0) (void)fprintf(out, ", and %lld did not fit the GPU", (long long)n_unfit);
    (void)fputs(".</p>\n", out);
}

nas_status_t nas_section_failures(const nas_page_t *page, nas_error_t *err)
{
    tally_t tally = {.n = 0};
    (void)err;
    count(page->state, &tally);
    if (tally.n > 0)
        print_reasons(&tally, page->out);
    else if (nas_page_is_search(page))
        (void)fputs("<p>No evaluation has failed.</p>\n", page->out);
    if (tally.n_missing > 0)
        (void)fprintf(page->out, "<p>Of %lld evaluations the table has no objective.</p>\n",
                      (long long)tally.n_missing);
    if (page->state->scores.n > 0) print_scores(&page->state->scores, page->out);
    return NAS_OK;
}
