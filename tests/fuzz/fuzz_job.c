/* Job files, for both purposes. A file with a NUL in it, which no text can hold, is read as a file.
 */
#include "coordinator/registries/registries.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/job_check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const nas_job_purpose_t purpose[] = {NAS_JOB_SEARCH, NAS_JOB_SCORE};
    const fuzz_bytes_t input = {data, size};
    const bool is_text = size == 0 || !memchr(data, '\0', size);
    char *path = fuzz_path("job.yaml"), *text = fuzz_text(input);
    if (!is_text) fuzz_write(path, input);
    for (int i = 0; i < 2; i++) {
        const nas_job_source_t source = {.sections = nas_registries_job(),
                                         .path = path,
                                         .text = is_text ? text : NULL,
                                         .purpose = purpose[i]};
        fuzz_try_job(&source);
    }
    free(path);
    free(text);
    return 0;
}
