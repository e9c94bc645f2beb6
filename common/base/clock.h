/* Clocks. Nothing that is computed may depend on them. */
#ifndef NAS_COMMON_BASE_CLOCK_H
#define NAS_COMMON_BASE_CLOCK_H

/** Seconds since some fixed instant; never goes back, whatever happens to the date. */
double nas_clock_monotonic_s(void);

/** Seconds of a processor that this thread has had: others that share it do not count. */
double nas_clock_processor_s(void);

/** Unix time in seconds, for people. */
double nas_clock_unix_s(void);

#endif
