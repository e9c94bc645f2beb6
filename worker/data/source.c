#include "worker/data/source.h"

size_t nas_source_values(const nas_image_source_t *source)
{
    return (size_t)source->c * (size_t)source->h * (size_t)source->w;
}

void nas_source_read(const nas_image_source_t *source, const int64_t *index, int64_t n,
                     float *values)
{
    source->functions->read(source, index, n, values);
}

nas_status_t nas_source_hash(const nas_image_source_t *source, nas_hasher_t *hasher,
                             const nas_interrupt_t *interrupt, nas_error_t *err)
{
    return source->functions ? source->functions->hash(source, hasher, interrupt, err) : NAS_OK;
}

void nas_source_fini(nas_image_source_t *source)
{
    if (source->functions) source->functions->destroy(source->self);
    *source = (nas_image_source_t){0};
}
