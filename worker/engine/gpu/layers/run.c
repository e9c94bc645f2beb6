#include "worker/engine/gpu/layers/run.h"

nas_status_t nas_run_diverged(const nas_run_t *run, nas_error_t *err, const char *how)
{
    return nas_error_set(err, NAS_EIO, "kernel %s: not all work-items come to the same barrier: %s",
                         run->name, how);
}

nas_status_t nas_run_check_local(const nas_run_t *run, size_t local_bytes, nas_error_t *err)
{
    if (local_bytes <= NAS_RUN_LOCAL_BYTES) return NAS_OK;
    return nas_error_set(err, NAS_EIO, "kernel %s takes %zu bytes of local memory; %d at most",
                         run->name, local_bytes, (int)NAS_RUN_LOCAL_BYTES);
}
