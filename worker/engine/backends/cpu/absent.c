/* For a build without oneDNN. */
#include "worker/engine/backends/backend.h"

const nas_backend_t *nas_backend_cpu(nas_isa_t isa)
{
    (void)isa;
    return NULL;
}
