#include "common/progress.h"

#include "common/clock.h"
#include "common/log.h"

#include <stdio.h>

void nas_progress_init(nas_progress_t *progress, const char *unit, int64_t n_done, int64_t n_total)
{
    const double now_s = nas_clock_monotonic_s();
    *progress = (nas_progress_t){.unit = unit,
                                 .n_total = n_total,
                                 .n_at_start = n_done,
                                 .started_s = now_s,
                                 .shown_s = now_s};
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

void nas_progress_format(const nas_progress_t *progress, int64_t n_done, double elapsed_s,
                         char *text, int size)
{
    const int64_t n_here = n_done - progress->n_at_start;
    const double percent =
        progress->n_total > 0 ? 100.0 * (double)n_done / (double)progress->n_total : 100.0;
    char left[32] = "unknown";
    const double rate = elapsed_s > 0 ? (double)n_here / elapsed_s : 0;
    if (rate > 0) format_duration((double)(progress->n_total - n_done) / rate, left, sizeof left);
    (void)snprintf(text, (size_t)size, "%lld/%lld %s (%.0f%%), %.3g/s, %s left", (long long)n_done,
                   (long long)progress->n_total, progress->unit, percent, rate, left);
}

void nas_progress_update(nas_progress_t *progress, int64_t n_done, const char *detail)
{
    const double terminal_interval_s = 0.1, file_interval_s = 10.0;
    const double now_s = nas_clock_monotonic_s();
    const double interval_s = nas_log_is_terminal() ? terminal_interval_s : file_interval_s;
    if (now_s - progress->shown_s < interval_s) return;
    progress->shown_s = now_s;
    char line[160], text[320];
    nas_progress_format(progress, n_done, now_s - progress->started_s, line, sizeof line);
    (void)snprintf(text, sizeof text, "%s%s%s", line, *detail ? ", " : "", detail);
    if (nas_log_is_terminal())
        nas_log_status(text);
    else
        nas_log_line("%s", text);
}
