/* The choices that occur in a pool at each position of its encoding. */
#ifndef NAS_COORDINATOR_SEARCH_METHODS_CHOICES_H
#define NAS_COORDINATOR_SEARCH_METHODS_CHOICES_H

#include "common/space/encoding.h"

#include <stdint.h>

enum { NAS_CHOICES_MAX = NAS_ENCODING_MAX_POSITIONS * NAS_ENCODING_MAX_CHOICES };

/** Codes grouped by position, ascending in each; a code that no architecture has at a position is
 *  no choice there. */
typedef struct nas_choices {
    int n_position;
    /** Position p has entries first[p] up to first[p + 1] - 1. */
    int first[NAS_ENCODING_MAX_POSITIONS + 1];
    uint8_t code[NAS_CHOICES_MAX]; /**< of each entry */
} nas_choices_t;

/** Collect them.  Not collective. O(architectures x positions).
 *  choices [out]. */
void nas_choices_collect(nas_choices_t *choices, const nas_encoding_t *encoding);

#endif
