/* What the tests of job files share: texts of jobs, and folders to read them in. */
#ifndef NAS_TESTS_UNIT_JOB_SANDBOX_H
#define NAS_TESTS_UNIT_JOB_SANDBOX_H

#include "common/job/job.h"
#include "coordinator/registries/registries.h"

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

/* The least job that computes metrics: enough to score; with SPACE_OBJECTIVE SEARCH, to search. */
#define SPACE                                                                                      \
    "name: study\n"                                                                                \
    "pool: {space: nas-bench-201}\n"                                                               \
    "metrics: {source: compute, names: [snip]}\n"                                                  \
    "data: {format: idx, train: [/a, /b]}\n"
#define SPACE_OBJECTIVE "objective: {kind: table, table: /t.csv, column: acc}\n"

/* Every field that applies to it away from its default. */
#define SPACE_FULL                                                                                 \
    "name: full\n"                                                                                 \
    "seed: 7\n"                                                                                    \
    "output: /full.h5\n"                                                                           \
    "backend: ref\n"                                                                               \
    "coordinator: dedicated\n"                                                                     \
    "pool:\n"                                                                                      \
    "  space: nas-bench-201\n"                                                                     \
    "  subset: {file: /cells.txt}\n"                                                               \
    "metrics:\n"                                                                                   \
    "  source: compute\n"                                                                          \
    "  names: [snip, nwot]\n"                                                                      \
    "  transform: {snip: log}\n"                                                                   \
    "  batch: 65536\n"                                                                             \
    "  choice: per-class\n"                                                                        \
    "network:\n"                                                                                   \
    "  channels: 1024\n"                                                                           \
    "  cells: 64\n"                                                                                \
    "  convention: train\n"                                                                        \
    "data:\n"                                                                                      \
    "  format: hdf5\n"                                                                             \
    "  train: [/a.h5, /b c.h5]\n"                                                                  \
    "  test: [/t.h5]\n"                                                                            \
    "  classes: 65536\n"                                                                           \
    "  mean: [-0.5, 0, 0.25]\n"                                                                    \
    "  std: [1e-6, 1, 1e6]\n"                                                                      \
    "  limit: 1000000000\n"                                                                        \
    "objective:\n"                                                                                 \
    "  kind: table\n"                                                                              \
    "  table: /t.csv\n"                                                                            \
    "  arch: cell\n"                                                                               \
    "  missing: [n/a]\n"                                                                           \
    "  column: acc\n" SEARCH

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

/* Read the job of a sandbox with at most one override. */
static inline nas_status_t read_box(sandbox_t *box, nas_job_purpose_t purpose, const char *set,
                                    nas_job_t **job_p)
{
    const nas_job_source_t source = {.sections = nas_registries_job(),
                                     .path = box->path,
                                     .set = &set,
                                     .n_set = set ? 1 : 0,
                                     .purpose = purpose};
    return nas_job_read(&source, job_p, &box->err);
}

static inline nas_job_t *read_job_for(nas_job_purpose_t purpose, const char *text, const char *set)
{
    sandbox_t box = sandbox_of(text, strlen(text));
    nas_job_t *job = NULL;
    const nas_status_t status = read_box(&box, purpose, set, &job);
    sandbox_clear(&box);
    cr_assert_eq(status, NAS_OK, "%s", box.err.text);
    return job;
}

/* A job to search, from text and at most one override. */
static inline nas_job_t *read_job(const char *text, const char *set)
{
    return read_job_for(NAS_JOB_SEARCH, text, set);
}

#endif
