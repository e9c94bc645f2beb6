/* Rounds: which rank scores which architectures, and when the ranks meet.
 *
 * Pure functions of what they are given: every rank keeps a nas_schedule_t of its own, made from
 * the same options, given the same items and told the same reports, and so knows every rank's list
 * without a message. Nothing but the ranks' reports, and the items that come in, has to be shared
 * between two rounds. It holds a window of the items, not all. The policy is at the top of
 * schedule.c; docs/scaling.md has what it reaches.
 *
 *     for (;;) {
 *         nas_schedule_add(schedule, item, nas_schedule_room(schedule));
 *         if (!nas_schedule_next(schedule)) break;
 *         const nas_schedule_item_t *list = nas_schedule_list(schedule, rank, &n);
 *         for (k = 0; k < n && nas_schedule_may_start(schedule, rank, k, elapsed_s);
 *              k += nas_schedule_pack(schedule, rank, k))
 *             score so many from list[k] on;
 *         gather results and reports to rank 0, broadcast the reports;
 *         nas_schedule_record(schedule, report);
 *     }
 */
#ifndef NAS_WORKER_SCHEDULE_SCHEDULE_H
#define NAS_WORKER_SCHEDULE_SCHEDULE_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stdint.h>

/** What is to be done, and by whom; borrowed for the call. The same on all ranks. */
typedef struct nas_schedule_options {
    int64_t n; /**< items that will be added, all in all */
    int n_ranks;
    const int *width; /**< [n_ranks] items that each rank takes at once, 0: it gets nothing; of one
                           at least it is above. NULL: one each */
    double target_s;  /**< longest time between two meetings, > 0 */
} nas_schedule_options_t;

/** Something to do. */
typedef struct nas_schedule_item {
    int64_t index;   /**< the caller's number for it; no two are equal */
    int64_t payload; /**< the caller's, not looked at */
    double cost; /**< predicted, finite and >= 0, in any unit; on a list at least 1 % of the mean */
} nas_schedule_item_t;

/** What a rank did in a round. */
typedef struct nas_schedule_report {
    int64_t n_done; /**< the first so many of its list, failed ones included */
    double cost;    /**< of those whose time is in seconds; 0: nothing to learn from */
    double seconds; /**< that they took; leave out failed ones and waiting */
} nas_schedule_report_t;

/** Opaque. */
typedef struct nas_schedule nas_schedule_t;

/** Start, without an item.  Not collective. O(window + n_ranks) memory, whatever n is: the window
 *  is 65,536 items, or 64 a rank where that is more, and 2^20 at most.
 *  The caller owns *schedule_p and ends it with nas_schedule_destroy.
 *  NAS_ENOMEM. */
nas_status_t nas_schedule_create(const nas_schedule_options_t *options, nas_schedule_t **schedule_p,
                                 nas_error_t *err);

/** How many items may be added now: what the window has room for, and no more than are still to
 *  come. */
int64_t nas_schedule_room(const nas_schedule_t *schedule);

/** Add items, between two rounds.  Not collective; the same on all ranks. O(n log n + n_left).
 *  item [in] n <= nas_schedule_room of them, in any order; copied. */
void nas_schedule_add(nas_schedule_t *schedule, const nas_schedule_item_t *item, int64_t n);

/** Work out the next round; false, and none: all is done.  Not collective, deterministic.
 *  The window is full, or holds all that is still to be done. O(n_left + items log n_ranks). A
 *  round in which no rank did anything may come again. */
bool nas_schedule_next(nas_schedule_t *schedule);

/** The round's list of a rank, costliest first, to be worked in this order. Where some rank takes
 *  several items at once, they go by classes of cost, and in a class by their index.
 *  n [out] its length, may be 0. Borrowed until the next call of nas_schedule_next. */
const nas_schedule_item_t *nas_schedule_list(const nas_schedule_t *schedule, int rank, int64_t *n);

/** How many items, from k of its list on, this rank takes at once: its width, or what is left of the
 *  list, or, as soon as its speed is known, so many that they take a quarter of the target. */
int64_t nas_schedule_pack(const nas_schedule_t *schedule, int rank, int64_t k);

/** Predicted seconds for these; of no meaning in a round that learns. */
double nas_schedule_pack_s(const nas_schedule_t *schedule, int rank, int64_t k);

/** May this rank start the pack at item k of its list, elapsed_s after the round began? Where not,
 *  it goes to meet the others, and what is left of its list comes again in a later round. */
bool nas_schedule_may_start(const nas_schedule_t *schedule, int rank, int64_t k, double elapsed_s);

/** End the round: done items are never listed again, speeds are measured anew.  Not
 *  collective; the same on all ranks. O(n_left + n_ranks log n_ranks).
 *  report [in] n_ranks, with n_done 0 before the first round, where such a call makes speeds known
 *  that were measured elsewhere. */
void nas_schedule_record(nas_schedule_t *schedule, const nas_schedule_report_t *report);

/** Items not done, with those still to come. */
int64_t nas_schedule_left(const nas_schedule_t *schedule);

/** Predicted seconds to the end, where items that are still to come cost as much as those that came
 *  did, on average; NaN before anything was measured. O(n_left). */
double nas_schedule_left_s(const nas_schedule_t *schedule);

/** Cost that a rank does in a second, as assumed for the next round; the median of the measured
 *  ranks where this one was not; NaN before anything was measured. */
double nas_schedule_speed(const nas_schedule_t *schedule, int rank);

/** Accepts NULL. */
void nas_schedule_destroy(nas_schedule_t *schedule);

#endif
