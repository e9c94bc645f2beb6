/* A list of names by number, wherever they are: kept, or made when they are asked for. So a pool of
 * 10^7 architectures is named without a list of their names. */
#ifndef NAS_COMMON_BASE_NAME_SOURCE_H
#define NAS_COMMON_BASE_NAME_SOURCE_H

#include "common/base/names.h"

#include <stddef.h>
#include <stdint.h>

/** A plain value; nothing to free. */
typedef struct nas_name_source nas_name_source_t;
struct nas_name_source {
    int64_t n;
    size_t size;         /**< bytes of the longest name, with its NUL */
    const void *context; /**< what the names are read or made from; borrowed */

    /** Name i, 0 <= i < n. Borrowed until the next name is asked for. */
    const char *(*at)(const nas_name_source_t *source, int64_t i);
};

/** Names that lie one after the other in equal room, `size` bytes each, NUL included.
 *  text [in] n x size; borrowed while the source is used. */
nas_name_source_t nas_name_source_of_text(const char *text, size_t size, int64_t n);

/** A list of names. O(n). Borrowed while the source is used. */
nas_name_source_t nas_name_source_of_names(const nas_names_t *names);

/** Name i. Borrowed until the next name is asked for. */
const char *nas_name_source_at(const nas_name_source_t *source, int64_t i);

/** All names, to look one up.
 *  The caller owns *names_p. NAS_ENOMEM. */
nas_status_t nas_name_source_index(const nas_name_source_t *source, nas_names_t **names_p,
                                   nas_error_t *err);

#endif
