/* A driver of CUDA without a device (tests/tools/fake_cuda), for tests that nas_use_fake_cuda tells
 * where it is. */
#ifndef NAS_TESTS_UNIT_FAKE_CUDA_H
#define NAS_TESTS_UNIT_FAKE_CUDA_H

#include <criterion/criterion.h>
#include <stdlib.h>

/** The layer cuda finds the driver that is none, and NVRTC through it; skips the test, by name, where
 *  there is no NVRTC. */
static inline void use_fake_cuda(void)
{
    const char *fake = getenv("FAKE_CUDA"), *nvrtc = getenv("FAKE_CUDA_NVRTC");
    cr_assert_not_null(fake);
    if (nvrtc == NULL || *nvrtc == '\0') {
        cr_skip_test(
            "NVRTC is neither in CUDA's folders nor NVIDIA's wheel (pip install nvidia-cuda-nvrtc)");
    }
    setenv("NAS_LIBCUDA", fake, 1);
    setenv("NAS_LIBNVRTC", fake, 1);
}

#endif
