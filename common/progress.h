/* Progress of a long job: done, rate and time left, on a terminal or as plain lines in a log file.
 */
#ifndef NAS_COMMON_PROGRESS_H
#define NAS_COMMON_PROGRESS_H

#include <stdint.h>

/** One job under way. A plain value; nothing to free. */
typedef struct nas_progress {
    const char *unit; /**< plural noun, borrowed: "evaluations" */
    int64_t n_total;
    int64_t n_at_start; /**< done before this start, so that the rate counts only what came since */
    double started_s;
    double shown_s;
} nas_progress_t;

/** Begin at n_done of n_total.  Not collective: the rank that logs. */
void nas_progress_init(nas_progress_t *progress, const char *unit, int64_t n_done, int64_t n_total);

/** Say how far it is: at most ten times a second on a terminal, every ten seconds in a log file;
 *  detail is appended. */
void nas_progress_update(nas_progress_t *progress, int64_t n_done, const char *detail);

/** Format the line that update shows, elapsed_s after the start.
 *  text [out] at least 160 bytes. */
void nas_progress_format(const nas_progress_t *progress, int64_t n_done, double elapsed_s,
                         char *text, int size);

#endif
