#include "common/base/name_source.h"

#include <string.h>

static const char *text_at(const nas_name_source_t *source, int64_t i)
{
    return (const char *)source->context + (size_t)i * source->size;
}

nas_name_source_t nas_name_source_of_text(const char *text, size_t size, int64_t n)
{
    return (nas_name_source_t){.n = n, .size = size, .context = text, .at = text_at};
}

static const char *names_at(const nas_name_source_t *source, int64_t i)
{
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

const char *nas_name_source_at(const nas_name_source_t *source, int64_t i)
{
    return source->at(source, i);
}

nas_status_t nas_name_source_index(const nas_name_source_t *source, nas_names_t **names_p,
                                   nas_error_t *err)
{
    nas_names_t *names = NULL;
    int64_t duplicate = -1, first = -1;
    nas_status_t status = nas_names_create(&names, err);
    for (int64_t i = 0; !status && i < source->n; i++) {
        const char *name = nas_name_source_at(source, i);
        status = nas_names_add(names, name, strlen(name), err);
    }
    if (!status) status = nas_names_index(names, &duplicate, &first, err);
    if (status) {
        nas_names_destroy(names);
        return status;
    }
    *names_p = names;
    return NAS_OK;
}
