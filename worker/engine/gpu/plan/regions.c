/* Regions of the arena that are in use, in order, none of which overlap. A tensor that is written
 * where others lay cuts them: what is left of those keeps who used it, for what comes there next.
 */
#include "worker/engine/gpu/plan/hazards_internal.h"

#include <string.h>

enum { ALL_CHANNELS = 1 << 30 };

/* ------------------------------------------------------------------------------------- searching */

/* Where in the order the first region is that ends behind `begin`. */
static int first_behind(const nas_gpu_hazards_t *h, int64_t begin)
{
    int low = 0, high = h->n_ordered;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (h->region[h->order[middle]].end > begin)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Whether the access is of what lies in the region, or to a part of it that is only read. */
static bool is_of(const nas_gpu_region_t *r, const nas_gpu_access_t *a)
{
    if (r->begin == a->begin && r->end == a->end)
        return r->c_total == a->c_total && r->plane == a->plane;
    return !a->is_write && r->begin <= a->begin && a->end <= r->end && a->c_total == 0;
}

/* As an access to whatever is there. */
static nas_gpu_access_t whole(const nas_gpu_access_t *a)
{
    nas_gpu_access_t all = *a;
    all.c_first = 0;
    all.c_end = ALL_CHANNELS;
    return all;
}

static int *known_at(nas_gpu_hazards_t *h, int64_t begin)
{
    const uint64_t hash = (uint64_t)begin * 0x9e3779b97f4a7c15u;
    return &h->known[hash >> (64 - NAS_GPU_KNOWN_BITS)];
}

/* The region that the access is of: most are known. Or NULL, and where in the order the first is
 * that ends behind its beginning. */
static nas_gpu_region_t *region_of(nas_gpu_hazards_t *h, const nas_gpu_access_t *a, int *first)
{
    int *known = known_at(h, a->begin);
    if (*known < h->n_regions && is_of(&h->region[*known], a)) return &h->region[*known];
    *first = first_behind(h, a->begin);
    if (*first == h->n_ordered || !is_of(&h->region[h->order[*first]], a)) return NULL;
    *known = h->order[*first];
    return &h->region[*known];
}

void nas_gpu_regions_find(nas_gpu_hazards_t *h, const nas_gpu_access_t *a, int *wait, int *n)
{
    int i = 0;
    const nas_gpu_region_t *region = region_of(h, a, &i);
    if (region) {
        nas_gpu_users_find(h, &region->users, a, wait, n);
        return;
    }
    const nas_gpu_access_t all = whole(a);
    for (; i < h->n_ordered; i++) {
        region = &h->region[h->order[i]];
        if (region->begin >= a->end) break;
        nas_gpu_users_find(h, &region->users, &all, wait, n);
    }
}

/* --------------------------------------------------------------------------------------- cutting */

static int copy_users(nas_gpu_hazards_t *h, int list)
{
    int copy = NAS_GPU_NOBODY;
    for (int i = list; i != NAS_GPU_NOBODY; i = h->user[i].next)
        nas_gpu_users_add(h, &copy,
                          (nas_gpu_user_t){.step = h->user[i].step, .c_end = ALL_CHANNELS});
    return copy;
}

/* What is left of a region, between begin and end. */
static nas_gpu_region_t rest_of(nas_gpu_hazards_t *h, const nas_gpu_region_t *r, int64_t begin,
                                int64_t end)
{
    return (nas_gpu_region_t){
        .begin = begin,
        .end = end,
        .users = {copy_users(h, r->users.writer), copy_users(h, r->users.reader)}};
}

/* Put n regions in place of those from `first` to `last` of the order, whose room they take. */
static void replace(nas_gpu_hazards_t *h, int first, int last, const nas_gpu_region_t *region,
                    int n)
{
    const int n_old = last - first, more = n - n_old;
    while (h->n_ordered + more > h->order_room)
        if (!nas_gpu_hazards_grow(h, &h->order, h->order_room, &h->order_room, sizeof *h->order))
            return;
    while (h->n_regions + more > h->region_room)
        if (!nas_gpu_hazards_grow(h, &h->region, h->region_room, &h->region_room,
                                  sizeof *h->region))
            return;
    for (int i = n; i < n_old; i++)
        h->region[h->order[first + i]].begin = h->region[h->order[first + i]].end = -1;
    if (more != 0)
        memmove(&h->order[first + n], &h->order[last],
                (size_t)(h->n_ordered - last) * sizeof *h->order);
    for (int i = n_old; i < n; i++) h->order[first + i] = h->n_regions++;
    for (int i = 0; i < n; i++) h->region[h->order[first + i]] = region[i];
    h->n_ordered += more;
}

/* Who writes the other channels waits for those who used what lay there, too. */
static void keep_users(nas_gpu_hazards_t *h, const nas_gpu_region_t *r, nas_gpu_users_t *users)
{
    const int list[] = {r->users.writer, r->users.reader};
    for (int k = 0; k < 2; k++)
        for (int j = list[k]; j != NAS_GPU_NOBODY; j = h->user[j].next)
            nas_gpu_users_add(h, &users->reader,
                              (nas_gpu_user_t){.step = h->user[j].step, .c_end = ALL_CHANNELS});
}

/* A tensor is written where others lay, from `first` of the order on. */
static void put_region(nas_gpu_hazards_t *h, int first, const nas_gpu_access_t *a, int step)
{
    nas_gpu_region_t put[3], own = {.begin = a->begin,
                                    .end = a->end,
                                    .c_total = a->c_total,
                                    .plane = a->plane,
                                    .users = {NAS_GPU_NOBODY, NAS_GPU_NOBODY}};
    int n = 0, last = first;
    for (; last < h->n_ordered; last++) {
        const nas_gpu_region_t *r = &h->region[h->order[last]];
        if (r->begin >= a->end) break;
        if (r->begin < a->begin) put[n++] = rest_of(h, r, r->begin, a->begin);
        if (a->c_first > 0 || a->c_end < a->c_total) keep_users(h, r, &own.users);
    }
    nas_gpu_users_note(h, &own.users, a, step);
    const int at = first + n;
    put[n++] = own;
    if (first < last) {
        const nas_gpu_region_t *r = &h->region[h->order[last - 1]];
        if (r->end > a->end) put[n++] = rest_of(h, r, a->end, r->end);
    }
    replace(h, first, last, put, n);
    if (!h->failed) *known_at(h, a->begin) = h->order[at];
}

void nas_gpu_regions_note(nas_gpu_hazards_t *h, const nas_gpu_access_t *a, int step)
{
    int i = 0;
    nas_gpu_region_t *region = region_of(h, a, &i);
    if (region) {
        nas_gpu_users_note(h, &region->users, a, step);
        return;
    }
    if (a->is_write) {
        put_region(h, i, a, step);
        return;
    }
    const nas_gpu_access_t all = whole(a);
    for (; i < h->n_ordered; i++) {
        region = &h->region[h->order[i]];
        if (region->begin >= a->end) break;
        nas_gpu_users_note(h, &region->users, &all, step);
    }
}
