#include "common/base/clock.h"

#include <time.h>

static double read_clock(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double nas_clock_monotonic_s(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double nas_clock_processor_s(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

double nas_clock_unix_s(void)
{
    return read_clock(CLOCK_REALTIME);
}
