/* Search spaces behind one table of functions: each is one table in a file space_*.c and one line
 * in the list of space.c.
 *
 * An architecture of a space has three faces, all of them unique to it:
 *
 *   index  its number in the space's enumeration, 0 ..= count - 1
 *   code   n_position small numbers, the choice at each position (see encoding.h); the enumeration
 *          is by code, the first position the most significant
 *   name   the text that the benchmark's own tool prints for it
 *
 * Texts of users and tables come in that form or as NASLib's tuple `(1, 0, 0, 2, 1, 0)`; parsing
 * brings both to the code, so that two texts are the same architecture exactly where their codes,
 * indices or names are equal. docs/spaces.md is the user's page.
 */
#ifndef NAS_COMMON_SPACE_SPACE_H
#define NAS_COMMON_SPACE_SPACE_H

#include "common/base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    NAS_SPACE_POSITIONS = 6,  /**< the most positions of a code */
    NAS_SPACE_NAME_SIZE = 128 /**< bytes of the longest name or class key, with its NUL */
};

/** One space. All functions: not collective, deterministic. */
typedef struct nas_space {
    const char *name;    /**< as `pool.space` says it */
    const char *summary; /**< one line */
    const char *forms;   /**< accepted texts, for messages */
    int64_t count;
    int n_position;

    /** text, in either form, to code [out] n_position choices. False, and code untouched: the text
     *  is no architecture of this space. */
    bool (*parse)(const char *text, uint8_t *code);

    /** code to name [out] NAS_SPACE_NAME_SIZE bytes. */
    void (*print)(const uint8_t *code, char *name);

    /** Place of a code in the enumeration, and back; code [out] n_position choices. */
    int64_t (*index)(const uint8_t *code);
    void (*code)(int64_t index, uint8_t *code);

    /** key [out] NAS_SPACE_NAME_SIZE bytes, equal exactly for the architectures of one class:
     *  `unique` as the benchmark's authors draw the classes, `equivalent` by the
     *  expression that the forward pass computes. NULL where the space has no such classes. */
    void (*unique)(const uint8_t *code, char *key);
    void (*equivalent)(const uint8_t *code, char *key);
} nas_space_t;

/** The space of this name, or NULL. */
const nas_space_t *nas_space_find(const char *name);

/** All spaces, in the order of the list;
 *  n [out]. */
const nas_space_t *const *nas_space_list(int *n);

/** Parse a text in either form; blanks around it are free.  Not collective.
 *  index [out] in the enumeration.
 *  NAS_EINPUT: no architecture of this space; err says which forms are, and quotes the text. */
nas_status_t nas_space_parse(const nas_space_t *space, const char *text, int64_t *index,
                             nas_error_t *err);

/** Name of an architecture, 0 <= index < count;
 *  name [out]. */
void nas_space_print(const nas_space_t *space, int64_t index, char name[NAS_SPACE_NAME_SIZE]);

#endif
