#include "worker/engine/gpu/pack/memory.h"

enum { FEWEST_BYTES = 4096 };

void nas_gpu_buffer_drop(nas_gpu_budget_t *budget, nas_gpu_buffer_t *buffer)
{
    if (!buffer->handle) return;
    budget->taken -= buffer->bytes;
    budget->gpu->layer->free(budget->gpu, buffer);
    *buffer = (nas_gpu_buffer_t){0};
}

static nas_status_t take(nas_gpu_budget_t *budget, size_t bytes, nas_gpu_buffer_t *buffer,
                         nas_error_t *err)
{
    const nas_status_t status = budget->gpu->layer->alloc(budget->gpu, bytes, buffer, err);
    if (status) {
        *buffer = (nas_gpu_buffer_t){0};
        return status;
    }
    budget->taken += buffer->bytes;
    return NAS_OK;
}

/* A quarter more than is asked for, where there is room: the next pack may need a little more. */
nas_status_t nas_gpu_buffer_grow(nas_gpu_budget_t *budget, size_t bytes, nas_gpu_buffer_t *buffer,
                                 nas_error_t *err)
{
    if (bytes < FEWEST_BYTES) bytes = FEWEST_BYTES;
    if (buffer->handle && bytes <= buffer->bytes) return NAS_OK;
    const bool is_first = !buffer->handle;
    nas_gpu_buffer_drop(budget, buffer);
    if (bytes > budget->largest || budget->taken + bytes > budget->limit)
        return nas_error_set(err, NAS_ENOMEM,
                             "%zu MiB of the GPU's memory, of which %zu MiB may be taken",
                             (budget->taken + bytes) >> 20, budget->limit >> 20);
    const size_t more = bytes + bytes / 4;
    if (!is_first && more <= budget->largest && budget->taken + more <= budget->limit &&
        !take(budget, more, buffer, NULL))
        return NAS_OK;
    return take(budget, bytes, buffer, err);
}

/* Why there is none: a device that is lost gives none, either, and says so when it is waited for. */
static nas_status_t explain_staging(nas_gpu_t *gpu, size_t bytes, nas_error_t *err)
{
    const nas_status_t status = gpu->layer->wait(gpu, err);
    if (status) return status;
    return nas_error_set(err, NAS_ENOMEM, "out of memory for a GPU's tables (%zu MiB)",
                         bytes >> 20);
}

nas_status_t nas_gpu_staging_grow(nas_gpu_t *gpu, size_t bytes, nas_gpu_staging_t *staging,
                                  nas_error_t *err)
{
    if (staging->data && bytes <= staging->bytes) return NAS_OK;
    nas_gpu_staging_drop(gpu, staging);
    const size_t more = bytes + bytes / 4 + FEWEST_BYTES;
    staging->data = gpu->layer->host_alloc(gpu, more);
    if (!staging->data) return explain_staging(gpu, more, err);
    staging->bytes = more;
    return NAS_OK;
}

void nas_gpu_staging_drop(nas_gpu_t *gpu, nas_gpu_staging_t *staging)
{
    if (staging->data) gpu->layer->host_free(gpu, staging->data);
    *staging = (nas_gpu_staging_t){0};
}
