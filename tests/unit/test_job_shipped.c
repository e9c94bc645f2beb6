/* The reference page of job files, and the jobs that ship. */
#include "job_sandbox.h"
#include "worker/objectives/objectives.h"

#include <dirent.h>

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
    nas_job_write_reference(nas_registries_job(), out);
    cr_assert_eq(fclose(out), 0);
    return text;
}

Test(job_shipped, the_reference_page_is_up_to_date)
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

/* The next example of the page at *page, which moves behind it. */
static char *next_example(char **page)
{
    char *begin = strstr(*page, "```yaml\n");
    cr_assert_not_null(begin);
    begin = strchr(begin, '\n') + 1;
    char *end = strstr(begin, "```");
    *end = '\0';
    *page = end + 1;
    return begin;
}

Test(job_shipped, the_examples_of_the_reference_page_are_jobs)
{
    cr_assert_eq(setenv("ROBOTNAS_TABLES", "/tables", 1), 0);
    cr_assert_eq(setenv("ROBOTNAS_DATA", "/data", 1), 0);
    char *page = reference_page(), *rest = page;
    nas_job_t *job = read_job(next_example(&rest), NULL);
    cr_assert_str_eq(job->pool.table, "/tables/nb201-cifar10.csv");
    nas_job_destroy(job);
    job = read_job_for(NAS_JOB_SCORE, next_example(&rest), NULL);
    cr_assert_str_eq(job->data.train.at[0], "/data/data_batch_1.bin");
    nas_job_destroy(job);
    job = read_job(next_example(&rest), NULL);
    cr_assert_str_eq(nas_objective_kind_at((size_t)job->objective.kind)->name, "train");
    nas_job_destroy(job);
    free(page);
}

/* Jobs called score-* are made for `robotnas score`. */
Test(job_shipped, every_shipped_job_is_valid)
{
    cr_assert_eq(setenv("ROBOTNAS_TABLES", "/tables", 1), 0);
    cr_assert_eq(setenv("ROBOTNAS_DATA", "/data", 1), 0);
    char *folder = source_path("jobs");
    DIR *entries = opendir(folder);
    cr_assert_not_null(entries, "%s", folder);
    int n = 0;
    for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        const char *suffix = strstr(entry->d_name, ".yaml");
        if (!suffix || suffix[5]) continue;
        char *path = nas_string_format(NULL, "%s/%s", folder, entry->d_name);
        const bool scores = strncmp(entry->d_name, "score-", strlen("score-")) == 0;
        const nas_job_source_t source = {.sections = nas_registries_job(),
                                         .path = path,
                                         .purpose = scores ? NAS_JOB_SCORE : NAS_JOB_SEARCH};
        nas_job_t *job = NULL;
        nas_error_t err = {0};
        cr_assert_eq(nas_job_read(&source, &job, &err), NAS_OK, "%s", err.text);
        cr_assert_eq(strncmp(job->name, entry->d_name, (size_t)(suffix - entry->d_name)), 0);
        nas_job_destroy(job);
        free(path);
        n++;
    }
    cr_assert_gt(n, 0);
    (void)closedir(entries);
    free(folder);
}
