/* Convolutions that are not plain: any window, any groups. */
#define WITH_GPUS 1
#include "backend_passes.h"

#define CONV(N, I, O, GROUPS, H, W, H_OUT, W_OUT, IMAGE, ...)                                      \
    {                                                                                              \
        .n = (N), .c_in = (I), .c_out = (O), .h_in = (H), .w_in = (W), .image = (IMAGE),           \
        .h_out = (H_OUT), .w_out = (W_OUT), .groups = (GROUPS), .window = {                        \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

#define SLIDE(EXTENT, K, STRIDE, DILATION, PADDING)                                                \
    (((EXTENT) + 2 * (PADDING) - (DILATION) * ((K)-1) - 1) / (STRIDE) + 1)

/* K x K, with as much padding on each side. */
#define ANY(N, I, O, GROUPS, H, W, K, STRIDE, DILATION, PADDING, IMAGE)                            \
    CONV(N, I, O, GROUPS, H, W, SLIDE(H, K, STRIDE, DILATION, PADDING),                            \
         SLIDE(W, K, STRIDE, DILATION, PADDING), IMAGE, K, K, STRIDE, STRIDE, DILATION, DILATION,  \
         PADDING, PADDING, PADDING, PADDING)

#define DENSE(N, I, O, H, W, K, STRIDE, DILATION, PADDING)                                         \
    ANY(N, I, O, 1, H, W, K, STRIDE, DILATION, PADDING, false)

#define IMAGES(N, I, O, H, W, K, STRIDE, DILATION, PADDING)                                        \
    ANY(N, I, O, 1, H, W, K, STRIDE, DILATION, PADDING, true)

#define GROUPED(N, I, O, GROUPS, H, W, K, STRIDE, DILATION, PADDING)                               \
    ANY(N, I, O, GROUPS, H, W, K, STRIDE, DILATION, PADDING, false)

#define DEPTHWISE(N, C, H, W, K, STRIDE, DILATION, PADDING)                                        \
    ANY(N, C, C, C, H, W, K, STRIDE, DILATION, PADDING, false)

/* Name first: what a row adds to the others. */
static const conv_case_t CASES[] = {
    {"5 x 5", DENSE(2, 16, 16, 9, 7, 5, 1, 1, 2), ON_ALL},
    {"5 x 5, 6 to 10 channels", DENSE(2, 6, 10, 8, 8, 5, 1, 1, 2), ON_CPUS},
    {"5 x 5, stride 2, 20 to 17 channels", DENSE(3, 20, 17, 8, 11, 5, 2, 1, 2), ON_THREADS},
    {"5 x 5, many images", DENSE(33, 8, 24, 6, 5, 5, 1, 1, 2), ON_CPUS},
    {"7 x 7, stride 2", DENSE(2, 16, 24, 15, 14, 7, 2, 1, 3), ON_CPUS},
    {"7 x 7, wide rows", DENSE(1, 3, 8, 3, 140, 7, 1, 1, 3), ON_CPUS},
    {"11 x 11, stride 4", DENSE(1, 8, 16, 35, 31, 11, 4, 1, 2), ON_CPUS},
    {"8 x 8 of 8 x 8 pixels", DENSE(2, 16, 32, 8, 8, 8, 1, 1, 0), ON_CPUS},
    {"3 x 3 without padding", DENSE(2, 16, 16, 6, 7, 3, 1, 1, 0), ON_THREADS},
    {"3 x 3 of 3 x 3 pixels", DENSE(3, 24, 8, 3, 3, 3, 1, 1, 0), ON_CPUS},
    {"3 x 3 with padding 2", DENSE(2, 8, 16, 5, 6, 3, 1, 1, 2), ON_CPUS},
    {"3 x 3, stride 3", DENSE(2, 16, 16, 10, 8, 3, 3, 1, 1), ON_CPUS},
    {"3 x 3, stride 2 without padding", DENSE(2, 16, 16, 10, 9, 3, 2, 1, 0), ON_CPUS},
    {"1 x 1, stride 3", DENSE(2, 16, 10, 9, 8, 1, 3, 1, 0), ON_THREADS},
    {"1 x 1 with padding", DENSE(2, 10, 16, 4, 5, 1, 1, 1, 1), ON_CPUS},
    {"2 x 2", DENSE(2, 16, 16, 6, 7, 2, 1, 1, 0), ON_CPUS},
    {"2 x 2, stride 2, odd size", DENSE(2, 16, 24, 7, 9, 2, 2, 1, 0), ON_CPUS},
    {"2 x 2 with padding", DENSE(2, 6, 16, 5, 4, 2, 1, 1, 1), ON_CPUS},
    {"4 x 4, stride 2", DENSE(2, 16, 8, 8, 10, 4, 2, 1, 1), ON_THREADS},
    {"3 x 3, dilated", DENSE(2, 16, 16, 10, 9, 3, 1, 2, 2), ON_THREADS},
    {"3 x 3, dilated, stride 2", DENSE(2, 8, 24, 11, 12, 3, 2, 2, 2), ON_CPUS},
    {"3 x 3, dilated by 4, of 3 x 3 pixels", DENSE(2, 16, 16, 3, 3, 3, 1, 4, 4), ON_CPUS},
    {"5 x 5, dilated", DENSE(2, 16, 8, 13, 12, 5, 1, 2, 4), ON_CPUS},

    {"images, 7 x 7, stride 2", IMAGES(2, 3, 16, 32, 32, 7, 2, 1, 3), ON_THREADS},
    {"images, 11 x 11, stride 4", IMAGES(2, 3, 24, 35, 31, 11, 4, 1, 2), ON_CPUS},
    {"images, 16 x 16 apart", IMAGES(2, 3, 10, 32, 48, 16, 16, 1, 0), ON_CPUS},
    {"images, 3 x 3 without padding", IMAGES(2, 3, 5, 9, 8, 3, 1, 1, 0), ON_CPUS},
    {"images, 3 x 3, stride 2 without padding", IMAGES(3, 3, 32, 12, 13, 3, 2, 1, 0), ON_CPUS},
    {"gray images, 5 x 5", IMAGES(2, 1, 6, 12, 12, 5, 1, 1, 0), ON_CPUS},
    {"images, 3 x 3, dilated", IMAGES(2, 3, 16, 9, 8, 3, 1, 2, 2), ON_CPUS},
    {"images, each color", ANY(2, 3, 9, 3, 8, 7, 3, 1, 1, 1, true), ON_CPUS},

    {"depthwise 3 x 3", DEPTHWISE(2, 16, 8, 8, 3, 1, 1, 1), ON_ALL},
    {"depthwise 3 x 3, 24 channels, odd size", DEPTHWISE(3, 24, 9, 7, 3, 1, 1, 1), ON_CPUS},
    {"depthwise 3 x 3, 17 channels", DEPTHWISE(2, 17, 6, 5, 3, 1, 1, 1), ON_CPUS},
    {"depthwise 3 x 3, 3 channels", DEPTHWISE(2, 3, 6, 5, 3, 1, 1, 1), ON_THREADS},
    {"depthwise 3 x 3, one pixel", DEPTHWISE(2, 16, 1, 1, 3, 1, 1, 1), ON_CPUS},
    {"depthwise 3 x 3, wide rows", DEPTHWISE(1, 8, 3, 140, 3, 1, 1, 1), ON_CPUS},
    {"depthwise 3 x 3, many images", DEPTHWISE(33, 16, 5, 4, 3, 1, 1, 1), ON_CPUS},
    {"depthwise 3 x 3, stride 2", DEPTHWISE(2, 16, 8, 8, 3, 2, 1, 1), ON_THREADS},
    {"depthwise 3 x 3, stride 2, odd size", DEPTHWISE(2, 40, 9, 7, 3, 2, 1, 1), ON_CPUS},
    {"depthwise 3 x 3, dilated", DEPTHWISE(2, 16, 9, 8, 3, 1, 2, 2), ON_CPUS},
    {"depthwise 3 x 3, dilated, stride 2", DEPTHWISE(2, 24, 9, 8, 3, 2, 2, 2), ON_CPUS},
    {"depthwise 5 x 5", DEPTHWISE(2, 16, 8, 9, 5, 1, 1, 2), ON_THREADS},
    {"depthwise 5 x 5, stride 2", DEPTHWISE(2, 32, 9, 10, 5, 2, 1, 2), ON_CPUS},
    {"depthwise 5 x 5, dilated", DEPTHWISE(2, 16, 10, 9, 5, 1, 2, 4), ON_CPUS},
    {"depthwise 5 x 5, dilated, stride 2", DEPTHWISE(2, 20, 10, 9, 5, 2, 2, 4), ON_CPUS},
    {"depthwise 7 x 7", DEPTHWISE(2, 16, 8, 9, 7, 1, 1, 3), ON_CPUS},
    {"depthwise 5 x 5 without padding", DEPTHWISE(2, 16, 8, 9, 5, 1, 1, 0), ON_CPUS},
    {"depthwise 1 x 1", DEPTHWISE(2, 16, 4, 5, 1, 1, 1, 0), ON_CPUS},
    {"two outputs a channel", GROUPED(2, 8, 16, 8, 6, 5, 3, 1, 1, 1), ON_CPUS},
    {"three outputs a channel, stride 2", GROUPED(2, 5, 15, 5, 6, 5, 3, 2, 1, 1), ON_CPUS},

    {"two groups of 3 to 5 channels", GROUPED(2, 6, 10, 2, 6, 5, 3, 1, 1, 1), ON_THREADS},
    {"two groups of 10 to 3 channels, 5 x 5", GROUPED(2, 20, 6, 2, 7, 6, 5, 1, 1, 2), ON_CPUS},
    {"two groups of 1 x 1", GROUPED(2, 32, 32, 2, 5, 6, 1, 1, 1, 0), ON_CPUS},
    {"two groups of 1 x 1, stride 2", GROUPED(2, 32, 64, 2, 5, 6, 1, 2, 1, 0), ON_CPUS},
    {"four groups, 32 to 64 channels", GROUPED(2, 32, 64, 4, 6, 6, 3, 1, 1, 1), ON_CPUS},
    {"three groups, 24 to 12 channels", GROUPED(2, 24, 12, 3, 6, 6, 3, 2, 1, 1), ON_CPUS},
    {"groups of two blocks", GROUPED(1, 64, 64, 2, 5, 5, 3, 1, 1, 1), ON_CPUS},
    {"eight groups, dilated", GROUPED(3, 64, 64, 8, 7, 8, 3, 1, 2, 2), ON_CPUS},

    {"1 x 7", CONV(2, 16, 24, 1, 8, 9, 8, 9, false, 1, 7, 1, 1, 1, 1, 0, 3, 0, 3), ON_THREADS},
    {"7 x 1", CONV(2, 16, 24, 1, 9, 8, 9, 8, false, 7, 1, 1, 1, 1, 1, 3, 0, 3, 0), ON_CPUS},
    {"1 x 3, stride 1 x 2", CONV(2, 6, 16, 1, 4, 9, 4, 5, false, 1, 3, 1, 2, 1, 1, 0, 1, 0, 1),
     ON_CPUS},
    {"3 x 5, dilated 2 x 1, stride 2 x 3",
     CONV(2, 16, 10, 1, 9, 10, 5, 4, false, 3, 5, 2, 3, 2, 1, 2, 2, 2, 2), ON_CPUS},
    {"stride 2, padded below and on the right",
     CONV(2, 16, 16, 1, 8, 10, 4, 5, false, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1), ON_THREADS},
    {"2 x 2, padded below and on the right",
     CONV(2, 16, 16, 1, 5, 6, 5, 6, false, 2, 2, 1, 1, 1, 1, 0, 0, 1, 1), ON_CPUS},
    {"4 x 4, padding 1 and 2", CONV(2, 8, 6, 1, 6, 7, 6, 7, false, 4, 4, 1, 1, 1, 1, 1, 1, 2, 2),
     ON_CPUS},
    {"padding on four sides", CONV(2, 16, 8, 1, 4, 5, 10, 8, false, 3, 4, 1, 1, 1, 1, 5, 4, 3, 2),
     ON_CPUS},
    {"windows that stick out of the padding",
     CONV(2, 16, 16, 1, 6, 6, 4, 3, false, 3, 3, 2, 2, 1, 1, 1, 0, 0, 0), ON_CPUS},
    {"images, 3 x 3, stride 2, padded below and on the right",
     CONV(2, 3, 32, 1, 12, 14, 6, 7, true, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1), ON_CPUS},
    {"depthwise 1 x 7", CONV(2, 16, 16, 16, 5, 9, 5, 9, false, 1, 7, 1, 1, 1, 1, 0, 3, 0, 3),
     ON_CPUS},
    {"depthwise, stride 2, padded below and on the right",
     CONV(2, 16, 16, 16, 8, 10, 4, 5, false, 5, 5, 2, 2, 1, 1, 1, 1, 2, 2), ON_CPUS},
};

enum { N_CASES = sizeof CASES / sizeof *CASES };

static void check_all(int index, void (*check)(int index, const conv_case_t *the_case))
{
    for (int i = 0; i < N_CASES; i++)
        if (CASES[i].where >= where_is(index)) check(index, &CASES[i]);
}

BACKEND_TEST(backend_window, passes_equal_the_definition)
{
    check_all(*index, check_definition);
}

BACKEND_TEST(backend_window, passes_are_adjoint)
{
    check_all(*index, check_adjoint);
}

BACKEND_TEST(backend_window, same_arguments_give_the_same_bits)
{
    check_all(*index, check_same_bits);
}

BACKEND_TEST(backend_window, an_image_does_not_depend_on_the_others)
{
    check_all(*index, check_independence);
}

BACKEND_TEST(backend_window, packed_weights_unpack_to_what_they_were)
{
    check_all(*index, check_packing);
}

BACKEND_TEST(backend_window, weight_dots_add_products_and_their_absolute_values)
{
    check_all(*index, check_weight_dots);
}

/* Of one group: others cannot be packed together. */
BACKEND_TEST(backend_window, a_part_of_packed_convolutions_can_be_taken_out)
{
    static const nas_conv_shape_t PAIRS[][2] = {
        {DENSE(2, 16, 16, 6, 5, 5, 1, 1, 2), DENSE(2, 16, 24, 6, 5, 5, 1, 1, 2)},
        {DENSE(2, 10, 8, 9, 8, 3, 1, 2, 2), DENSE(2, 10, 6, 9, 8, 3, 1, 2, 2)},
        {IMAGES(2, 3, 16, 9, 8, 5, 2, 1, 2), IMAGES(2, 3, 16, 9, 8, 5, 2, 1, 2)},
    };
    if (where_is(*index) != ON_CPUS) return;
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        fixture_t f = setup(*index);
        check_parts(&f, &PAIRS[i][0], &PAIRS[i][1]);
        teardown(&f);
    }
}

/* Shapes that differ from the first in one number each, and a plain one. */
BACKEND_TEST(backend_window, one_object_a_shape)
{
    static const nas_conv_shape_t shape[] = {
        CONV(2, 16, 16, 1, 9, 9, 9, 9, false, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2),
        CONV(2, 16, 16, 2, 9, 9, 9, 9, false, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 8, 9, false, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 8, false, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 9, false, 2, 3, 1, 1, 2, 2, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 9, false, 3, 2, 1, 1, 2, 2, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 9, false, 3, 3, 1, 1, 1, 2, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 9, false, 3, 3, 1, 1, 2, 1, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 9, false, 3, 3, 1, 1, 2, 2, 1, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 9, false, 3, 3, 1, 1, 2, 2, 2, 1, 2, 2),
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 9, .w_in = 9, .k = 3, .stride = 1},
    };
    enum { N = sizeof shape / sizeof *shape };
    fixture_t f = setup(*index);
    const nas_conv_t *conv[N];
    for (int i = 0; i < N; i++) conv[i] = find(&f, &shape[i]);
    for (int i = 0; i < N; i++) {
        cr_assert_eq(find(&f, &shape[i]), conv[i], "shape %d", i);
        for (int j = 0; j < i; j++) cr_assert_neq(conv[i], conv[j], "shapes %d and %d", i, j);
    }
    teardown(&f);
}

BACKEND_TEST(backend_window, what_cannot_be_is_refused)
{
    static const nas_conv_shape_t refused[] = {
        CONV(2, 15, 16, 2, 9, 9, 9, 9, false, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1),
        CONV(2, 16, 15, 2, 9, 9, 9, 9, false, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1),
        CONV(2, 16, 16, 0, 9, 9, 9, 9, false, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1),
        CONV(0, 16, 16, 1, 9, 9, 9, 9, false, 5, 5, 1, 1, 1, 1, 2, 2, 2, 2),
        CONV(2, 0, 16, 1, 9, 9, 9, 9, false, 5, 5, 1, 1, 1, 1, 2, 2, 2, 2),
        CONV(2, 16, 0, 1, 9, 9, 9, 9, false, 5, 5, 1, 1, 1, 1, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 0, 9, false, 5, 5, 1, 1, 1, 1, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 0, false, 5, 5, 1, 1, 1, 1, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 9, false, 0, 5, 1, 1, 1, 1, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 9, false, 5, 5, 1, 0, 1, 1, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 9, false, 5, 5, 1, 1, 0, 1, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 8, 9, false, 5, 5, 1, 1, 1, 1, -1, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 14, 9, false, 5, 5, 1, 1, 1, 1, 2, 2, 2, 2),
        CONV(2, 16, 16, 1, 9, 9, 9, 8, false, 5, 5, 1, 2, 1, 1, 2, 2, 2, 2),
    };
    fixture_t f = setup(*index);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const nas_conv_t *untouched = NULL;
        nas_error_t err = {0};
        cr_assert_eq(f.backend->conv_find(&refused[i], true, &untouched, &err), NAS_EARG,
                     "shape %d", (int)i);
        cr_assert_null(untouched);
        cr_assert_neq(err.text[0], '\0');
    }
    teardown(&f);
}
