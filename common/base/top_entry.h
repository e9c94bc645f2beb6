/* A place in a top-k list. */
#ifndef NAS_COMMON_BASE_TOP_ENTRY_H
#define NAS_COMMON_BASE_TOP_ENTRY_H

#include <stdint.h>

/** A candidate of a top-k list: higher score first, lower index on a tie; index < 0 is an empty
 *  place, last. */
typedef struct nas_top_entry {
    double score;
    int64_t index;
} nas_top_entry_t;

#endif
