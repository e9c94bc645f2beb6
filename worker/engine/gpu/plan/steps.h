/* Steps: what a program is on a device, as launches that wait for one another.
 *
 * A step is work of one kernel, as descriptors (kernels/work.h) whose places are final. It waits for
 * the steps that it depends on, and for no others: nothing is left of the order that the program
 * had. What an operation of the program becomes is said in describe_*.c; who depends on whom is
 * found out by hazards.h, from what each reads and writes.
 *
 * A list holds the steps of many programs. Those of different ones share nothing, so that any order
 * which heeds the edges is right, and any steps that wait for nothing any more can be launched
 * together where their variant is the same.
 */
#ifndef NAS_WORKER_ENGINE_GPU_PLAN_STEPS_H
#define NAS_WORKER_ENGINE_GPU_PLAN_STEPS_H

#include "worker/engine/gpu/plan/variants.h"
#include "worker/engine/program/op.h"
#include "worker/engine/program/program.h"

/** Where the things of a program are that is to be carried out, in the units of work.h. */
typedef struct nas_gpu_places {
    int64_t arena;      /**< its tensors */
    int64_t results;    /**< its vectors that are results, which come first (op.h) */
    int64_t vectors;    /**< the others */
    int64_t counts;     /**< SIGNS: NAS_GPU_COUNTS of the images, 0 at the beginning; else -1 */
    int64_t parts;      /**< room for what sums are added from, see nas_gpu_steps_t */
    int64_t parameters; /**< all of the graph */
    int64_t statistics; /**< INFERENCE: that are given; else -1 */
    int64_t images;     /**< bytes of the data, -1: flow; staged: floats of the arena */
    int64_t labels;     /**< -1: none */
    bool is_staged;     /**< images are made on the device, before */
    bool learns;        /**< labels are of all images, of which the step says which these are: */
    int64_t order, step;
    int first; /**< see nas_gpu_head_t */
} nas_gpu_places_t;

/** An array that grows. What is added without memory goes nowhere, and `failed` says so. */
typedef struct nas_gpu_pool {
    char *data;
    size_t n, room; /**< bytes */
    bool failed;
} nas_gpu_pool_t;

typedef struct nas_gpu_step {
    int variant;
    int groups_x;
    int n;          /**< descriptors */
    int n_bytes;    /**< of one */
    size_t at;      /**< the first one: bytes of `descriptors` */
    int n_waits;    /**< edges to it */
    int depth;      /**< the longest way to it, in steps */
    int64_t floats; /**< BACKWARD_WEIGHTS: of its parts, room for which is found when it is
                         launched; behind its descriptors is that of the sum of them */
} nas_gpu_step_t;

/** That a step waits for another, by their numbers. */
typedef struct nas_gpu_edge {
    int from, to;
} nas_gpu_edge_t;

/** Steps of programs. */
typedef struct nas_gpu_steps {
    nas_gpu_pool_t step;        /**< nas_gpu_step_t */
    nas_gpu_pool_t edge;        /**< nas_gpu_edge_t */
    nas_gpu_pool_t descriptors; /**< bytes, of step after step */
    nas_gpu_pool_t table;       /**< what descriptors point to: the beginning of the table */
    int64_t n_parts;            /**< doubles of parts of all programs so far */
} nas_gpu_steps_t;

/** Steps under construction: memory that is kept from one program to the next. Opaque. */
typedef struct nas_gpu_planner nas_gpu_planner_t;

/** variants: kept.  NULL: no memory. The caller destroys it. */
nas_gpu_planner_t *nas_gpu_planner_create(nas_gpu_variants_t *variants);
/** Accepts NULL. */
void nas_gpu_planner_destroy(nas_gpu_planner_t *planner);

/** No steps, in the memory that there is. */
void nas_gpu_steps_clear(nas_gpu_steps_t *steps);
/** Give its memory back. */
void nas_gpu_steps_fini(nas_gpu_steps_t *steps);

/** Add a program's steps.  Not collective, deterministic. Its parts begin at places->parts +
 *  steps->n_parts.  NAS_ENOMEM: the list can only be cleared then. */
nas_status_t nas_gpu_steps_add(nas_gpu_steps_t *steps, nas_gpu_planner_t *planner,
                               const nas_program_t *program, const nas_gpu_places_t *places,
                               nas_error_t *err);

/** The same where the pool has to grow, or has failed. */
void *nas_gpu_pool_grow(nas_gpu_pool_t *pool, size_t n_bytes);

/** Room for n_bytes behind what is there; in a pool that failed of nobody. n_bytes at most 4096. */
static inline void *nas_gpu_pool_add(nas_gpu_pool_t *pool, size_t n_bytes)
{
    if (pool->failed || n_bytes > pool->room - pool->n) return nas_gpu_pool_grow(pool, n_bytes);
    pool->n += n_bytes;
    return pool->data + pool->n - n_bytes;
}

/** Nothing in it, in the memory that there is. */
void nas_gpu_pool_clear(nas_gpu_pool_t *pool);

static inline int nas_gpu_steps_count(const nas_gpu_steps_t *steps)
{
    return (int)(steps->step.n / sizeof(nas_gpu_step_t));
}

static inline nas_gpu_step_t *nas_gpu_step_at(const nas_gpu_steps_t *steps, int number)
{
    return (nas_gpu_step_t *)(void *)steps->step.data + number;
}

#endif
