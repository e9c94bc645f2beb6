#include "worker/engine/engine.h"

nas_status_t nas_engine_run(nas_engine_t *engine, const nas_engine_task_t *task,
                            nas_program_values_t *values, nas_error_t *err)
{
    const nas_engine_result_t *result = NULL;
    nas_status_t status = engine->start(engine, task, 1, err);
    if (!status) status = engine->finish(engine, &result, err);
    if (status) return status;
    if (result->status) return nas_error_set(err, result->status, "%s", result->err.text);
    *values = result->values;
    return NAS_OK;
}

void nas_engine_destroy(nas_engine_t *engine)
{
    if (engine) engine->destroy(engine);
}
