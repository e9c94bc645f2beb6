#include "common/base/name_source.h"

#include <stdlib.h>
#include <string.h>

static const char *text_at(const nas_name_source_t *source, int64_t i, char *buffer)
{
    (void)buffer;
    return (const char *)source->context + (size_t)i * source->size;
}

nas_name_source_t nas_name_source_of_text(const char *text, size_t size, int64_t n)
{
    return (nas_name_source_t){.n = n, .size = size, .context = text, .at = text_at};
}

static const char *names_at(const nas_name_source_t *source, int64_t i, char *buffer)
{
    (void)buffer;
    return nas_names_at(source->context, i);
}

nas_name_source_t nas_name_source_of_names(const nas_names_t *names)
{
    nas_name_source_t source = {
        .n = nas_names_count(names), .size = 1, .context = names, .at = names_at};
    for (int64_t i = 0; i < source.n; i++) {
        const size_t size = strlen(nas_names_at(names, i)) + 1;
        if (size > source.size) source.size = size;
    }
    return source;
}

nas_status_t nas_name_source_copy(const nas_name_source_t *source, int64_t i, char **name_p,
                                  nas_error_t *err)
{
    char *name = malloc(source->size);
    if (!name) return nas_error_nomem(err, "a name");
    const char *found = source->at(source, i, name);
    if (found != name) memcpy(name, found, strlen(found) + 1);
    *name_p = name;
    return NAS_OK;
}

nas_status_t nas_name_source_index(const nas_name_source_t *source, nas_names_t **names_p,
                                   nas_error_t *err)
{
    nas_names_t *names = NULL;
    int64_t duplicate = -1, first = -1;
    char *buffer = malloc(source->size + 1);
    nas_status_t status = buffer ? nas_names_create(&names, err) : nas_error_nomem(err, "names");
    for (int64_t i = 0; !status && i < source->n; i++) {
        const char *name = source->at(source, i, buffer);
        status = nas_names_add(names, name, strlen(name), err);
    }
    if (!status) status = nas_names_index(names, &duplicate, &first, err);
    free(buffer);
    if (status) {
        nas_names_destroy(names);
        return status;
    }
    *names_p = names;
    return NAS_OK;
}
