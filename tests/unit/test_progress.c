#include "common/progress.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *format(int64_t n_at_start, int64_t n_done, double elapsed_s)
{
    static char text[160];
    nas_progress_t progress;
    nas_progress_init(&progress, "evaluations", n_at_start, 400);
    nas_progress_format(&progress, n_done, elapsed_s, text, sizeof text);
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
