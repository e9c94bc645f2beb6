#include "worker/engine/gpu/layers/opencl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PLATFORMS = 16, MOST_DEVICES = 64 };

typedef struct list {
    const nas_opencl_api_t *api;
    nas_opencl_place_t *place; /* room for all */
    int n;
    cl_int failure; /* of a platform */
} list_t;

static uint64_t number_of(const nas_opencl_api_t *api, cl_device_id device, cl_uint what)
{
    uint64_t number = 0; /* smaller ones are its first bytes */
    if (api->clGetDeviceInfo(device, what, sizeof number, &number, NULL) != CL_SUCCESS) return 0;
    return number;
}

static void text_of(const nas_opencl_api_t *api, cl_device_id device, cl_uint what, char *text,
                    size_t size)
{
    char all[1024] = "";
    if (api->clGetDeviceInfo(device, what, sizeof all - 1, all, NULL) != CL_SUCCESS) all[0] = 0;
    const char *begin = all + strspn(all, " ");
    (void)snprintf(text, size, "%.*s", (int)(size - 1), begin);
    for (size_t n = strlen(text); n > 0 && text[n - 1] == ' ';) text[--n] = '\0';
}

static void add_platform(list_t *list, cl_platform_id platform, int platform_index)
{
    cl_device_id device[MOST_DEVICES];
    cl_uint n = 0;
    const cl_int code =
        list->api->clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, MOST_DEVICES, device, &n);
    if (code == CL_DEVICE_NOT_FOUND) return;
    if (code != CL_SUCCESS) {
        list->failure = code;
        return;
    }
    for (int i = 0; i < (int)n && i < MOST_DEVICES; i++) {
        nas_opencl_place_t *place = &list->place[list->n++];
        *place =
            (nas_opencl_place_t){.device = device[i], .platform_index = platform_index, .index = i};
        place->is_cpu = (number_of(list->api, device[i], CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU) != 0;
        (void)list->api->clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof place->platform - 1,
                                           place->platform, NULL);
    }
}

static int compare_places(const void *a, const void *b)
{
    const nas_opencl_place_t *x = a, *y = b;
    if (x->is_cpu != y->is_cpu) return x->is_cpu - y->is_cpu;
    if (x->platform_index != y->platform_index) return x->platform_index - y->platform_index;
    return x->index - y->index;
}

static nas_status_t find_platforms(const nas_opencl_api_t *api, cl_platform_id *platform,
                                   cl_uint *n, nas_error_t *reason, nas_error_t *err)
{
    char text[64];
    const cl_int code = api->clGetPlatformIDs(MOST_PLATFORMS, platform, n);
    if (code == CL_PLATFORM_NOT_FOUND_KHR || (code == CL_SUCCESS && *n == 0)) {
        *n = 0;
        (void)nas_error_set(reason, NAS_OK,
                            "OpenCL has no driver here; drivers are listed in /etc/OpenCL/vendors");
        return NAS_OK;
    }
    if (code != CL_SUCCESS) {
        return nas_error_set(err, NAS_EIO, "OpenCL does not work: clGetPlatformIDs gave %s",
                             nas_opencl_error(code, text, sizeof text));
    }
    if (*n > MOST_PLATFORMS) *n = MOST_PLATFORMS;
    return NAS_OK;
}

nas_status_t nas_opencl_places(const nas_opencl_api_t *api, nas_opencl_place_t **places_p, int *n,
                               nas_error_t *reason, nas_error_t *err)
{
    cl_platform_id platform[MOST_PLATFORMS];
    cl_uint n_platforms = 0;
    char text[64];
    nas_status_t status = find_platforms(api, platform, &n_platforms, reason, err);
    if (status != NAS_OK) return status;

    list_t list = {.api = api};
    list.place = calloc((size_t)n_platforms * MOST_DEVICES + 1, sizeof *list.place);
    if (list.place == NULL) return nas_error_nomem(err, "the list of OpenCL's devices");
    for (cl_uint i = 0; i < n_platforms; i++) add_platform(&list, platform[i], (int)i);
    if (list.n == 0 && list.failure != CL_SUCCESS) {
        free(list.place);
        return nas_error_set(err, NAS_EIO, "a driver of OpenCL does not work: %s",
                             nas_opencl_error(list.failure, text, sizeof text));
    }
    if (list.n == 0 && n_platforms > 0) {
        (void)nas_error_set(reason, NAS_OK, "OpenCL's drivers find no device");
    }
    qsort(list.place, (size_t)list.n, sizeof *list.place, compare_places);
    *places_p = list.place;
    *n = list.n;
    return NAS_OK;
}

/* The UUID, where the driver tells it; else the numbers of platform and device. */
static void describe_id(const nas_opencl_api_t *api, const nas_opencl_place_t *place, char *id)
{
    unsigned char uuid[CL_UUID_SIZE_KHR];
    if (api->clGetDeviceInfo(place->device, CL_DEVICE_UUID_KHR, sizeof uuid, uuid, NULL) ==
        CL_SUCCESS) {
        for (int i = 0; i < CL_UUID_SIZE_KHR; i++) {
            (void)snprintf(id + 2 * i, 3, "%02x", (unsigned)uuid[i]);
        }
    } else {
        (void)snprintf(id, NAS_GPU_ID_SIZE, "%d:%d", place->platform_index, place->index);
    }
}

void nas_opencl_describe(const nas_opencl_api_t *api, const nas_opencl_place_t *place,
                         nas_gpu_info_t *info)
{
    cl_device_id device = place->device;
    *info = (nas_gpu_info_t){
        .platform_index = place->platform_index, .index = place->index, .is_cpu = place->is_cpu};
    memcpy(info->platform, place->platform, sizeof info->platform);
    text_of(api, device, CL_DEVICE_NAME, info->name, sizeof info->name);
    text_of(api, device, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    text_of(api, device, CL_DEVICE_VERSION, info->architecture, sizeof info->architecture);
    describe_id(api, place, info->id);
    info->memory = number_of(api, device, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->largest = number_of(api, device, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    info->group_size = (int)number_of(api, device, CL_DEVICE_MAX_WORK_GROUP_SIZE);
    info->local_bytes = (int)number_of(api, device, CL_DEVICE_LOCAL_MEM_SIZE);
    info->compute_units = (int)number_of(api, device, CL_DEVICE_MAX_COMPUTE_UNITS);
    info->has_float64 = number_of(api, device, CL_DEVICE_DOUBLE_FP_CONFIG) != 0;
}
