/* Architecture texts: every space, and the encodings of tables. What is read and printed is read
 * again as the same; name, code and index are faces of one thing. */
#include "common/space/encoding.h"
#include "common/space/space.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_key(void (*write)(const uint8_t *, char *), const uint8_t *code)
{
    char key[NAS_SPACE_NAME_SIZE];
    if (!write) return;
    write(code, key);
    NAS_ASSERT(memchr(key, '\0', sizeof key));
}

static void check_index(const nas_space_t *space, int64_t index)
{
    char name[NAS_SPACE_NAME_SIZE], again[NAS_SPACE_NAME_SIZE];
    uint8_t code[NAS_SPACE_POSITIONS], parsed[NAS_SPACE_POSITIONS];
    int64_t found = -1;
    NAS_ASSERT(index >= 0 && index < space->count);
    nas_space_print(space, index, name);
    NAS_ASSERT(nas_space_parse(space, name, &found, NULL) == NAS_OK && found == index);
    nas_space_print(space, found, again);
    NAS_ASSERT(strcmp(name, again) == 0);
    space->code(index, code);
    NAS_ASSERT(space->index(code) == index);
    NAS_ASSERT(space->parse(name, parsed));
    NAS_ASSERT(memcmp(code, parsed, (size_t)space->n_position) == 0);
    check_key(space->unique, code);
    check_key(space->equivalent, code);
}

static void try_space(const nas_space_t *space, const char *text)
{
    nas_error_t err = {0};
    int64_t index = -1;
    const nas_status_t status = nas_space_parse(space, text, &index, &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        check_index(space, index);
}

/* The codes as a tuple, which has the same codes. */
static void check_tuple(const uint8_t *code, int n)
{
    char tuple[NAS_ENCODING_MAX_POSITIONS * 4 + 3] = "(";
    uint8_t again[NAS_ENCODING_MAX_POSITIONS];
    int n_again = 0;
    char *out = tuple + 1;
    NAS_ASSERT(n > 0 && n <= NAS_ENCODING_MAX_POSITIONS);
    for (int i = 0; i < n; i++) {
        NAS_ASSERT(code[i] < NAS_ENCODING_MAX_CHOICES);
        out += sprintf(out, "%s%d", i > 0 ? ", " : "", code[i]);
    }
    strcpy(out, ")");
    NAS_ASSERT(nas_encode(NAS_ENCODING_DIGITS, tuple, again, &n_again, NULL) == NAS_OK);
    NAS_ASSERT(n_again == n && memcmp(code, again, (size_t)n) == 0);
}

static void try_encoding(nas_encoding_kind_t kind, const char *text)
{
    nas_error_t err = {0};
    uint8_t code[NAS_ENCODING_MAX_POSITIONS];
    int n = 0;
    const nas_status_t status = nas_encode(kind, text, code, &n, &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        check_tuple(code, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int n_space = 0;
    const nas_space_t *const *space = nas_space_list(&n_space);
    char *text = fuzz_text((fuzz_bytes_t){data, size});
    for (int i = 0; i < n_space; i++) try_space(space[i], text);
    try_encoding(NAS_ENCODING_NB201, text);
    try_encoding(NAS_ENCODING_DIGITS, text);
    free(text);
    return 0;
}
