/* What the files of a learner share. */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_LEARNER_INTERNAL_H
#define NAS_WORKER_ENGINE_GPU_PACK_LEARNER_INTERNAL_H

#include "worker/engine/gpu/pack/pack.h"
#include "worker/engine/gpu/plan/descriptors.h"
#include "worker/engine/learner.h"

enum {
    NAS_LEARNER_VALIDATES = 8,              /* batches at once */
    NAS_LEARNER_AHEAD = 4,                  /* steps that are queued at most */
    NAS_LEARNER_ALIGNMENT = 32,             /* of places, in floats and doubles */
    NAS_LEARNER_WRITTEN = NAS_GPU_STEP_LOSS /* numbers of a step that are the host's */
};

/* Where a member's state lies among the vectors, in doubles, one behind the other. */
typedef struct nas_learner_vectors {
    int64_t step; /* NAS_GPU_STEP_* */
    int64_t parameter, velocity, statistics;
    int64_t unbiased, share; /* nas_gpu_settle_t */
    int64_t gradient, gather_parts;
} nas_learner_vectors_t;

/* Where images lie among the data, in bytes. */
typedef struct nas_learner_data {
    int64_t images, table, black, labels;
} nas_learner_data_t;

/* A program several times: of the shards, or of the batches that are validated. */
typedef struct nas_learner_copies {
    const nas_program_t *program;
    nas_gpu_places_t *places; /* [n] */
    int n;
    int64_t results;            /* doubles from one's results to the next one's */
    int64_t cleared, n_cleared; /* their results and vectors, 0 before they are computed */
} nas_learner_copies_t;

/* Launches, with their table. */
typedef struct nas_learner_launches {
    nas_gpu_steps_t steps;
    nas_gpu_waves_t waves;
    nas_gpu_buffer_t table;
} nas_learner_launches_t;

/* A member, where it lies. */
typedef struct nas_learner_network {
    nas_learner_member_t member;
    nas_learner_vectors_t at;
    int64_t order; /* bytes of the data: of its epoch */
    nas_learner_copies_t shards;
    nas_learner_copies_t batches[2]; /* of images to train on, to test on */
    nas_learner_launches_t validate[2];
    bool is_in_step; /* the launches of a step are those of this one, too */
} nas_learner_network_t;

struct nas_learner {
    nas_learner_options_t options;  /* but the members */
    nas_learner_network_t *network; /* [n_members] */
    nas_gpu_pack_device_t *device;  /* the engine's */
    nas_learner_data_t of[2];       /* to train on, to test on */
    int64_t index;                  /* bytes of the data: of images to validate on */
    int64_t n_arena;                /* floats of tensors and images; the scratch is behind them */
    int64_t scratch;                /* floats */
    int64_t parts, n_parts;         /* of the sums of shards, or of batches */
    size_t data_bytes;
    nas_learner_launches_t learn; /* a step of the members that are in it */
    nas_gpu_memory_t memory;      /* but the tables */
    nas_gpu_staging_t staging;    /* what is written and read at rest */
    nas_gpu_staging_t ahead;      /* [NAS_LEARNER_AHEAD][n_members][4] numbers of queued steps */
    int n_ahead;
    nas_gpu_graph_t *graph; /* of a step, where the device has graphs */
};

static inline const nas_gpu_layer_t *nas_learner_layer(const nas_learner_t *learner)
{
    return learner->device->gpu->layer;
}

static inline int64_t nas_learner_align(int64_t n)
{
    return (n + NAS_LEARNER_ALIGNMENT - 1) / NAS_LEARNER_ALIGNMENT * NAS_LEARNER_ALIGNMENT;
}

/* Groups of a launch over n elements. */
static inline int64_t nas_learner_groups(int64_t n, int64_t each)
{
    return (n + each - 1) / each;
}

/* Doubles of what is written of a member when a state is. */
static inline int64_t nas_learner_state_size(const nas_learner_network_t *network)
{
    return network->at.gradient - network->at.step;
}

/* --------------------------------------------------------------------------- learner_layout.c */

/* Say where everything lies but the scratch and the parts, which are known when launches are.
 * NAS_ENOMEM. */
nas_status_t nas_learner_lay_out(nas_learner_t *learner, nas_error_t *err);

/* ----------------------------------------------------------------------------- learner_plan.c */

/* Plan the launches of a step of all members, and of their validations.  NAS_ENOMEM. */
nas_status_t nas_learner_plan(nas_learner_t *learner, nas_error_t *err);
/* Plan those of a step anew, of the members that are in it; they take no more of the device than
 * those of all.  NAS_ENOMEM. */
nas_status_t nas_learner_plan_step(nas_learner_t *learner, nas_error_t *err);
/* Give what was planned and laid out back. */
void nas_learner_unplan(nas_learner_t *learner);

/* --------------------------------------------------------------------------- learner_memory.c */

/* Take all that was planned for, and write images and tables.  NAS_ENOMEM; NAS_EIO. */
nas_status_t nas_learner_take_memory(nas_learner_t *learner, nas_error_t *err);
/* Write the table of launches that were planned anew. Nothing may be queued. */
nas_status_t nas_learner_take_table(nas_learner_t *learner, nas_learner_launches_t *launches,
                                    nas_error_t *err);
void nas_learner_drop_memory(nas_learner_t *learner);

#endif
