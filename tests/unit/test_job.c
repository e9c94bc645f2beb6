/* Job files: every field's round trip, overrides, paths. What is refused is in
 * test_job_refused.c. */
#include "common/space/encoding.h"
#include "common/space/network.h"
#include "common/space/subset.h"
#include "coordinator/search/methods/method.h"
#include "job_sandbox.h"
#include "worker/data/batch.h"
#include "worker/data/dataset.h"
#include "worker/engine/host/backends.h"
#include "worker/objectives/command/objective_command.h"
#include "worker/objectives/objectives.h"
#include "worker/objectives/table/objective_table.h"
#include "worker/objectives/train/objective_train.h"

/* The caller frees it. */
static char *print_job(const nas_job_t *job)
{
    nas_error_t err = {0};
    char *text = NULL;
    cr_assert_eq(nas_job_print(job, false, &text, &err), NAS_OK, "%s", err.text);
    return text;
}

Test(job, defaults)
{
    nas_job_t *job = read_job(LEAST SEARCH, NULL);
    cr_assert_str_eq(job->name, "study");
    cr_assert_eq(job->seed, 0);
    cr_assert_str_eq(job->output, "study.h5");
    cr_assert_null(nas_job_space(job));
    cr_assert_str_eq(job->pool.arch, "arch");
    cr_assert_str_eq(nas_encoding_name((size_t)job->pool.encoding), "none");
    cr_assert_eq(job->pool.missing.n, 0);
    cr_assert_eq(job->metrics.source, NAS_SOURCE_TABLE);
    cr_assert_eq(job->metrics.names.n, 0);
    cr_assert_eq(job->metrics.transform_of.n, 0);
    cr_assert_str_eq(nas_objective_kind_at((size_t)job->objective.kind)->name, "table");
    cr_assert_str_eq(nas_job_table(job)->column, "acc");
    cr_assert_not(job->objective.minimise);
    cr_assert_null(nas_job_table(job)->cost);
    cr_assert_eq(job->objective.report.n, 0);
    cr_assert_str_eq(nas_method_of(job)->name, "pool-gp");
    cr_assert_eq(job->search.budget, 20);
    cr_assert_eq(job->search.repeats, 1);
    cr_assert_eq(job->search.parallel, 1);
    cr_assert_eq(job->search.groups, 0);
    cr_assert_null(job->search.metric);
    cr_assert_eq(job->search.hidden, 0.1);
    cr_assert_eq(job->checkpoint.interval_s, 60.0);
    nas_job_destroy(job);
}

Test(job, defaults_of_a_space)
{
    nas_job_t *job = read_job(SPACE SPACE_OBJECTIVE SEARCH, NULL);
    cr_assert_eq(job->purpose, NAS_JOB_SEARCH);
    cr_assert_str_eq(nas_backend_at((size_t)job->backend)->name, "cpu");
    cr_assert_str_eq(job->device, "auto");
    cr_assert_eq(job->coordinator, NAS_COORDINATOR_SHARED);
    cr_assert_str_eq(nas_job_space(job)->name, "nas-bench-201");
    cr_assert_null(job->pool.table);
    cr_assert_eq(job->pool.subset.kind, NAS_SUBSET_ALL);
    cr_assert_eq(job->metrics.batch, 64);
    cr_assert_eq(job->metrics.choice, NAS_BATCH_RANDOM);
    cr_assert_null(job->metrics.file);
    cr_assert_eq(job->network.channels, 16);
    cr_assert_eq(job->network.cells, 5);
    cr_assert_eq(job->network.convention, NAS_CONVENTION_SCORE);
    cr_assert_str_eq(nas_format_at((size_t)job->data.format)->name, "idx");
    cr_assert_eq(job->data.train.n, 2);
    cr_assert_eq(job->data.test.n, 0);
    cr_assert_eq(job->data.classes, 0);
    cr_assert_eq(job->data.mean.n, 0);
    cr_assert_eq(job->data.std.n, 0);
    cr_assert_eq(job->data.limit, 0);
    cr_assert_str_eq(nas_job_table(job)->arch, "arch");
    cr_assert_eq(nas_job_table(job)->missing.n, 0);
    nas_job_destroy(job);
}

Test(job, every_field_of_a_space_is_read)
{
    nas_job_t *job = read_job(SPACE_FULL, NULL);
    cr_assert_str_eq(nas_backend_at((size_t)job->backend)->name, "ref");
    cr_assert_eq(job->coordinator, NAS_COORDINATOR_DEDICATED);
    cr_assert_eq(job->pool.subset.kind, NAS_SUBSET_FILE);
    cr_assert_str_eq(job->pool.subset.file, "/cells.txt");
    cr_assert_eq(job->metrics.source, NAS_SOURCE_COMPUTE);
    cr_assert_eq(job->metrics.batch, 65536);
    cr_assert_eq(job->metrics.choice, NAS_BATCH_PER_CLASS);
    cr_assert_eq(job->network.channels, 1024);
    cr_assert_eq(job->network.cells, 64);
    cr_assert_eq(job->network.convention, NAS_CONVENTION_TRAIN);
    cr_assert_str_eq(nas_format_at((size_t)job->data.format)->name, "hdf5");
    cr_assert_str_eq(job->data.train.at[1], "/b c.h5");
    cr_assert_str_eq(job->data.test.at[0], "/t.h5");
    cr_assert_eq(job->data.classes, 65536);
    cr_assert_eq(job->data.mean.n, 3);
    cr_assert_eq(job->data.mean.at[0], -0.5);
    cr_assert_eq(job->data.std.n, 3);
    cr_assert_eq(job->data.std.at[0], 1e-6);
    cr_assert_eq(job->data.limit, 1000000000);
    cr_assert_str_eq(nas_job_table(job)->table, "/t.csv");
    cr_assert_str_eq(nas_job_table(job)->arch, "cell");
    cr_assert_str_eq(nas_job_table(job)->missing.at[0], "n/a");
    nas_job_destroy(job);
}

Test(job, training_and_commands)
{
    nas_job_t *job = read_job(SPACE SEARCH "objective: {kind: train}\n", NULL);
    cr_assert_str_eq(nas_objective_kind_at((size_t)job->objective.kind)->name, "train");
    const nas_recipe_t recipe = nas_job_recipe(job);
    cr_assert(recipe.epochs == 12 && recipe.batch == 256);
    cr_assert(recipe.shards == 1 && recipe.cosine);
    cr_assert(recipe.nesterov && !recipe.flip && recipe.crop == 0);
    cr_assert_float_eq(recipe.validation, 0.2, 0);
    cr_assert_float_eq(recipe.weight_decay, 5e-4, 0);
    cr_assert_eq(job->objective.patience, 3);
    nas_job_destroy(job);

    job = read_job(
        "name: study\npool: {space: table, table: t.csv}\n" SEARCH
        "objective: {kind: command, command: [a b, '', \"{arch}\", \"{arch}\"],\n"
        "            timeout: 2.5, retries: 3, patience: 0, report: [x], minimise: true}\n",
        NULL);
    cr_assert_str_eq(nas_objective_kind_at((size_t)job->objective.kind)->name, "command");
    cr_assert_eq(nas_job_command(job)->command.n, 4);
    cr_assert_str_eq(nas_job_command(job)->command.at[0], "a b");
    cr_assert_str_eq(nas_job_command(job)->command.at[1], "");
    cr_assert_str_eq(nas_job_command(job)->command.at[3], "{arch}");
    cr_assert(nas_job_command(job)->timeout_s == 2.5 && nas_job_command(job)->retries == 3);
    cr_assert_eq(job->objective.patience, 0);
    cr_assert(job->objective.minimise && job->objective.report.n == 1);
    nas_job_destroy(job);
}

Test(job, pools_and_subsets)
{
    static const struct {
        const char *set, *space;
        int kind;
        int64_t n;
    } cases[] = {
        {"pool={space: nas-bench-201, subset: unique}", "nas-bench-201", NAS_SUBSET_UNIQUE, 0},
        {"pool.subset=equivalent", "nas-bench-201", NAS_SUBSET_EQUIVALENT, 0},
        {"pool.subset={sample: 300}", "nas-bench-201", NAS_SUBSET_SAMPLE, 300},
        {"pool={space: transnas-micro, subset: {sample: 1}}", "transnas-micro", NAS_SUBSET_SAMPLE,
         1},
        {"pool={space: transnas-macro, subset: all}", "transnas-macro", NAS_SUBSET_ALL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nas_job_t *job = read_job("name: a\npool: {space: nas-bench-201}\n" SPACE_OBJECTIVE SEARCH,
                                  cases[i].set);
        cr_assert_str_eq(nas_job_space(job)->name, cases[i].space, "%s", cases[i].set);
        cr_assert_eq(job->pool.subset.kind, cases[i].kind, "%s", cases[i].set);
        cr_assert_eq(job->pool.subset.n, cases[i].n, "%s", cases[i].set);
        nas_job_destroy(job);
    }
}

Test(job, a_score_file_gives_the_metrics)
{
    nas_job_t *job = read_job(SPACE SPACE_OBJECTIVE SEARCH,
                              "metrics={source: scores, file: /s.h5, transform: {snip: log}}");
    cr_assert_eq(job->metrics.source, NAS_SOURCE_SCORES);
    cr_assert_str_eq(job->metrics.file, "/s.h5");
    nas_job_destroy(job);
}

/* Neither an objective nor a search is needed, and variables in their paths need not be set. */
Test(job, scoring_takes_no_notice_of_the_search)
{
    cr_assert_eq(unsetenv("NAS_TEST_UNSET"), 0);
    nas_job_t *job = read_job_for(NAS_JOB_SCORE, SPACE, NULL);
    nas_job_t *other =
        read_job_for(NAS_JOB_SCORE, SPACE SEARCH, "objective.table=${NAS_TEST_UNSET}/t.csv");
    char *text = print_job(job), *other_text = print_job(other);
    cr_assert_eq(job->purpose, NAS_JOB_SCORE);
    cr_assert_str_eq(text, other_text);
    cr_assert_null(strstr(text, "objective"));
    cr_assert_null(strstr(text, "search"));
    free(text);
    free(other_text);
    nas_job_destroy(job);
    nas_job_destroy(other);
}

Test(job, every_field_is_read)
{
    nas_job_t *job = read_job(FULL, NULL);
    cr_assert_str_eq(job->name, "full-1.0");
    cr_assert_eq(job->seed, INT64_C(9007199254740992));
    cr_assert_str_eq(job->output, "/out put/full.h5");
    cr_assert_str_eq(job->pool.table, "/data/a#b.csv");
    cr_assert_str_eq(job->pool.arch, "cell: name");
    cr_assert_str_eq(nas_encoding_name((size_t)job->pool.encoding), "digits");
    cr_assert_eq(job->pool.missing.n, 5);
    cr_assert_str_eq(job->pool.missing.at[0], "-1e8");
    cr_assert_str_eq(job->pool.missing.at[2], "say \"none\" \\");
    cr_assert_eq(job->metrics.names.n, 5);
    cr_assert_str_eq(job->metrics.names.at[3], "~");
    cr_assert_eq(nas_job_transform(job, "snip"), NAS_TRANSFORM_LOG);
    cr_assert_eq(nas_job_transform(job, "10"), NAS_TRANSFORM_EXP);
    cr_assert_eq(nas_job_transform(job, "no"), NAS_TRANSFORM_NONE);
    cr_assert_eq(nas_job_transform(job, "~"), NAS_TRANSFORM_NONE);
    cr_assert_eq(nas_job_transform(job, "|x"), NAS_TRANSFORM_RANK);
    cr_assert_str_eq(nas_job_table(job)->column, "true");
    cr_assert(job->objective.minimise);
    cr_assert_str_eq(nas_job_table(job)->cost, "seconds");
    cr_assert_str_eq(job->objective.report.at[1], "b");
    cr_assert_str_eq(nas_method_of(job)->name, "single");
    cr_assert_eq(job->search.budget, 1000000);
    cr_assert_eq(job->search.repeats, 1000000);
    cr_assert_eq(job->search.parallel, 10000);
    cr_assert_eq(job->search.groups, 3);
    cr_assert_str_eq(job->search.metric, "snip");
    cr_assert_eq(job->checkpoint.interval_s, 0.1);
    nas_job_destroy(job);
}

Test(job, a_text_in_place_of_the_file)
{
    nas_job_t *job = NULL;
    nas_error_t err = {0};
    const nas_job_source_t source = {
        .sections = nas_registries_job(), .path = "/runs/a.yaml", .text = LEAST SEARCH};
    cr_assert_eq(nas_job_read(&source, &job, &err), NAS_OK, "%s", err.text);
    cr_assert_str_eq(job->pool.table, "/runs/t.csv");
    cr_assert_str_eq(job->folder, "/runs");
    nas_job_destroy(job);
}

Test(job, printing_is_a_fixed_point)
{
    static const struct {
        nas_job_purpose_t purpose;
        const char *text, *set;
    } cases[] = {
        {NAS_JOB_SEARCH, LEAST SEARCH, NULL},
        {NAS_JOB_SEARCH, FULL, NULL},
        {NAS_JOB_SEARCH, SPACE SPACE_OBJECTIVE SEARCH, NULL},
        {NAS_JOB_SEARCH, SPACE_FULL, NULL},
        {NAS_JOB_SEARCH, SPACE_FULL, "pool.subset=unique"},
        {NAS_JOB_SEARCH, SPACE_FULL, "pool.subset={sample: 3}"},
        {NAS_JOB_SEARCH, SPACE_FULL, "metrics={source: scores, file: /s.h5}"},
        {NAS_JOB_SCORE, SPACE, NULL},
        {NAS_JOB_SCORE, SPACE_FULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nas_job_t *job = read_job_for(cases[i].purpose, cases[i].text, cases[i].set);
        char *first = print_job(job);
        nas_job_t *again = read_job_for(cases[i].purpose, first, NULL);
        char *second = print_job(again);
        cr_assert_str_eq(second, first);
        free(first);
        free(second);
        nas_job_destroy(job);
        nas_job_destroy(again);
    }
}

Test(job, printing_shows_every_value)
{
    nas_job_t *job = read_job(FULL, NULL);
    char *text = print_job(job);
    cr_assert_str_eq(
        text, "name: full-1.0\n"
              "seed: 9007199254740992\n"
              "output: \"/out put/full.h5\"\n"
              "coordinator: shared\n"
              "silence: 300\n"
              "pool:\n"
              "  space: table\n"
              "  table: \"/data/a#b.csv\"\n"
              "  arch: \"cell: name\"\n"
              "  encoding: digits\n"
              "  missing: [\"-1e8\", n/a, \"say \\\"none\\\" \\\\\", \"ä\", \"# no comment\"]\n"
              "metrics:\n"
              "  source: table\n"
              "  names: [snip, \"10\", \"no\", \"~\", \"|x\"]\n"
              "  transform: {snip: log, \"10\": exp, \"|x\": rank}\n"
              "objective:\n"
              "  kind: table\n"
              "  column: \"true\"\n"
              "  minimise: true\n"
              "  cost: seconds\n"
              "  report: [a, b]\n"
              "search:\n"
              "  method: single\n"
              "  budget: 1000000\n"
              "  repeats: 1000000\n"
              "  parallel: 10000\n"
              "  groups: 3\n"
              "  metric: snip\n"
              "checkpoint:\n"
              "  interval: 0.1\n");
    free(text);
    nas_job_destroy(job);
}

Test(job, printing_shows_every_value_of_a_space)
{
    nas_job_t *job = read_job_for(NAS_JOB_SCORE, SPACE_FULL, NULL);
    char *text = print_job(job);
    cr_assert_str_eq(text, "name: full\n"
                           "seed: 7\n"
                           "output: /full.h5\n"
                           "backend: ref\n"
                           "device: auto\n"
                           "coordinator: dedicated\n"
                           "silence: 300\n"
                           "pool:\n"
                           "  space: nas-bench-201\n"
                           "  subset: {file: /cells.txt}\n"
                           "metrics:\n"
                           "  source: compute\n"
                           "  names: [snip, nwot]\n"
                           "  batch: 65536\n"
                           "  choice: per-class\n"
                           "network:\n"
                           "  channels: 1024\n"
                           "  cells: 64\n"
                           "  convention: train\n"
                           "  weights: usual\n"
                           "data:\n"
                           "  format: hdf5\n"
                           "  train: [/a.h5, \"/b c.h5\"]\n"
                           "  test: [/t.h5]\n"
                           "  classes: 65536\n"
                           "  mean: [-0.5, 0, 0.25]\n"
                           "  std: [1e-06, 1, 1000000]\n"
                           "  limit: 1000000000\n"
                           "checkpoint:\n"
                           "  interval: 60\n");
    free(text);
    nas_job_destroy(job);
}

Test(job, numbers_are_printed_short)
{
    static const char *const numbers[] = {"0", "60", "0.1", "1e-09", "33.333333333333336"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char set[64], line[64];
        (void)snprintf(set, sizeof set, "checkpoint.interval=%s", numbers[i]);
        (void)snprintf(line, sizeof line, "  interval: %s\n", numbers[i]);
        nas_job_t *job = read_job(FULL, set);
        char *text = print_job(job);
        cr_assert_not_null(strstr(text, line), "%s", text);
        free(text);
        nas_job_destroy(job);
    }
}

Test(job, printed_paths_are_absolute)
{
    nas_job_t *job = read_job(LEAST SEARCH, "pool.table=d/t.csv");
    char *text = print_job(job), *folder = getcwd(NULL, 0), line[4352];
    (void)snprintf(line, sizeof line, "table: %s/d/t.csv\n", folder);
    cr_assert_not_null(strstr(text, line), "%s", text);
    (void)snprintf(line, sizeof line, "output: %s/study.h5\n", folder);
    cr_assert_not_null(strstr(text, line), "%s", text);
    free(folder);
    free(text);
    nas_job_destroy(job);
}

/* ---- Overrides ---- */

Test(job, overrides_win_over_the_file_and_later_ones_over_earlier)
{
    static const char *const set[] = {
        "search.budget=7",  "metrics.names=[snip, jacov]",   "search={budget: 8, repeats: 3}",
        "search.repeats=4", "metrics.transform={snip: log}", "objective.minimise=on"};
    sandbox_t box = sandbox_of(LEAST SEARCH, strlen(LEAST SEARCH));
    nas_job_t *job = NULL;
    const nas_job_source_t source = {.sections = nas_registries_job(),
                                     .path = box.path,
                                     .set = set,
                                     .n_set = sizeof set / sizeof *set};
    cr_assert_eq(nas_job_read(&source, &job, &box.err), NAS_OK, "%s", box.err.text);
    cr_assert_eq(job->search.budget, 8);
    cr_assert_eq(job->search.repeats, 4);
    cr_assert_eq(job->metrics.names.n, 2);
    cr_assert_eq(nas_job_transform(job, "snip"), NAS_TRANSFORM_LOG);
    cr_assert(job->objective.minimise);
    nas_job_destroy(job);
    sandbox_clear(&box);
}

Test(job, an_override_replaces_a_wrong_value)
{
    nas_job_t *job = read_job(LEAST "search: {budget: x}\n", "search.budget=5");
    cr_assert_eq(job->search.budget, 5);
    nas_job_destroy(job);
}

Test(job, an_empty_override_unsets_an_optional_text)
{
    nas_job_t *job = read_job(FULL, "objective.cost=");
    cr_assert_null(nas_job_table(job)->cost);
    cr_assert_str_eq(job->search.metric, "snip");
    nas_job_destroy(job);
}

/* ---- Errors found later ---- */

Test(job, later_errors_name_the_place)
{
    nas_error_t err = {0};
    nas_job_t *job = read_job(LEAST SEARCH, "search.metric=snap");
    cr_assert_eq(nas_job_error(job, "objective.column", &err, "no column %s", "acc"), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "/j.yaml:3:34: objective.column: no column acc"), "%s",
                       err.text);
    (void)nas_job_error(job, "search.metric", &err, "unknown; did you mean snip?");
    cr_assert_str_eq(err.text, "--set search.metric: unknown; did you mean snip?");
    (void)nas_job_error(job, "pool.arch", &err, "no such column");
    cr_assert_not_null(strstr(err.text, "/j.yaml: pool.arch (default): no such column"), "%s",
                       err.text);
    nas_job_destroy(job);
}

/* What applies follows from it: as if it had been named. */
Test(job, a_choice_that_is_not_named_can_be_another_than_the_default)
{
    char *expected = NULL, *text = NULL;
    nas_job_t *named = read_job(LEAST SEARCH, "search.method=rea");
    nas_job_t *job = read_job(LEAST SEARCH, NULL);
    cr_assert(nas_job_names(named, "search.method"));
    cr_assert(nas_job_names(job, "search.budget"));
    cr_assert_not(nas_job_names(job, "search.method"));
    cr_assert_not(nas_job_set_choice(job, "search.method", "score"));
    cr_assert(nas_job_set_choice(job, "search.method", "rea"));
    cr_assert_eq(nas_job_print(named, true, &expected, NULL), NAS_OK);
    cr_assert_eq(nas_job_print(job, true, &text, NULL), NAS_OK);
    cr_assert_str_eq(text, expected);
    free(text);
    free(expected);
    nas_job_destroy(named);
    nas_job_destroy(job);
}

Test(job, texts_differ_by_keys)
{
    nas_strings_t keys = {0};
    nas_error_t err = {0};
    const char text[] = "name: a\nseed: 1\noutput: /a\npool:\n  table: /x\nnetwork:\n  cells: 5\n"
                        "search:\n  budget: 20\n";
    const char other[] = "name: b\nseed: 12\noutput: /b\npool:\n  table: /y\nsearch:\n"
                         "  budget: 20\n  method: rea\n  hidden: 0.2\n";
    cr_assert_eq(nas_job_text_differences(nas_registries_job(), text, text, &keys, &err), NAS_OK);
    cr_assert_eq(keys.n, 0);
    cr_assert_eq(nas_job_text_differences(nas_registries_job(), text, other, &keys, &err), NAS_OK);
    cr_assert_eq(keys.n, 5);
    cr_assert(nas_strings_find(&keys, "name") >= 0);
    cr_assert(nas_strings_find(&keys, "seed") >= 0);
    cr_assert(nas_strings_find(&keys, "pool.table") >= 0);
    cr_assert(nas_strings_find(&keys, "network.cells") >= 0);
    cr_assert(nas_strings_find(&keys, "search.method") >= 0);
    nas_strings_fini(&keys);
}
