/* In front of a device of the program, by the linker: its engine takes packs, as one of a GPU does,
 * and fails as the environment says (pack_engine.h). All that is computed is the CPU's.
 *
 *   PACK_LOST_AFTER N   the device of rank PACK_LOST_RANK (0) is lost after N packs
 *   PACK_MOST_BYTES N   a network whose program has more bytes of vectors does not fit
 *   PACK_MOST_TASKS N   programs for which there is memory together */
#include "tests/tools/pack_engine.h"
#include "worker/engine/device/device.h"

#include <stdlib.h>

nas_status_t __real_nas_device_engine(nas_device_t *device, nas_profile_t *profile,
                                      nas_engine_t **engine_p, nas_error_t *err);
nas_status_t __wrap_nas_device_engine(nas_device_t *device, nas_profile_t *profile,
                                      nas_engine_t **engine_p, nas_error_t *err);
nas_device_kind_t __wrap_nas_device_kind(const nas_device_t *device);

static int number(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text ? (int)strtol(text, NULL, 10) : otherwise;
}

nas_status_t __wrap_nas_device_engine(nas_device_t *device, nas_profile_t *profile,
                                      nas_engine_t **engine_p, nas_error_t *err)
{
    nas_engine_t *host = NULL;
    const nas_status_t status = __real_nas_device_engine(device, profile, &host, err);
    if (status) return status;
    nas_pack_engine_t *pack = nas_pack_engine_create(host);
    if (!pack) return nas_error_nomem(err, "packs");
    pack->most_tasks = number("PACK_MOST_TASKS", 0);
    pack->most_bytes = (size_t)number("PACK_MOST_BYTES", 0);
    if (number("OMPI_COMM_WORLD_RANK", 0) == number("PACK_LOST_RANK", 0))
        pack->n_starts_left = number("PACK_LOST_AFTER", -1);
    *engine_p = &pack->engine;
    return NAS_OK;
}

nas_device_kind_t __wrap_nas_device_kind(const nas_device_t *device)
{
    (void)device;
    return NAS_DEVICE_GPU;
}
