/* Accesses to vectors, and which of the two kinds an access is of. */
#include "worker/engine/gpu/plan/hazards_internal.h"

#include <stdlib.h>
#include <string.h>

enum { GENERATION_BITS = 12 };

/* --------------------------------------------------------------------------------------- memory */

nas_gpu_hazards_t *nas_gpu_hazards_create(void)
{
    return calloc(1, sizeof(nas_gpu_hazards_t));
}

void nas_gpu_hazards_destroy(nas_gpu_hazards_t *h)
{
    if (!h) return;
    free(h->user);
    free(h->region);
    free(h->order);
    free(h->vector);
    free(h->slot);
    free(h);
}

bool nas_gpu_hazards_begin(nas_gpu_hazards_t *h, size_t n_vectors)
{
    h->n_users = h->n_regions = h->n_ordered = h->n_vectors = 0;
    h->failed = false;
    h->generation = (h->generation + 1) & ((1u << GENERATION_BITS) - 1);
    if (n_vectors > h->n_slots) {
        free(h->slot);
        h->slot = calloc(n_vectors, sizeof *h->slot);
        h->n_slots = h->slot ? n_vectors : 0;
        h->generation = 1;
    } else if (h->generation == 0) {
        memset(h->slot, 0, h->n_slots * sizeof *h->slot);
        h->generation = 1;
    }
    return h->slot || n_vectors == 0;
}

bool nas_gpu_hazards_failed(const nas_gpu_hazards_t *h)
{
    return h->failed;
}

/* -------------------------------------------------------------------------------------- vectors */

/* Its place in `vector`, plus 1; 0: no memory. */
static int place_of_vector(nas_gpu_hazards_t *h, int64_t vector)
{
    const uint32_t stamp = h->generation << (32 - GENERATION_BITS);
    const uint32_t mask = (1u << (32 - GENERATION_BITS)) - 1;
    uint32_t *slot = &h->slot[vector];
    if ((*slot & ~mask) != stamp) {
        if (!nas_gpu_hazards_grow(h, &h->vector, h->n_vectors, &h->vector_room, sizeof *h->vector))
            return 0;
        h->vector[h->n_vectors] = (nas_gpu_users_t){NAS_GPU_NOBODY, NAS_GPU_NOBODY};
        *slot = stamp | (uint32_t)h->n_vectors++;
    }
    return (int)(*slot & mask) + 1;
}

/* ------------------------------------------------------------------------------------------ all */

static void find_vector_users(nas_gpu_hazards_t *h, nas_gpu_access_t *a, int *wait, int *n)
{
    a->vector = place_of_vector(h, a->begin);
    if (a->vector) nas_gpu_users_find(h, &h->vector[a->vector - 1], a, wait, n);
}

static void note_vector(nas_gpu_hazards_t *h, const nas_gpu_access_t *a, int step)
{
    const int vector = a->vector ? a->vector : place_of_vector(h, a->begin);
    if (vector) nas_gpu_users_note(h, &h->vector[vector - 1], a, step);
}

void nas_gpu_hazards_find(nas_gpu_hazards_t *h, nas_gpu_access_t *access, int n, int *wait,
                          int *n_waits)
{
    for (int i = 0; i < n; i++)
        if (access[i].is_vector)
            find_vector_users(h, &access[i], wait, n_waits);
        else
            nas_gpu_regions_find(h, &access[i], wait, n_waits);
}

void nas_gpu_hazards_note(nas_gpu_hazards_t *h, const nas_gpu_access_t *access, int n, int step)
{
    for (int i = 0; i < n; i++)
        if (access[i].is_vector)
            note_vector(h, &access[i], step);
        else
            nas_gpu_regions_note(h, &access[i], step);
}
