/* When to save: at most 2 % of the time goes into checkpoints, at most the interval lies between
 * two, and an expensive evaluation is saved before the next starts. */
#ifndef NAS_COMMON_CHECKPOINT_H
#define NAS_COMMON_CHECKPOINT_H

#include <stdbool.h>

#define NAS_CHECKPOINT_MAX_SHARE 0.02
#define NAS_CHECKPOINT_EXPENSIVE_S 1.0

/** A plain value; initialise with interval_s alone. */
typedef struct nas_checkpoint {
    double interval_s; /**< most seconds between two saves; 0: save at every step */
    double saved_s;    /**< monotonic clock after the last save */
    double cost_s;     /**< seconds that the last save took */
} nas_checkpoint_t;

/** Whether to save now, at monotonic time now_s, after evaluations that took spent_s since the
 *  last save. */
bool nas_checkpoint_due(const nas_checkpoint_t *checkpoint, double now_s, double spent_s);

/** Note a save that began at begin_s and ended at end_s. */
void nas_checkpoint_saved(nas_checkpoint_t *checkpoint, double begin_s, double end_s);

#endif
