#include "common/base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

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

void nas_digest_hex(const nas_digest_t *digest, char hex[NAS_DIGEST_HEX_SIZE])
{
    static const char digit[] = "0123456789abcdef";
    for (int i = 0; i < NAS_DIGEST_SIZE; i++) {
        hex[2 * i] = digit[digest->byte[i] >> 4];
        hex[2 * i + 1] = digit[digest->byte[i] & 15];
    }
    hex[NAS_DIGEST_HEX_SIZE - 1] = '\0';
}
