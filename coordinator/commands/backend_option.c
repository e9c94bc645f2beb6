#include "coordinator/commands/backend_option.h"

#include "worker/engine/host/backends.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>

static size_t count_backends(void)
{
    size_t n = 0;
    while (nas_backend_at(n)) n++;
    return n;
}

/* "'cpu' and 'ref'": the better ones first. */
static nas_status_t unknown(const nas_cli_command_t *command, const char *name, nas_error_t *err)
{
    char known[NAS_ERROR_SIZE / 2] = "";
    for (size_t i = count_backends(); i-- > 0;) {
        const char *before = !*known ? "" : i == 0 ? " and " : ", ";
        const size_t length = strlen(known);
        (void)snprintf(known + length, sizeof known - length, "%s'%s'", before,
                       nas_backend_at(i)->name);
    }
    return nas_error_set(err, NAS_EARG, "%s: there is no backend '%s'; %s are", command->name, name,
                         known);
}

/* The best that is built in. */
static const nas_backend_t *best(void)
{
    const nas_backend_t *backend = NULL;
    for (size_t i = count_backends(); !backend && i-- > 0;)
        backend = nas_backend_at(i)->of(nas_isa_best());
    return backend;
}

nas_status_t nas_backend_option(const nas_cli_command_t *command, const char *name,
                                const nas_backend_t **backend_p, nas_error_t *err)
{
    openblas_set_num_threads(1);
    const nas_backend_entry_t *entry = name ? nas_backend_named(name) : NULL;
    if (name && !entry) return unknown(command, name, err);
    const nas_backend_t *backend = entry ? entry->of(nas_isa_best()) : best();
    if (!backend)
        return nas_error_set(err, NAS_EARG, "%s: the backend '%s' is not built in; it needs %s",
                             command->name, name, entry->needs);
    *backend_p = backend;
    return NAS_OK;
}
