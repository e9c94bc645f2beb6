/* What the tests of job files share: texts of jobs, and folders to read them in. */
#ifndef NAS_TESTS_UNIT_JOB_SANDBOX_H
#define NAS_TESTS_UNIT_JOB_SANDBOX_H

#include "common/job.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The least job that is valid: what other tests add to. */
#define LEAST                                                                                      \
    "name: study\n"                                                                                \
    "pool: {space: table, table: t.csv}\n"                                                         \
    "objective: {kind: table, column: acc}\n"
#define SEARCH "search: {budget: 20}\n"

/* Every field away from its default. */
#define FULL                                                                                       \
    "name: full-1.0\n"                                                                             \
    "seed: 9007199254740992\n"                                                                     \
    "output: \"/out put/full.h5\"\n"                                                               \
    "pool:\n"                                                                                      \
    "  space: table\n"                                                                             \
    "  table: /data/a#b.csv\n"                                                                     \
    "  arch: \"cell: name\"\n"                                                                     \
    "  encoding: digits\n"                                                                         \
    "  missing: [-1e8, 'n/a', \"say \\\"none\\\" \\\\\", ä, '# no comment']\n"                    \
    "metrics:\n"                                                                                   \
    "  source: table\n"                                                                            \
    "  names: [snip, 10, no, '~', \"|x\"]\n"                                                       \
    "  transform: {\"|x\": rank, snip: log, 10: exp, no: none}\n"                                  \
    "objective:\n"                                                                                 \
    "  kind: table\n"                                                                              \
    "  column: true\n"                                                                             \
    "  minimise: yes\n"                                                                            \
    "  cost: seconds\n"                                                                            \
    "  report: [a, b]\n"                                                                           \
    "search:\n"                                                                                    \
    "  method: single\n"                                                                           \
    "  budget: 1000000\n"                                                                          \
    "  repeats: 1000000\n"                                                                         \
    "  parallel: 10000\n"                                                                          \
    "  groups: 3\n"                                                                                \
    "  metric: snip\n"                                                                             \
    "checkpoint:\n"                                                                                \
    "  interval: 0.1\n"

/* A folder of its own with one job file in it. */
typedef struct sandbox {
    char folder[64];
    char path[96];
    nas_error_t err;
} sandbox_t;

static inline void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

static inline sandbox_t sandbox_of(const char *text, size_t size)
{
    sandbox_t box = {.folder = "/tmp/robotnas-job-XXXXXX"};
    cr_assert_not_null(mkdtemp(box.folder));
    (void)snprintf(box.path, sizeof box.path, "%s/j.yaml", box.folder);
    write_file(box.path, text, size);
    return box;
}

static inline void sandbox_clear(const sandbox_t *box)
{
    cr_assert_eq(unlink(box->path), 0);
    cr_assert_eq(rmdir(box->folder), 0);
}

/* A job from text and at most one override. */
static inline nas_job_t *read_job(const char *text, const char *set)
{
    sandbox_t box = sandbox_of(text, strlen(text));
    nas_job_t *job = NULL;
    const nas_status_t status = nas_job_read(box.path, &set, set ? 1 : 0, &job, &box.err);
    sandbox_clear(&box);
    cr_assert_eq(status, NAS_OK, "%s", box.err.text);
    return job;
}

#endif
