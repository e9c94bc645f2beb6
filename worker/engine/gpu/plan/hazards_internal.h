/* What the files of hazards share: users.c has who read and wrote what, regions.c
 * what lies in the arena, hazards.c the vectors. */
#ifndef NAS_WORKER_ENGINE_GPU_PLAN_HAZARDS_INTERNAL_H
#define NAS_WORKER_ENGINE_GPU_PLAN_HAZARDS_INTERNAL_H

#include "worker/engine/gpu/plan/hazards.h"

enum { NAS_GPU_NOBODY = -1, NAS_GPU_KNOWN_BITS = 11 };

typedef struct nas_gpu_user {
    int step;
    int c_first, c_end;
    int next;
} nas_gpu_user_t;

/* Of a region, or a vector. */
typedef struct nas_gpu_users {
    int writer, reader; /* the first of each in the pool */
} nas_gpu_users_t;

typedef struct nas_gpu_region {
    int64_t begin, end; /* -1: it is no more */
    int c_total, plane;
    nas_gpu_users_t users;
} nas_gpu_region_t;

struct nas_gpu_hazards {
    nas_gpu_user_t *user;
    int n_users, user_room;
    nas_gpu_region_t *region; /* in no order */
    int n_regions, region_room;
    int *order; /* those that there are, by address */
    int n_ordered, order_room;
    int known[1 << NAS_GPU_KNOWN_BITS]; /* regions by the hash of an access's address */
    nas_gpu_users_t *vector;
    int n_vectors, vector_room;
    uint32_t *slot; /* of a vector's first element: generation, and which of `vector` it is */
    size_t n_slots;
    uint32_t generation;
    bool failed;
};

/* Room for one more of an array; false: there is none, and the hazards have failed. */
bool nas_gpu_hazards_grow(nas_gpu_hazards_t *h, void *array_p, int n, int *room, size_t size);

/* One more at the beginning of a list. */
void nas_gpu_users_add(nas_gpu_hazards_t *h, int *list, nas_gpu_user_t user);
/* Steps that an access waits for, and that it is made. */
void nas_gpu_users_find(nas_gpu_hazards_t *h, const nas_gpu_users_t *users,
                        const nas_gpu_access_t *a, int *wait, int *n);
void nas_gpu_users_note(nas_gpu_hazards_t *h, nas_gpu_users_t *users, const nas_gpu_access_t *a,
                        int step);

/* The same of an access to the arena. */
void nas_gpu_regions_find(nas_gpu_hazards_t *h, const nas_gpu_access_t *a, int *wait, int *n);
void nas_gpu_regions_note(nas_gpu_hazards_t *h, const nas_gpu_access_t *a, int step);

#endif
