#include "coordinator/report/html/correlation.h"
#include "coordinator/report/html/html.h"
#include "coordinator/report/html/markup.h"
#include "coordinator/report/html/scale.h"
#include "report_state.h"

#include <float.h>

static void expect_scale(double least, double largest)
{
    const nas_scale_t scale = nas_scale_make(least, largest, 5, 10, 100);
    cr_assert(scale.from <= least + 1e-9 * scale.step && scale.to >= largest - 1e-9 * scale.step,
              "%g to %g does not take in %g to %g", scale.from, scale.to, least, largest);
    cr_assert(scale.n_ticks >= 2 && scale.n_ticks <= 8, "%d ticks", scale.n_ticks);
    const double part = scale.step / pow(10, floor(log10(scale.step) + 1e-9));
    cr_assert(fabs(part - 1) < 1e-6 || fabs(part - 2) < 1e-6 || fabs(part - 5) < 1e-6,
              "a step of %g is not round", scale.step);
    cr_assert_float_eq(nas_scale_at(&scale, scale.from), 10, 1e-9);
    cr_assert_float_eq(nas_scale_at(&scale, scale.to), 110, 1e-9);
    cr_assert(nas_scale_at(&scale, least) <= nas_scale_at(&scale, largest));
}

Test(html, a_scale_takes_in_its_numbers_at_round_ticks)
{
    static const double pair[][2] = {{0, 1},          {38.51, 84.892}, {-1, 1},
                                     {1e-9, 3e-9},    {5, 5},          {0, 0},
                                     {-3e15, 2e16},   {0.1, 0.7},      {1e6, 1e6 + 1},
                                     {-1e300, 1e300}, {0, DBL_MIN},    {99.97, 99.99}};
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) expect_scale(pair[i][0], pair[i][1]);
}

Test(html, a_scale_of_no_numbers_is_one_all_the_same)
{
    const nas_scale_t scale = nas_scale_make(NAN, INFINITY, 5, 0, 100);
    cr_assert(isfinite(scale.from) && scale.from < scale.to);
    cr_assert(isfinite(nas_scale_at(&scale, 1e308)) && isfinite(nas_scale_at(&scale, -1e308)));
}

static char *label_of(double least, double largest, int i)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    const nas_scale_t scale = nas_scale_make(least, largest, 5, 0, 100);
    nas_scale_label(&scale, i, out);
    (void)fclose(out);
    return text;
}

Test(html, ticks_have_the_digits_that_tell_them_apart)
{
    static const struct {
        double least, largest;
        int i;
        const char *label;
    } tick[] = {{0, 20, 1, "5"},
                {0, 1, 1, "0.5"},
                {80, 80.4, 1, "80.1"},
                {-1, 1, 2, "0.0"},
                {0, 4e9, 1, "1e+09"}};
    for (size_t i = 0; i < sizeof tick / sizeof *tick; i++) {
        char *label = label_of(tick[i].least, tick[i].largest, tick[i].i);
        cr_assert_str_eq(label, tick[i].label);
        free(label);
    }
}

static char *text_of(const char *raw, bool lines, size_t most)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (lines)
        (void)nas_html_lines(raw, most, out);
    else
        nas_html_text(raw, out);
    (void)fclose(out);
    return text;
}

Test(html, text_from_anywhere_is_no_markup)
{
    static const struct {
        const char *raw, *escaped;
    } text[] = {
        {"<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"},
        {"\"><b a=\"&amp;", "&quot;&gt;&lt;b a=&quot;&amp;amp;"},
        {"a\nb\tc\x1b[2J\x7f", "a?b?c?[2J?"},
        {"caf\xc3\xa9 \xc2\x9b", "caf\xc3\xa9 ?"},
        {"\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xef\xbf\xbe\xef\xbf\xbf\xef\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        char *escaped = text_of(text[i].raw, false, 0);
        cr_assert_str_eq(escaped, text[i].escaped);
        free(escaped);
    }
}

Test(html, lines_stay_and_end_behind_a_character)
{
    char *all = text_of("a: <1>\n\tb\r", true, 100), *cut = text_of("ab\xc3\xa9"
                                                                    "cd",
                                                                    true, 3);
    cr_assert_str_eq(all, "a: &lt;1&gt;\n\tb?");
    cr_assert_str_eq(cut, "ab\xc3\xa9");
    free(all);
    free(cut);
}

Test(html, every_kth_is_at_most_so_many)
{
    for (int64_t n = 0; n < 50; n++)
        for (int64_t most = 1; most < 12; most++) {
            const int64_t k = nas_html_stride(n, most);
            cr_assert(k >= 1 && (n + k - 1) / k <= most);
            cr_assert(n > most || k == 1, "where all have room, all are shown");
        }
}

static double correlation(const double *x, const double *y, int64_t n, int64_t *n_pairs)
{
    nas_error_t err = {0};
    double rho = 0;
    cr_assert_eq(nas_rank_correlation(x, y, n, &rho, n_pairs, &err), NAS_OK);
    return rho;
}

Test(html, rank_correlation)
{
    /* of the five pairs that are whole, by numpy from average ranks: 0.8029550685469662 */
    const double x[] = {1, 2, NAN, 3, 3, 100}, y[] = {2, 1, 5, 3, 3, 3},
                 down[] = {5, 4, 3, 2, 2, -9};
    int64_t n_pairs = 0;
    cr_assert_float_eq(correlation(x, y, 6, &n_pairs), 0.8029550685469662, 1e-12);
    cr_assert_eq(n_pairs, 5);
    cr_assert_float_eq(correlation(x, down, 6, &n_pairs), -1, 1e-12, "by ranks, ties and all");
    cr_assert(isnan(correlation(x, y, 2, &n_pairs)), "two pairs tell nothing");
    const double same[] = {4, 4, 4, 4, 4, 4};
    cr_assert(isnan(correlation(x, same, 6, &n_pairs)));
}

Test(html, average_ranks_share_their_places)
{
    double x[] = {7, -1, INFINITY, 7, NAN, 0};
    nas_error_t err = {0};
    cr_assert_eq(nas_average_ranks(x, 6, &err), NAS_OK);
    cr_assert(x[0] == 3.5 && x[3] == 3.5 && x[1] == 1 && x[5] == 2);
    cr_assert(isnan(x[2]) && isnan(x[4]));
}

static size_t page_of(const nas_state_t *state, char **text)
{
    size_t size = 0;
    nas_error_t err = {0};
    const nas_compared_t run = {.state = state, .path = "run.h5"};
    const nas_under_way_t none = {0};
    FILE *out = open_memstream(text, &size);
    cr_assert_eq(nas_report_html(&run, 1, &none, out, &err), NAS_OK);
    (void)fclose(out);
    return size;
}

static const char *name_at(const nas_name_source_t *source, int64_t i)
{
    (void)source;
    (void)i;
    return "arch";
}

/* A pool of 10^5 architectures with 12 metrics, all of it evaluated in 2 repeats. */
Test(html, a_page_of_a_large_run_stays_small)
{
    enum { N = 100000, N_METRICS = 12 };
    nas_state_t state = report_state_make();
    nas_error_t err = {0};
    const nas_name_source_t arch = {.n = N, .size = 8, .at = name_at};
    for (size_t m = state.metrics.n; m < N_METRICS; m++)
        cr_assert_eq(nas_strings_add(&state.metrics, "m", 1, &err), NAS_OK);
    cr_assert_eq(nas_state_make_scores(&state, &arch, &err), NAS_OK);
    for (int64_t i = 0; i < N; i++) {
        for (int64_t m = 0; m < N_METRICS; m++)
            state.scores.value[i * N_METRICS + m] = sin((double)(i * (m + 1)));
        nas_scores_set(&state.scores, i, NAS_SCORE_OK, 0.1, 0);
    }
    free(state.repeat[0].best_weights);
    state.repeat[0].best_weights = calloc(N_METRICS, sizeof(double));
    state.n_arch = state.budget = N;
    for (int64_t i = 100; i < N; i++)
        for (int64_t r = 0; r < 2; r++) report_state_evaluate(&state, r, i, cos((double)i));
    char *page = NULL;
    const size_t size = page_of(&state, &page);
    cr_assert(size < 2000000, "%zu bytes", size);
    cr_assert(strstr(page, "10000 of 100000 architectures"), "says how many of how many");
    free(page);
    nas_state_fini(&state);
}

Test(html, a_run_without_a_word_has_a_page)
{
    nas_state_t state = {.job_name = strdup(""),
                         .method = strdup(""),
                         .program_version = strdup(""),
                         .host = strdup(""),
                         .isa = strdup(""),
                         .commit = strdup("")};
    nas_error_t err = {0};
    char *page = NULL;
    cr_assert_eq(nas_state_make_repeats(&state, 2, 1, &err), NAS_OK);
    (void)page_of(&state, &page);
    cr_assert(strstr(page, "No architecture has been evaluated"));
    free(page);
    nas_state_fini(&state);
}
