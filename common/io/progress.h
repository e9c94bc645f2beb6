/* Progress of a long job: done, rate and time left, on a terminal or as plain lines in a log file.
 */
#ifndef NAS_COMMON_IO_PROGRESS_H
#define NAS_COMMON_IO_PROGRESS_H

#include <stdint.h>

/** One job under way. A plain value; nothing to free. */
typedef struct nas_progress {
    const char *unit; /**< plural noun, borrowed: "evaluations" */
    int64_t n_total;
    double done_at_start;  /**< before this start: rate and time left follow from what came since */
    double share_at_start; /**< likewise */
    double started_s;
    double shown_s;
} nas_progress_t;

/** How far a job is. */
typedef struct nas_progress_state {
    int64_t n_done; /**< units that are through */
    double done;    /**< the same, with the parts that are done of those under way */
    double share;   /**< of all work, from 0 to 1: the time left follows from it */
} nas_progress_state_t;

/** n_done of n_total equal units, with nothing else under way. */
nas_progress_state_t nas_progress_units(int64_t n_done, int64_t n_total);

/** Begin at a state, of n_total units.  Not collective: the rank that logs. */
void nas_progress_init(nas_progress_t *progress, const char *unit, int64_t n_total,
                       nas_progress_state_t now);

/** Count from here: what an earlier start did of a unit has come to light. */
void nas_progress_restart(nas_progress_t *progress, nas_progress_state_t now);

/** Say how far it is: at most ten times a second on a terminal, every ten seconds in a log file;
 *  detail is appended. */
void nas_progress_update(nas_progress_t *progress, nas_progress_state_t now, const char *detail);

/** Format the line that update shows, elapsed_s after the start.
 *  text [out] at least 160 bytes. */
void nas_progress_format(const nas_progress_t *progress, nas_progress_state_t now, double elapsed_s,
                         char *text, int size);

#endif
