#include "worker/engine/host/run.h"

#include <criterion/criterion.h>

/* 2 operations a weight of an output's window and output; weights count by what a group reads. */
Test(profile, work_of_a_convolution_is_its_products)
{
    nas_conv_shape_t shape[] = {
        {.n = 2, .c_in = 16, .c_out = 32, .h_in = 9, .w_in = 8, .k = 3, .stride = 2},
        {.n = 2,
         .c_in = 16,
         .c_out = 32,
         .h_in = 9,
         .w_in = 8,
         .h_out = 7,
         .w_out = 6,
         .groups = 16,
         .window = {5, 3, 1, 1, 1, 1, 1, 0, 1, 0}},
    };
    static const double flops[] = {2.0 * 2 * 5 * 4 * 32 * 16 * 9, 2.0 * 2 * 7 * 6 * 32 * 15};
    static const double weights[] = {32 * 16 * 9, 32 * 15};
    static const double outputs[] = {2 * 32 * 5 * 4, 2 * 32 * 7 * 6};
    const nas_program_t program = {.conv = shape};
    nas_profile_t profile = {0};
    for (int i = 0; i < 2; i++) {
        const nas_op_t op = {.kind = NAS_OP_CONV_FORWARD, .conv = {.conv = i}};
        nas_profile_op(&program, nas_backend_ref(), &op, 0.5, &profile);
        cr_assert_eq(profile.n, i + 1);
        cr_assert_eq(profile.entry[i].flops, flops[i], "%g", profile.entry[i].flops);
        cr_assert_eq(profile.entry[i].bytes,
                     (double)sizeof(double) * (2 * 16 * 9 * 8 + outputs[i] + weights[i]));
    }
}

static void add(nas_profile_t *profile, nas_work_t work, int c)
{
    const nas_profile_entry_t call = {
        .work = work, .shape = {.n = 1, .c_in = c}, .n_calls = 1, .seconds = 1};
    nas_profile_add(profile, &call);
}

/* More shapes than there is room for: the others count with the first of their kind, and with no
 * other kind. */
Test(profile, a_full_one_keeps_kinds_apart)
{
    enum { MORE = 10 };
    nas_profile_t profile = {0};
    double seconds[NAS_WORK_COUNT] = {0};
    for (int c = 0; c < NAS_PROFILE_SHAPES + MORE; c++) add(&profile, NAS_WORK_CONV_FORWARD, 1 + c);
    for (int work = NAS_WORK_COUNT - 1; work >= 0; work--)
        for (int i = 0; i < MORE; i++) add(&profile, (nas_work_t)work, 1 + NAS_PROFILE_SHAPES + i);
    for (int i = 0; i < profile.n; i++) seconds[profile.entry[i].work] += profile.entry[i].seconds;
    cr_assert_eq(seconds[NAS_WORK_CONV_FORWARD], NAS_PROFILE_SHAPES + 2 * MORE);
    cr_assert_eq(profile.entry[0].n_calls, 1 + 2 * MORE);
    for (int work = 1; work < NAS_WORK_COUNT; work++) cr_assert_eq(seconds[work], MORE, "%d", work);
}
