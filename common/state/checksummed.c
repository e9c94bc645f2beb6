/* A file is refused for the first of these that it fails: a regular file, the magic, the size that
 * it says, the digest (over every byte but its own), the version. The version comes after the
 * digest, so that "newer" is never said of a damaged file.
 */
#include "common/state/checksummed.h"

#include "common/io/file.h"
#include "common/state/h5.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void nas_checksummed_put_u64(char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++) at[i] = (char)(value >> (8 * i));
}

uint64_t nas_checksummed_get_u64(const char *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return value;
}

nas_status_t nas_checksummed_digest(const char *image, size_t size, nas_digest_t *digest,
                                    nas_error_t *err)
{
    const size_t after = NAS_CHECKSUMMED_DIGEST_AT + NAS_DIGEST_SIZE;
    nas_hasher_t *hasher = NULL;
    const nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, image, NAS_CHECKSUMMED_DIGEST_AT);
    nas_hasher_update(hasher, image + after, size - after);
    *digest = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    return NAS_OK;
}

nas_status_t nas_checksummed_fill(const nas_checksummed_kind_t *kind, char *image, size_t size,
                                  nas_error_t *err)
{
    nas_digest_t digest;
    memcpy(image, kind->magic, NAS_CHECKSUMMED_MAGIC_SIZE);
    nas_checksummed_put_u64(image + NAS_CHECKSUMMED_VERSION_AT, kind->version);
    nas_checksummed_put_u64(image + NAS_CHECKSUMMED_SIZE_AT, size);
    const nas_status_t status = nas_checksummed_digest(image, size, &digest, err);
    if (!status) memcpy(image + NAS_CHECKSUMMED_DIGEST_AT, digest.byte, sizeof digest.byte);
    return status;
}

/* The first bytes of a file. */
typedef struct block {
    char data[NAS_H5_USER_BLOCK_SIZE];
    size_t n;
} block_t;

/* Check the user block against the size of the file, before the rest is read. */
static nas_status_t check_block(const nas_checksummed_kind_t *kind, const char *path,
                                const block_t *block, int64_t size, nas_error_t *err)
{
    if (size == 0) return nas_error_set(err, NAS_EINPUT, "%s is empty, no %s", path, kind->name);
    if (block->n < NAS_CHECKSUMMED_MAGIC_SIZE ||
        memcmp(block->data, kind->magic, NAS_CHECKSUMMED_MAGIC_SIZE) != 0)
        return nas_error_set(err, NAS_EINPUT, "%s is not a %s of robotnas", path, kind->name);
    if (block->n < NAS_H5_USER_BLOCK_SIZE)
        return nas_error_set(err, NAS_EINPUT, "%s is cut short: %zu bytes are left", path,
                             block->n);
    const uint64_t expected = nas_checksummed_get_u64(block->data + NAS_CHECKSUMMED_SIZE_AT);
    if ((uint64_t)size < expected)
        return nas_error_set(err, NAS_EINPUT, "%s is cut short: %lld of %llu bytes are left", path,
                             (long long)size, (unsigned long long)expected);
    if ((uint64_t)size > expected)
        return nas_error_set(err, NAS_EINPUT, "%s is damaged: it has %lld bytes instead of %llu",
                             path, (long long)size, (unsigned long long)expected);
    return NAS_OK;
}

/* Check digest and version of a whole file. */
static nas_status_t check_image(const nas_checksummed_kind_t *kind, const char *path,
                                nas_checksummed_image_t *image, nas_error_t *err)
{
    nas_digest_t digest;
    const nas_status_t status = nas_checksummed_digest(image->data, image->size, &digest, err);
    if (status) return status;
    if (memcmp(digest.byte, image->data + NAS_CHECKSUMMED_DIGEST_AT, sizeof digest.byte) != 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s is damaged: its content does not match its digest", path);
    image->version = nas_checksummed_get_u64(image->data + NAS_CHECKSUMMED_VERSION_AT);
    image->newer = image->version > kind->version;
    if (!image->newer && image->version >= kind->oldest) return NAS_OK;
    return nas_error_set(
        err, NAS_EINPUT,
        "%s has format version %llu, this program reads %llu to %llu: use the %s robotnas that wrote it",
        path, (unsigned long long)image->version, (unsigned long long)kind->oldest,
        (unsigned long long)kind->version, image->newer ? "newer" : "older");
}

/* The whole file behind its block. */
static nas_status_t read_rest(int fd, const char *path, const block_t *block,
                              nas_checksummed_image_t *image, nas_error_t *err)
{
    size_t n = 0;
    image->data = malloc(image->size);
    if (!image->data) return nas_error_nomem(err, path);
    memcpy(image->data, block->data, sizeof block->data);
    const nas_status_t status = nas_file_read_next(fd, path, image->data + sizeof block->data,
                                                   image->size - sizeof block->data, &n, err);
    if (!status && n != image->size - sizeof block->data)
        return nas_error_set(err, NAS_EINPUT, "%s became shorter while it was read", path);
    return status;
}

nas_status_t nas_checksummed_load(const nas_checksummed_kind_t *kind, const char *path,
                                  nas_checksummed_image_t *image, nas_error_t *err)
{
    block_t block = {0};
    nas_checksummed_image_t loaded = {0};
    int fd = -1;
    int64_t size = 0;
    nas_status_t status = nas_file_open(path, &fd, &size, err);
    if (status) return status;
    status = nas_file_read_next(fd, path, block.data, sizeof block.data, &block.n, err);
    if (!status) status = check_block(kind, path, &block, size, err);
    loaded.size = (size_t)size;
    if (!status) status = read_rest(fd, path, &block, &loaded, err);
    if (!status) status = check_image(kind, path, &loaded, err);
    image->newer = loaded.newer;
    close(fd);
    if (status)
        free(loaded.data);
    else
        *image = loaded;
    return status;
}

/* The digest of an open file of `size` bytes behind its block, read on. False where it cannot
 * be. */
static bool hash_rest(int fd, const char *path, const block_t *block, size_t size,
                      nas_digest_t *digest)
{
    enum { PIECE = 1 << 20 };
    const size_t after = NAS_CHECKSUMMED_DIGEST_AT + NAS_DIGEST_SIZE;
    nas_hasher_t *hasher = NULL;
    char *piece = malloc(PIECE);
    bool good = piece && nas_hasher_create(&hasher, NULL) == NAS_OK;
    if (good) {
        nas_hasher_update(hasher, block->data, NAS_CHECKSUMMED_DIGEST_AT);
        nas_hasher_update(hasher, block->data + after, sizeof block->data - after);
    }
    for (size_t left = size - sizeof block->data, n = 0; good && left > 0; left -= n) {
        n = 0;
        good =
            nas_file_read_next(fd, path, piece, left < PIECE ? left : PIECE, &n, NULL) == NAS_OK &&
            n > 0;
        if (good) nas_hasher_update(hasher, piece, n);
    }
    if (good) *digest = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    free(piece);
    return good;
}

bool nas_checksummed_is_whole(const nas_checksummed_kind_t *kind, const char *path)
{
    block_t block = {0};
    nas_digest_t digest;
    int fd = -1;
    int64_t size = 0;
    if (nas_file_open(path, &fd, &size, NULL) != NAS_OK) return false;
    const bool good =
        nas_file_read_next(fd, path, block.data, sizeof block.data, &block.n, NULL) == NAS_OK &&
        check_block(kind, path, &block, size, NULL) == NAS_OK &&
        hash_rest(fd, path, &block, (size_t)size, &digest);
    close(fd);
    return good &&
           memcmp(digest.byte, block.data + NAS_CHECKSUMMED_DIGEST_AT, sizeof digest.byte) == 0;
}
