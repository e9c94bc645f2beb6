/* Overrides, one a line, over a job that the first byte chooses. */
#include "coordinator/registries/registries.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/job_check.h"

#include <stdlib.h>
#include <string.h>

static const char *const base[] = {
    "name: study\n"
    "pool: {space: table, table: t.csv, encoding: nas-bench-201}\n"
    "metrics: {source: table, names: [snip, synflow], transform: {synflow: exp}}\n"
    "objective: {kind: table, column: accuracy, cost: seconds, report: [test]}\n"
    "search: {method: robot, budget: 20}\n",

    "name: study\n"
    "pool: {space: nas-bench-201, subset: {sample: 60}}\n"
    "network: {channels: 8, cells: 1}\n"
    "data: {format: idx, train: ['${DATA}/a', b], test: [c, d], mean: [0.5], std: [0.25]}\n"
    "metrics: {source: compute, names: [snip, nwot]}\n"
    "objective: {kind: train, epochs: 4, batch: 64, validation: 0.3}\n"
    "search: {method: robot, budget: 8, parallel: 2}\n",

    "name: study\n"
    "pool: {space: transnas-micro}\n"
    "objective: {kind: command, command: [./train, '{arch}'], timeout: 60, report: [loss]}\n"
    "search: {method: random, budget: 8}\n"};

enum { N_BASE = sizeof base / sizeof *base, MOST_SETS = 8 };

/* Cut the text into lines, in place; returns how many. */
static size_t cut(char *text, const char *line[MOST_SETS])
{
    size_t n = 0;
    for (char *next = text; next && n < MOST_SETS; text = next) {
        next = strchr(text, '\n');
        if (next) *next++ = '\0';
        line[n++] = text;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes_t input = {data, size};
    const uint8_t choice = fuzz_byte(&input);
    char *text = fuzz_text(input);
    const char *set[MOST_SETS];
    const nas_job_source_t source = {.sections = nas_registries_job(),
                                     .path = "jobs/base.yaml",
                                     .text = base[choice / 2 % N_BASE],
                                     .set = set,
                                     .n_set = cut(text, set),
                                     .purpose = choice % 2 ? NAS_JOB_SCORE : NAS_JOB_SEARCH};
    fuzz_try_job(&source);
    free(text);
    return 0;
}
