/* Job files: every field's round trip, overrides, paths, identities, the reference page, shipped
 * jobs. What is refused is in test_job_refused.c. */
#include "job_sandbox.h"

#include <dirent.h>

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
    cr_assert_eq(job->pool.space, NAS_SPACE_TABLE);
    cr_assert_str_eq(job->pool.arch, "arch");
    cr_assert_eq(job->pool.encoding, NAS_ENCODING_NONE);
    cr_assert_eq(job->pool.missing.n, 0);
    cr_assert_eq(job->metrics.source, NAS_SOURCE_TABLE);
    cr_assert_eq(job->metrics.names.n, 0);
    cr_assert_eq(job->metrics.transform_of.n, 0);
    cr_assert_eq(job->objective.kind, NAS_OBJECTIVE_TABLE);
    cr_assert_str_eq(job->objective.column, "acc");
    cr_assert_not(job->objective.minimise);
    cr_assert_null(job->objective.cost);
    cr_assert_eq(job->objective.report.n, 0);
    cr_assert_str_eq(job->search.method, "robot");
    cr_assert_eq(job->search.budget, 20);
    cr_assert_eq(job->search.repeats, 1);
    cr_assert_eq(job->search.parallel, 1);
    cr_assert_eq(job->search.groups, 0);
    cr_assert_null(job->search.metric);
    cr_assert_eq(job->checkpoint.interval_s, 60.0);
    nas_job_destroy(job);
}

Test(job, every_field_is_read)
{
    nas_job_t *job = read_job(FULL, NULL);
    cr_assert_str_eq(job->name, "full-1.0");
    cr_assert_eq(job->seed, INT64_C(9007199254740992));
    cr_assert_str_eq(job->output, "/out put/full.h5");
    cr_assert_str_eq(job->pool.table, "/data/a#b.csv");
    cr_assert_str_eq(job->pool.arch, "cell: name");
    cr_assert_eq(job->pool.encoding, NAS_ENCODING_DIGITS);
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
    cr_assert_str_eq(job->objective.column, "true");
    cr_assert(job->objective.minimise);
    cr_assert_str_eq(job->objective.cost, "seconds");
    cr_assert_str_eq(job->objective.report.at[1], "b");
    cr_assert_str_eq(job->search.method, "single");
    cr_assert_eq(job->search.budget, 1000000);
    cr_assert_eq(job->search.repeats, 1000000);
    cr_assert_eq(job->search.parallel, 10000);
    cr_assert_eq(job->search.groups, 3);
    cr_assert_str_eq(job->search.metric, "snip");
    cr_assert_eq(job->checkpoint.interval_s, 0.1);
    nas_job_destroy(job);
}

Test(job, printing_is_a_fixed_point)
{
    static const char *const texts[] = {LEAST SEARCH, FULL};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        nas_job_t *job = read_job(texts[i], NULL);
        char *first = print_job(job);
        nas_job_t *again = read_job(first, NULL);
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
    cr_assert_eq(nas_job_read(box.path, set, sizeof set / sizeof *set, &job, &box.err), NAS_OK,
                 "%s", box.err.text);
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
    cr_assert_null(job->objective.cost);
    cr_assert_str_eq(job->search.metric, "snip");
    nas_job_destroy(job);
}

/* ---- Paths ---- */

Test(job, input_paths_are_relative_to_where_they_were_written)
{
    sandbox_t box = sandbox_of(LEAST SEARCH, strlen(LEAST SEARCH));
    const char *set = "pool.table=d/t.csv";
    char table[128];
    nas_job_t *job = NULL, *overridden = NULL;
    cr_assert_eq(nas_job_read(box.path, NULL, 0, &job, &box.err), NAS_OK, "%s", box.err.text);
    cr_assert_eq(nas_job_read(box.path, &set, 1, &overridden, &box.err), NAS_OK, "%s",
                 box.err.text);
    (void)snprintf(table, sizeof table, "%s/t.csv", box.folder);
    cr_assert_str_eq(job->pool.table, table);
    cr_assert_str_eq(job->output, "study.h5");
    cr_assert_str_eq(overridden->pool.table, "d/t.csv");
    nas_job_destroy(job);
    nas_job_destroy(overridden);
    sandbox_clear(&box);
}

Test(job, variables_in_input_paths)
{
    cr_assert_eq(setenv("NAS_TEST_FOLDER", "/data", 1), 0);
    nas_job_t *job =
        read_job(LEAST SEARCH, "pool.table=${NAS_TEST_FOLDER}/a$b/${NAS_TEST_FOLDER}.csv");
    cr_assert_str_eq(job->pool.table, "/data/a$b//data.csv");
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

/* ---- Errors found later ---- */

Test(job, later_errors_name_the_place)
{
    nas_error_t err = {0};
    nas_job_t *job = read_job(LEAST SEARCH, "search.method=robto");
    cr_assert_eq(nas_job_error(job, "objective.column", &err, "no column %s", "acc"), NAS_EINPUT);
    cr_assert_not_null(strstr(err.text, "/j.yaml:3:34: objective.column: no column acc"), "%s",
                       err.text);
    (void)nas_job_error(job, "search.method", &err, "unknown; did you mean robot?");
    cr_assert_str_eq(err.text, "--set search.method: unknown; did you mean robot?");
    (void)nas_job_error(job, "pool.arch", &err, "no such column");
    cr_assert_not_null(strstr(err.text, "/j.yaml: pool.arch (default): no such column"), "%s",
                       err.text);
    nas_job_destroy(job);
}

/* ---- Identities ---- */

typedef nas_status_t (*hash_t)(const nas_job_t *job, const nas_digest_t *table, nas_digest_t *hash,
                               nas_error_t *err);

/* Whether a hash is the same after an override. */
static bool same_hash(hash_t hash, const char *set)
{
    const nas_digest_t table = {{1, 2, 3}};
    nas_digest_t a = {{0}}, b = {{0}};
    nas_job_t *job = read_job(FULL, NULL), *other = read_job(FULL, set);
    cr_assert_eq(hash(job, &table, &a, NULL), NAS_OK);
    cr_assert_eq(hash(other, &table, &b, NULL), NAS_OK);
    nas_job_destroy(job);
    nas_job_destroy(other);
    return memcmp(&a, &b, sizeof a) == 0;
}

Test(job, hashes_change_with_what_they_identify)
{
    static const struct {
        const char *set;
        bool same, same_without_budget, same_objective;
    } cases[] = {
        {"output=x.h5", true, true, true},
        {"pool.table=x.csv", true, true, true},
        {"search.groups=1", true, true, true},
        {"checkpoint.interval=1", true, true, true},
        {"metrics.transform={10: exp, snip: log, \"|x\": rank}", true, true, true},
        {"search.budget=5", false, true, true},
        {"name=other", false, false, true},
        {"seed=1", false, false, true},
        {"pool.encoding=none", false, false, true},
        {"metrics.transform={}", false, false, true},
        {"search.method=robot", false, false, true},
        {"search.repeats=2", false, false, true},
        {"search.parallel=2", false, false, true},
        {"search.metric=", false, false, true},
        {"pool.arch=a", false, false, false},
        {"pool.missing=[]", false, false, false},
        {"objective.column=a", false, false, false},
        {"objective.minimise=no", false, false, false},
        {"objective.cost=", false, false, false},
        {"objective.report=[b, a]", false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert_eq(same_hash(nas_job_hash, cases[i].set), cases[i].same, "%s", cases[i].set);
        cr_assert_eq(same_hash(nas_job_hash_without_budget, cases[i].set),
                     cases[i].same_without_budget, "%s", cases[i].set);
        cr_assert_eq(same_hash(nas_job_objective_hash, cases[i].set), cases[i].same_objective, "%s",
                     cases[i].set);
    }
}

Test(job, hashes_change_with_the_table)
{
    static const hash_t hashes[] = {nas_job_hash, nas_job_hash_without_budget,
                                    nas_job_objective_hash};
    const nas_digest_t tables[2] = {{{1}}, {{2}}};
    nas_job_t *job = read_job(FULL, NULL);
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        nas_digest_t a = {{0}}, b = {{0}};
        cr_assert_eq(hashes[i](job, &tables[0], &a, NULL), NAS_OK);
        cr_assert_eq(hashes[i](job, &tables[1], &b, NULL), NAS_OK);
        cr_assert_neq(memcmp(&a, &b, sizeof a), 0);
    }
    nas_job_destroy(job);
}

/* ---- The reference page and the shipped jobs ---- */

/* A file of the source tree. Skips the test where there is none. The caller frees it. */
static char *source_path(const char *name)
{
    const char *source = getenv("ROBOTNAS_SOURCE");
    if (!source) cr_skip_test("ROBOTNAS_SOURCE is not set");
    return nas_string_format(NULL, "%s/%s", source, name);
}

static char *reference_page(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_not_null(out);
    nas_job_write_reference(out);
    cr_assert_eq(fclose(out), 0);
    return text;
}

Test(job, the_reference_page_is_up_to_date)
{
    char *path = source_path("docs/job-file.md"), *page = reference_page();
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *text = calloc(1, strlen(page) + 2);
    cr_assert_not_null(text);
    (void)fread(text, 1, strlen(page) + 1, file);
    cr_assert_str_eq(text, page, "job_reference writes the page anew");
    (void)fclose(file);
    free(text);
    free(page);
    free(path);
}

Test(job, the_example_of_the_reference_page_is_a_job)
{
    cr_assert_eq(setenv("ROBOTNAS_TABLES", "/tables", 1), 0);
    char *page = reference_page();
    char *begin = strstr(page, "```yaml\n");
    cr_assert_not_null(begin);
    begin = strchr(begin, '\n') + 1;
    *strstr(begin, "```") = '\0';
    nas_job_t *job = read_job(begin, NULL);
    cr_assert_str_eq(job->pool.table, "/tables/nb201-cifar10.csv");
    nas_job_destroy(job);
    free(page);
}

Test(job, every_shipped_job_is_valid)
{
    cr_assert_eq(setenv("ROBOTNAS_TABLES", "/tables", 1), 0);
    char *folder = source_path("jobs");
    DIR *entries = opendir(folder);
    cr_assert_not_null(entries, "%s", folder);
    int n = 0;
    for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        const char *suffix = strstr(entry->d_name, ".yaml");
        if (!suffix || suffix[5]) continue;
        char *path = nas_string_format(NULL, "%s/%s", folder, entry->d_name);
        nas_job_t *job = NULL;
        nas_error_t err = {0};
        cr_assert_eq(nas_job_read(path, NULL, 0, &job, &err), NAS_OK, "%s", err.text);
        cr_assert_eq(strncmp(job->name, entry->d_name, (size_t)(suffix - entry->d_name)), 0);
        nas_job_destroy(job);
        free(path);
        n++;
    }
    cr_assert_gt(n, 0);
    (void)closedir(entries);
    free(folder);
}
