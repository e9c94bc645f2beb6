/* State files as bytes: what is in them, and the verification before HDF5 sees any of it.
 *
 * Layout (HDF5 1.8 format, readable with h5py and h5dump):
 *
 *     /                  attributes: format_version and nas_statefile_root()
 *     /job               the resolved job, YAML
 *     /metrics/          names; and, where this run scored the pool, a row an architecture:
 *         values [n, n_metric], status, seconds, rank, and attribute hash
 *     /pool/             arch: native names, where this run scored the pool
 *     /report_columns    names
 *     /evaluations/      one row per evaluation, the repeats one after the other:
 *         repeat, name, columns [n, n_report_columns] and nas_statefile_evaluation()
 *     /search/<repeat>/  attributes: nas_statefile_repeat(); one row per observation:
 *         arch, phase, weights [n, n_metric]; and best_weights [n_metric] once they are known
 *     /events/           time (Unix, s), text
 *
 * A file is refused for the first of these that it fails: a regular file, the magic, the size that
 * it says, the digest (over every byte but its own), the version. The version comes after the
 * digest, so that "newer" is never said of a damaged file.
 */
#include "common/statefile.h"

#include "common/file.h"
#include "common/statefile_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

nas_status_t nas_statefile_write_names(hid_t at, const char *name, const nas_strings_t *names,
                                       nas_error_t *err)
{
    return nas_h5_write_texts(at, name, (const char *const *)names->at, (int64_t)names->n, err);
}

nas_status_t nas_statefile_read_names(hid_t at, const char *name, nas_strings_t *names,
                                      nas_error_t *err)
{
    nas_h5_texts_t texts = {0};
    nas_status_t status = nas_h5_read_texts(at, name, -1, &texts, err);
    for (int64_t i = 0; i < texts.n && !status; i++) {
        const char *text = texts.data + (size_t)i * texts.width;
        status = nas_strings_add(names, text, strlen(text), err);
    }
    free(texts.data);
    return status;
}

nas_statefile_fields_t nas_statefile_root(void)
{
    static const nas_statefile_field_t field[] = {
        {"program_version", NAS_H5_TEXT, offsetof(nas_state_t, program_version)},
        {"commit", NAS_H5_TEXT, offsetof(nas_state_t, commit)},
        {"job_name", NAS_H5_TEXT, offsetof(nas_state_t, job_name)},
        {"method", NAS_H5_TEXT, offsetof(nas_state_t, method)},
        {"job_hash", NAS_H5_DIGEST, offsetof(nas_state_t, job_hash)},
        {"job_hash_without_budget", NAS_H5_DIGEST, offsetof(nas_state_t, job_hash_without_budget)},
        {"objective_hash", NAS_H5_DIGEST, offsetof(nas_state_t, objective_hash)},
        {"table", NAS_H5_TEXT, offsetof(nas_state_t, table_path)},
        {"table_digest", NAS_H5_DIGEST, offsetof(nas_state_t, table_digest)},
        {"budget", NAS_H5_I64, offsetof(nas_state_t, budget)},
        {"n_arch", NAS_H5_I64, offsetof(nas_state_t, n_arch)},
        {"minimise", NAS_H5_BOOL, offsetof(nas_state_t, minimise)},
        {"has_weights", NAS_H5_BOOL, offsetof(nas_state_t, has_weights)},
        {"host", NAS_H5_TEXT, offsetof(nas_state_t, host)},
        {"isa", NAS_H5_TEXT, offsetof(nas_state_t, isa)},
        {"n_ranks", NAS_H5_I32, offsetof(nas_state_t, n_ranks)},
        {"created", NAS_H5_F64, offsetof(nas_state_t, created_s)},
        {"updated", NAS_H5_F64, offsetof(nas_state_t, updated_s)},
        {"elapsed", NAS_H5_F64, offsetof(nas_state_t, elapsed_s)},
        {"complete", NAS_H5_BOOL, offsetof(nas_state_t, complete)},
    };
    return (nas_statefile_fields_t){field, sizeof field / sizeof *field};
}

nas_statefile_fields_t nas_statefile_repeat(void)
{
    static const nas_statefile_field_t field[] = {
        {"seed", NAS_H5_U64, offsetof(nas_repeat_t, seed)},
        {"complete", NAS_H5_BOOL, offsetof(nas_repeat_t, complete)},
        {"precision_at_t", NAS_H5_F64, offsetof(nas_repeat_t, precision_at_t)},
    };
    return (nas_statefile_fields_t){field, sizeof field / sizeof *field};
}

nas_statefile_fields_t nas_statefile_evaluation(void)
{
    static const nas_statefile_field_t field[] = {
        {"arch", NAS_H5_I64, offsetof(nas_evaluation_t, arch)},
        {"value", NAS_H5_F64, offsetof(nas_evaluation_t, value)},
        {"cost", NAS_H5_F64, offsetof(nas_evaluation_t, cost)},
        {"pool_rank", NAS_H5_I64, offsetof(nas_evaluation_t, pool_rank)},
        {"seed", NAS_H5_U64, offsetof(nas_evaluation_t, seed)},
        {"status", NAS_H5_I32, offsetof(nas_evaluation_t, status)},
        {"phase", NAS_H5_I32, offsetof(nas_evaluation_t, phase)},
        {"rank", NAS_H5_I32, offsetof(nas_evaluation_t, rank)},
        {"reused", NAS_H5_BOOL, offsetof(nas_evaluation_t, reused)},
    };
    return (nas_statefile_fields_t){field, sizeof field / sizeof *field};
}

void nas_statefile_put_u64(char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++) at[i] = (char)(value >> (8 * i));
}

uint64_t nas_statefile_get_u64(const char *at)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return value;
}

nas_status_t nas_statefile_digest(const char *image, size_t size, nas_digest_t *digest,
                                  nas_error_t *err)
{
    const size_t after = NAS_STATEFILE_DIGEST_AT + NAS_DIGEST_SIZE;
    nas_hasher_t *hasher = NULL;
    const nas_status_t status = nas_hasher_create(&hasher, err);
    if (status) return status;
    nas_hasher_update(hasher, image, NAS_STATEFILE_DIGEST_AT);
    nas_hasher_update(hasher, image + after, size - after);
    *digest = nas_hasher_finish(hasher);
    nas_hasher_destroy(hasher);
    return NAS_OK;
}

/* Check the user block against the size of the file, before the rest is read. */
static nas_status_t check_block(const char *path, const char *block, size_t n_block, int64_t size,
                                nas_error_t *err)
{
    const size_t n_magic = strlen(NAS_STATEFILE_MAGIC);
    if (size == 0) return nas_error_set(err, NAS_EINPUT, "%s is empty, no state file", path);
    if (n_block < n_magic || memcmp(block, NAS_STATEFILE_MAGIC, n_magic) != 0)
        return nas_error_set(err, NAS_EINPUT, "%s is not a state file of robotnas", path);
    if (n_block < NAS_H5_USER_BLOCK_SIZE)
        return nas_error_set(err, NAS_EINPUT, "%s is cut short: %zu bytes are left", path, n_block);
    const uint64_t expected = nas_statefile_get_u64(block + NAS_STATEFILE_SIZE_AT);
    if ((uint64_t)size < expected)
        return nas_error_set(err, NAS_EINPUT, "%s is cut short: %lld of %llu bytes are left", path,
                             (long long)size, (unsigned long long)expected);
    if ((uint64_t)size > expected)
        return nas_error_set(err, NAS_EINPUT, "%s is damaged: it has %lld bytes instead of %llu",
                             path, (long long)size, (unsigned long long)expected);
    return NAS_OK;
}

/* Check digest and version of a whole file. */
static nas_status_t check_image(const char *path, nas_statefile_image_t *image, nas_error_t *err)
{
    nas_digest_t digest;
    const nas_status_t status = nas_statefile_digest(image->data, image->size, &digest, err);
    if (status) return status;
    if (memcmp(digest.byte, image->data + NAS_STATEFILE_DIGEST_AT, sizeof digest.byte) != 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s is damaged: its content does not match its digest", path);
    const uint64_t version = nas_statefile_get_u64(image->data + NAS_STATEFILE_VERSION_AT);
    image->newer = version > NAS_STATEFILE_VERSION;
    if (version == NAS_STATEFILE_VERSION) return NAS_OK;
    return nas_error_set(
        err, NAS_EINPUT,
        "%s has format version %llu, this program reads %d: use the %s robotnas that wrote it",
        path, (unsigned long long)version, NAS_STATEFILE_VERSION, image->newer ? "newer" : "older");
}

nas_status_t nas_statefile_load(const char *path, nas_statefile_image_t *image, nas_error_t *err)
{
    char block[NAS_H5_USER_BLOCK_SIZE];
    nas_statefile_image_t loaded = {0};
    int fd = -1;
    int64_t size = 0;
    size_t n_block = 0, n_rest = 0;
    nas_status_t status = nas_file_open(path, &fd, &size, err);
    if (status) return status;
    status = nas_file_read_next(fd, path, block, sizeof block, &n_block, err);
    if (!status) status = check_block(path, block, n_block, size, err);
    if (status) goto out;
    loaded = (nas_statefile_image_t){.data = malloc((size_t)size), .size = (size_t)size};
    if (!loaded.data) {
        status = nas_error_nomem(err, path);
        goto out;
    }
    memcpy(loaded.data, block, sizeof block);
    status = nas_file_read_next(fd, path, loaded.data + sizeof block, loaded.size - sizeof block,
                                &n_rest, err);
    if (!status && n_rest != loaded.size - sizeof block)
        status = nas_error_set(err, NAS_EINPUT, "%s became shorter while it was read", path);
    if (!status) status = check_image(path, &loaded, err);
    image->newer = loaded.newer;
    if (status) goto out;
    *image = loaded;
    loaded.data = NULL;
out:
    free(loaded.data);
    close(fd);
    return status;
}

bool nas_statefile_exists(const char *path)
{
    if (nas_file_exists(path)) return true;
    char *prev = nas_file_sibling(path, ".prev", NULL);
    const bool exists = prev && nas_file_exists(prev);
    free(prev);
    return exists;
}
