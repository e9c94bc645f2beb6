/* When to save: as often as keeps saving within 2 % of the time, which is at least once an interval
 * as long as a save takes less than 2 % of that; where it takes more, the interval grows. An
 * expensive evaluation is saved before the next starts. */
#ifndef NAS_COMMON_BASE_CHECKPOINT_H
#define NAS_COMMON_BASE_CHECKPOINT_H

#include <stdbool.h>

#define NAS_CHECKPOINT_MAX_SHARE 0.02
#define NAS_CHECKPOINT_EXPENSIVE_S 1.0

/** A plain value; initialise with interval_s alone. */
typedef struct nas_checkpoint {
    double interval_s; /**< most seconds between two saves that are cheap; 0: save at every step */
    double saved_s;    /**< monotonic clock after the last save */
    double last_s;     /**< seconds that the last save took */
    double cost_s;     /**< that a save is expected to take: the lesser of the last two, so that a
                            single one that was held up does not put off the next */
    bool has_saved;
} nas_checkpoint_t;

/** Whether to save now, at monotonic time now_s, after evaluations that took spent_s and are to be
 *  saved if that is long; 0: of none. */
bool nas_checkpoint_due(const nas_checkpoint_t *checkpoint, double now_s, double spent_s);

/** Whether to save now so that the interval is kept where the next chance comes in step_s only: not
 *  where saves take more than 2 % of the interval. */
bool nas_checkpoint_last_chance(const nas_checkpoint_t *checkpoint, double now_s, double step_s);

/** Note a save that began at begin_s and ended at end_s. */
void nas_checkpoint_saved(nas_checkpoint_t *checkpoint, double begin_s, double end_s);

#endif
