/* Sorting many numbers, which takes seconds beyond 10^7 of them. */
#ifndef NAS_COMMON_BASE_SORT_H
#define NAS_COMMON_BASE_SORT_H

#include "common/base/error.h"
#include "common/base/interrupt.h"

#include <stdint.h>

/** Sort numbers, none of them NaN, in ascending order.  Not collective. O(n log n) time, as much
 *  memory again besides, deterministic.
 *  value [in, out] n; interrupt: asked every few milliseconds, where it takes longer; may
 *  be NULL.
 *  NAS_ESTOP: interrupted, and value is in no order. NAS_ENOMEM. */
nas_status_t nas_sort_numbers(double *value, int64_t n, const nas_interrupt_t *interrupt,
                              nas_error_t *err);

#endif
