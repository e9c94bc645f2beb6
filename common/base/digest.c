#include "common/base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct nas_hasher {
    EVP_MD_CTX *context;
};

nas_status_t nas_hasher_create(nas_hasher_t **hasher_p, nas_error_t *err)
{
    nas_hasher_t *hasher = calloc(1, sizeof *hasher);
    if (!hasher) return nas_error_nomem(err, "a digest");
    hasher->context = EVP_MD_CTX_new();
    if (!hasher->context || EVP_DigestInit_ex(hasher->context, EVP_sha256(), NULL) != 1) {
        nas_hasher_destroy(hasher);
        return nas_error_set(err, NAS_ENOMEM, "the cryptographic library offers no SHA-256");
    }
    *hasher_p = hasher;
    return NAS_OK;
}

void nas_hasher_update(nas_hasher_t *hasher, const void *data, size_t n)
{
    NAS_ASSERT(EVP_DigestUpdate(hasher->context, data, n) == 1);
}

nas_digest_t nas_hasher_finish(nas_hasher_t *hasher)
{
    nas_digest_t digest;
    unsigned int size = 0;
    NAS_ASSERT(EVP_DigestFinal_ex(hasher->context, digest.byte, &size) == 1);
    NAS_ASSERT(size == NAS_DIGEST_SIZE);
    return digest;
}

void nas_hasher_destroy(nas_hasher_t *hasher)
{
    if (!hasher) return;
    EVP_MD_CTX_free(hasher->context);
    free(hasher);
}

bool nas_digest_equal(const nas_digest_t *a, const nas_digest_t *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool nas_digest_is_known(const nas_digest_t *digest)
{
    const nas_digest_t unknown = {0};
    return !nas_digest_equal(digest, &unknown);
}

nas_status_t nas_digest_of(const void *data, size_t n, nas_digest_t *digest, nas_error_t *err)
{
    nas_hasher_t *hasher = NULL;
    const nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, data, n);
    *digest = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    return NAS_OK;
}

struct nas_block_digest {
    nas_hasher_t *hasher; /* of the block begun; NULL: none is */
    size_t n_bytes;       /* of it */
    nas_digest_t *block;  /* [n] done */
    int64_t n, capacity;
};

nas_status_t nas_block_digest_create(nas_block_digest_t **blocks_p, nas_error_t *err)
{
    nas_block_digest_t *blocks = calloc(1, sizeof *blocks);
    if (!blocks) return nas_error_nomem(err, "a digest");
    *blocks_p = blocks;
    return NAS_OK;
}

/* Make sure that there is a block begun, and room for its digest. */
static nas_status_t begin_block(nas_block_digest_t *blocks, nas_error_t *err)
{
    if (blocks->hasher) return NAS_OK;
    if (blocks->n == blocks->capacity) {
        const int64_t capacity = 2 * blocks->capacity + 16;
        nas_digest_t *block = realloc(blocks->block, (size_t)capacity * sizeof *block);
        if (!block) return nas_error_nomem(err, "a digest");
        blocks->block = block;
        blocks->capacity = capacity;
    }
    blocks->n_bytes = 0;
    return nas_hasher_create(&blocks->hasher, err);
}

static void end_block(nas_block_digest_t *blocks)
{
    if (!blocks->hasher) return;
    blocks->block[blocks->n++] = nas_hasher_finish(blocks->hasher);
    nas_hasher_destroy(blocks->hasher);
    blocks->hasher = NULL;
}

nas_status_t nas_block_digest_update(nas_block_digest_t *blocks, const void *data, size_t n,
                                     nas_error_t *err)
{
    const char *at = data;
    while (n > 0) {
        const nas_status_t status = begin_block(blocks, err);
        if (status) return status;
        const size_t room = NAS_DIGEST_BLOCK_SIZE - blocks->n_bytes, taken = n < room ? n : room;
        nas_hasher_update(blocks->hasher, at, taken);
        blocks->n_bytes += taken;
        at += taken;
        n -= taken;
        if (blocks->n_bytes == NAS_DIGEST_BLOCK_SIZE) end_block(blocks);
    }
    return NAS_OK;
}

const nas_digest_t *nas_block_digest_finish(nas_block_digest_t *blocks, int64_t *n)
{
    end_block(blocks);
    *n = blocks->n;
    return blocks->block;
}

void nas_block_digest_destroy(nas_block_digest_t *blocks)
{
    if (!blocks) return;
    nas_hasher_destroy(blocks->hasher);
    free(blocks->block);
    free(blocks);
}

nas_status_t nas_block_digest_combine(const nas_digest_t *block, int64_t n, nas_digest_t *digest,
                                      nas_error_t *err)
{
    return nas_digest_of(block, (size_t)n * sizeof *block, digest, err);
}

void nas_digest_hex(const nas_digest_t *digest, char hex[NAS_DIGEST_HEX_SIZE])
{
    static const char digit[] = "0123456789abcdef";
    for (int i = 0; i < NAS_DIGEST_SIZE; i++) {
        hex[2 * i] = digit[digest->byte[i] >> 4];
        hex[2 * i + 1] = digit[digest->byte[i] & 15];
    }
    hex[NAS_DIGEST_HEX_SIZE - 1] = '\0';
}
