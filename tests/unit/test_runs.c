/* The runs that metrics are computed on: which there are, and the images of each. */
#include "worker/engine/metrics/runs.h"

#include <criterion/criterion.h>
#include <math.h>

enum { BATCH = 21, IMAGE = 6 };

static float images[BATCH * IMAGE];
static int32_t labels[BATCH];
static const nas_runs_source_t SOURCE = {images, labels, BATCH, IMAGE, 7};

static void draw(void)
{
    for (int i = 0; i < BATCH * IMAGE; i++) images[i] = (float)i;
    for (int i = 0; i < BATCH; i++) labels[i] = 100 + i;
}

TestSuite(runs, .init = draw);

static int list(const char *const *name, int n, nas_runs_t runs[NAS_N_RUNS])
{
    const nas_metric_t *metric[NAS_METRICS_MAX];
    for (int i = 0; i < n; i++) cr_assert_not_null(metric[i] = nas_metric_find(name[i]));
    return nas_runs_list(metric, n, BATCH, runs);
}

Test(runs, metrics_of_a_kind_share_one_program)
{
    static const char *const name[] = {"swap", "snip", "synflow", "params", "nwot"};
    nas_runs_t runs[NAS_N_RUNS];
    cr_assert_eq(list(name, 5, runs), 3);
    cr_assert(runs[0].kind == NAS_RUNS_BATCH && runs[0].batch == BATCH && runs[0].n == 1);
    cr_assert_eq(runs[0].needs, NAS_NEED_SUMS | NAS_NEED_SIGNS);
    cr_assert(runs[1].kind == NAS_RUNS_FLOW && runs[1].batch == 1);
    cr_assert_eq(runs[1].needs, NAS_NEED_FLOW);
    cr_assert(runs[2].kind == NAS_RUNS_FEW && runs[2].batch == NAS_RUNS_FEW_IMAGES);
    cr_assert_eq(runs[2].needs, NAS_NEED_PATTERNS);
}

Test(runs, metrics_that_need_nothing_have_none)
{
    static const char *const name[] = {"params", "flops"};
    nas_runs_t runs[NAS_N_RUNS];
    cr_assert_eq(list(name, 2, runs), 0);
}

Test(runs, few_images_are_the_first_of_the_batch)
{
    const nas_runs_t runs = {NAS_RUNS_FEW, NAS_NEED_PATTERNS, 1, NAS_RUNS_FEW_IMAGES};
    nas_runs_images_t few = {0};
    cr_assert_eq(nas_runs_images_init(&runs, &SOURCE, &few, NULL), NAS_OK);
    cr_assert_neq(few.images[0], images);
    for (int i = 0; i < NAS_RUNS_FEW_IMAGES * IMAGE; i++) cr_assert_eq(few.images[0][i], images[i]);
    for (int i = 0; i < NAS_RUNS_FEW_IMAGES; i++) cr_assert_eq(few.labels[0][i], labels[i]);
    nas_runs_images_fini(&few);
}

Test(runs, halves_are_of_every_second_image)
{
    const nas_runs_t runs = {NAS_RUNS_HALVES, NAS_NEED_GRADIENT, 2, BATCH / 2};
    nas_runs_images_t halves = {0};
    cr_assert_eq(nas_runs_images_init(&runs, &SOURCE, &halves, NULL), NAS_OK);
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < BATCH / 2; i++) {
            const int from = 2 * i + half;
            cr_assert_eq(halves.labels[half][i], labels[from]);
            for (int k = 0; k < IMAGE; k++)
                cr_assert_eq(halves.images[half][i * IMAGE + k], images[from * IMAGE + k]);
        }
    nas_runs_images_fini(&halves);
}

Test(runs, of_one_image_both_halves_have_it)
{
    const nas_runs_source_t one = {images, labels, 1, IMAGE, 7};
    const nas_metric_t *zico = nas_metric_find("zico");
    nas_runs_t runs[NAS_N_RUNS];
    nas_runs_images_t halves = {0};
    cr_assert_eq(nas_runs_list(&zico, 1, 1, runs), 1);
    cr_assert(runs[0].n == 2 && runs[0].batch == 1);
    cr_assert_eq(nas_runs_images_init(runs, &one, &halves, NULL), NAS_OK);
    for (int half = 0; half < 2; half++) cr_assert_eq(halves.labels[half][0], labels[0]);
    nas_runs_images_fini(&halves);
}

Test(runs, noise_is_changed_a_little)
{
    const nas_runs_t change = {NAS_RUNS_CHANGE, NAS_NEED_FEATURES, 2, BATCH};
    const nas_runs_t noise = {NAS_RUNS_NOISE, NAS_NEED_COVARIANCE, 1, BATCH};
    nas_runs_images_t both = {0}, one = {0};
    double squares = 0;
    cr_assert_eq(nas_runs_images_init(&change, &SOURCE, &both, NULL), NAS_OK);
    cr_assert_eq(nas_runs_images_init(&noise, &SOURCE, &one, NULL), NAS_OK);
    for (int i = 0; i < BATCH * IMAGE; i++) {
        const double step = (double)both.images[1][i] - (double)both.images[0][i];
        cr_assert_eq(both.images[0][i], one.images[0][i]);
        cr_assert(step != 0 && fabs(step) < 0.06, "%g", step);
        squares += step * step;
    }
    cr_assert_float_eq(sqrt(squares / (BATCH * IMAGE)), 0.01, 0.002);
    nas_runs_images_fini(&both);
    nas_runs_images_fini(&one);
}
