/* The layout of tensors on GPUs: programs are made for it as for any backend's. */
#include "program_case.h"
#include "worker/engine/gpu/plan/layout.h"
#include "worker/engine/gpu/plan/variant.h"
#include "worker/engine/program/op.h"

static const nas_network_t NETWORK = {3, 12, 4, 4, 1, 5, NAS_CONVENTION_SCORE};

enum { BATCH = 3 };

/* Planes are whole units of four floats, and nothing else is padded. */
Test(gpu_layout, planes_are_padded)
{
    const nas_backend_t *layout = nas_gpu_layout();
    const size_t plane = 5 * 4 * sizeof(float);
    cr_assert_eq(layout->tensor_bytes((nas_shape_t){2, 7, 3, 6}), 2 * 7 * plane);
    cr_assert_eq(layout->image_bytes((nas_shape_t){2, 7, 4, 5}), 2 * 7 * plane);
    cr_assert_eq(layout->channel_block, 1);
}

/* What a kernel has not is refused in words. */
Test(gpu_layout, other_kernels_are_refused)
{
    const nas_conv_shape_t shape = {
        .n = 1, .c_in = 4, .c_out = 4, .h_in = 8, .w_in = 8, .k = 5, .stride = 1};
    const nas_conv_t *conv = NULL;
    nas_error_t err = {0};
    cr_assert_eq(nas_gpu_layout()->conv_find(&shape, true, &conv, &err), NAS_EARG);
    cr_assert_not_null(strstr(err.text, "5 x 5"));
    cr_assert_null(conv);
    const nas_conv_shape_t wide = {.n = 1,
                                   .c_in = 4,
                                   .c_out = 4,
                                   .h_in = 8,
                                   .w_in = NAS_GPU_MOST_COLUMNS + 1,
                                   .k = 3,
                                   .stride = 1};
    cr_assert_eq(nas_gpu_layout()->conv_find(&wide, true, &conv, &err), NAS_EARG);
    cr_assert_not_null(strstr(err.text, "2048 pixels"));
}

/* Weights lie packed as the parameters do, so that a group's are its layers' one behind the
 * other, and no program has scratch of its own. */
Test(gpu_layout, programs_are_made_for_it)
{
    for (int number = 0; number < N_CASES; number++) {
        program_case_t c = make_case(nas_gpu_layout(), &NETWORK, BATCH, number);
        nas_program_t *program = NULL;
        cr_assert_eq(nas_program_create(&c.options, &program, NULL), NAS_OK);
        for (int g = 0; g < program->n_groups; g++) {
            const nas_program_group_t *group = &program->group[g];
            size_t n = 0;
            if (group->conv < 0) continue;
            for (int i = 0; i < group->n_layers; i++)
                n += (size_t)program->layer[group->layer + i].n;
            cr_assert_eq(group->elements, n);
        }
        nas_program_destroy(program);
        free_case(&c);
    }
}
