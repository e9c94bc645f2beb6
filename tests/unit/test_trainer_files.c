/* What a trainer makes of its candidate's file: done, damaged, of another run, not to
 * be written. */
#include "common/state/h5.h"
#include "trained_case.h"

#include <criterion/redirect.h>

Test(trainer_files, one_that_is_done_is_not_trained_again)
{
    fixture_t f;
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    nas_outcome_t outcome = outcome_of(&f), again = outcome_of(&f);
    cr_assert_eq(f.asking.n, 0);
    assert_same_outcome(&again, &outcome, 3);
    nas_outcome_fini(&again);
    nas_outcome_fini(&outcome);
    drop(&f);
}

static void flip_byte(const temp_path_t *path, long at)
{
    FILE *file = fopen(path->text, "r+b");
    cr_assert(file && fseek(file, at, SEEK_SET) == 0);
    const int byte = fgetc(file);
    cr_assert(fseek(file, at, SEEK_SET) == 0 && fputc(byte ^ 1, file) != EOF);
    cr_assert_eq(fclose(file), 0);
}

/* So many lines of stderr end like this. */
static void expect_lines(const char *end, int n)
{
    char line[2 * TEMP_PATH_SIZE];
    FILE *err = cr_get_redirected_stderr();
    int found = 0;
    (void)fflush(stderr);
    while (found < n && fgets(line, sizeof line, err)) {
        const size_t length = strlen(line);
        found += length >= strlen(end) && strcmp(line + length - strlen(end), end) == 0;
    }
    cr_assert_eq(found, n);
}

/* With a line in the log, whichever rank it is. */
Test(trainer_files, one_whose_file_is_damaged_is_trained_anew)
{
    fixture_t f;
    cr_redirect_stderr();
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    nas_outcome_t outcome = outcome_of(&f);
    const int64_t n_asked = f.asking.n;
    flip_byte(&f.file, 5000);
    nas_outcome_t again = outcome_of(&f);
    cr_assert_eq(f.asking.n, n_asked);
    assert_same_outcome(&again, &outcome, 3);
    nas_outcome_fini(&again);

    cr_assert_eq(unlink(f.file.text), 0);
    interrupt_at(&f, 4);
    flip_byte(&f.file, 100);
    again = outcome_of(&f);
    cr_assert_eq(f.asking.n, n_asked);
    assert_same_outcome(&again, &outcome, 3);
    expect_lines("is trained anew\n", 2);
    nas_outcome_fini(&again);
    nas_outcome_fini(&outcome);
    drop(&f);
}

Test(trainer_files, a_file_of_another_run_or_seed_does_not_count)
{
    fixture_t f;
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    nas_outcome_t outcome = outcome_of(&f);
    const int64_t n_asked = f.asking.n;
    f.options.run.byte[0]++;
    nas_outcome_t again = outcome_of(&f);
    cr_assert_eq(f.asking.n, n_asked);
    assert_same_outcome(&again, &outcome, 3);
    nas_outcome_fini(&again);
    f.candidate.seed++;
    again = outcome_of(&f);
    cr_assert_eq(f.asking.n, n_asked);
    cr_assert_neq(again.columns[0], outcome.columns[0]);
    nas_outcome_fini(&again);
    nas_outcome_fini(&outcome);
    drop(&f);
}

/* As where the program that wrote it was another: then it does not fit. */
Test(trainer_files, a_file_whose_arrays_do_not_fit_does_not_count)
{
    fixture_t f;
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    nas_outcome_t outcome = outcome_of(&f);
    const int64_t n_asked = f.asking.n;
    cr_assert_eq(unlink(f.file.text), 0);
    interrupt_at(&f, 4);
    nas_candidate_record_t record = record_of(&f);
    record.parameters.n--;
    record.velocity.n--;
    cr_assert_eq(nas_candidate_write(f.stem.text, &record, &f.err), NAS_OK);
    nas_candidate_record_fini(&record);
    nas_outcome_t again = outcome_of(&f);
    cr_assert_eq(f.asking.n, n_asked);
    assert_same_outcome(&again, &outcome, 3);
    nas_outcome_fini(&again);
    nas_outcome_fini(&outcome);
    drop(&f);
}

Test(trainer_files, what_cannot_be_saved_is_an_error)
{
    fixture_t f;
    nas_outcome_t outcome = {0};
    make(&f, nas_backend_ref(), train_case_recipe(BATCH, 1));
    const temp_path_t in_the_way = temp_file(&f.folder, "run.h5.d");
    FILE *file = fopen(in_the_way.text, "w");
    cr_assert(file && fclose(file) == 0);
    cr_assert_eq(evaluate(&f, 3, &outcome), NAS_EIO);
    cr_assert_not_null(strstr(f.err.text, in_the_way.text), "%s", f.err.text);
    cr_assert_eq(evaluate(&f, 0, &outcome), NAS_EIO);
    cr_assert(!outcome.columns && !outcome.curve);
    drop(&f);
}
