/* All of a page that may differ between equal runs: when and where it ran, what each rank did, what
 * is under way, what happened. */
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/page.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_RANKS = 64, MOST_ITEMS = 20, MOST_EVENTS = 100, TIME_SIZE = 32 };

static void print_time(double time_s, char *text)
{
    const time_t t = (time_t)time_s;
    struct tm tm;
    if (!isfinite(time_s) || !gmtime_r(&t, &tm) ||
        strftime(text, TIME_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        (void)snprintf(text, TIME_SIZE, "unknown");
}

static void print_facts(const nas_page_t *page)
{
    const nas_state_t *state = page->state;
    char begun[TIME_SIZE], saved[TIME_SIZE];
    print_time(state->created_s, begun);
    print_time(state->updated_s, saved);
    (void)fputs("<table><tbody>\n", page->out);
    nas_html_fact("begun", begun, page->out);
    nas_html_fact("last saved", saved, page->out);
    nas_html_fact_number("seconds, over all sessions", state->elapsed_s, page->out);
    nas_html_fact_number("ranks", state->n_ranks, page->out);
    nas_html_fact("host of rank 0", state->host, page->out);
    nas_html_fact("instruction set", state->isa, page->out);
    if (state->device && *state->device) nas_html_fact("device", state->device, page->out);
    nas_html_fact("commit", state->commit, page->out);
    (void)fputs("</tbody></table>\n", page->out);
}

/* A number for each rank, or for as many ranks as a bar stands for. */
typedef struct work {
    double sum[MOST_RANKS];
    int64_t n_ranks;
    int64_t ranks_per_bar;
} work_t;

static work_t work_of(const nas_state_t *state, int64_t most)
{
    work_t work = {.n_ranks = most > state->n_ranks ? most : state->n_ranks};
    work.ranks_per_bar = nas_html_stride(work.n_ranks, MOST_RANKS);
    return work;
}

static void add(work_t *work, int64_t rank, double amount)
{
    if (rank >= 0 && rank < work->n_ranks) work->sum[rank / work->ranks_per_bar] += amount;
}

static void draw_work(const nas_page_t *page, const work_t *work, const char *id, const char *title)
{
    const int n = (int)((work->n_ranks + work->ranks_per_bar - 1) / work->ranks_per_bar);
    char label[MOST_RANKS][48];
    nas_bar_t bar[MOST_RANKS];
    double largest = 0;
    for (int i = 0; i < n; i++) {
        const long long first = i * work->ranks_per_bar;
        if (work->ranks_per_bar == 1)
            (void)snprintf(label[i], sizeof label[i], "rank %lld", first);
        else
            (void)snprintf(label[i], sizeof label[i], "%lld to %lld", first,
                           (long long)fmin((double)(first + work->ranks_per_bar - 1),
                                           (double)(work->n_ranks - 1)));
        bar[i] = (nas_bar_t){.label = label[i], .value = work->sum[i], .format = "%.5g"};
        largest = fmax(largest, work->sum[i]);
    }
    if (largest == 0) return;
    const nas_bars_t bars = {
        .out = page->out, .id = id, .title = title, .bar = bar, .n = n, .largest = largest};
    (void)fputs("<figure>\n", page->out);
    nas_bars_draw(&bars);
    (void)fprintf(page->out, "<figcaption>%s</figcaption>\n</figure>\n", title);
}

static void draw_evaluations(const nas_page_t *page)
{
    const nas_state_t *state = page->state;
    int64_t most = 0;
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++)
            if (state->repeat[r].evaluation[i].rank >= most)
                most = state->repeat[r].evaluation[i].rank + (int64_t)1;
    work_t work = work_of(state, most);
    for (int64_t r = 0; r < state->n_repeat; r++)
        for (int64_t i = 0; i < state->repeat[r].n_evaluation; i++)
            add(&work, state->repeat[r].evaluation[i].rank,
                state->repeat[r].evaluation[i].reused ? 0 : 1);
    draw_work(page, &work, "rank-evaluations", "Evaluations that each rank made");
}

static void draw_scoring(const nas_page_t *page)
{
    const nas_scores_t *scores = &page->state->scores;
    int64_t most = 0;
    for (int64_t i = 0; i < scores->n; i++)
        if (scores->rank[i] >= most) most = scores->rank[i] + (int64_t)1;
    work_t work = work_of(page->state, most);
    for (int64_t i = 0; i < scores->n; i++) add(&work, scores->rank[i], (double)scores->seconds[i]);
    draw_work(page, &work, "rank-scoring", "Seconds that each rank spent on scoring");
}

static void print_item(const nas_page_t *page, const nas_under_way_item_t *item)
{
    FILE *out = page->out;
    char index[48];
    (void)snprintf(index, sizeof index, "architecture %lld of the pool", (long long)item->arch);
    (void)fputs("<tr><td><code>", out);
    nas_html_text(item->name ? item->name : index, out);
    (void)fprintf(out, "</code></td><td class=\"n\">%llu</td><td>", (unsigned long long)item->seed);
    if (item->done && item->outcome.status == NAS_EVAL_OK)
        (void)fprintf(out, "done, objective %.8g", item->outcome.value[0]);
    else if (item->done)
        (void)fputs("failed ", out);
    else if (item->begun && item->n_steps == 0)
        (void)fputs("its command has begun", out);
    else
        (void)fprintf(out, "in training, %lld of %lld epochs, %lld steps",
                      (long long)item->n_epochs, (long long)page->state->n_epochs,
                      (long long)item->n_steps);
    if (item->done) nas_html_text(item->outcome.reason, out);
    (void)fputs("</td></tr>\n", out);
}

static void print_under_way(const nas_page_t *page)
{
    const nas_under_way_t *list = page->under_way;
    if (list->n == 0) return;
    (void)fputs("<h3>Candidates of the step under way (as last saved)</h3>\n<div "
                "class=\"scroll\"><table><thead><tr><th scope=\"col\">architecture</th>"
                "<th scope=\"col\" class=\"n\">seed</th><th scope=\"col\">how far</th></tr></thead>"
                "<tbody>\n",
                page->out);
    for (int64_t i = 0; i < list->n && i < MOST_ITEMS; i++) print_item(page, &list->at[i]);
    (void)fputs("</tbody></table></div>\n", page->out);
    if (list->n > MOST_ITEMS)
        (void)fprintf(page->out, "<p class=\"note\">and %lld more</p>\n",
                      (long long)(list->n - MOST_ITEMS));
}

static void print_events(const nas_page_t *page)
{
    const nas_state_t *state = page->state;
    const int64_t first = state->n_event > MOST_EVENTS ? state->n_event - MOST_EVENTS : 0;
    if (state->n_event == 0) return;
    (void)fputs("<h3>Events</h3>\n<div class=\"scroll\"><table><tbody>\n", page->out);
    for (int64_t i = first; i < state->n_event; i++) {
        char time[TIME_SIZE];
        print_time(state->event[i].time_s, time);
        nas_html_fact(time, state->event[i].text, page->out);
    }
    (void)fputs("</tbody></table></div>\n", page->out);
    if (first > 0)
        (void)fprintf(page->out, "<p class=\"note\">The last %d of %lld.</p>\n", MOST_EVENTS,
                      (long long)state->n_event);
}

nas_status_t nas_section_timing(const nas_page_t *page, nas_error_t *err)
{
    (void)err;
    (void)fputs("<div class=\"grid\"><div class=\"scroll\">\n", page->out);
    print_facts(page);
    (void)fputs("</div><div>\n", page->out);
    if (nas_page_is_search(page)) draw_evaluations(page);
    if (nas_page_is_scored(page)) draw_scoring(page);
    (void)fputs("</div></div>\n", page->out);
    print_under_way(page);
    print_events(page);
    return NAS_OK;
}
