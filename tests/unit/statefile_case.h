/* What tests of state files share. */
#ifndef NAS_TESTS_UNIT_STATEFILE_CASE_H
#define NAS_TESTS_UNIT_STATEFILE_CASE_H

#include "common/io/file.h"
#include "common/state/statefile.h"
#include "common/state/statefile_internal.h"
#include "tests/unit/state_sample.h"
#include "tests/unit/temp_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static temp_path_t folder;

static inline void make_folder(void)
{
    folder = temp_folder_make();
}

static inline void remove_folder(void)
{
    temp_folder_remove(&folder);
}

static const sample_size_t SMALL = {
    .n_repeat = 2, .n_evaluation = 7, .n_metric = 6, .n_report = 3, .n_event = 2};

static inline void write_sample(const char *path, sample_size_t size)
{
    nas_error_t err = {0};
    nas_state_t state = sample_state(size);
    cr_assert_eq(nas_statefile_write(path, &state, NULL, &err), NAS_OK, "%s", err.text);
    nas_state_fini(&state);
}

static inline void assert_refused(const char *path, const char *reason)
{
    nas_state_t state = {.budget = 77};
    nas_error_t err = {0};
    const nas_status_t status = nas_statefile_read_one(path, &state, &err);
    cr_assert_eq(status, NAS_EINPUT, "'%s' is the reason, not: %s", reason, err.text);
    cr_assert_not_null(strstr(err.text, path), "the path is named in: %s", err.text);
    cr_assert_not_null(strstr(err.text, reason), "'%s' is said in: %s", reason, err.text);
    cr_assert_eq(state.budget, 77, "outputs stay as they were");
}

/* The bytes of a file, of which size is set. */
static inline char *bytes_of(const char *path, size_t *size)
{
    char *data = NULL;
    cr_assert_eq(nas_file_read(path, SIZE_MAX, &data, size, NULL), NAS_OK);
    return data;
}

static inline void put_bytes(const char *path, const char *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

/* Make the digest hold again, so that what comes after it is tested. */
static inline void checksum(char *image, size_t size)
{
    nas_digest_t digest;
    cr_assert_eq(nas_checksummed_digest(image, size, &digest, NULL), NAS_OK);
    memcpy(image + NAS_CHECKSUMMED_DIGEST_AT, digest.byte, sizeof digest.byte);
}

static inline void assert_round_trip(sample_size_t size)
{
    const temp_path_t path = temp_file(&folder, "a.h5");
    nas_state_t state = sample_state(size), found = {0};
    size_t n_found = 0;
    nas_file_identity_t last = {0};
    nas_error_t err = {0};
    cr_assert_eq(nas_statefile_write(path.text, &state, &last, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(nas_statefile_read_one(path.text, &found, &err), NAS_OK, "%s", err.text);
    assert_equal_states(&state, &found);
    free(bytes_of(path.text, &n_found));
    cr_assert_eq((size_t)last.size, n_found);
    nas_state_fini(&state);
    nas_state_fini(&found);
}

static inline void write_newer(const char *path)
{
    size_t size = 0;
    write_sample(path, SMALL);
    char *image = bytes_of(path, &size);
    nas_checksummed_put_u64(image + NAS_CHECKSUMMED_VERSION_AT, NAS_STATEFILE_VERSION + 1);
    checksum(image, size);
    put_bytes(path, image, size);
    free(image);
}

#endif
