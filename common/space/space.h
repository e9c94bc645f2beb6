/* Search spaces behind one table of functions: each is one table in a file space_*.c and one line
 * in the list of space.c.
 *
 * An architecture of a space has three faces, all of them unique to it (arch.h keeps them
 * together):
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
#include "common/space/builder.h"
#include "common/space/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nas_arch; /* arch.h */

/** An edge of a cell, from node to node. */
typedef struct nas_space_edge {
    int from;
    int to;
    const char *operation;
} nas_space_edge_t;

enum { NAS_SPACE_TYPICAL = 3 };

/** One space. All functions: not collective, deterministic. */
typedef struct nas_space {
    const char *name;    /**< as `pool.space` says it */
    const char *summary; /**< one line */
    const char *forms;   /**< accepted texts, for messages */
    int64_t count;       /**< any: nothing walks through a large space (subset.h) */
    int n_position;      /**< of a code */
    size_t name_size;    /**< bytes of the longest name, with its NUL */
    size_t key_size;     /**< of the longest class key; 0 where there are no classes */

    /** text, in either form, to code [out] n_position choices. False, and code untouched: the text
     *  is no architecture of this space. */
    bool (*parse)(const char *text, uint8_t *code);

    /** code to name [out] name_size bytes. */
    void (*print)(const uint8_t *code, char *name);

    /** Place of a code in the enumeration, and back; code [out] n_position choices. */
    int64_t (*index)(const uint8_t *code);
    void (*code)(int64_t index, uint8_t *code);

    /** key [out] key_size bytes, equal exactly for the architectures of one class:
     *  `unique` as the benchmark's authors draw the classes, `equivalent` by the
     *  expression that the forward pass computes. NULL where the space has no such classes. */
    void (*unique)(const uint8_t *code, char *key);
    void (*equivalent)(const uint8_t *code, char *key);

    /** The cell that a code is, for readers of exports: edge number i to edge [out]; false: there
     *  are no more. NULL where codes are no cells, or nobody reads them as such. */
    bool (*edge)(const uint8_t *code, int i, nas_space_edge_t *edge);

    /** The network of an architecture, by calls on a builder (builder.h). NULL where the space has
     *  no networks.
     *  NAS_EARG: there is none of these extents, say; what calls fail at, the builder tells. */
    nas_status_t (*build)(const struct nas_arch *arch, const nas_network_t *options,
                          nas_builder_t *builder, nas_error_t *err);

    /** The network that a text describes, in the order of the text where the code has none of its
     *  own, such as of the edges into a node, so that layers come as in the files of whoever wrote
     *  it; names of parameters are those of `build`. A text may go beyond the space, to another
     *  skeleton. NULL: `build` has no such choice.
     *  NAS_EINPUT: there is none of this text. Otherwise as `build`. */
    nas_status_t (*build_text)(const char *text, const nas_network_t *options,
                               nas_builder_t *builder, nas_error_t *err);

    /** Where there are networks: whether nas_network_t.cells counts. */
    bool has_depth;

    /** Where there are networks: index of one that takes most operations, as a measure. */
    int64_t costliest;

    /** Where there are networks: names of some of mixed operations, of few convolutions, and the
     *  heaviest, for benchmarks. */
    const char *typical[NAS_SPACE_TYPICAL];
} nas_space_t;

/** The space of this name, or NULL. */
const nas_space_t *nas_space_find(const char *name);

/** All spaces, in the order of the list;
 *  n [out]. */
const nas_space_t *const *nas_space_list(int *n);

/** Place of a space in that list, so that ranks can tell each other, and back. */
int nas_space_place(const nas_space_t *space);
const nas_space_t *nas_space_at(int64_t place);

/** The first space of the list that has networks. */
const nas_space_t *nas_space_with_networks(void);

#endif
