/* What writer and reader of state files share: the user block, and names of struct members.
 *
 * The user block, the same in every version (integers little-endian):
 *
 *     0   8  magic "ROBOTNAS"
 *     8   8  format version
 *    16   8  size of the file in bytes
 *    24 456  zeros
 *   480  32  SHA-256 of all other bytes of the file, in order
 */
#ifndef NAS_COMMON_STATEFILE_INTERNAL_H
#define NAS_COMMON_STATEFILE_INTERNAL_H

#include "common/digest.h"
#include "common/error.h"
#include "common/h5.h"
#include "common/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAS_STATEFILE_MAGIC "ROBOTNAS"

enum {
    NAS_STATEFILE_VERSION_AT = 8,
    NAS_STATEFILE_SIZE_AT = 16,
    NAS_STATEFILE_DIGEST_AT = 480,
    NAS_STATEFILE_MAX_FIELDS = 16, /**< of one table below */
    NAS_STATEFILE_REPEAT_NAME_SIZE = 24
};

/** Little-endian integers of the user block. */
void nas_statefile_put_u64(char *at, uint64_t value);
uint64_t nas_statefile_get_u64(const char *at);

/** The digest that a whole file must have in its user block. */
nas_status_t nas_statefile_digest(const char *image, size_t size, nas_digest_t *digest,
                                  nas_error_t *err);

/** A state file's bytes, verified. */
typedef struct nas_statefile_image {
    char *data; /**< owned (free) */
    size_t size;
    bool newer; /**< whole, but of a newer version: refused */
} nas_statefile_image_t;

/** Load a file and verify magic, size, digest and version. image->newer [out] is set on failure
 *  too.
 *  NAS_EINPUT: it fails one of them, with path and reason. */
nas_status_t nas_statefile_load(const char *path, nas_statefile_image_t *image, nas_error_t *err);

/** One member of a struct, by its name in the file. */
typedef struct nas_statefile_field {
    const char *name;
    nas_h5_type_t type;
    size_t offset;
} nas_statefile_field_t;

/** Fields of one struct. */
typedef struct nas_statefile_fields {
    const nas_statefile_field_t *at;
    size_t n;
} nas_statefile_fields_t;

/** The groups /metrics (names, and what was scored) and /pool (where something was).
 *  Reading needs state->n_arch.
 *  NAS_EINPUT: a type, shape or value that cannot be. */
nas_status_t nas_statefile_write_scores(hid_t file, const nas_state_t *state, nas_error_t *err);
nas_status_t nas_statefile_read_scores(hid_t file, nas_state_t *state, nas_error_t *err);

/** A dataset of texts from and into a list of strings. */
nas_status_t nas_statefile_write_names(hid_t at, const char *name, const nas_strings_t *names,
                                       nas_error_t *err);
nas_status_t nas_statefile_read_names(hid_t at, const char *name, nas_strings_t *names,
                                      nas_error_t *err);

/** Attributes of the file: of nas_state_t. */
nas_statefile_fields_t nas_statefile_root(void);

/** Attributes of a repeat's group: of nas_repeat_t. */
nas_statefile_fields_t nas_statefile_repeat(void);

/** Datasets of /evaluations, numbers only: of nas_evaluation_t. */
nas_statefile_fields_t nas_statefile_evaluation(void);

#endif
