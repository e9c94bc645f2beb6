#include "coordinator/session/resume.h"

#include <criterion/criterion.h>
#include <string.h>

static bool moved(const char *isa_before, const char *blas_before, nas_error_t *line)
{
    const nas_state_t saved = {.isa = (char *)(uintptr_t)isa_before,
                               .blas = (char *)(uintptr_t)blas_before};
    return nas_state_has_moved(&saved, "avx2", "Haswell", line);
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
