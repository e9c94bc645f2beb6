/* A pair of IDX files. The first byte says which of the two is compressed here, after which it is a
 * sound gzip file whatever its content; files that are not compressed here may be damaged ones. Two
 * bytes give the size of the images' file, the labels' is the rest. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/images_check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

enum { COMPRESS_IMAGES = 1, COMPRESS_LABELS = 2, HAS_TEST = 4, HAS_CLASSES = 8, HAS_LIMIT = 16 };

static void write_file(const char *path, fuzz_bytes_t bytes, bool compress)
{
    if (!compress) {
        fuzz_write(path, bytes);
        return;
    }
    gzFile file = gzopen(path, "wb1");
    NAS_ASSERT(file && gzwrite(file, bytes.at, (unsigned)bytes.n) == (int)bytes.n);
    NAS_ASSERT(gzclose(file) == Z_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes_t input = {data, size};
    const uint8_t flags = fuzz_byte(&input);
    const size_t low = fuzz_byte(&input), high = fuzz_byte(&input);
    const fuzz_bytes_t images = fuzz_bytes(&input, high << 8 | low);
    char *path[2] = {fuzz_path("images"), fuzz_path("labels")};
    write_file(path[0], images, flags & COMPRESS_IMAGES);
    write_file(path[1], input, flags & COMPRESS_LABELS);
    const nas_strings_t files = {.at = path, .n = 2};
    const nas_dataset_options_t options = {.format = &nas_format_idx,
                                           .train = &files,
                                           .test = flags & HAS_TEST ? &files : NULL,
                                           .n_classes = flags & HAS_CLASSES ? 10 : 0,
                                           .limit = flags & HAS_LIMIT ? 1 : 0};
    fuzz_try_dataset(&options);
    free(path[0]);
    free(path[1]);
    return 0;
}
