/* Learners on a GPU. */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_LEARNER_H
#define NAS_WORKER_ENGINE_GPU_PACK_LEARNER_H

#include "worker/engine/learner.h"

/** Of an engine that nas_gpu_engine_create made. */
extern const nas_learner_functions_t nas_gpu_learners;

#endif
