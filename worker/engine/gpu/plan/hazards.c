/* Regions of the arena that are in use, in order, none of which overlap. A tensor that is written
 * where others lay cuts them: what is left of those keeps who used it, for what comes there next.
 * Users of a region, and of a vector, are lists in one pool: who wrote it last (several, each its
 * channels), and who read it since. */
#include "worker/engine/gpu/plan/hazards.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = -1, ALL_CHANNELS = 1 << 30, GENERATION_BITS = 12, KNOWN_BITS = 11 };

typedef struct user {
    int step;
    int c_first, c_end;
    int next;
} user_t;

typedef struct users {
    int writer, reader; /* the first of each in the pool */
} users_t;

typedef struct region {
    int64_t begin, end; /* -1: it is no more */
    int c_total, plane;
    users_t users;
} region_t;

struct nas_gpu_hazards {
    user_t *user;
    int n_users, user_room;
    region_t *region; /* in the order they came */
    int n_regions, region_room;
    int *order; /* those that there are, by address */
    int n_ordered, order_room;
    int known[1 << KNOWN_BITS]; /* regions that were found, by the hash of the access's address */
    users_t *vector;
    int n_vectors, vector_room;
    uint32_t *slot; /* of a vector's first element: generation, and which of `vector` it is */
    size_t n_slots;
    uint32_t generation;
    bool failed;
};

/* --------------------------------------------------------------------------------------- memory */

/* Room for one more of an array; false: there is none, and the hazards have failed. */
static bool grow(nas_gpu_hazards_t *h, void *array_p, int n, int *room, size_t size)
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

static void add_user(nas_gpu_hazards_t *h, int *list, user_t user)
{
    if (!grow(h, &h->user, h->n_users, &h->user_room, sizeof *h->user)) return;
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
    for (int i = list; i != NONE; i = h->user[i].next)
        if (h->user[i].c_first < a->c_end && a->c_first < h->user[i].c_end)
            wait_for(h, h->user[i].step, wait, n);
}

/* Without those whose channels are all in the access. */
static int cut_list(nas_gpu_hazards_t *h, int list, const nas_gpu_access_t *a)
{
    int first = NONE, *link = &first;
    for (int i = list; i != NONE; i = h->user[i].next) {
        if (a->c_first <= h->user[i].c_first && h->user[i].c_end <= a->c_end) continue;
        *link = i;
        link = &h->user[i].next;
    }
    *link = NONE;
    return first;
}

static void find_users(nas_gpu_hazards_t *h, const users_t *users, const nas_gpu_access_t *a,
                       int *wait, int *n)
{
    wait_for_list(h, users->writer, a, wait, n);
    if (a->is_write) wait_for_list(h, users->reader, a, wait, n);
}

static void note_users(nas_gpu_hazards_t *h, users_t *users, const nas_gpu_access_t *a, int step)
{
    const user_t user = {.step = step, .c_first = a->c_first, .c_end = a->c_end};
    if (a->is_write) {
        users->writer = cut_list(h, users->writer, a);
        users->reader = cut_list(h, users->reader, a);
        add_user(h, &users->writer, user);
    } else if (users->reader == NONE || h->user[users->reader].step != step ||
               h->user[users->reader].c_first != a->c_first) {
        add_user(h, &users->reader, user);
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
        if (!grow(h, &h->vector, h->n_vectors, &h->vector_room, sizeof *h->vector)) return 0;
        h->vector[h->n_vectors] = (users_t){NONE, NONE};
        *slot = stamp | (uint32_t)h->n_vectors++;
    }
    return (int)(*slot & mask) + 1;
}

/* -------------------------------------------------------------------------------------- regions */

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
static bool is_of(const region_t *r, const nas_gpu_access_t *a)
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
    return &h->known[hash >> (64 - KNOWN_BITS)];
}

/* The region that the access is of: most are known. Or NULL, and where in the order the first is
 * that ends behind its beginning. */
static region_t *region_of(nas_gpu_hazards_t *h, const nas_gpu_access_t *a, int *first)
{
    int *known = known_at(h, a->begin);
    if (*known < h->n_regions && is_of(&h->region[*known], a)) return &h->region[*known];
    *first = first_behind(h, a->begin);
    if (*first == h->n_ordered || !is_of(&h->region[h->order[*first]], a)) return NULL;
    *known = h->order[*first];
    return &h->region[*known];
}

static void find_regions(nas_gpu_hazards_t *h, const nas_gpu_access_t *a, int *wait, int *n)
{
    int i = 0;
    const region_t *region = region_of(h, a, &i);
    if (region) {
        find_users(h, &region->users, a, wait, n);
        return;
    }
    const nas_gpu_access_t all = whole(a);
    for (; i < h->n_ordered; i++) {
        region = &h->region[h->order[i]];
        if (region->begin >= a->end) break;
        find_users(h, &region->users, &all, wait, n);
    }
}

static int copy_users(nas_gpu_hazards_t *h, int list)
{
    int copy = NONE;
    for (int i = list; i != NONE; i = h->user[i].next)
        add_user(h, &copy, (user_t){.step = h->user[i].step, .c_end = ALL_CHANNELS});
    return copy;
}

/* What is left of a region, between begin and end. */
static region_t rest_of(nas_gpu_hazards_t *h, const region_t *r, int64_t begin, int64_t end)
{
    return (region_t){.begin = begin,
                      .end = end,
                      .users = {copy_users(h, r->users.writer), copy_users(h, r->users.reader)}};
}

/* Put n regions in place of those from `first` to `last` of the order, whose room they take. */
static void replace(nas_gpu_hazards_t *h, int first, int last, const region_t *region, int n)
{
    const int n_old = last - first, more = n - n_old;
    while (h->n_ordered + more > h->order_room)
        if (!grow(h, &h->order, h->order_room, &h->order_room, sizeof *h->order)) return;
    while (h->n_regions + more > h->region_room)
        if (!grow(h, &h->region, h->region_room, &h->region_room, sizeof *h->region)) return;
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
static void keep_users(nas_gpu_hazards_t *h, const region_t *r, users_t *users)
{
    const int list[] = {r->users.writer, r->users.reader};
    for (int k = 0; k < 2; k++)
        for (int j = list[k]; j != NONE; j = h->user[j].next)
            add_user(h, &users->reader, (user_t){.step = h->user[j].step, .c_end = ALL_CHANNELS});
}

/* A tensor is written where others lay, from `first` of the order on. */
static void put_region(nas_gpu_hazards_t *h, int first, const nas_gpu_access_t *a, int step)
{
    region_t put[3], own = {.begin = a->begin,
                            .end = a->end,
                            .c_total = a->c_total,
                            .plane = a->plane,
                            .users = {NONE, NONE}};
    int n = 0, last = first;
    for (; last < h->n_ordered; last++) {
        const region_t *r = &h->region[h->order[last]];
        if (r->begin >= a->end) break;
        if (r->begin < a->begin) put[n++] = rest_of(h, r, r->begin, a->begin);
        if (a->c_first > 0 || a->c_end < a->c_total) keep_users(h, r, &own.users);
    }
    note_users(h, &own.users, a, step);
    const int at = first + n;
    put[n++] = own;
    if (first < last) {
        const region_t *r = &h->region[h->order[last - 1]];
        if (r->end > a->end) put[n++] = rest_of(h, r, a->end, r->end);
    }
    replace(h, first, last, put, n);
    if (!h->failed) *known_at(h, a->begin) = h->order[at];
}

static void note_regions(nas_gpu_hazards_t *h, const nas_gpu_access_t *a, int step)
{
    int i = 0;
    region_t *region = region_of(h, a, &i);
    if (region) {
        note_users(h, &region->users, a, step);
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
        note_users(h, &region->users, &all, step);
    }
}

/* ------------------------------------------------------------------------------------------ all */

static void find_vector_users(nas_gpu_hazards_t *h, nas_gpu_access_t *a, int *wait, int *n)
{
    a->vector = place_of_vector(h, a->begin);
    if (a->vector) find_users(h, &h->vector[a->vector - 1], a, wait, n);
}

static void note_vector(nas_gpu_hazards_t *h, const nas_gpu_access_t *a, int step)
{
    const int vector = a->vector ? a->vector : place_of_vector(h, a->begin);
    if (vector) note_users(h, &h->vector[vector - 1], a, step);
}

void nas_gpu_hazards_find(nas_gpu_hazards_t *h, nas_gpu_access_t *access, int n, int *wait,
                          int *n_waits)
{
    for (int i = 0; i < n; i++)
        if (access[i].is_vector)
            find_vector_users(h, &access[i], wait, n_waits);
        else
            find_regions(h, &access[i], wait, n_waits);
}

void nas_gpu_hazards_note(nas_gpu_hazards_t *h, const nas_gpu_access_t *access, int n, int step)
{
    for (int i = 0; i < n; i++)
        if (access[i].is_vector)
            note_vector(h, &access[i], step);
        else
            note_regions(h, &access[i], step);
}
