/* Several trainings that are members of the same launches: each as if it were alone. */
#include "company_case.h"
#include "tests/tools/gpu_null.h"

#include <math.h>

static void assert_same_as_alone(const company_case_t *all, int number, int64_t end,
                                 nas_training_t *training)
{
    double loss[COMPANY_STEPS];
    nas_training_t *alone = company_case_alone(all, number);
    (void)train_case_go(alone, end, loss);
    cr_assert_eq(nas_training_state(alone)->step, end);
    cr_assert(train_case_same_state(&all->c[number], alone, training), "number %d", number);
    nas_training_destroy(alone);
}

/* An epoch of each: nothing comes back from the device within it, and then once a member. */
static void company_changes_no_bit(nas_gpu_t *gpu)
{
    company_case_t all;
    nas_training_t *training[COMPANY];
    nas_training_verdict_t verdict[COMPANY];
    company_case_make(&all, gpu, 0, 1);
    company_case_begin(&all, training);
    const int64_t before = gpu->counts.n_reads;
    nas_trainings_step(training, COMPANY, verdict);
    cr_assert_eq(gpu->counts.n_reads, before);
    nas_trainings_step(training, COMPANY, verdict);
    cr_assert_eq(gpu->counts.n_reads, before + COMPANY);
    for (int i = 0; i < COMPANY; i++) {
        cr_assert_eq(verdict[i], NAS_TRAINING_EPOCH_END);
        cr_assert(nas_training_validate(training[i]));
        assert_same_as_alone(&all, i, COMPANY_STEPS / COMPANY_EPOCHS, training[i]);
    }
    for (int i = 0; i < COMPANY; i++) nas_training_destroy(training[i]);
    company_case_drop(&all);
}
ON_LAYER(company_changes_no_bit, threads)

/* The second diverges at once, which is known when its epoch ends; the third is a step ahead, so
 * that its epochs end before the first one's, which is alone at the end. */
static void members_come_and_go(nas_gpu_t *gpu)
{
    company_case_t all;
    double loss[COMPANY_STEPS];
    nas_training_t *training[COMPANY];
    bool has_diverged[COMPANY] = {false};
    company_case_make(&all, gpu, 0, 2);
    company_case_begin(&all, training);
    nas_training_state(training[1])->parameter[0] = NAN;
    nas_training_resume(training[1]);
    nas_training_t *ahead = company_case_alone(&all, 2);
    (void)train_case_go(ahead, 1, loss);
    train_case_copy_state(&all.c[2], ahead, training[2]);
    nas_training_resume(training[2]);
    nas_training_destroy(ahead);
    company_case_go(training, COMPANY_STEPS, has_diverged);
    cr_assert(!has_diverged[0] && has_diverged[1] && !has_diverged[2]);
    cr_assert_eq(nas_training_state(training[1])->step, 0);
    assert_same_as_alone(&all, 0, COMPANY_STEPS, training[0]);
    assert_same_as_alone(&all, 2, COMPANY_STEPS, training[2]);
    nas_training_destroy(training[1]);
    nas_training_destroy(training[0]);
    nas_training_destroy(training[2]);
    company_case_drop(&all);
}
ON_LAYER(members_come_and_go, threads)

/* Launches of a step after the first one. */
static int64_t launches_of_a_step(nas_gpu_t *gpu, nas_training_t *const *training, int n)
{
    nas_training_verdict_t verdict[COMPANY];
    const int64_t before = gpu->counts.n_launches;
    nas_trainings_step(training, n, verdict);
    for (int i = 0; i < n; i++) cr_assert_eq(verdict[i], NAS_TRAINING_ON);
    return gpu->counts.n_launches - before;
}

Test(gpu_trainings, a_step_of_several_is_fewer_launches)
{
    company_case_t all;
    nas_gpu_null_t device;
    nas_training_t *training[COMPANY];
    int64_t alone = 0, most = 0;
    nas_gpu_null_init(&device, (size_t)1 << 30);
    company_case_make(&all, &device.gpu, 0, 2);
    for (int i = 0; i < COMPANY; i++) {
        nas_training_t *one = company_case_alone(&all, i);
        const int64_t n = launches_of_a_step(&device.gpu, &one, 1);
        alone += n;
        if (n > most) most = n;
        nas_training_destroy(one);
    }
    company_case_begin(&all, training);
    const int64_t together = launches_of_a_step(&device.gpu, training, COMPANY);
    cr_assert(together >= most && 4 * together < 3 * alone, "%lld launches together, %lld alone",
              (long long)together, (long long)alone);
    for (int i = 0; i < COMPANY; i++) nas_training_destroy(training[i]);
    company_case_drop(&all);
    cr_assert_eq(device.taken, 0);
}

/* So that an interrupt between steps is heard within four of each. */
Test(gpu_trainings, four_steps_are_queued_at_most)
{
    company_case_t all;
    nas_gpu_null_t device;
    nas_training_t *training[COMPANY];
    nas_gpu_null_init(&device, (size_t)1 << 30);
    company_case_make(&all, &device.gpu, 0, 1);
    all.c[0].recipe.batch = 4;
    company_case_begin(&all, training);
    (void)launches_of_a_step(&device.gpu, training, COMPANY);
    for (int turn = 0; turn < 2; turn++) {
        const int64_t before = device.gpu.counts.n_waits;
        for (int i = 0; i < 3; i++) (void)launches_of_a_step(&device.gpu, training, COMPANY);
        cr_assert_eq(device.gpu.counts.n_waits, before);
        (void)launches_of_a_step(&device.gpu, training, COMPANY);
        cr_assert_eq(device.gpu.counts.n_waits, before + 1);
    }
    for (int i = 0; i < COMPANY; i++) nas_training_destroy(training[i]);
    company_case_drop(&all);
}

/* Nothing is known of any of them then. */
Test(gpu_trainings, a_lost_device_fails_all)
{
    company_case_t all;
    nas_gpu_null_t device;
    nas_training_t *training[COMPANY];
    nas_training_verdict_t verdict[COMPANY];
    nas_gpu_null_init(&device, (size_t)1 << 30);
    company_case_make(&all, &device.gpu, 0, 1);
    company_case_begin(&all, training);
    (void)launches_of_a_step(&device.gpu, training, COMPANY);
    device.is_lost = true;
    nas_trainings_step(training, 2, verdict); /* of others than before: waits */
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(verdict[i], NAS_TRAINING_FAILED);
        cr_assert_str_eq(nas_training_failure(training[i])->text, "the null device is lost");
    }
    for (int i = 0; i < COMPANY; i++) nas_training_destroy(training[i]);
    company_case_drop(&all);
}

/* In the least memory that has room for one. */
static void too_many_are_refused_and_leave_nothing(nas_gpu_t *gpu)
{
    bool fits = false;
    for (size_t bytes = 1 << 20; !fits; bytes += bytes / 50) {
        company_case_t all;
        nas_training_t *training[COMPANY] = {NULL};
        nas_error_t err = {0};
        company_case_make(&all, gpu, bytes, 2);
        fits = nas_training_create(&all.options[0], &training[0], &err) == NAS_OK;
        nas_training_destroy(training[0]);
        if (fits) {
            cr_assert_eq(nas_trainings_create(all.options, COMPANY, training, &err), NAS_ENOMEM);
            for (int i = 0; i < COMPANY; i++) cr_assert_null(training[i]);
            cr_assert_eq(nas_training_create(&all.options[0], &training[0], &err), NAS_OK);
            nas_training_destroy(training[0]);
        }
        company_case_drop(&all);
    }
}
ON_LAYER(too_many_are_refused_and_leave_nothing, threads)
