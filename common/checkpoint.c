#include "common/checkpoint.h"

bool nas_checkpoint_due(const nas_checkpoint_t *checkpoint, double now_s, double spent_s)
{
    if (spent_s >= NAS_CHECKPOINT_EXPENSIVE_S) return true;
    const double affordable_s = checkpoint->cost_s / NAS_CHECKPOINT_MAX_SHARE;
    const double wait_s =
        affordable_s < checkpoint->interval_s ? affordable_s : checkpoint->interval_s;
    return now_s - checkpoint->saved_s >= wait_s;
}

void nas_checkpoint_saved(nas_checkpoint_t *checkpoint, double begin_s, double end_s)
{
    checkpoint->saved_s = end_s;
    checkpoint->cost_s = end_s - begin_s;
}
