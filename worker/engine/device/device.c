#include "worker/engine/device/device.h"

#include "worker/engine/device/find.h"
#include "worker/engine/host/host.h"

#include <stdlib.h>

struct nas_device {
    nas_device_kind_t kind;
    const nas_backend_t *layout;
};

nas_status_t nas_device_open(const nas_device_options_t *options, nas_device_t **device_p,
                             nas_error_t *err)
{
    NAS_ASSERT(options->choice.kind != NAS_DEVICE_AUTO);
    if (options->choice.kind == NAS_DEVICE_GPU) {
        nas_device_place_t place;
        const nas_status_t status =
            nas_device_find(&options->choice, options->local_rank, &place, err);
        if (status) return status;
        return nas_error_set(err, NAS_EINPUT,
                             "this program has no engine for GPUs; set device: cpu");
    }
    nas_device_t *device = calloc(1, sizeof *device);
    if (!device) return nas_error_nomem(err, "a device");
    *device = (nas_device_t){.kind = NAS_DEVICE_CPU, .layout = options->backend};
    *device_p = device;
    return NAS_OK;
}

nas_device_kind_t nas_device_kind(const nas_device_t *device)
{
    return device->kind;
}

const char *nas_device_name(const nas_device_t *device)
{
    return nas_device_kind_name(device->kind);
}

uint64_t nas_device_golden(const nas_device_t *device)
{
    (void)device;
    return 0;
}

const nas_backend_t *nas_device_layout(const nas_device_t *device)
{
    return device->layout;
}

nas_status_t nas_device_engine(nas_device_t *device, nas_profile_t *profile,
                               nas_engine_t **engine_p, nas_error_t *err)
{
    return nas_host_engine_create(device->layout, profile, engine_p, err);
}

void nas_device_close(nas_device_t *device)
{
    free(device);
}
