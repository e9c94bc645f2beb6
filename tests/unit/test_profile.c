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
