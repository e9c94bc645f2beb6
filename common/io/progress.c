#include "common/io/progress.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include <stdio.h>

nas_progress_state_t nas_progress_units(int64_t n_done, int64_t n_total)
{
    return (nas_progress_state_t){.n_done = n_done,
                                  .done = (double)n_done,
                                  .share = n_total > 0 ? (double)n_done / (double)n_total : 1.0};
}

void nas_progress_restart(nas_progress_t *progress, nas_progress_state_t now)
{
    progress->done_at_start = now.done;
    progress->share_at_start = now.share;
    progress->started_s = nas_clock_monotonic_s();
}

void nas_progress_init(nas_progress_t *progress, const char *unit, int64_t n_total,
                       nas_progress_state_t now)
{
    *progress =
        (nas_progress_t){.unit = unit, .n_total = n_total, .shown_s = nas_clock_monotonic_s()};
    nas_progress_restart(progress, now);
}

/* 59 -> "59s", 3599 -> "59m59s", beyond: hours and minutes. */
static void format_duration(double seconds, char *text, size_t size)
{
    const long s = seconds < 0 ? 0 : (long)(seconds + 0.5);
    if (s < 60)
        (void)snprintf(text, size, "%lds", s);
    else if (s < 3600)
        (void)snprintf(text, size, "%ldm%02lds", s / 60, s % 60);
    else
        (void)snprintf(text, size, "%ldh%02ldm", s / 3600, s / 60 % 60);
}

void nas_progress_format(const nas_progress_t *progress, nas_progress_state_t now, double elapsed_s,
                         char *text, int size)
{
    char left[32] = "unknown";
    const double gained = now.share - progress->share_at_start;
    const double rate = elapsed_s > 0 ? (now.done - progress->done_at_start) / elapsed_s : 0;
    if (gained > 0 && elapsed_s > 0)
        format_duration(elapsed_s * (1.0 - now.share) / gained, left, sizeof left);
    (void)snprintf(text, (size_t)size, "%lld/%lld %s (%.0f%%), %.3g/s, %s left",
                   (long long)now.n_done, (long long)progress->n_total, progress->unit,
                   100.0 * now.share, rate, left);
}

void nas_progress_update(nas_progress_t *progress, nas_progress_state_t now, const char *detail)
{
    const double terminal_interval_s = 0.1, file_interval_s = 10.0;
    const double now_s = nas_clock_monotonic_s();
    const double interval_s = nas_log_is_terminal() ? terminal_interval_s : file_interval_s;
    if (now_s - progress->shown_s < interval_s) return;
    progress->shown_s = now_s;
    char line[160], text[320];
    nas_progress_format(progress, now, now_s - progress->started_s, line, sizeof line);
    (void)snprintf(text, sizeof text, "%s%s%s", line, *detail ? ", " : "", detail);
    if (nas_log_is_terminal())
        nas_log_status(text);
    else
        nas_log_line("%s", text);
}
