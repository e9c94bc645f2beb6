/* Engines: what carries programs out. One for the host's backends (host/host.h); those of devices
 * take many programs at once.
 *
 * Programs go in together and come out together: `start`, then `finish`. Between the two an engine
 * may be busy while its caller does something else; one of the host computes in `start`. Whatever
 * is found belongs to the engine and stays until the next start. A program that cannot be carried
 * out (no memory for it) fails alone, with a status of its own.
 */
#ifndef NAS_WORKER_ENGINE_ENGINE_H
#define NAS_WORKER_ENGINE_ENGINE_H

#include "common/base/error.h"
#include "worker/engine/backends/backend.h"
#include "worker/engine/learner.h"
#include "worker/engine/program/program.h"

#include <stddef.h>
#include <stdint.h>

/** Initial parameters, for an engine that draws them where they are needed. */
typedef struct nas_engine_draw {
    const nas_parameter_t *parameter; /**< [n_parameters] of the graph */
    int n_parameters;
    uint64_t seed;
    const char *arch; /**< native name */
} nas_engine_draw_t;

/** A program, and what it reads. Borrowed until the engine has finished. */
typedef struct nas_engine_task {
    const nas_program_t *program;
    const double *parameters;      /**< all of the graph, each at its offset; NULL: `draw` */
    const nas_engine_draw_t *draw; /**< as nas_parameters_init draws them, bit by bit; of an engine
                                        with `draws` only */
    const float *images;           /**< [N, I, H, W]; NULL for FLOW */
    const int32_t *labels;         /**< [N] in [0, classes); NULL where no loss is computed */
    const double *statistics;      /**< INFERENCE: as nas_program_values_t's moments; else NULL */
} nas_engine_task_t;

/** What came of a program. */
typedef struct nas_engine_result {
    nas_status_t status; /**< values are set where it is NAS_OK */
    nas_error_t err;
    nas_program_values_t values; /**< arrays are the engine's, until its next start */
} nas_engine_result_t;

/** No function is collective. */
struct nas_engine {
    const char *name;
    const nas_backend_t *layout; /**< that programs for it are made for */
    int width;                   /**< architectures that it likes at once: 1 on the host */
    bool draws;                  /**< can be given a `draw` in place of parameters */
    bool is_portable; /**< its values have the same bits on every device of its kind, and what is
                           made of them on the host must have, too (metrics/portable.h) */

    /** NULL: trainings are taken step by step on the host. */
    const nas_learner_functions_t *learners;

    /** Bytes that these programs take when they are started together. */
    size_t (*bytes)(const nas_engine_t *engine, const nas_program_t *const *program, int n);

    /** Take what these programs need when they are started together, so that they will not fail for
     *  lack of it, and starting them allocates nothing.
     *  NAS_ENOMEM; NAS_EARG: no such kernel. */
    nas_status_t (*reserve)(nas_engine_t *engine, const nas_program_t *const *program, int n,
                            nas_error_t *err);

    /** Begin to carry n programs out. Deterministic: a program's results do not depend on its
     *  company. Nothing else may be under way.
     *  NAS_ENOMEM: not even begun. */
    nas_status_t (*start)(nas_engine_t *engine, const nas_engine_task_t *task, int n,
                          nas_error_t *err);

    /** Wait for them.
     *  result [out]: n of them, in the order of the tasks, the engine's until its next start.
     *  An error is the engine's as a whole: nothing came of any program. */
    nas_status_t (*finish)(nas_engine_t *engine, const nas_engine_result_t **result,
                           nas_error_t *err);

    void (*destroy)(nas_engine_t *engine);
};

/** Start and finish one program.  NAS_ENOMEM, NAS_EARG as it failed, in the engine's words.
 *  values [out], the engine's until its next start. */
nas_status_t nas_engine_run(nas_engine_t *engine, const nas_engine_task_t *task,
                            nas_program_values_t *values, nas_error_t *err);

/** Accepts NULL. */
void nas_engine_destroy(nas_engine_t *engine);

#endif
