/* Windows over tensors of a graph: which there are, and what is left of a tensor. */
#ifndef NAS_WORKER_ENGINE_GRAPH_WINDOW_H
#define NAS_WORKER_ENGINE_GRAPH_WINDOW_H

#include "common/space/builder.h"

#include <stdbool.h>

/** Whether its numbers are those of a window, and small enough to be counted with. */
bool nas_window_is_known(const nas_window_t *window);

/** Whether no window lies in the padding alone, as pools want it; they have no dilation. */
bool nas_window_is_pool(const nas_window_t *window);

/** Extents of what it makes of a tensor, of c channels; 0 where it does not fit.
 *  ceil: windows that stick out count, but for those that begin beyond the tensor and its padding
 *  above and on the left. */
nas_extents_t nas_window_slide(nas_extents_t extents, int c, const nas_window_t *window, bool ceil);

#endif
