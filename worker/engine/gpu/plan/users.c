/* Users of a region, and of a vector, are lists in one pool: who wrote it last (several, each its
 * channels), and who read it since. */
#include "worker/engine/gpu/plan/hazards_internal.h"

#include <stdlib.h>
#include <string.h>

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
