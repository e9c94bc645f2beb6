/* What the files share that make steps of a program's operations. */
#ifndef NAS_WORKER_ENGINE_GPU_PLAN_PLANNER_H
#define NAS_WORKER_ENGINE_GPU_PLAN_PLANNER_H

#include "worker/engine/gpu/plan/descriptors.h"
#include "worker/engine/gpu/plan/hazards.h"
#include "worker/engine/gpu/plan/steps.h"
#include "worker/engine/gpu/plan/window.h"

/* An operation has at most so many tensors and vectors: a combination's terms and dots, two each,
 * and a few. */
enum { NAS_GPU_MOST_ACCESSES = 2 * (NAS_MAX_TERMS + NAS_MAX_DOTS) + 8 };

/** Sums an image that several operations have one vector for: each gets its own in place of it, so
 *  that none waits for another's to be read. */
typedef struct nas_gpu_renamed {
    nas_vector_t vector;
    int64_t to;
    int step;
} nas_gpu_renamed_t;

struct nas_gpu_planner {
    nas_gpu_variants_t *variants;
    nas_gpu_hazards_t *hazards;
    nas_gpu_pool_t scalar;  /* nas_gpu_scalar_t of the step of scalars that is open */
    nas_gpu_pool_t edge_to; /* int of each step of this program: the last that waits for it */

    /* Of the program under way: */
    nas_gpu_steps_t *steps;
    const nas_program_t *program;
    const nas_gpu_places_t *places;
    int first;    /* its first step */
    int open;     /* its last step of scalars, which is not in the table yet; -1: none */
    int64_t head; /* bytes of the table; -1: not there yet */
    bool failed;

    /* Of the operation under way: */
    nas_gpu_access_t access[NAS_GPU_MOST_ACCESSES];
    int n_accesses;
    int wait[NAS_GPU_MOST_WAITS]; /* steps of this program that it waits for */
    int n_waits;

    /* Moments of the last convolution's tiles; step -1: it has none. */
    struct {
        nas_place_t y;
        int64_t at;
        int step, c_total, tile_images, tile_rows;
    } tiles;
    nas_gpu_renamed_t image_sum[2];
    double n_counted; /* positions of an image whose signs are compared */
};

/* ------------------------------------------------------------------------------------ places */

static inline int64_t nas_gpu_vector_place(const nas_gpu_planner_t *p, nas_vector_t vector)
{
    const int64_t n_results = (int64_t)p->program->n_results;
    if (vector < 0) return -1;
    return vector < n_results ? p->places->results + vector
                              : p->places->vectors + vector - n_results;
}

static inline int64_t nas_gpu_tensor_place(const nas_gpu_planner_t *p, nas_place_t place)
{
    return place < 0 ? -1 : p->places->arena + place / (int64_t)sizeof(float);
}

static inline int64_t nas_gpu_parameter_place(const nas_gpu_planner_t *p, nas_entry_t entry)
{
    return entry < 0 ? -1 : p->places->parameters + entry;
}

static inline nas_gpu_slice_t nas_gpu_slice_of(const nas_gpu_planner_t *p, nas_range_t range)
{
    return (nas_gpu_slice_t){.at = nas_gpu_tensor_place(p, range.at),
                             .c_total = range.c_total,
                             .c_first = range.c_first};
}

/** Room among the parts for n doubles. */
static inline int64_t nas_gpu_take_parts(nas_gpu_planner_t *p, int64_t n)
{
    const int64_t at = p->places->parts + p->steps->n_parts;
    p->steps->n_parts += n;
    return at;
}

/* ---------------------------------------------------------------------------------- planner.c */

/** A program's operations follow. */
void nas_gpu_planner_begin(nas_gpu_planner_t *p, nas_gpu_steps_t *steps,
                           const nas_program_t *program, const nas_gpu_places_t *places);
/** The list of the open step of scalars, if there is one, goes to the table. */
void nas_gpu_close_scalars(nas_gpu_planner_t *p);

/** What the operation under way reads and writes; NAS_NOWHERE: nothing. */
void nas_gpu_reads(nas_gpu_planner_t *p, nas_vector_t vector);
void nas_gpu_writes(nas_gpu_planner_t *p, nas_vector_t vector);
/** A range of the channels of a tensor of shape.n images and shape.c channels of them. */
void nas_gpu_uses_tensor(nas_gpu_planner_t *p, nas_shape_t shape, nas_range_t range, bool is_write);
/** Bytes of no tensor of channels. */
void nas_gpu_uses_bytes(nas_gpu_planner_t *p, nas_place_t at, size_t n_bytes, bool is_write);
/** It waits for this step besides. */
void nas_gpu_waits(nas_gpu_planner_t *p, int step);

/** Of more than an operation may read and write: find those that it waits for, and after its step
 *  was made note that. The list of accesses is empty after either. */
void nas_gpu_find(nas_gpu_planner_t *p);
void nas_gpu_note(nas_gpu_planner_t *p, int step);

/** The step of what was said to be read and written: its number; -1: no memory. Its descriptors
 *  follow at once, one by one, by nas_gpu_work. */
int nas_gpu_step(nas_gpu_planner_t *p, const nas_gpu_step_t *step);
void *nas_gpu_work(nas_gpu_planner_t *p, size_t n_bytes);

/** The same for an operation of scalars.c: it joins the last step of these where that lets it begin
 *  as early. Places are -1 in what is returned, all else 0. */
nas_gpu_scalar_t *nas_gpu_scalar(nas_gpu_planner_t *p, int kind);

/** Room in the table. at [out]: bytes from its beginning. */
void *nas_gpu_table_add(nas_gpu_planner_t *p, size_t n_bytes, int64_t *at);

/* ------------------------------------------------------- operations, by their kind: describe_*.c */

void nas_gpu_describe_conv(nas_gpu_planner_t *p, nas_op_kind_t kind, const nas_conv_op_t *op,
                           bool has_moments);
/** PACK, UNPACK: a group; WEIGHT_DOTS. */
void nas_gpu_describe_weights(nas_gpu_planner_t *p, const nas_op_t *op);
void nas_gpu_describe_combination(nas_gpu_planner_t *p, int index);
/** LOAD_IMAGES, MOMENTS, IMAGE_DOTS, AGREEMENT, MAX_ABS. */
void nas_gpu_describe_tensor(nas_gpu_planner_t *p, nas_op_kind_t kind, const nas_tensor_op_t *op);
void nas_gpu_describe_pool(nas_gpu_planner_t *p, nas_op_kind_t kind, const nas_pool_op_t *op);
void nas_gpu_describe_copy(nas_gpu_planner_t *p, const nas_copy_op_t *op);
/** FLATTEN, UNFLATTEN. */
void nas_gpu_describe_flat(nas_gpu_planner_t *p, nas_op_kind_t kind, const nas_tensor_op_t *op);
void nas_gpu_describe_added_gradient(nas_gpu_planner_t *p, const nas_gradient_op_t *op);
/** What is counted becomes numbers. */
void nas_gpu_describe_counts(nas_gpu_planner_t *p);
void nas_gpu_describe_scalar(nas_gpu_planner_t *p, const nas_scalar_op_t *op);

#endif
