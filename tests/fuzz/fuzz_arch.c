/* Architecture texts: every space, and the encodings of tables. What is read and printed is read
 * again as the same; name, code and index are faces of one thing. */
#include "common/space/arch.h"
#include "common/space/encoding.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_key(const nas_space_t *space, void (*write)(const uint8_t *, char *),
                      const uint8_t *code)
{
    if (!write) return;
    char *key = malloc(space->key_size);
    NAS_ASSERT(key);
    write(code, key);
    NAS_ASSERT(memchr(key, '\0', space->key_size));
    free(key);
}

static void check_arch(const nas_arch_t *arch)
{
    const nas_space_t *space = arch->space;
    nas_arch_t again;
    NAS_ASSERT(arch->index >= 0 && arch->index < space->count);
    NAS_ASSERT(strlen(arch->name) < space->name_size);
    NAS_ASSERT(nas_arch_init(&again, space, NULL) == NAS_OK);
    NAS_ASSERT(nas_arch_parse(&again, arch->name, NULL) == NAS_OK && again.index == arch->index);
    NAS_ASSERT(strcmp(arch->name, again.name) == 0);
    NAS_ASSERT(space->index(arch->code) == arch->index);
    NAS_ASSERT(memcmp(arch->code, again.code, (size_t)space->n_position) == 0);
    check_key(space, space->unique, arch->code);
    check_key(space, space->equivalent, arch->code);
    nas_arch_fini(&again);
}

static void try_space(const nas_space_t *space, const char *text)
{
    nas_error_t err = {0};
    nas_arch_t arch;
    NAS_ASSERT(nas_arch_init(&arch, space, NULL) == NAS_OK);
    const nas_status_t status = nas_arch_parse(&arch, text, &err);
    if (status)
        fuzz_check_error(status, &err);
    else
        check_arch(&arch);
    nas_arch_fini(&arch);
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
