#include "coordinator/commands/device_option.h"

#include "common/base/log.h"
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

static nas_status_t find_backend(const nas_cli_command_t *command, const char *name,
                                 const nas_backend_t **backend_p, nas_error_t *err)
{
    const nas_backend_entry_t *entry = name ? nas_backend_named(name) : NULL;
    if (name && !entry) return unknown(command, name, err);
    *backend_p = entry ? entry->of(nas_isa_best()) : best();
    if (*backend_p) return NAS_OK;
    return nas_error_set(err, NAS_EARG, "%s: the backend '%s' is not built in; it needs %s",
                         command->name, name, entry->needs);
}

static nas_status_t parse(const nas_cli_command_t *command, const nas_device_words_t *words,
                          nas_device_choice_t *choice, nas_error_t *err)
{
    nas_error_t reason = {0};
    const char *text = words->device ? words->device : words->backend ? "cpu" : "auto";
    if (nas_device_choice_parse(text, choice, &reason))
        return nas_error_set(err, NAS_EARG, "%s: --device: %s", command->name, reason.text);
    const nas_backend_entry_t *entry = words->backend ? nas_backend_named(words->backend) : NULL;
    if (!entry || entry->yields) return NAS_OK;
    if (choice->kind == NAS_DEVICE_GPU)
        return nas_error_set(
            err, NAS_EARG,
            "%s: --backend %s counts on the CPU, in double precision; leave it out for a GPU",
            command->name, entry->name);
    choice->kind = NAS_DEVICE_CPU;
    return NAS_OK;
}

/* A GPU, where one is there that works; *device_p stays NULL otherwise. */
static nas_status_t open_any_gpu(nas_device_options_t options, nas_device_t **device_p,
                                 nas_error_t *err)
{
    options.choice.kind = NAS_DEVICE_GPU;
    const nas_status_t status = nas_device_open(&options, device_p, err);
    if (status == NAS_EIO) nas_log_line_of_rank("the GPU counts as none: %s", err->text);
    return status == NAS_EIO || status == NAS_EINPUT ? NAS_OK : status;
}

nas_status_t nas_device_option(const nas_cli_command_t *command, const nas_device_words_t *words,
                               nas_device_t **device_p, nas_error_t *err)
{
    nas_device_options_t options = {0};
    openblas_set_num_threads(1);
    nas_status_t status = find_backend(command, words->backend, &options.backend, err);
    if (!status) status = parse(command, words, &options.choice, err);
    *device_p = NULL;
    if (!status && options.choice.kind == NAS_DEVICE_AUTO) {
        status = open_any_gpu(options, device_p, err);
        options.choice.kind = NAS_DEVICE_CPU;
    }
    return status || *device_p ? status : nas_device_open(&options, device_p, err);
}
