#include "common/io/progress.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *format(int64_t n_at_start, int64_t n_done, double elapsed_s)
{
    static char text[160];
    nas_progress_t progress;
    nas_progress_init(&progress, "evaluations", 400, nas_progress_units(n_at_start, 400));
    nas_progress_format(&progress, nas_progress_units(n_done, 400), elapsed_s, text, sizeof text);
    return text;
}

Test(progress, counts_only_what_this_session_did)
{
    /* 100 of 400 came from an earlier session: 50 in 10 s leave 250 at 5/s */
    cr_assert_str_eq(format(100, 150, 10.0), "150/400 evaluations (38%), 5/s, 50s left");
}

Test(progress, long_times_have_minutes_and_hours)
{
    cr_assert_str_eq(format(0, 100, 100.0), "100/400 evaluations (25%), 1/s, 5m00s left");
    cr_assert_str_eq(format(0, 1, 60.0), "1/400 evaluations (0%), 0.0167/s, 6h39m left");
}

Test(progress, knows_nothing_before_the_first)
{
    cr_assert_str_eq(format(7, 7, 0.0), "7/400 evaluations (2%), 0/s, unknown left");
}

/* A single training: nothing is through until all is. */
Test(progress, what_is_under_way_counts)
{
    char text[160];
    nas_progress_t progress;
    nas_progress_init(&progress, "evaluations", 1, nas_progress_units(0, 1));
    const nas_progress_state_t now = {.n_done = 0, .done = 0.25, .share = 0.25};
    nas_progress_format(&progress, now, 100.0, text, sizeof text);
    cr_assert_str_eq(text, "0/1 evaluations (25%), 0.0025/s, 5m00s left");
}

/* A training that was half through when it was taken up again, and does a tenth in 100 s. */
Test(progress, what_an_earlier_start_did_is_no_speed)
{
    char text[160];
    nas_progress_t progress;
    nas_progress_init(&progress, "evaluations", 1, nas_progress_units(0, 1));
    nas_progress_restart(&progress, (nas_progress_state_t){.done = 0.5, .share = 0.5});
    const nas_progress_state_t now = {.n_done = 0, .done = 0.6, .share = 0.6};
    nas_progress_format(&progress, now, 100.0, text, sizeof text);
    cr_assert_str_eq(text, "0/1 evaluations (60%), 0.001/s, 6m40s left");
}

/* Where work is not in the units that are counted, the time left follows the work. */
Test(progress, the_time_left_follows_from_the_share_of_the_work)
{
    char text[160];
    nas_progress_t progress;
    nas_progress_init(&progress, "evaluations", 40, nas_progress_units(0, 40));
    const nas_progress_state_t now = {.n_done = 20, .done = 20, .share = 0.75};
    nas_progress_format(&progress, now, 30.0, text, sizeof text);
    cr_assert_str_eq(text, "20/40 evaluations (75%), 0.667/s, 10s left");
}
