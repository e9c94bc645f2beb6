#include "worker/engine/device/device.h"

#include "worker/engine/device/find.h"
#include "worker/engine/gpu/pack/golden.h"
#include "worker/engine/gpu/pack/gpu_engine.h"
#include "worker/engine/gpu/plan/layout.h"
#include "worker/engine/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nas_device {
    nas_device_kind_t kind;
    const nas_backend_t *layout;
    char name[2 * NAS_DEVICE_NAME_SIZE];
    nas_gpu_t *gpu; /* as all below; NULL: a CPU */
    int width;      /* of its engines' packs; 0: their own */
    nas_gpu_info_t info;
    uint64_t golden;
};

enum { PACK_LIMIT = 4096 };

/* What NAS_GPU_PACK says; 0 without it. */
static nas_status_t read_width(int *width, nas_error_t *err)
{
    const char *text = getenv("NAS_GPU_PACK");
    if (!text) return NAS_OK;
    const size_t n_digits = strspn(text, "0123456789");
    const long n = text[n_digits] || n_digits > 4 ? 0 : strtol(text, NULL, 10);
    if (n < 1 || n > PACK_LIMIT)
        return nas_error_set(
            err, NAS_EARG,
            "NAS_GPU_PACK '%s' is not a number of architectures at once from 1 to %d; unset, the device's memory decides",
            text, PACK_LIMIT);
    *width = (int)n;
    return NAS_OK;
}

static nas_status_t open_gpu(const nas_device_options_t *options, nas_device_t *device,
                             nas_error_t *err)
{
    nas_device_place_t place;
    char spelt[NAS_DEVICE_NAME_SIZE];
    nas_status_t status = nas_device_find(&options->choice, options->local_rank, &place, err);
    if (!status) status = read_width(&device->width, err);
    if (!status) status = place.layer->open(place.position, &device->gpu, err);
    if (status) return status;
    device->layout = nas_gpu_layout();
    place.layer->describe(device->gpu, &device->info);
    nas_device_spell(place.layer, &device->info, spelt);
    (void)snprintf(device->name, sizeof device->name, "%s %s", spelt, device->info.name);
    return nas_gpu_golden(device->gpu, &device->golden, err);
}

nas_status_t nas_device_open(const nas_device_options_t *options, nas_device_t **device_p,
                             nas_error_t *err)
{
    const nas_device_kind_t kind = (nas_device_kind_t)options->choice.kind;
    NAS_ASSERT(kind != NAS_DEVICE_AUTO);
    nas_device_t *device = calloc(1, sizeof *device);
    if (!device) return nas_error_nomem(err, "a device");
    *device = (nas_device_t){.kind = kind, .layout = options->backend, .name = "cpu"};
    const nas_status_t status = kind == NAS_DEVICE_GPU ? open_gpu(options, device, err) : NAS_OK;
    if (status)
        nas_device_close(device);
    else
        *device_p = device;
    return status;
}

nas_device_kind_t nas_device_kind(const nas_device_t *device)
{
    return device->kind;
}

const char *nas_device_name(const nas_device_t *device)
{
    return device->name;
}

uint64_t nas_device_golden(const nas_device_t *device)
{
    return device->golden;
}

const nas_gpu_info_t *nas_device_info(const nas_device_t *device)
{
    return device->gpu ? &device->info : NULL;
}

const nas_gpu_counts_t *nas_device_counts(const nas_device_t *device)
{
    return device->gpu ? &device->gpu->counts : NULL;
}

const nas_backend_t *nas_device_layout(const nas_device_t *device)
{
    return device->layout;
}

int nas_device_width(const nas_device_t *device)
{
    if (!device->gpu) return 1;
    const nas_gpu_engine_options_t options = {.gpu = device->gpu, .width = device->width};
    return nas_gpu_engine_width(&options);
}

nas_status_t nas_device_engine(nas_device_t *device, nas_profile_t *profile,
                               nas_engine_t **engine_p, nas_error_t *err)
{
    if (!device->gpu) return nas_host_engine_create(device->layout, profile, engine_p, err);
    NAS_ASSERT(!profile);
    const nas_gpu_engine_options_t options = {.gpu = device->gpu, .width = device->width};
    return nas_gpu_engine_create(&options, engine_p, err);
}

void nas_device_close(nas_device_t *device)
{
    if (!device) return;
    if (device->gpu) device->gpu->layer->close(device->gpu);
    free(device);
}
