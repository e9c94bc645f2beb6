/* How work that takes long asks whether to go on, without knowing who decides. */
#ifndef NAS_COMMON_BASE_INTERRUPT_H
#define NAS_COMMON_BASE_INTERRUPT_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/** A question that costs little, asked between items of work; both may be NULL: never. */
typedef struct nas_interrupt {
    /** Returns true once the work should be dropped, and from then on.
     *  share: of the work at hand that is done, from 0 to 1, for the user's eyes. */
    bool (*asked)(void *context, double share);
    void *context;
} nas_interrupt_t;

/** Whether to stop. */
static inline bool nas_interrupted(const nas_interrupt_t *interrupt, double share)
{
    return interrupt && interrupt->asked && interrupt->asked(interrupt->context, share);
}

/** NAS_ESTOP, with a text, where it says to stop; otherwise NAS_OK. */
static inline nas_status_t nas_interrupt_check(const nas_interrupt_t *interrupt, double share,
                                               nas_error_t *err)
{
    if (!nas_interrupted(interrupt, share)) return NAS_OK;
    return nas_error_set(err, NAS_ESTOP, "stopped on request");
}

#endif
