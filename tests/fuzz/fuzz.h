/* What the fuzz targets share: pieces of the input, files to read it from, and what holds of every
 * error.
 *
 * A target is a file fuzz_NAME.c with the function below. It reads the input as a user's file would
 * be read, and asserts (NAS_ASSERT) what the header of the module promises. libFuzzer calls it, or
 * replay.c with the files of tests/fuzz/corpus. It keeps nothing from one input to the next but
 * what it made at first and changes no more.
 */
#ifndef NAS_TESTS_FUZZ_FUZZ_H
#define NAS_TESTS_FUZZ_FUZZ_H

#include "common/base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Try one input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What is left of an input. Borrowed. */
typedef struct fuzz_bytes {
    const uint8_t *at;
    size_t n;
} fuzz_bytes_t;

/** The next byte, 0 at the end. */
uint8_t fuzz_byte(fuzz_bytes_t *input);

/** The next n bytes, or what is left. */
fuzz_bytes_t fuzz_bytes(fuzz_bytes_t *input, size_t n);

/** A copy with a NUL behind it, at which a text ends, if not before. The caller frees it. */
char *fuzz_text(fuzz_bytes_t bytes);

/** The path of `name` in a folder of this process, made at the first call and removed with all that
 *  is in it when the process ends by exit. The caller frees the path. */
char *fuzz_path(const char *name);

/** Write the bytes to path. */
void fuzz_write(const char *path, fuzz_bytes_t bytes);

/** The bytes of the file at path. The caller frees at. */
fuzz_bytes_t fuzz_read(const char *path);

/** A stream that keeps nothing of what is written. */
FILE *fuzz_sink(void);

/** An error is a user's or the system's, and one line. */
void fuzz_check_error(nas_status_t status, const nas_error_t *err);

#endif
