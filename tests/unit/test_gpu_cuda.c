/* The layer of CUDA, and that of HIP where it differs, without a device. */
#include "worker/engine/gpu/layers/layer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Without a driver there are no devices: the reason names the library and what to do, and so does the
 * error of opening one. */
static void expect_no_driver(const nas_gpu_layer_t *layer, const char *library,
                             const char *variable)
{
    nas_gpu_info_t info;
    nas_gpu_t *gpu = NULL;
    nas_error_t reason = {0}, err = {0};
    int n = -1;
    cr_assert_eq(layer->list(&info, 1, &n, &reason, &err), NAS_OK);
    cr_assert_eq(n, 0);
    cr_assert_not_null(strstr(reason.text, library), "%s", reason.text);
    cr_assert_not_null(strstr(reason.text, variable), "%s", reason.text);
    cr_assert_eq(layer->list(&info, 1, &n, NULL, &err), NAS_OK);
    cr_assert_eq(layer->open(0, &gpu, &err), NAS_EINPUT);
    cr_assert_str_eq(err.text, reason.text);
    cr_assert_null(gpu);
}

Test(driver, none)
{
    setenv("NAS_LIBCUDA", "/nowhere/libcuda.so.1", 1);
    setenv("NAS_LIBHIP", "/nowhere/libamdhip64.so", 1);
    expect_no_driver(&nas_gpu_layer_cuda, "/nowhere/libcuda.so.1 is not there", "NAS_LIBCUDA");
    expect_no_driver(&nas_gpu_layer_hip, "/nowhere/libamdhip64.so is not there", "NAS_LIBHIP");
}

/* A library of that name that is none is said to be another. */
Test(driver, another_library)
{
    setenv("NAS_LIBCUDA", "libm.so.6", 1);
    expect_no_driver(&nas_gpu_layer_cuda, "libm.so.6 has no cuInit", "");
}
