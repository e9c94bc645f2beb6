/* The descriptors of the kernels, for the host. */
#ifndef NAS_WORKER_ENGINE_GPU_PLAN_DESCRIPTORS_H
#define NAS_WORKER_ENGINE_GPU_PLAN_DESCRIPTORS_H

#include <stdint.h>

typedef int64_t i64;
typedef uint32_t u32;

#include "worker/engine/gpu/kernels/work.h"

#endif
