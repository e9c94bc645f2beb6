#define WITH_GPUS 1
#include "backend_passes.h"

#define PLAIN(N, I, O, H, W, K, STRIDE, IMAGE)                                                     \
    {                                                                                              \
        .n = (N), .c_in = (I), .c_out = (O), .h_in = (H), .w_in = (W), .k = (K),                   \
        .stride = (STRIDE), .image = (IMAGE)                                                       \
    }

/* Name first: what a row adds to the others. */
static const conv_case_t CASES[] = {
    {"stem", PLAIN(2, 3, 16, 32, 32, 3, 1, true), ON_ALL},
    {"stem of 8 channels, odd size", PLAIN(3, 3, 8, 9, 7, 3, 1, true), ON_CPUS},
    {"stem of gray images", PLAIN(2, 1, 16, 28, 28, 3, 1, true), ON_CPUS},
    {"stem of gray images, 24 channels", PLAIN(1, 1, 24, 7, 7, 3, 1, true), ON_THREADS},
    {"3 x 3", PLAIN(2, 16, 16, 32, 32, 3, 1, false), ON_CPUS},
    {"3 x 3, 8 channels", PLAIN(2, 8, 8, 6, 6, 3, 1, false), ON_CPUS},
    {"3 x 3, odd size", PLAIN(2, 16, 32, 9, 7, 3, 1, false), ON_THREADS},
    {"3 x 3, 24 to 48 channels", PLAIN(2, 24, 48, 5, 6, 3, 1, false), ON_CPUS},
    {"3 x 3, 48 to 24 channels", PLAIN(1, 48, 24, 4, 4, 3, 1, false), ON_THREADS},
    {"3 x 3, 64 channels", PLAIN(1, 64, 64, 8, 8, 3, 1, false), ON_CPUS},
    {"3 x 3, one pixel", PLAIN(2, 16, 8, 1, 1, 3, 1, false), ON_THREADS},
    {"3 x 3, wide rows", PLAIN(1, 8, 16, 3, 70, 3, 1, false), ON_THREADS},
    {"3 x 3, many images", PLAIN(17, 16, 16, 4, 4, 3, 1, false), ON_CPUS},
    {"3 x 3, more images, odd size", PLAIN(33, 16, 8, 10, 7, 3, 1, false), ON_CPUS},
    {"3 x 3, more images, 24 to 40 channels", PLAIN(33, 24, 40, 4, 4, 3, 1, false), ON_CPUS},
    {"3 x 3, more images, many channels", PLAIN(32, 64, 32, 8, 8, 3, 1, false), ON_THREADS},
    {"3 x 3, more images, wide rows", PLAIN(32, 8, 16, 4, 70, 3, 1, false), ON_CPUS},
    {"1 x 1", PLAIN(2, 16, 16, 32, 32, 1, 1, false), ON_CPUS},
    {"1 x 1, 8 to 24 channels, odd size", PLAIN(2, 8, 24, 5, 7, 1, 1, false), ON_CPUS},
    {"1 x 1, 48 to 32 channels", PLAIN(3, 48, 32, 4, 4, 1, 1, false), ON_THREADS},
    {"1 x 1, one pixel", PLAIN(1, 24, 16, 1, 1, 1, 1, false), ON_CPUS},
    {"stride 2", PLAIN(2, 16, 32, 32, 32, 3, 2, false), ON_CPUS},
    {"stride 2, 8 to 16 channels", PLAIN(2, 8, 16, 8, 8, 3, 2, false), ON_CPUS},
    {"stride 2, 24 to 48 channels, odd size", PLAIN(2, 24, 48, 9, 7, 3, 2, false), ON_ALL},
    {"stride 2, two pixels", PLAIN(1, 16, 8, 2, 1, 3, 2, false), ON_CPUS},
    {"stride 2, 1 x 1", PLAIN(2, 16, 32, 7, 6, 1, 2, false), ON_THREADS},
};

enum { N_CASES = sizeof CASES / sizeof *CASES };

static bool is_case_of(int index, int i)
{
    return CASES[i].where >= where_is(index);
}

BACKEND_TEST(backend_conv, passes_equal_the_definition)
{
    for (int i = 0; i < N_CASES; i++)
        if (is_case_of(*index, i)) check_definition(*index, &CASES[i]);
}

BACKEND_TEST(backend_conv, passes_are_adjoint)
{
    for (int i = 0; i < N_CASES; i++)
        if (is_case_of(*index, i)) check_adjoint(*index, &CASES[i]);
}

BACKEND_TEST(backend_conv, same_arguments_give_the_same_bits)
{
    check_same_bits(*index, &CASES[0]);
}

BACKEND_TEST(backend_conv, an_image_does_not_depend_on_the_others)
{
    for (int i = 0; i < N_CASES; i++)
        if (is_case_of(*index, i)) check_independence(*index, &CASES[i]);
}

BACKEND_TEST(backend_conv, packed_weights_unpack_to_what_they_were)
{
    for (int i = 0; i < N_CASES; i++)
        if (is_case_of(*index, i)) check_packing(*index, &CASES[i]);
}

BACKEND_TEST(backend_conv, weight_dots_add_products_and_their_absolute_values)
{
    for (int i = 0; i < N_CASES; i++)
        if (is_case_of(*index, i)) check_weight_dots(*index, &CASES[i]);
}

BACKEND_TEST(backend_conv, a_part_of_packed_convolutions_can_be_taken_out)
{
    for (int c = 8; c <= 48; c *= 2) {
        if (where_is(*index) == ON_ALL || (where_is(*index) == ON_THREADS && c > 8)) break;
        fixture_t f = setup(*index);
        check_parts(&f,
                    &(nas_conv_shape_t){
                        .n = 2, .c_in = c, .c_out = c, .h_in = 6, .w_in = 5, .k = 3, .stride = 1},
                    &(nas_conv_shape_t){
                        .n = 2, .c_in = c, .c_out = 24, .h_in = 6, .w_in = 5, .k = 3, .stride = 1});
        check_parts(&f,
                    &(nas_conv_shape_t){
                        .n = 2, .c_in = c, .c_out = c, .h_in = 6, .w_in = 5, .k = 1, .stride = 1},
                    &(nas_conv_shape_t){
                        .n = 2, .c_in = c, .c_out = c, .h_in = 6, .w_in = 5, .k = 1, .stride = 1});
        teardown(&f);
    }
}

/* Shapes that differ in one extent each. */
BACKEND_TEST(backend_conv, one_object_a_shape)
{
    static const nas_conv_shape_t shape[] = {
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
        {.n = 3, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
        {.n = 2, .c_in = 32, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 32, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 6, .w_in = 8, .k = 3, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 6, .k = 3, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 1, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 2},
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

BACKEND_TEST(backend_conv, other_kernels_and_strides_are_refused)
{
    fixture_t f = setup(*index);
    const nas_conv_shape_t refused[] = {
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 2, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 5, .stride = 1},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 3},
        {.n = 2, .c_in = 16, .c_out = 16, .h_in = 8, .w_in = 8, .k = 3, .stride = 0},
        {.n = 2, .c_in = 16, .c_out = 0, .h_in = 8, .w_in = 8, .k = 3, .stride = 1},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const nas_conv_t *untouched = NULL;
        nas_error_t err = {0};
        cr_assert_eq(f.backend->conv_find(&refused[i], true, &untouched, &err), NAS_EARG);
        cr_assert_null(untouched);
        cr_assert_neq(err.text[0], '\0');
    }
    teardown(&f);
}
