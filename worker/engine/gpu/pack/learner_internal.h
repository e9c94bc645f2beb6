/* What the files of a learner share. */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_LEARNER_INTERNAL_H
#define NAS_WORKER_ENGINE_GPU_PACK_LEARNER_INTERNAL_H

#include "worker/engine/gpu/pack/pack.h"
#include "worker/engine/gpu/plan/descriptors.h"
#include "worker/engine/learner.h"

enum {
    NAS_LEARNER_VALIDATES = 8, /* batches at once */
    NAS_LEARNER_AHEAD = 4      /* steps that are queued at most */
};

/* Where things lie among the vectors, in doubles. */
typedef struct nas_learner_vectors {
    int64_t step; /* NAS_GPU_STEP_* */
    int64_t parameter, velocity, statistics;
    int64_t unbiased; /* nas_gpu_settle_t */
    int64_t gradient, gather_parts;
    int64_t cleared, n_cleared;     /* results and vectors of the shards, 0 before every step */
    int64_t validated, n_validated; /* likewise of the batches that are validated */
    int64_t parts;                  /* of the shards' sums, or of the batches' */
    int64_t n;
} nas_learner_vectors_t;

/* Where images lie among the data, in bytes. */
typedef struct nas_learner_data {
    int64_t images, table, black, labels;
} nas_learner_data_t;

/* Launches over shards, or over batches, with their table. */
typedef struct nas_learner_launches {
    nas_gpu_steps_t steps;
    nas_gpu_waves_t waves;
    nas_gpu_places_t *places; /* [shards or batches] */
    nas_gpu_buffer_t table;
    int64_t results; /* doubles from one's results to the next one's */
} nas_learner_launches_t;

struct nas_learner {
    nas_learner_options_t options;
    nas_gpu_pack_device_t *device; /* the engine's */
    nas_learner_vectors_t at;
    nas_learner_data_t of[2]; /* to train on, to test on */
    int64_t order, index;     /* bytes of the data: of the epoch; of images to validate on */
    int64_t n_arena;          /* floats */
    size_t data_bytes;
    nas_learner_launches_t learn;
    nas_learner_launches_t validate[2]; /* of images to train on, to test on */
    nas_gpu_memory_t memory;            /* but the table */
    nas_gpu_staging_t staging;          /* what is written and read at rest */
    nas_gpu_staging_t ahead;            /* [NAS_LEARNER_AHEAD][4] numbers of queued steps */
    int n_ahead;
    nas_gpu_graph_t *graph; /* of a step, where the device has graphs */
};

/* ----------------------------------------------------------------------------- learner_plan.c */

/* Lay everything out, and plan the launches of a step and of a validation.  NAS_ENOMEM. */
nas_status_t nas_learner_plan(nas_learner_t *learner, nas_error_t *err);
/* Give what was planned back. */
void nas_learner_unplan(nas_learner_t *learner);

#endif
