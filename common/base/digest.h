/* SHA-256 (OpenSSL's libcrypto): identity of jobs and tables, integrity of state files.
 *
 * A digest of blocks is what several ranks can find together: the content is cut into blocks of
 * NAS_DIGEST_BLOCK_SIZE bytes from its start on, the last one shorter where it is not full, and the
 * digest is that of the blocks' digests, one after the other. Who has a range that begins where a
 * block does finds the digests of its blocks; whoever has all of them, in order, combines them.
 */
#ifndef NAS_COMMON_BASE_DIGEST_H
#define NAS_COMMON_BASE_DIGEST_H

#include "common/base/error.h"

#include <stdbool.h>
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

/** Whether two digests are the same. */
bool nas_digest_equal(const nas_digest_t *a, const nas_digest_t *b);

/** Whether a digest is known: not all 0. */
bool nas_digest_is_known(const nas_digest_t *digest);

/** Digest of one buffer. */
nas_status_t nas_digest_of(const void *data, size_t n, nas_digest_t *digest, nas_error_t *err);

/** Bytes of a block. */
enum { NAS_DIGEST_BLOCK_SIZE = 1 << 20 };

/** Digests of the blocks of a range, in the making; opaque. */
typedef struct nas_block_digest nas_block_digest_t;

/** Begin, where a block of the content begins.  Not collective. NAS_ENOMEM.
 *  The caller owns *blocks_p and ends it with nas_block_digest_destroy. */
nas_status_t nas_block_digest_create(nas_block_digest_t **blocks_p, nas_error_t *err);

/** Add the range's next n bytes.  NAS_ENOMEM: it is of no use but to destroy. */
nas_status_t nas_block_digest_update(nas_block_digest_t *blocks, const void *data, size_t n,
                                     nas_error_t *err);

/** The digests of all blocks so far; one that is not full ends here, so that no more may be added
 *  afterwards. n [out] how many. Borrowed from blocks. */
const nas_digest_t *nas_block_digest_finish(nas_block_digest_t *blocks, int64_t *n);

/** Accepts NULL. */
void nas_block_digest_destroy(nas_block_digest_t *blocks);

/** The digest of a content from those of its n blocks, in order.  NAS_ENOMEM. */
nas_status_t nas_block_digest_combine(const nas_digest_t *block, int64_t n, nas_digest_t *digest,
                                      nas_error_t *err);

/** Lower-case hexadecimal with a final NUL. */
void nas_digest_hex(const nas_digest_t *digest, char hex[NAS_DIGEST_HEX_SIZE]);

#endif
