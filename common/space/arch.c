#include "common/space/arch.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

nas_status_t nas_arch_init(nas_arch_t *arch, const nas_space_t *space, nas_error_t *err)
{
    const nas_arch_t made = {.space = space,
                             .code = calloc((size_t)space->n_position, sizeof *made.code),
                             .name = calloc(space->name_size, sizeof *made.name)};
    *arch = made;
    if (!made.code || !made.name) {
        nas_arch_fini(arch);
        return nas_error_nomem(err, "an architecture");
    }
    nas_arch_set(arch, 0);
    return NAS_OK;
}

void nas_arch_set(nas_arch_t *arch, int64_t index)
{
    const nas_space_t *space = arch->space;
    NAS_ASSERT(index >= 0 && index < space->count);
    arch->index = index;
    space->code(index, arch->code);
    space->print(arch->code, arch->name);
}

/* A copy of text without the blanks around it, or NULL; the caller's (free). */
static char *trim(const char *text)
{
    text += strspn(text, BLANKS);
    size_t length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1])) length--;
    return strndup(text, length);
}

nas_status_t nas_arch_parse(nas_arch_t *arch, const char *text, nas_error_t *err)
{
    const nas_space_t *space = arch->space;
    char *trimmed = trim(text);
    if (!trimmed) return nas_error_nomem(err, "an architecture's text");
    const bool is_known = space->parse(trimmed, arch->code);
    free(trimmed);
    if (!is_known)
        return nas_error_set(err, NAS_EINPUT,
                             "'%.120s' is no architecture of %s; it takes the forms %s", text,
                             space->name, space->forms);
    nas_arch_set(arch, space->index(arch->code));
    return NAS_OK;
}

nas_status_t nas_arch_find(const char *text, nas_arch_t *arch, nas_error_t *err)
{
    int n = 0;
    const nas_space_t *const *space = nas_space_list(&n);
    for (int i = 0; i < n; i++) {
        nas_arch_t found = {0};
        nas_status_t status = nas_arch_init(&found, space[i], err);
        if (!status) status = nas_arch_parse(&found, text, err);
        if (!status) *arch = found;
        if (status != NAS_EINPUT) return status;
        nas_arch_fini(&found);
    }
    return nas_error_set(err, NAS_EINPUT, "'%.120s' is no architecture of any space", text);
}

void nas_arch_fini(nas_arch_t *arch)
{
    free(arch->code);
    free(arch->name);
    *arch = (nas_arch_t){0};
}
