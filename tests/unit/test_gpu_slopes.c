/* Gradients and tangents of programs on GPUs against finite differences of what the same device
 * computes: nothing of the host's backends is asked. */
#include "gpu_engine_case.h"
#include "program_slopes.h"

#include <stdio.h>

static const nas_network_t NETWORKS[] = {{3, 8, 8, 4, 1, 5, NAS_CONVENTION_SCORE},
                                         {3, 8, 8, 4, 1, 5, NAS_CONVENTION_TRAIN}};

enum { BATCH = 6 };

/* Central differences in float32. Values near 1 are rounded by 2^-25, which twice the step divides:
 * of the loss 2^-12 of its gradient, which is about 1 long. Longer steps meet ReLUs that switch,
 * and move a slope at once. */
static const slope_rule_t RULE = {.step = 0x1p-14,
                                  .image_step = 0x1p-16,
                                  .along_step = 0x1p-11,
                                  .relative = 1e-3,
                                  .floor = 0x1p-11,
                                  .image_floor = 0.05};

/* Whose ReLUs do not switch within a step. PoCL, for which a kernel takes seconds, is given the
 * first, whose convolutions are those between stages. */
static const int CELLS[] = {2, 3};

enum { N_SLOW = 1, N_FAST = sizeof CELLS / sizeof *CELLS };

typedef void check_slopes_t(program_case_t *c, nas_engine_t **engine, const slope_rule_t *rule,
                            const char *what);

static void check_cells(nas_gpu_t *gpu, check_slopes_t *check)
{
    if (WITH_ASAN) {
        gpu->layer->close(gpu);
        cr_skip_test("unit.gpu_program runs the same kernels under the leak checker, in less time");
    }
    nas_engine_t *engine = make_gpu_engine(gpu, 0);
    for (int i = 0; i < (is_slow(gpu) ? N_SLOW : N_FAST); i++) {
        program_case_t c = make_case(nas_gpu_layout(), &NETWORKS[CELLS[i] % 2], BATCH, CELLS[i]);
        char name[32];
        (void)snprintf(name, sizeof name, "cell %d", CELLS[i]);
        check(&c, &engine, &RULE, name);
        free_case(&c);
    }
    nas_engine_destroy(engine);
}

static void gradients_equal_finite_differences(nas_gpu_t *gpu)
{
    check_cells(gpu, check_gradients);
}
ON_EVERY_LAYER(gradients_equal_finite_differences)

static void jacobian_equals_finite_differences(nas_gpu_t *gpu)
{
    check_cells(gpu, check_jacobian);
}
ON_EVERY_LAYER(jacobian_equals_finite_differences)

static void curvature_equals_finite_differences(nas_gpu_t *gpu)
{
    check_cells(gpu, check_curvature);
}
ON_EVERY_LAYER(curvature_equals_finite_differences)
