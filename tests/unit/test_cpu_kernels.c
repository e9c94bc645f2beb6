/* Which kernels the cpu backend takes. What oneDNN has reference code for takes hundreds of times
 * as long, and own kernels for any window some times as long: the convolutions that networks are
 * made of want neither. */
#include "worker/engine/backends/cpu/conv_create.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#define CONV(I, O, GROUPS, SIZE, SIZE_OUT, K, STRIDE, DILATION, PADDING, IMAGE)                    \
    {                                                                                              \
        .n = 4, .c_in = (I), .c_out = (O), .h_in = (SIZE), .w_in = (SIZE), .image = (IMAGE),       \
        .h_out = (SIZE_OUT), .w_out = (SIZE_OUT), .groups = (GROUPS), .window = {                  \
            K,                                                                                     \
            K,                                                                                     \
            STRIDE,                                                                                \
            STRIDE,                                                                                \
            DILATION,                                                                              \
            DILATION,                                                                              \
            PADDING,                                                                               \
            PADDING,                                                                               \
            PADDING,                                                                               \
            PADDING                                                                                \
        }                                                                                          \
    }

#define SIDES(I, O, SIZE, K_H, K_W)                                                                \
    {                                                                                              \
        .n = 4, .c_in = (I), .c_out = (O), .h_in = (SIZE), .w_in = (SIZE), .h_out = (SIZE),        \
        .w_out = (SIZE), .groups = 1, .window = {                                                  \
            K_H,                                                                                   \
            K_W,                                                                                   \
            1,                                                                                     \
            1,                                                                                     \
            1,                                                                                     \
            1,                                                                                     \
            (K_H) / 2,                                                                             \
            (K_W) / 2,                                                                             \
            (K_H) / 2,                                                                             \
            (K_W) / 2                                                                              \
        }                                                                                          \
    }

static const struct {
    const char *name;
    nas_conv_shape_t shape;
} CASES[] = {
    {"stem of DARTS", CONV(3, 48, 1, 32, 32, 3, 1, 1, 1, true)},
    {"stem of DARTS for ImageNet", CONV(3, 24, 1, 224, 112, 3, 2, 1, 1, true)},
    {"stem of TransNAS-Bench-101", CONV(3, 64, 1, 64, 32, 3, 2, 1, 1, true)},
    {"stem of ResNet", CONV(3, 64, 1, 224, 112, 7, 2, 1, 3, true)},
    {"stem of MobileNet", CONV(3, 32, 1, 224, 112, 3, 2, 1, 1, true)},
    {"stem 5 x 5 of gray images", CONV(1, 6, 1, 28, 24, 5, 1, 1, 0, true)},
    {"3 x 3, stride 2", CONV(64, 128, 1, 56, 28, 3, 2, 1, 1, false)},
    {"3 x 3 without padding", CONV(32, 32, 1, 16, 14, 3, 1, 1, 0, false)},
    {"3 x 3, 20 to 40 channels", CONV(20, 40, 1, 16, 8, 3, 2, 1, 1, false)},
    {"1 x 1, stride 2", CONV(64, 128, 1, 56, 28, 1, 2, 1, 0, false)},
    {"1 x 1, 36 channels", CONV(144, 36, 1, 32, 32, 1, 1, 1, 0, false)},
    {"1 x 1 of a flat tensor", CONV(512, 10, 1, 1, 1, 1, 1, 1, 0, false)},
    {"2 x 2, stride 2", CONV(32, 64, 1, 16, 8, 2, 2, 1, 0, false)},
    {"4 x 4, stride 2", CONV(32, 64, 1, 16, 8, 4, 2, 1, 1, false)},
    {"5 x 5", CONV(32, 32, 1, 16, 16, 5, 1, 1, 2, false)},
    {"7 x 7", CONV(32, 32, 1, 16, 16, 7, 1, 1, 3, false)},
    {"1 x 7", SIDES(32, 32, 17, 1, 7)},
    {"7 x 1", SIDES(32, 32, 17, 7, 1)},
    {"groups of blocks", CONV(128, 128, 2, 14, 14, 3, 1, 1, 1, false)},
    {"groups of a block", CONV(128, 128, 8, 14, 7, 3, 2, 1, 1, false)},
    {"depthwise 3 x 3", CONV(16, 16, 16, 32, 32, 3, 1, 1, 1, false)},
    {"depthwise 3 x 3, stride 2", CONV(32, 32, 32, 32, 16, 3, 2, 1, 1, false)},
    {"depthwise 5 x 5", CONV(36, 36, 36, 32, 32, 5, 1, 1, 2, false)},
    {"depthwise 3 x 3, dilated", CONV(16, 16, 16, 32, 32, 3, 1, 2, 2, false)},
    {"depthwise 5 x 5, dilated", CONV(16, 16, 16, 32, 32, 5, 1, 2, 4, false)},
};

enum { N_CASES = sizeof CASES / sizeof *CASES };

ParameterizedTestParameters(cpu_kernels, convolutions_of_known_networks_are_optimised)
{
    static int isa[] = {NAS_ISA_AVX2, NAS_ISA_AVX512};
    return cr_make_param_array(int, isa, sizeof isa / sizeof *isa);
}

static bool is_optimised(const nas_conv_t *conv)
{
    const bool has_gradient = conv->pass[NAS_PASS_BACKWARD_DATA] != NULL || conv->image_gradient;
    return conv->method != NAS_CONV_BY_PASS ||
           (conv->pass[NAS_PASS_FORWARD] != NULL && conv->pass[NAS_PASS_BACKWARD_WEIGHTS] != NULL &&
            has_gradient);
}

ParameterizedTest(const int *isa, cpu_kernels, convolutions_of_known_networks_are_optimised)
{
    const char *name = nas_isa_name((nas_isa_t)*isa);
    if (!nas_isa_available((nas_isa_t)*isa) || !nas_backend_cpu((nas_isa_t)*isa))
        criterion_skip_test("backend cpu %s is not available", name);
    const nas_backend_t *backend = nas_backend_cpu((nas_isa_t)*isa);
    for (int i = 0; i < N_CASES; i++) {
        const nas_conv_t *conv = NULL;
        nas_error_t err = {0};
        cr_assert_eq(backend->conv_find(&CASES[i].shape, true, &conv, &err), NAS_OK, "%s",
                     err.text);
        cr_expect(is_optimised(conv), "%s, %s", name, CASES[i].name);
        cr_expect(!conv->copies_images, "%s, %s", name, CASES[i].name);
    }
}
