/* SHA-256 (OpenSSL's libcrypto): identity of jobs and tables, integrity of state files. */
#ifndef NAS_COMMON_BASE_DIGEST_H
#define NAS_COMMON_BASE_DIGEST_H

#include "common/base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { NAS_DIGEST_SIZE = 32, NAS_DIGEST_HEX_SIZE = 65 };

typedef struct nas_digest {
    uint8_t byte[NAS_DIGEST_SIZE];
} nas_digest_t;

/** A digest in the making; opaque. */
typedef struct nas_hasher nas_hasher_t;

/** Begin.  Not collective.
 *  The caller owns *hasher_p and ends it with nas_hasher_destroy. */
nas_status_t nas_hasher_create(nas_hasher_t **hasher_p, nas_error_t *err);

/** Add n bytes. */
void nas_hasher_update(nas_hasher_t *hasher, const void *data, size_t n);

/** The digest of all bytes so far; the hasher takes no more afterwards. */
nas_digest_t nas_hasher_finish(nas_hasher_t *hasher);

/** Accepts NULL. */
void nas_hasher_destroy(nas_hasher_t *hasher);

/** Digest of one buffer. */
nas_status_t nas_digest_of(const void *data, size_t n, nas_digest_t *digest, nas_error_t *err);

/** Lower-case hexadecimal with a final NUL. */
void nas_digest_hex(const nas_digest_t *digest, char hex[NAS_DIGEST_HEX_SIZE]);

#endif
