/* Engines of GPUs under test: on layers that compute, and on one that does not. */
#ifndef NAS_TESTS_UNIT_GPU_ENGINE_CASE_H
#define NAS_TESTS_UNIT_GPU_ENGINE_CASE_H

#include "gpu_layers.h"
#include "program_case.h"
#include "worker/engine/gpu/pack/gpu_engine.h"
#include "worker/engine/gpu/plan/layout.h"

/* memory_bytes: that may be taken; 0: any. */
static inline nas_engine_t *make_gpu_engine(nas_gpu_t *gpu, size_t memory_bytes)
{
    const nas_gpu_engine_options_t options = {.gpu = gpu, .memory_bytes = memory_bytes};
    nas_engine_t *engine = NULL;
    cr_assert_eq(nas_gpu_engine_create(&options, &engine, NULL), NAS_OK);
    return engine;
}

static inline nas_program_t *compile(const program_case_t *c)
{
    nas_program_t *program = NULL;
    cr_assert_eq(nas_program_create(&c->options, &program, NULL), NAS_OK);
    return program;
}

static inline nas_engine_task_t task_of(const program_case_t *c, const nas_program_t *program)
{
    return (nas_engine_task_t){
        .program = program, .parameters = c->parameters, .images = c->images, .labels = c->labels};
}

static inline bool is_slow(const nas_gpu_t *gpu)
{
    return strcmp(gpu->layer->name, "threads") != 0;
}

#endif
