/* What the files of the host's engine share: a program being carried out. */
#ifndef NAS_WORKER_ENGINE_HOST_RUN_H
#define NAS_WORKER_ENGINE_HOST_RUN_H

#include "worker/engine/engine.h"
#include "worker/engine/host/profile.h"
#include "worker/engine/program/op.h"

/** A program and where its numbers are. All borrowed. */
typedef struct nas_run {
    const nas_backend_t *backend;
    const nas_program_t *program;
    const nas_engine_task_t *task;
    const nas_conv_t *const *conv; /**< kernels of the program's list of shapes */
    char *arena;                   /**< of tensors; undefined at the beginning */
    double *vectors;               /**< 0 at the beginning */
    double *joined;                /**< room for the weights of a group */
    const float *ones;             /**< flow: the image */
} nas_run_t;

/** Carry the program out.  Allocates nothing.
 *  profile: every operation is timed and added to it; NULL: none is. */
void nas_run(const nas_run_t *run, nas_profile_t *profile);

/** What it found, in its vectors. */
nas_program_values_t nas_run_values(const nas_run_t *run);

/** Where a tensor, a vector, a parameter is; NULL: NAS_NOWHERE. */
static inline void *nas_run_tensor(const nas_run_t *run, nas_place_t place)
{
    return place < 0 ? NULL : run->arena + place;
}

static inline nas_channels_t nas_run_channels(const nas_run_t *run, nas_range_t range)
{
    return (nas_channels_t){
        .data = nas_run_tensor(run, range.at), .c_total = range.c_total, .c_first = range.c_first};
}

static inline double *nas_run_vector(const nas_run_t *run, nas_vector_t vector)
{
    return vector < 0 ? NULL : run->vectors + vector;
}

static inline const double *nas_run_parameter(const nas_run_t *run, nas_entry_t entry)
{
    return entry < 0 ? NULL : run->task->parameters + entry;
}

/** A power of two. NAS_NOWHERE: 0. */
static inline int nas_run_exponent(const nas_run_t *run, nas_vector_t exponent)
{
    return exponent < 0 ? 0 : (int)run->vectors[exponent];
}

/* -------------------------------------------------------------------------------------- signs.c */

void nas_run_agreement(const nas_run_t *run, const nas_tensor_op_t *op);
void nas_run_patterns(const nas_run_t *run, const nas_tensor_op_t *op);

/* ------------------------------------------------------------- scalar operations, by their kind */

/** Of norms (norm.c), of the head (head.c), of the flow (flow.c), of exponents and sums over weights
 *  (scale.c), of the Jacobian (jacobian.c), of the channels of a block's end
 *  (covariance.c). */
void nas_run_norm(const nas_run_t *run, const nas_scalar_op_t *op);
void nas_run_head(const nas_run_t *run, const nas_scalar_op_t *op);
void nas_run_flow(const nas_run_t *run, const nas_scalar_op_t *op);
void nas_run_scale(const nas_run_t *run, const nas_scalar_op_t *op);
void nas_run_jacobian(const nas_run_t *run, const nas_scalar_op_t *op);
void nas_run_covariance(const nas_run_t *run, const nas_scalar_op_t *op);

/* ---------------------------------------------------------------------------------- profile.c */

/** Add an operation that took so long. */
void nas_profile_op(const nas_program_t *program, const nas_backend_t *backend, const nas_op_t *op,
                    double seconds, nas_profile_t *profile);

#endif
