/* The heartbeat: short point-to-point messages beside a collective stage, so that a rank's request
 * to stop reaches all others while they work, and a rank that has fallen silent can be named.
 *
 * Every rank polls between items of work and, by itself, while it waits in a collective of comm.h.
 * A poll costs a clock reading; messages are sent about once a second, less often the more ranks
 * there are, so that rank 0 hears at most a thousand a second.
 *
 * What it cannot see: a rank that works is heard between two items only, so that silence_s must be
 * longer than the longest item; and nobody listens for rank 0, so that a run whose rank 0 hangs or
 * is suspended waits for it.
 */
#ifndef NAS_COMMON_COMM_HEARTBEAT_H
#define NAS_COMMON_COMM_HEARTBEAT_H

#include "common/comm/comm.h"

#include <stdbool.h>

/** What a silent rank leads to; kept as a copy. */
typedef struct nas_heartbeat_options {
    /** After so long without a sign of life a rank counts as silent; 0: never. Only time in which
     *  rank 0 listens counts (five seconds at most between two of its polls), so that its own
     *  suspension makes nobody silent. At least four times the interval of the messages. */
    double silence_s;
    /** Called on rank 0, once, out of a poll, with one line that names the rank and its host. It
     *  saves what is to be saved, without a collective; when it returns, the job is ended. Needed
     *  unless silence_s is 0. */
    void (*silent)(void *context, const char *line);
    /** Called on rank 0 about once a second, out of polls, with nas_heartbeat_share: to show how
     *  far the work is, and to look for requests to stop that are no signals. Returns the number of
     *  a signal in whose stead it asks to stop, or 0. NULL: nothing is done. */
    int (*watch)(void *context, double share);
    void *context;
} nas_heartbeat_options_t;

/** Opaque. */
typedef struct nas_heartbeat nas_heartbeat_t;

/** Begin.  Collective over world; one at a time. In a world of one rank, or of nas_comm_self, it
 *  does no more than keep the values.
 *  The caller owns *heartbeat_p and ends it with nas_heartbeat_end. NAS_ENOMEM on any rank fails
 *  all. */
nas_status_t nas_heartbeat_begin(nas_comm_t *world, const nas_heartbeat_options_t *options,
                                 nas_heartbeat_t **heartbeat_p, nas_error_t *err);

/** Give and take news.  Not collective, never waits.
 *  stop: a signal that this rank received, or 0; while it waits in a collective, the heartbeat asks
 *  nas_stop_signal itself. share: of this rank's work at hand that is done; NaN: it has none.
 *  Returns the highest signal number that any rank is known to have received, or 0; once it is not
 *  0 it stays so until the end. */
int nas_heartbeat_poll(nas_heartbeat_t *heartbeat, int stop, double share);

/** Mean share of the ranks that have reported one, as rank 0 has heard it; on others this rank's
 *  own. 0 before there is any.  Not collective. */
double nas_heartbeat_share(const nas_heartbeat_t *heartbeat);

/** End; all messages under way are taken in and every request is completed.  Collective. Accepts
 *  NULL (on all ranks). */
void nas_heartbeat_end(nas_heartbeat_t *heartbeat);

#endif
