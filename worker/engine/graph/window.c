#include "worker/engine/graph/window.h"

#include <stdint.h>

static bool is_axis(nas_axis_t a)
{
    return a.k > 0 && a.k <= INT16_MAX && a.stride > 0 && a.dilation > 0 && a.before >= 0 &&
           a.after >= 0 && a.before <= INT16_MAX && a.after <= INT16_MAX;
}

/* Extent of what a window makes of one; 0: it does not fit. */
static int slide(int extent, nas_axis_t a, bool ceil)
{
    const int64_t reach = (int64_t)a.dilation * (a.k - 1) + 1;
    const int64_t room = (int64_t)extent + a.before + a.after - reach;
    if (room < 0) return 0;
    const int64_t more = ceil && room % a.stride != 0 ? 1 : 0, last = room / a.stride + more;
    return (int)(more && last * a.stride >= (int64_t)extent + a.before ? last : last + 1);
}

nas_extents_t nas_window_slide(nas_extents_t e, int c, const nas_window_t *window, bool ceil)
{
    return (nas_extents_t){c, slide(e.h, nas_window_rows(window), ceil),
                           slide(e.w, nas_window_columns(window), ceil)};
}

bool nas_window_is_known(const nas_window_t *window)
{
    return is_axis(nas_window_rows(window)) && is_axis(nas_window_columns(window));
}

bool nas_window_is_pool(const nas_window_t *w)
{
    return w->dilation_h == 1 && w->dilation_w == 1 && w->top < w->k_h && w->bottom < w->k_h &&
           w->left < w->k_w && w->right < w->k_w;
}
