/* Paths and variables in job files, and signs that are no part of a text. */
#include "job_sandbox.h"
#include "worker/objectives/command/objective_command.h"
#include "worker/objectives/table/objective_table.h"

Test(job, input_paths_are_relative_to_where_they_were_written)
{
    sandbox_t box = sandbox_of(LEAST SEARCH, strlen(LEAST SEARCH));
    char table[128];
    nas_job_t *job = NULL, *overridden = NULL;
    cr_assert_eq(read_box(&box, NAS_JOB_SEARCH, NULL, &job), NAS_OK, "%s", box.err.text);
    cr_assert_eq(read_box(&box, NAS_JOB_SEARCH, "pool.table=d/t.csv", &overridden), NAS_OK, "%s",
                 box.err.text);
    (void)snprintf(table, sizeof table, "%s/t.csv", box.folder);
    cr_assert_str_eq(job->pool.table, table);
    cr_assert_str_eq(job->output, "study.h5");
    cr_assert_str_eq(overridden->pool.table, "d/t.csv");
    nas_job_destroy(job);
    nas_job_destroy(overridden);
    sandbox_clear(&box);
}

Test(job, every_input_path_is_resolved)
{
    static const char text[] =
        "name: a\n"
        "pool: {space: nas-bench-201, subset: {file: c.txt}}\n"
        "metrics: {source: compute, names: [snip]}\n"
        "data: {format: idx, train: [\"${NAS_TEST_FOLDER}/i\", l], test: [t]}\n"
        "objective: {kind: table, table: o.csv, column: acc}\n" SEARCH;
    cr_assert_eq(setenv("NAS_TEST_FOLDER", "/data", 1), 0);
    sandbox_t box = sandbox_of(text, strlen(text));
    nas_job_t *job = NULL;
    cr_assert_eq(read_box(&box, NAS_JOB_SEARCH, NULL, &job), NAS_OK, "%s", box.err.text);
    const struct {
        const char *path, *name;
    } relative[] = {{job->pool.subset.file, "/c.txt"},
                    {job->data.train.at[1], "/l"},
                    {job->data.test.at[0], "/t"},
                    {nas_job_table(job)->table, "/o.csv"}};
    for (size_t i = 0; i < sizeof relative / sizeof *relative; i++) {
        cr_assert_eq(strncmp(relative[i].path, box.folder, strlen(box.folder)), 0);
        cr_assert_str_eq(relative[i].path + strlen(box.folder), relative[i].name);
    }
    cr_assert_str_eq(job->data.train.at[0], "/data/i");
    nas_job_destroy(job);
    sandbox_clear(&box);
}

Test(job, variables_in_paths)
{
    static const struct {
        const char *set, *path;
    } cases[] = {
        {"output=${NAS_TEST_FOLDER}/a$$b/${NAS_TEST_FOLDER}.h5", "/data/a$b//data.h5"},
        {"output=$${NAS_TEST_FOLDER}$$", "${NAS_TEST_FOLDER}$"},
        {"output=~/a~/~b.h5", "/home/me/a~/~b.h5"},
        {"output='~'", "/home/me"},
        {"output=./~b.h5", "./~b.h5"},
        {"output=b~", "b~"},
    };
    cr_assert_eq(setenv("NAS_TEST_FOLDER", "/data", 1), 0);
    cr_assert_eq(setenv("HOME", "/home/me", 1), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nas_job_t *job = read_job(LEAST SEARCH, cases[i].set);
        cr_assert_str_eq(job->output, cases[i].path, "%s: %s", cases[i].set, job->output);
        nas_job_destroy(job);
    }
    nas_job_t *job = read_job(LEAST SEARCH, "pool.table=~/${NAS_TEST_FOLDER}.csv");
    cr_assert_str_eq(job->pool.table, "/home/me//data.csv");
    nas_job_destroy(job);
}

Test(job, an_output_in_the_file_knows_variables_and_the_working_directory)
{
    static const char text[] = "output: ${NAS_TEST_FOLDER}/a.h5\n" LEAST SEARCH;
    cr_assert_eq(setenv("NAS_TEST_FOLDER", "runs", 1), 0);
    nas_job_t *job = read_job(text, NULL);
    cr_assert_str_eq(job->output, "runs/a.h5");
    nas_job_destroy(job);
}

/* Its arguments may mean anything by `$` and `~`. */
Test(job, variables_in_the_program_of_a_command)
{
    cr_assert_eq(setenv("NAS_TEST_FOLDER", "/data", 1), 0);
    nas_job_t *job = read_job("name: study\npool: {space: table, table: t.csv}\n"
                              "objective: {kind: command, command: [x]}\n" SEARCH,
                              "objective.command=['${NAS_TEST_FOLDER}/{job}/a', '$HOME', '~/b']");
    cr_assert_str_eq(nas_job_command(job)->command.at[0], "/data/{job}/a");
    cr_assert_str_eq(nas_job_command(job)->command.at[1], "$HOME");
    cr_assert_str_eq(nas_job_command(job)->command.at[2], "~/b");
    nas_job_destroy(job);
}

Test(job, a_printed_path_with_dollars_is_read_back)
{
    cr_assert_eq(setenv("NAS_TEST_FOLDER", "data", 1), 0);
    static const char dollars[] = "[\"/p$$\", /a]";
    nas_error_t err = {0};
    char *text = NULL;
    nas_job_t *job =
        read_job("name: study\npool: {space: table, table: '/t$$${NAS_TEST_FOLDER}.csv'}\n"
                 "objective: {kind: command, command: ['/p$$', /a]}\n" SEARCH,
                 "output=/o$$$$");
    cr_assert_eq(nas_job_print(job, false, &text, &err), NAS_OK);
    cr_assert_not_null(strstr(text, "output: \"/o$$$$\"\n"), "%s", text);
    cr_assert_not_null(strstr(text, "table: \"/t$$data.csv\"\n"), "%s", text);
    cr_assert_not_null(strstr(text, dollars), "%s", text);
    nas_job_t *again = read_job(text, NULL);
    cr_assert_str_eq(again->output, "/o$$");
    cr_assert_str_eq(again->pool.table, "/t$data.csv");
    cr_assert_str_eq(nas_job_command(again)->command.at[0], "/p$");
    free(text);
    nas_job_destroy(job);
    nas_job_destroy(again);
}

Test(job, signs_of_word_processors_may_stand_in_quotes)
{
    nas_job_t *job = read_job(LEAST SEARCH, "pool.arch=\"\xe2\x80\x9c\xc2\xa0\"");
    cr_assert_str_eq(job->pool.arch, "\xe2\x80\x9c\xc2\xa0");
    nas_job_destroy(job);
    job = read_job(LEAST SEARCH, "pool.arch=l\xe2\x80\x99"
                                 "arch");
    cr_assert_str_eq(job->pool.arch, "l\xe2\x80\x99"
                                     "arch");
    nas_job_destroy(job);
}

Test(job, a_byte_order_mark_is_no_part_of_the_text)
{
    nas_job_t *job = read_job("\xef\xbb\xbf" LEAST SEARCH, NULL);
    cr_assert_str_eq(job->name, "study");
    nas_job_destroy(job);
}

Test(job, an_overridden_path_is_never_expanded)
{
    cr_assert_eq(unsetenv("NAS_TEST_UNSET"), 0);
    nas_job_t *job = read_job("name: a\npool: {space: table, table: \"${NAS_TEST_UNSET}/t.csv\"}\n"
                              "objective: {kind: table, column: acc}\n" SEARCH,
                              "pool.table=/t.csv");
    cr_assert_str_eq(job->pool.table, "/t.csv");
    nas_job_destroy(job);
}
