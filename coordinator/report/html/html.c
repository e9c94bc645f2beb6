/* A page is a head, what the run came to in a few numbers, and its sections, each as far as the run
 * has something to say there. Sections are written one after the other, and nothing is kept: a page
 * that cannot be finished is no page, and its reader is told so by the exit code. */
#include "coordinator/report/html/html.h"

#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"
#include "coordinator/report/report_internal.h"
#include "coordinator/report/summary.h"

#include <math.h>

typedef struct section {
    const char *id;
    const char *heading;
    bool (*has)(const nas_page_t *page); /* NULL: every page has it */
    nas_status_t (*write)(const nas_page_t *page, nas_error_t *err);
} section_t;

static const section_t section[] = {
    {"best", "Best architecture", nas_page_is_search, nas_section_best},
    {"course", "Course of the search", nas_page_is_search, nas_section_course},
    {"learned", "What the method learned", nas_page_has_learned, nas_section_learned},
    {"objective", "Metrics and columns against the objective", nas_page_has_pairs,
     nas_section_objective},
    {"metrics", "Metric against metric", nas_page_is_scored, nas_section_metrics},
    {"curves", "Loss curves", nas_page_has_curves, nas_section_curves},
    {"failures", "Failures", NULL, nas_section_failures},
    {"timing", "Time and ranks", NULL, nas_section_timing},
    {"job", "Job", NULL, nas_section_job},
};

enum { N_SECTIONS = sizeof section / sizeof *section };

static bool has(const nas_page_t *page, const section_t *s)
{
    return !s->has || s->has(page);
}

static void print_head(const nas_page_t *page)
{
    FILE *out = page->out;
    (void)fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
                "<link rel=\"icon\" href=\"data:,\"/>\n<title>",
                out);
    nas_html_text(page->state->job_name, out);
    (void)fputs(" - robotnas</title>\n<style>\n", out);
    for (const char *const *rule = nas_page_style; *rule; rule++) (void)fputs(*rule, out);
    (void)fputs("</style>\n</head>\n<body>\n", out);
}

static void print_tile(const nas_page_t *page, const char *name, double value, double of)
{
    (void)fprintf(page->out, "<div class=\"tile\"><dt>%s</dt><dd>", name);
    nas_html_number(value, page->out);
    if (of > 0) (void)fprintf(page->out, " <small>of %.8g</small>", of);
    (void)fputs("</dd></div>\n", page->out);
}

static int64_t count_evaluations(const nas_state_t *state)
{
    int64_t n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++) n += state->repeat[r].n_evaluation;
    return n;
}

static void print_tiles(const nas_page_t *page)
{
    const nas_state_t *state = page->state;
    const int64_t r = nas_summary_best_repeat(state);
    const nas_evaluation_t *best =
        r < 0 ? NULL : nas_repeat_best(&state->repeat[r], state->minimise);
    (void)fputs("<dl class=\"tiles\">\n", page->out);
    if (state->n_repeat > 0) {
        print_tile(page, "best objective", best ? best->value[0] : (double)NAN, 0);
        if (best && best->pool_rank)
            print_tile(page, "its rank in the pool", (double)best->pool_rank,
                       (double)state->n_arch);
        print_tile(page, "evaluations", (double)count_evaluations(state),
                   (double)state->budget * (double)state->n_repeat);
    }
    if (state->scores.n > 0)
        print_tile(page, "architectures scored",
                   (double)nas_scores_count(&state->scores, NAS_SCORE_OK), (double)state->scores.n);
    if (state->n_repeat > 0) print_tile(page, "failed", (double)nas_state_count_failed(state), 0);
    (void)fputs("</dl>\n", page->out);
}

static void print_header(const nas_page_t *page)
{
    FILE *out = page->out;
    (void)fputs("<header>\n<h1>", out);
    nas_html_text(page->state->job_name, out);
    (void)fputs("</h1>\n<p class=\"lead\">", out);
    char line[256];
    nas_report_describe(page->state, line, sizeof line);
    nas_html_text(line, out);
    (void)fputs("</p>\n", out);
    print_tiles(page);
    (void)fputs("<nav aria-label=\"Sections\"><ul>\n", out);
    for (int i = 0; i < N_SECTIONS; i++)
        if (has(page, &section[i]))
            (void)fprintf(out, "<li><a href=\"#%s\">%s</a></li>\n", section[i].id,
                          section[i].heading);
    (void)fputs("</ul></nav>\n</header>\n<main>\n", out);
}

static nas_status_t print_section(const nas_page_t *page, const section_t *s, nas_error_t *err)
{
    (void)fprintf(page->out,
                  "<section id=\"%s\" aria-labelledby=\"%s-h\">\n<h2 id=\"%s-h\">%s</h2>\n", s->id,
                  s->id, s->id, s->heading);
    const nas_status_t status = s->write(page, err);
    (void)fputs("</section>\n", page->out);
    return status;
}

static void print_end(const nas_page_t *page)
{
    (void)fputs("</main>\n<footer><p>Written by robotnas ", page->out);
    nas_html_text(page->state->program_version, page->out);
    (void)fputs(".</p></footer>\n</body>\n</html>\n", page->out);
}

nas_status_t nas_report_html(const nas_compared_t *run, size_t n, const nas_under_way_t *under_way,
                             FILE *out, nas_error_t *err)
{
    const nas_page_t page = {
        .state = run->state, .run = run, .n_run = n, .under_way = under_way, .out = out};
    nas_status_t status = NAS_OK;
    print_head(&page);
    print_header(&page);
    for (int i = 0; i < N_SECTIONS && !status; i++)
        if (has(&page, &section[i])) status = print_section(&page, &section[i], err);
    print_end(&page);
    if (!status && (fflush(out) || ferror(out)))
        return nas_error_set(err, NAS_EIO, "the page cannot be written");
    return status;
}
