/* A place in a top-k list. */
#ifndef NAS_COMMON_RANKED_H
#define NAS_COMMON_RANKED_H

#include <stdint.h>

/** A candidate of a top-k list: higher score first, lower index on a tie; index < 0 is an empty
 *  place, last. */
typedef struct nas_ranked {
    double score;
    int64_t index;
} nas_ranked_t;

#endif
