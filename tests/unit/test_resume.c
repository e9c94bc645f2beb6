#include "coordinator/session/resume.h"

#include <criterion/criterion.h>
#include <string.h>

static bool moved(const char *isa_before, const char *blas_before, nas_error_t *line)
{
    const nas_state_t saved = {.isa = (char *)(uintptr_t)isa_before,
                               .blas = (char *)(uintptr_t)blas_before};
    return nas_state_has_moved(&saved, "avx2", "Haswell", line);
}

/* The job's digest is right in all of them, as in a file that somebody has made. */
Test(resume, a_state_of_other_sizes_is_not_taken_up)
{
    char text[] = "a", *name = text;
    nas_repeat_t repeat = {.seed = 7}, other = {.seed = 8}, many = {.seed = 7, .n_evaluation = 6};
    const nas_state_t fresh = {
        .n_arch = 9, .n_goals = 1, .budget = 5, .n_repeat = 1, .repeat = &repeat};
    nas_state_t weighing = fresh; /* by a method that weighs metrics, of lower targets */
    weighing.has_weights = weighing.minimise = true;
    nas_state_t changed[13];
    const size_t n = sizeof changed / sizeof *changed;
    for (size_t i = 0; i < n; i++) changed[i] = fresh;
    changed[1].n_arch = 10;
    changed[2].n_goals = 2;
    changed[3].n_epochs = 3;
    changed[4].budget = 4;
    changed[5].scores.n = 9;
    changed[6].metrics = (nas_strings_t){.at = &name, .n = 1};
    changed[7].repeat = &other;
    changed[8].repeat = &many;
    changed[9].has_weights = true;
    changed[10].minimise = true;
    changed[11] = changed[12] = weighing;
    changed[11].has_weights = false;
    changed[12].minimise = false;
    for (size_t i = 0; i < n; i++) {
        nas_error_t err = {0};
        const nas_status_t status =
            nas_state_check_saved(NULL, &changed[i], i < 11 ? &fresh : &weighing, "run.h5", &err);
        cr_assert_eq(status, i == 0 ? NAS_OK : NAS_EINPUT, "%zu: %s", i, err.text);
        if (i > 0) cr_assert_not_null(strstr(err.text, "run.h5: its sizes are not those"));
    }
    changed[0].report_columns = (nas_strings_t){.at = &name, .n = 1};
    cr_assert_not(nas_state_has_shape(&changed[0], &fresh));
}

/* Architecture 4 is evaluated before 5; n observations are of `arch`. */
static nas_status_t take_up(const int64_t *arch, int64_t n, nas_error_t *err)
{
    nas_state_t fresh = {.n_arch = 9, .n_goals = 1, .budget = 3}, saved = fresh;
    nas_evaluation_t evaluation = {.arch = 4, .name = (char[]){"a"}};
    cr_assert_eq(nas_state_make_repeats(&fresh, 1, 7, NULL), NAS_OK);
    cr_assert_eq(nas_state_make_repeats(&saved, 1, 7, NULL), NAS_OK);
    cr_assert_eq(nas_state_add_evaluation(&saved, 0, &evaluation, NULL), NAS_OK);
    evaluation.arch = 5;
    cr_assert_eq(nas_state_add_evaluation(&saved, 0, &evaluation, NULL), NAS_OK);
    for (int64_t i = 0; i < n; i++)
        cr_assert_eq(
            nas_state_add_observation(&saved, 0, (nas_observation_t){.arch = arch[i]}, NULL, NULL),
            NAS_OK);
    const nas_status_t status = nas_state_check_saved(NULL, &saved, &fresh, "run.h5", err);
    nas_state_fini(&saved);
    nas_state_fini(&fresh);
    return status;
}

Test(resume, a_state_is_taken_up_whose_observations_are_its_evaluations)
{
    static const struct {
        int64_t arch[4], n;
        nas_status_t status;
    } cases[] = {
        {{4, 5}, 2, NAS_OK},        {{4, 4, 5, 4}, 4, NAS_OK}, {{4, 6, 5}, 3, NAS_EINPUT},
        {{4, 5, 6}, 3, NAS_EINPUT}, {{5, 4}, 2, NAS_EINPUT},   {{4, 4}, 2, NAS_EINPUT},
        {{0}, 0, NAS_EINPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nas_error_t err = {0};
        cr_assert_eq(take_up(cases[i].arch, cases[i].n, &err), cases[i].status, "%zu", i);
        if (cases[i].status)
            cr_assert_not_null(strstr(err.text, "in repeat 0 observations are not those"));
    }
}

Test(resume, on_the_same_kind_of_processor_nothing_is_said)
{
    nas_error_t line = {0};
    cr_assert_not(moved("avx2", "Haswell", &line));
    cr_assert_not(moved("avx2", NULL, &line), "an older file does not know its kernels");
    cr_assert_not(moved("", "", &line));
    cr_assert_str_empty(line.text);
}

Test(resume, on_another_kind_says_what_may_change)
{
    nas_error_t line = {0};
    cr_assert(moved("avx2", "SkylakeX", &line));
    cr_assert_not_null(strstr(line.text, "OpenBLAS kernels Haswell, before SkylakeX"));
    cr_assert_not_null(strstr(line.text, "Last bits of weight vectors may differ"));
    cr_assert_not_null(strstr(line.text, "OPENBLAS_CORETYPE=SkylakeX"));
    cr_assert(moved("avx512", "Haswell", &line));
    cr_assert_not_null(strstr(line.text, "instruction set avx2, before avx512"));
    cr_assert_not_null(strstr(line.text, "Last bits of scores and trainings may differ"));
    cr_assert_null(strstr(line.text, "CORETYPE"));
    cr_assert(moved("avx512", "SkylakeX", &line));
    cr_assert_not_null(strstr(line.text, "scores, trainings and weight vectors"));
}
