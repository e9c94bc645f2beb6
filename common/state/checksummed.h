/* Checksummed files: an HDF5 image behind a user block with magic, version and a digest of the
 * rest.
 *
 * The digest is checked before HDF5 sees a byte: the library is not made for damaged files. The
 * user block, the same in every kind and version (integers little-endian):
 *
 *     0   8  magic
 *     8   8  format version
 *    16   8  size of the file in bytes
 *    24 456  zeros
 *   480  32  SHA-256 of all other bytes of the file, in order
 */
#ifndef NAS_COMMON_STATE_CHECKSUMMED_H
#define NAS_COMMON_STATE_CHECKSUMMED_H

#include "common/base/digest.h"
#include "common/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NAS_CHECKSUMMED_MAGIC_SIZE = 8,
    NAS_CHECKSUMMED_VERSION_AT = 8,
    NAS_CHECKSUMMED_SIZE_AT = 16,
    NAS_CHECKSUMMED_DIGEST_AT = 480
};

/** A kind of file. */
typedef struct nas_checksummed_kind {
    const char *magic; /**< NAS_CHECKSUMMED_MAGIC_SIZE characters */
    uint64_t version;  /**< that this program writes */
    uint64_t oldest;   /**< that it reads besides, and all between the two */
    const char *name;  /**< for messages: "state file" */
} nas_checksummed_kind_t;

/** A file's bytes, verified. */
typedef struct nas_checksummed_image {
    char *data; /**< owned (free) */
    size_t size;
    uint64_t version; /**< of its content */
    bool newer;       /**< whole, but of a newer version: refused */
} nas_checksummed_image_t;

/** Fill in the user block of an image of size bytes (nas_h5_image).  Not collective. NAS_ENOMEM. */
nas_status_t nas_checksummed_fill(const nas_checksummed_kind_t *kind, char *image, size_t size,
                                  nas_error_t *err);

/** Load a file and verify magic, size, digest and version.  Not collective.
 *  image [out]; its `newer` is set on failure too.
 *  NAS_EINPUT: it fails one of them, with path and reason; NAS_EIO; NAS_ENOMEM. */
nas_status_t nas_checksummed_load(const nas_checksummed_kind_t *kind, const char *path,
                                  nas_checksummed_image_t *image, nas_error_t *err);

/** Whether magic, size and digest of the file at path are right, whatever its version.  Not
 *  collective. It is read a piece at a time: 1 MiB of memory. */
bool nas_checksummed_is_whole(const nas_checksummed_kind_t *kind, const char *path);

/** The digest that a whole file must have in its user block. */
nas_status_t nas_checksummed_digest(const char *image, size_t size, nas_digest_t *digest,
                                    nas_error_t *err);

/** Little-endian integers of the user block. */
void nas_checksummed_put_u64(char *at, uint64_t value);
uint64_t nas_checksummed_get_u64(const char *at);

#endif
