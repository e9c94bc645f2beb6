/* Encodings: architectures as positions with a choice each, for mutation and for policies. */
#ifndef NAS_COMMON_SPACE_ENCODING_H
#define NAS_COMMON_SPACE_ENCODING_H

#include "common/base/error.h"
#include "common/base/names.h"

#include <stdint.h>

/** How architecture strings become positions. NB201: the positions are the edges in the order
 *  printed, the choices, from 0 on: none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3
 *  (Dong & Yang, ICLR 2020; the order of their search space). No blanks. DIGITS: the positions are
 *  the numbers in the order printed, the choices the numbers. Blanks are free. */
typedef enum nas_encoding_kind {
    NAS_ENCODING_NONE = 0,
    NAS_ENCODING_NB201, /**< `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`: 6 edges of 5 operations */
    NAS_ENCODING_DIGITS /**< `(1, 0, 0, 2, 1, 0)` (NASLib): 1 ..= 64 positions, numbers 0 ..= 63 */
} nas_encoding_kind_t;

/** The name of a kind, as `pool.encoding` says it; NULL: there are no more. */
const char *nas_encoding_name(size_t kind);

enum { NAS_ENCODING_MAX_POSITIONS = 64, NAS_ENCODING_MAX_CHOICES = 64 };

/** The codes of a whole pool, with look-up. Opaque; 2 n_position + 17 to 25 bytes an architecture.
 */
typedef struct nas_encoding nas_encoding_t;

/** Encode one architecture string.  Not collective, deterministic. kind is not NONE.
 *  code [out] up to NAS_ENCODING_MAX_POSITIONS choices;
 *  n_position [out].
 *  NAS_EINPUT: the text is not of this form; err says what was expected and quotes the text. */
nas_status_t nas_encode(nas_encoding_kind_t kind, const char *arch, uint8_t *code, int *n_position,
                        nas_error_t *err);

/** Encode every name of a pool, of which there is one at least. O(n) expected.
 *  NAS_EINPUT: a name is not of this form, has another number of positions than the first, or two
 *  names have the same code; err says where they stand (nas_names_place) and names them.
 *  The caller owns *encoding_p. */
nas_status_t nas_encoding_create(nas_encoding_kind_t kind, const nas_names_t *names,
                                 nas_encoding_t **encoding_p, nas_error_t *err);

/** Two rows of codes that are equal: the first such, and the row before it; -1: there are none. */
typedef struct nas_encoding_pair {
    int64_t again;
    int64_t first;
} nas_encoding_pair_t;

/** Codes made elsewhere, as received from another rank. Borrowed. */
typedef struct nas_codes {
    const uint8_t *code; /**< n x n_position, row-major */
    int64_t n;           /**< above 0 */
    int n_position;
} nas_codes_t;

/** From codes made elsewhere, copied. Equal in everything to the encoding they were taken from.
 *  same [out] rows that are equal, in which case there is no encoding; NULL: they are known to be
 *  distinct. */
nas_status_t nas_encoding_from_codes(const nas_codes_t *codes, nas_encoding_pair_t *same,
                                     nas_encoding_t **encoding_p, nas_error_t *err);

/** The form that all names of a pool have, which is its first one's. No pointers, so that its bytes
 *  can travel. */
typedef struct nas_encoding_form {
    nas_encoding_kind_t kind;
    int n_position;  /**< 0: the first is not of this kind, which encoding it will say */
    char first[128]; /**< the first name, cut, for messages */
} nas_encoding_form_t;

/** The form of a pool whose first name this is.  Not collective. */
nas_encoding_form_t nas_encoding_form_of(nas_encoding_kind_t kind, const char *first);

/** Encode some of a pool's names.  Not collective.
 *  codes [out] n_position bytes a name.  NAS_EINPUT as of nas_encoding_create, but for equal
 *  codes. */
nas_status_t nas_encode_names(const nas_encoding_form_t *form, const nas_names_t *names,
                              uint8_t *codes, nas_error_t *err);

/** Two names that mean the same, for a message. Borrowed. */
typedef struct nas_encoding_same {
    char place[NAS_NAMES_PLACE_SIZE]; /**< of the second (nas_name_place) */
    const char *again;                /**< the second */
    const char *first;
    int64_t first_line; /**< 0: not known */
} nas_encoding_same_t;

/** The refusal of a pool with such.  NAS_EINPUT, with its line. */
nas_status_t nas_encoding_refuse_same(const nas_encoding_same_t *same, nas_error_t *err);

int64_t nas_encoding_count(const nas_encoding_t *encoding);
int nas_encoding_positions(const nas_encoding_t *encoding);

/** Number of choices at a position: 1 + the largest code that occurs there (5 everywhere in all of
 *  NAS-Bench-201). */
int nas_encoding_choices(const nas_encoding_t *encoding, int position);

/** The n_position codes of architecture `index`. Borrowed. */
const uint8_t *nas_encoding_at(const nas_encoding_t *encoding, int64_t index);

/** Index of the architecture with this code, or -1. Constant time expected. */
int64_t nas_encoding_find(const nas_encoding_t *encoding, const uint8_t *code);

/** Accepts NULL. */
void nas_encoding_destroy(nas_encoding_t *encoding);

#endif
