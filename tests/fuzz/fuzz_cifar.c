/* CIFAR's binary files: a pattern, repeated. The first byte gives the number of classes, the second
 * the number of records, the third how many bytes there are more or fewer than these take. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/images_check.h"

#include <stdlib.h>

enum { N_PIXELS = 3072, MOST_RECORDS = 4 };

static fuzz_bytes_t repeat(fuzz_bytes_t pattern, size_t n)
{
    uint8_t *bytes = calloc(n + 1, 1);
    NAS_ASSERT(bytes);
    for (size_t i = 0; i < n && pattern.n > 0; i++) bytes[i] = pattern.at[i % pattern.n];
    return (fuzz_bytes_t){.at = bytes, .n = n};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int classes[] = {0, 10, 100, 2, 65536, 65537};
    fuzz_bytes_t input = {data, size};
    const int n_classes = classes[fuzz_byte(&input) % 6];
    const size_t record = N_PIXELS + (n_classes == 100 ? 2 : 1);
    const size_t n_records = fuzz_byte(&input) % (MOST_RECORDS + 1);
    const int more = (int8_t)fuzz_byte(&input);
    const long n = (long)(n_records * record) + more;
    const fuzz_bytes_t file = repeat(input, n > 0 ? (size_t)n : 0);
    char *path = fuzz_path("batch.bin");
    fuzz_write(path, file);
    const nas_strings_t files = {.at = &path, .n = 1};
    const nas_dataset_options_t options = {
        .format = &nas_format_cifar, .train = &files, .test = &files, .n_classes = n_classes};
    fuzz_try_dataset(&options);
    free(path);
    free((void *)(uintptr_t)file.at);
    return 0;
}
