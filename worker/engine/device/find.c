#include "worker/engine/device/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------- binding */

static bool has_numbers(const nas_gpu_info_t *info, const nas_device_choice_t *choice)
{
    return (choice->platform < 0 || choice->platform == info->platform_index) &&
           (choice->index < 0 || choice->index == info->index);
}

/* The first device that fits, and is of the kind that is asked for; -1: none. */
static int first_of(const nas_gpu_info_t *info, int n, const nas_device_choice_t *choice,
                    bool is_cpu)
{
    for (int i = 0; i < n; i++)
        if (has_numbers(&info[i], choice) && info[i].has_float64 && info[i].is_cpu == is_cpu)
            return i;
    return -1;
}

int nas_device_bind(const nas_gpu_info_t *info, int n, const nas_device_choice_t *choice,
                    int local_rank)
{
    int position[NAS_DEVICE_MOST], n_fit = 0;
    if (choice->index >= 0)
        for (int i = 0; i < n; i++)
            if (has_numbers(&info[i], choice)) return i;
    if (choice->index >= 0) return -1;
    int first = first_of(info, n, choice, false);
    if (first < 0 && *choice->layer) first = first_of(info, n, choice, true);
    for (int i = first; i >= 0 && i < n && n_fit < NAS_DEVICE_MOST; i++)
        if (has_numbers(&info[i], choice) && info[i].has_float64 &&
            info[i].is_cpu == info[first].is_cpu &&
            info[i].platform_index == info[first].platform_index)
            position[n_fit++] = i;
    return n_fit == 0 ? -1 : position[local_rank % n_fit];
}

/* ------------------------------------------------------------------------------------- looking */

/* Whether this machine shows a GPU at all. The libraries of HIP and of OpenCL, which has drivers of
 * processors, are large: a run that leaves the device open should not load them in vain. */
static bool shows_gpu(void)
{
    static const char *const node[] = {"/dev/dri", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg",
                                       "/dev/mali0"};
    for (size_t i = 0; i < sizeof node / sizeof *node; i++)
        if (access(node[i], F_OK) == 0) return true;
    return false;
}

static nas_status_t refuse(const nas_gpu_layer_t *layer, const nas_device_choice_t *choice, int n,
                           nas_error_t *err)
{
    const bool is_numbered = choice->index >= 0 || choice->platform >= 0;
    return nas_error_set(
        err, NAS_EINPUT, "%s has %d device%s here, and %s; robotnas devices lists them",
        layer->name, n, n == 1 ? "" : "s",
        is_numbered ? "none of this number" : "none that can run the kernels (float64 is needed)");
}

static nas_status_t look_into(const nas_gpu_layer_t *layer, const nas_device_choice_t *choice,
                              int local_rank, nas_device_place_t *place, nas_error_t *err)
{
    int n = 0;
    nas_error_t reason = {0};
    nas_gpu_info_t *info = calloc(NAS_DEVICE_MOST, sizeof *info);
    if (!info) return nas_error_nomem(err, "the list of devices");
    nas_status_t status = layer->list(info, NAS_DEVICE_MOST, &n, &reason, err);
    if (n > NAS_DEVICE_MOST) n = NAS_DEVICE_MOST;
    const int position = status ? -1 : nas_device_bind(info, n, choice, local_rank);
    if (position >= 0)
        *place = (nas_device_place_t){.layer = layer, .position = position, .info = info[position]};
    else if (!status && n == 0)
        status = nas_error_set(err, NAS_EINPUT, "%s", reason.text);
    else if (!status)
        status = refuse(layer, choice, n, err);
    free(info);
    return status;
}

static nas_status_t look_everywhere(const nas_device_choice_t *choice, int local_rank,
                                    nas_device_place_t *place, nas_error_t *err)
{
    nas_error_t reason = {0};
    nas_status_t worst = NAS_EINPUT;
    (void)nas_error_set(err, NAS_EINPUT,
                        "no driver finds a GPU; robotnas devices says why of each");
    for (int i = 0; nas_gpu_layer_at(i); i++) {
        const nas_gpu_layer_t *layer = nas_gpu_layer_at(i);
        if (layer != &nas_gpu_layer_cuda && !shows_gpu()) continue;
        const nas_status_t status = look_into(layer, choice, local_rank, place, &reason);
        if (status == NAS_OK) return NAS_OK;
        if (status <= worst) continue;
        worst = status;
        *err = reason;
    }
    return worst;
}

nas_status_t nas_device_find(const nas_device_choice_t *choice, int local_rank,
                             nas_device_place_t *place, nas_error_t *err)
{
    if (!*choice->layer) return look_everywhere(choice, local_rank, place, err);
    const nas_gpu_layer_t *layer = nas_gpu_layer_named(choice->layer);
    NAS_ASSERT(layer);
    return look_into(layer, choice, local_rank, place, err);
}

void nas_device_spell(const nas_gpu_layer_t *layer, const nas_gpu_info_t *info,
                      char text[NAS_DEVICE_NAME_SIZE])
{
    if (layer == &nas_gpu_layer_opencl)
        (void)snprintf(text, NAS_DEVICE_NAME_SIZE, "%s:%d:%d", layer->name, info->platform_index,
                       info->index);
    else if (strcmp(layer->name, "threads") == 0)
        (void)snprintf(text, NAS_DEVICE_NAME_SIZE, "%s", layer->name);
    else
        (void)snprintf(text, NAS_DEVICE_NAME_SIZE, "%s:%d", layer->name, info->index);
}
