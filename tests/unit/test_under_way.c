#include "common/io/file.h"
#include "coordinator/report/under_way.h"
#include "report_state.h"
#include "temp_folder.h"
#include "worker/candidates/candidate_file.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { N_EPOCHS = 4 };

/* A run with files of candidates beside it. */
typedef struct fixture {
    temp_path_t folder;
    temp_path_t output;
    nas_state_t state;
    nas_digest_t run;
} fixture_t;

static fixture_t fixture_make(void)
{
    fixture_t f = {.folder = temp_folder_make(), .state = report_state_make()};
    f.output = temp_file(&f.folder, "run.h5");
    f.state.n_epochs = N_EPOCHS;
    f.state.created_s = 1e9;
    cr_assert_eq(nas_state_identity(&f.state, &f.run, NULL), NAS_OK);
    return f;
}

static void fixture_drop(fixture_t *f)
{
    nas_state_fini(&f->state);
    temp_folder_remove(&f->folder);
}

/* A candidate's file, of a training after n_epochs and 10 steps each. */
static void put_candidate(const fixture_t *f, int64_t arch, uint64_t seed, bool done,
                          int64_t n_epochs)
{
    double curve[N_EPOCHS * NAS_CURVE_COLUMNS], column = 1;
    nas_error_t err = {0};
    for (int i = 0; i < N_EPOCHS * NAS_CURVE_COLUMNS; i++)
        curve[i] = i < n_epochs * NAS_CURVE_COLUMNS ? 0.5 : (double)NAN;
    nas_candidate_record_t record = {
        .candidate = {.arch = arch, .seed = seed, .name = "a, b"},
        .run = f->run,
        .done = done,
        .n_goals = 1,
        .n_columns = 1,
        .n_epochs = N_EPOCHS,
        .step = 10 * n_epochs,
        .outcome = {.value = {done ? 71.5 : (double)NAN}, .columns = &column, .curve = curve}};
    char *stem = nas_candidate_stem(f->output.text, &record.candidate, &err);
    cr_assert_eq(nas_candidate_write(stem, &record, &err), NAS_OK, "%s", err.text);
    free(stem);
}

static void put_failure(const fixture_t *f, int64_t arch, uint64_t seed)
{
    double column = (double)NAN;
    nas_candidate_record_t record = {.candidate = {.arch = arch, .seed = seed, .name = "a, b"},
                                     .run = f->run,
                                     .done = true,
                                     .n_goals = 1,
                                     .n_columns = 1,
                                     .n_epochs = N_EPOCHS,
                                     .outcome = {.columns = &column}};
    nas_outcome_fail(&record.outcome, "exit code 3");
    char *stem = nas_candidate_stem(f->output.text, &record.candidate, NULL);
    cr_assert_eq(nas_candidate_write(stem, &record, NULL), NAS_OK);
    free(stem);
}

static void put(const fixture_t *f, const char *name, const char *text)
{
    FILE *file = fopen(temp_file(&f->folder, name).text, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static nas_under_way_t read_list(const fixture_t *f, const char *path)
{
    nas_under_way_t list = {0};
    nas_error_t err = {0};
    cr_assert_eq(nas_under_way_read(path, &f->state, &list, &err), NAS_OK, "%s", err.text);
    return list;
}

/* A file changes after all others. */
static void make_younger(const fixture_t *f, const char *name)
{
    const struct timespec later[2] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
    cr_assert_eq(utimensat(AT_FDCWD, temp_file(&f->folder, name).text, later, 0), 0);
}

Test(under_way, a_run_without_candidates_has_none)
{
    fixture_t f = fixture_make();
    nas_under_way_t list = read_list(&f, f.output.text);
    cr_assert_eq(list.n, 0);
    nas_under_way_fini(&list);
    fixture_drop(&f);
}

Test(under_way, what_no_evaluation_speaks_of_is_found_in_order)
{
    fixture_t f = fixture_make();
    const temp_path_t link = temp_file(&f.folder, "link.h5");
    put_candidate(&f, 40, 6, true, N_EPOCHS);
    put_candidate(&f, 40, 5, false, 2);
    put_candidate(&f, 12, 5, true, N_EPOCHS); /* recorded */
    put_candidate(&f, 12, 6, false, 0);       /* but not in the other repeat */
    put(&f, "run.h5.d/000050-s5.out", "");    /* a command that has begun */
    put(&f, "run.h5.d/000040-s6.out", "");    /* one that is done */
    put(&f, "run.h5.d/000040-s5.out", ""); /* one that is tried again, of which a file tells, too */
    make_younger(&f, "run.h5.d/000040-s5.out");
    put(&f, "run.h5.d/000060-s5.h5", "damaged");
    put(&f, "run.h5.d/000061-s5.h5.tmp", "");
    put(&f, "run.h5.d/notes.out", "");
    cr_assert_eq(symlink("run.h5", link.text), 0);
    const char *path[] = {f.output.text, link.text};
    for (int i = 0; i < 2; i++) {
        nas_under_way_t list = read_list(&f, path[i]);
        cr_assert_eq(list.n, 4);
        cr_assert(list.at[0].arch == 12 && list.at[0].seed == 6 && !list.at[0].done);
        cr_assert(list.at[1].arch == 40 && list.at[1].seed == 5 && !list.at[1].done);
        cr_assert(list.at[1].n_epochs == 2 && list.at[1].n_steps == 20 && list.at[1].begun);
        cr_assert_str_eq(list.at[1].name, "a, b");
        cr_assert(list.at[2].arch == 40 && list.at[2].seed == 6 && list.at[2].done);
        cr_assert_float_eq(list.at[2].outcome.value[0], 71.5, 0);
        cr_assert(list.at[3].arch == 50 && list.at[3].begun && !list.at[3].name);
        nas_under_way_fini(&list);
    }
    fixture_drop(&f);
}

Test(under_way, files_of_another_run_are_not_this_ones)
{
    fixture_t f = fixture_make();
    put_candidate(&f, 40, 5, false, 2);
    put(&f, "run.h5.d/000050-s5.out", "");
    f.state.created_s = 1e11; /* begun anew, later */
    cr_assert_eq(nas_state_identity(&f.state, &f.run, NULL), NAS_OK);
    nas_under_way_t list = read_list(&f, f.output.text);
    cr_assert_eq(list.n, 0);
    nas_under_way_fini(&list);
    fixture_drop(&f);
}

/* What is tried again is absent until its command begins, and what succeeded before is known. */
Test(under_way, failures_from_before_a_retry_are_absent)
{
    fixture_t f = fixture_make();
    double column = 1;
    const nas_evaluation_t known = {
        .arch = 41, .name = (char *)(uintptr_t) "k", .value = {1}, .columns = &column, .seed = 5};
    put(&f, "run.h5", "");
    put_candidate(&f, 40, 5, false, 0); /* makes the folder */
    put(&f, "run.h5.d/000040-s5.out", "");
    put_candidate(&f, 41, 5, true, N_EPOCHS);
    put_failure(&f, 40, 5);
    f.state.generation = 1;
    cr_assert_eq(nas_state_add_known(&f.state, 0, &known, NULL), NAS_OK);
    nas_under_way_t list = read_list(&f, f.output.text);
    cr_assert_eq(list.n, 0, "%lld", (long long)list.n);
    nas_under_way_fini(&list);
    make_younger(&f, "run.h5.d/000040-s5.out");
    list = read_list(&f, f.output.text);
    cr_assert(list.n == 1 && list.at[0].begun && !list.at[0].done);
    nas_under_way_fini(&list);
    fixture_drop(&f);
}

Test(under_way, a_complete_run_has_none)
{
    fixture_t f = fixture_make();
    put_candidate(&f, 40, 5, true, N_EPOCHS);
    f.state.complete = true;
    nas_under_way_t list = read_list(&f, f.output.text);
    cr_assert_eq(list.n, 0);
    nas_under_way_fini(&list);
    fixture_drop(&f);
}
