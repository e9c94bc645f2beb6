/* Users of a region, and of a vector, are lists in one pool: who wrote it last (several, each its
 * channels), and who read it since. */
#include "worker/engine/gpu/plan/hazards_internal.h"

#include <stdlib.h>
#include <string.h>

enum { GENERATION_BITS = 12 };

/* --------------------------------------------------------------------------------------- memory */

bool nas_gpu_hazards_grow(nas_gpu_hazards_t *h, void *array_p, int n, int *room, size_t size)
{
    if (n < *room) return true;
    void *data;
    memcpy(&data, array_p, sizeof data);
    const int more = *room ? 2 * *room : 1024;
    data = realloc(data, (size_t)more * size);
    if (!data) {
        h->failed = true;
        return false;
    }
    memcpy(array_p, &data, sizeof data);
    *room = more;
    return true;
}

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

/* ---------------------------------------------------------------------------------------- users */

void nas_gpu_users_add(nas_gpu_hazards_t *h, int *list, nas_gpu_user_t user)
{
    if (!nas_gpu_hazards_grow(h, &h->user, h->n_users, &h->user_room, sizeof *h->user)) return;
    user.next = *list;
    h->user[h->n_users] = user;
    *list = h->n_users++;
}

static void wait_for(nas_gpu_hazards_t *h, int step, int *wait, int *n)
{
    if (*n > 0 && wait[*n - 1] == step) return;
    if (*n < NAS_GPU_MOST_WAITS)
        wait[(*n)++] = step;
    else
        h->failed = true;
}

static void wait_for_list(nas_gpu_hazards_t *h, int list, const nas_gpu_access_t *a, int *wait,
                          int *n)
{
    for (int i = list; i != NAS_GPU_NOBODY; i = h->user[i].next)
        if (h->user[i].c_first < a->c_end && a->c_first < h->user[i].c_end)
            wait_for(h, h->user[i].step, wait, n);
}

/* Without those whose channels are all in the access. */
static int cut_list(nas_gpu_hazards_t *h, int list, const nas_gpu_access_t *a)
{
    int first = NAS_GPU_NOBODY, *link = &first;
    for (int i = list; i != NAS_GPU_NOBODY; i = h->user[i].next) {
        if (a->c_first <= h->user[i].c_first && h->user[i].c_end <= a->c_end) continue;
        *link = i;
        link = &h->user[i].next;
    }
    *link = NAS_GPU_NOBODY;
    return first;
}

void nas_gpu_users_find(nas_gpu_hazards_t *h, const nas_gpu_users_t *users,
                        const nas_gpu_access_t *a, int *wait, int *n)
{
    wait_for_list(h, users->writer, a, wait, n);
    if (a->is_write) wait_for_list(h, users->reader, a, wait, n);
}

void nas_gpu_users_note(nas_gpu_hazards_t *h, nas_gpu_users_t *users, const nas_gpu_access_t *a,
                        int step)
{
    const nas_gpu_user_t user = {.step = step, .c_first = a->c_first, .c_end = a->c_end};
    if (a->is_write) {
        users->writer = cut_list(h, users->writer, a);
        users->reader = cut_list(h, users->reader, a);
        nas_gpu_users_add(h, &users->writer, user);
    } else if (users->reader == NAS_GPU_NOBODY || h->user[users->reader].step != step ||
               h->user[users->reader].c_first != a->c_first) {
        nas_gpu_users_add(h, &users->reader, user);
    }
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
