#include "worker/engine/gpu/plan/steps.h"

#include <stdlib.h>

enum { NOBODYS_BYTES = 4096 };

void *nas_gpu_pool_grow(nas_gpu_pool_t *pool, size_t n_bytes)
{
    static _Thread_local _Alignas(16) char nobodys[NOBODYS_BYTES];
    if (!pool->failed) {
        size_t room = pool->room ? 2 * pool->room : 1 << 16;
        while (room < pool->n + n_bytes) room *= 2;
        char *data = realloc(pool->data, room);
        pool->failed = !data;
        if (data) {
            pool->data = data;
            pool->room = room;
        }
    }
    if (pool->failed) return n_bytes <= NOBODYS_BYTES ? nobodys : NULL;
    pool->n += n_bytes;
    return pool->data + pool->n - n_bytes;
}

void nas_gpu_pool_clear(nas_gpu_pool_t *pool)
{
    pool->n = 0;
    pool->failed = false;
}

void nas_gpu_steps_clear(nas_gpu_steps_t *steps)
{
    nas_gpu_pool_clear(&steps->step);
    nas_gpu_pool_clear(&steps->edge);
    nas_gpu_pool_clear(&steps->descriptors);
    nas_gpu_pool_clear(&steps->table);
    steps->n_parts = 0;
}

void nas_gpu_steps_fini(nas_gpu_steps_t *steps)
{
    free(steps->step.data);
    free(steps->edge.data);
    free(steps->descriptors.data);
    free(steps->table.data);
    *steps = (nas_gpu_steps_t){0};
}
