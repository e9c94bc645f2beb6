/* What a program takes on a GPU, before it is planned. */
#ifndef NAS_WORKER_ENGINE_GPU_PLAN_SIZE_H
#define NAS_WORKER_ENGINE_GPU_PLAN_SIZE_H

#include "worker/engine/gpu/plan/variants.h"
#include "worker/engine/program/op.h"
#include "worker/engine/program/program.h"

/** Doubles that hold a whole number of 32 bits for every two of n images. */
#define NAS_GPU_COUNTS(n) (((int64_t)(n) * (n) + 1) / 2)

/** Doubles of parts that its steps take (nas_gpu_steps_t). -1: no memory. */
int64_t nas_gpu_program_parts(nas_gpu_variants_t *variants, const nas_program_t *program);

/** Whether an operation is a convolution that takes moments of its tiles as it writes them: a plain
 *  one, where the next operation wants them. */
bool nas_gpu_has_tiles(const nas_program_t *program, int op);

/** Doubles of counts that it has: 0 where no signs are compared. */
int64_t nas_gpu_program_counts(const nas_program_t *program);

/** Bytes of the arena, aligned. */
size_t nas_gpu_program_arena_bytes(const nas_program_t *program);

/** All that it takes, with parameters, images and a guess at its descriptors. */
size_t nas_gpu_program_bytes(nas_gpu_variants_t *variants, const nas_program_t *program);

#endif
