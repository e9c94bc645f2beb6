#include "common/base/checkpoint.h"

/* The shortest time between two saves of which the second is worth its cost. */
static double affordable_s(const nas_checkpoint_t *checkpoint)
{
    return checkpoint->cost_s / NAS_CHECKPOINT_MAX_SHARE;
}

bool nas_checkpoint_due(const nas_checkpoint_t *checkpoint, double now_s, double spent_s)
{
    if (spent_s >= NAS_CHECKPOINT_EXPENSIVE_S || checkpoint->interval_s <= 0) return true;
    return now_s - checkpoint->saved_s >= affordable_s(checkpoint);
}

bool nas_checkpoint_last_chance(const nas_checkpoint_t *checkpoint, double now_s, double step_s)
{
    return affordable_s(checkpoint) <= checkpoint->interval_s &&
           now_s - checkpoint->saved_s + step_s > checkpoint->interval_s;
}

void nas_checkpoint_saved(nas_checkpoint_t *checkpoint, double begin_s, double end_s)
{
    const double took_s = end_s - begin_s;
    const bool is_held_up = checkpoint->has_saved && took_s > checkpoint->last_s;
    checkpoint->cost_s = is_held_up ? checkpoint->last_s : took_s;
    checkpoint->last_s = took_s;
    checkpoint->saved_s = end_s;
    checkpoint->has_saved = true;
}
