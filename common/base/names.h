/* Architecture names of a pool: an immutable list of distinct strings with look-up.
 *
 * Memory, once indexed: the texts with a NUL each, and 16 to 24 bytes a name. While names are added
 * the capacities double, so that up to twice the texts may be held.
 */
#ifndef NAS_COMMON_BASE_NAMES_H
#define NAS_COMMON_BASE_NAMES_H

#include "common/base/error.h"
#include "common/base/interrupt.h"

#include <stddef.h>
#include <stdint.h>

/** Opaque; filled by add, then indexed. */
typedef struct nas_names nas_names_t;

/** An empty list.  Not collective.
 *  The caller owns *names_p and ends it with nas_names_destroy. */
nas_status_t nas_names_create(nas_names_t **names_p, nas_error_t *err);

/** Append text[0..length), which holds no NUL; its index is the number of names before it.
 *  Amortised O(length).
 *  NAS_EINPUT: 2^32 - 1 names are there already. NAS_ENOMEM. */
nas_status_t nas_names_add(nas_names_t *names, const char *text, size_t length, nas_error_t *err);

enum { NAS_NAMES_PLACE_SIZE = 320 };

/** Say which file the names are read from, for messages; before the first add.  Not collective.
 *  file: copied. NAS_ENOMEM. */
nas_status_t nas_names_set_file(nas_names_t *names, const char *file, nas_error_t *err);

/** Say which line of it the last added name stands in. O(1) amortised; consecutive lines take no
 *  memory each.  Not collective. NAS_ENOMEM. */
nas_status_t nas_names_set_line(nas_names_t *names, int64_t line, nas_error_t *err);

/** Add to all lines that were said, where the file's beginning was not known.  Not collective. */
void nas_names_move_lines(nas_names_t *names, int64_t by);

/** Line of the name at index, 0 where none was said. O(log). */
int64_t nas_names_line(const nas_names_t *names, int64_t index);

/** Where a name stands, as the beginning of a message: "FILE:LINE: ", or "FILE: number N: " of a
 *  file without lines, or "" without a file. */
void nas_names_place(const nas_names_t *names, int64_t index, char place[NAS_NAMES_PLACE_SIZE]);

/** The same of a name that is in no list here; line 0: the file has none. */
void nas_name_place(const char *file, int64_t line, int64_t index,
                    char place[NAS_NAMES_PLACE_SIZE]);

/** The file, NULL where none was said. Borrowed. */
const char *nas_names_file(const nas_names_t *names);

/** What nas_names_index asks between many names; kept (borrowed) until then. NULL: nothing. */
void nas_names_set_interrupt(nas_names_t *names, const nas_interrupt_t *interrupt);

/** Build the index, after the last add. O(bytes) expected.
 *  duplicate [out] index of the second of two equal names, the lowest such, or -1;
 *  first [out] the index of its equal before it, or -1. Nothing is removed: the caller decides
 *  what a duplicate means.
 *  NAS_ESTOP: interrupted; names can be destroyed only. NAS_ENOMEM. */
nas_status_t nas_names_index(nas_names_t *names, int64_t *duplicate, int64_t *first,
                             nas_error_t *err);

/** Number of names. */
int64_t nas_names_count(const nas_names_t *names);

/** Name at index, 0 <= index < count. Borrowed while names lives and until the next add or
 *  index. */
const char *nas_names_at(const nas_names_t *names, int64_t index);

/** 64 bits that depend on all of a text, in whatever list it stands. */
uint64_t nas_name_hash(const char *text);

/** Index of a name in an indexed list (the first of equals), or -1. O(length) expected. */
int64_t nas_names_find(const nas_names_t *names, const char *name);

/** Accepts NULL. */
void nas_names_destroy(nas_names_t *names);

#endif
