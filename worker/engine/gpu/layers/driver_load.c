#include "worker/engine/gpu/layers/driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first of the library's files that can be loaded; NULL: none, and `tried` names the last. */
static void *load_any(const nas_driver_library_t *library, int version, const char **tried)
{
    char versioned[64];
    const char *given = getenv(library->variable);
    if (given && *given) {
        *tried = given;
        return dlopen(given, RTLD_NOW | RTLD_LOCAL);
    }
    *tried = library->file[0];
    if (library->versioned && version > 0) {
        snprintf(versioned, sizeof versioned, "%s%d", library->versioned, version);
        void *handle = dlopen(versioned, RTLD_NOW | RTLD_LOCAL);
        if (handle) return handle;
    }
    for (int i = 0; i < NAS_DRIVER_FILES && library->file[i]; i++) {
        void *handle = dlopen(library->file[i], RTLD_NOW | RTLD_LOCAL);
        if (handle) return handle;
    }
    return NULL;
}

nas_status_t nas_driver_load(const nas_driver_library_t *library, int version, void *calls,
                             nas_error_t *err)
{
    const char *tried = NULL;
    void *handle = load_any(library, version, &tried);
    if (!handle) {
        return nas_error_set(err, NAS_EINPUT, "%s is not there: %s (or set %s to its path)", tried,
                             library->remedy, library->variable);
    }
    for (int i = 0; i < library->n_symbols; i++) {
        const nas_driver_symbol_t *symbol = &library->symbol[i];
        void *found = dlsym(handle, symbol->name);
        if (!found && !symbol->optional) {
            return nas_error_set(err, NAS_EINPUT, "%s has no %s: it is too old, or another library",
                                 tried, symbol->name);
        }
        if (found) memcpy((char *)calls + symbol->at, &found, sizeof found);
    }
    return NAS_OK;
}

nas_status_t nas_driver_error(const nas_driver_gpu_t *gpu, nas_status_t status, const char *what,
                              int code, nas_error_t *err)
{
    const char *name = "", *text = "";
    gpu->vendor->words(&gpu->calls, code, &name, &text);
    return nas_error_set(err, status, "%s: %s (%s)", what, name, text);
}
