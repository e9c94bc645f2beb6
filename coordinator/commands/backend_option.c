#include "coordinator/commands/backend_option.h"

#include "worker/engine/backends/backends.h"

#include <cblas.h>
#include <string.h>

nas_status_t nas_backend_option(const nas_cli_command_t *command, const char *name,
                                const nas_backend_t **backend_p, nas_error_t *err)
{
    openblas_set_num_threads(1);
    const bool is_ref = name && strcmp(name, "ref") == 0;
    if (name && !is_ref && strcmp(name, "cpu") != 0)
        return nas_error_set(err, NAS_EARG, "%s: there is no backend '%s'; 'cpu' and 'ref' are",
                             command->name, name);
    const nas_backend_t *backend = is_ref ? NULL : nas_backend_of(NAS_BACKEND_CPU, nas_isa_best());
    if (name && !is_ref && !backend)
        return nas_error_set(
            err, NAS_EARG, "%s: the backend 'cpu' is not built in; it needs oneDNN", command->name);
    *backend_p = backend ? backend : nas_backend_of(NAS_BACKEND_REF, NAS_ISA_PLAIN);
    return NAS_OK;
}
