/* The field table: one row a field gives its parser, default, `--set` key, printing, part in the
 * hashes, and reference text. A new field is a member of nas_job_t and a row here; fields of one
 * group stand together. */
#include "common/job_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const space_names[] = {"table", NULL};
static const char *const encoding_names[] = {"none", "nas-bench-201", "digits", NULL};
static const char *const source_names[] = {"table", NULL};
static const char *const transform_names[] = {"none", "log", "exp", "rank", NULL};
static const char *const objective_names[] = {"table", NULL};

enum {
    VALUES = NAS_JOB_AFFECTS_VALUES,
    OBJECTIVE = NAS_JOB_AFFECTS_VALUES | NAS_JOB_AFFECTS_OBJECTIVE,
    NOTHING = NAS_JOB_AFFECTS_NOTHING
};

/* Seeds stay exact in readers of JSON that keep numbers as doubles. */
#define MOST_SEED 9007199254740992.0

static const nas_job_field_t fields[] = {
    {.key = "name",
     .type = NAS_JOB_IDENTIFIER,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, name),
     .doc = "Names the job in reports."},
    {.key = "seed",
     .type = NAS_JOB_INT,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, seed),
     .initial = "0",
     .most = MOST_SEED,
     .doc = "Every random choice follows from it. Repeat r, counted from 0, runs with seed + r."},
    {.key = "output",
     .type = NAS_JOB_OUTPUT_PATH,
     .affects = NOTHING,
     .offset = offsetof(nas_job_t, output),
     .initial = "<name>.h5",
     .doc = "The state file of the run, which `report` reads and `--resume` continues."},

    {.key = "pool.space",
     .type = NAS_JOB_ENUM,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, pool.space),
     .names = space_names,
     .doc = "Where architectures come from: the rows of a CSV table."},
    {.key = "pool.table",
     .type = NAS_JOB_INPUT_PATH,
     .affects = NOTHING,
     .offset = offsetof(nas_job_t, pool.table),
     .doc =
         "The table: CSV (RFC 4180) with a header row. An empty field, `nan` or an infinity means "
         "missing."},
    {.key = "pool.arch",
     .type = NAS_JOB_STRING,
     .affects = OBJECTIVE,
     .offset = offsetof(nas_job_t, pool.arch),
     .initial = "arch",
     .doc = "The column that holds the architectures, each once."},
    {.key = "pool.encoding",
     .type = NAS_JOB_ENUM,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, pool.encoding),
     .initial = "none",
     .names = encoding_names,
     .doc =
         "How an architecture is read as positions with a choice each, which the methods `rea` and "
         "`reinforce` need: operations on the edges of a NAS-Bench-201 cell, or the digits of a "
         "tuple "
         "such as `(1, 0, 2)`."},
    {.key = "pool.missing",
     .type = NAS_JOB_STRINGS,
     .affects = OBJECTIVE,
     .offset = offsetof(nas_job_t, pool.missing),
     .initial = "[]",
     .doc = "Further field values that mean missing, compared as text or as numbers."},

    {.key = "metrics.source",
     .type = NAS_JOB_ENUM,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, metrics.source),
     .initial = "table",
     .names = source_names,
     .doc = "Where metric values come from: columns of the pool's table."},
    {.key = "metrics.names",
     .type = NAS_JOB_STRINGS,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, metrics.names),
     .initial = "[]",
     .doc = "The metrics to combine. Methods that weigh metrics need at least one."},
    {.key = "metrics.transform",
     .type = NAS_JOB_CHOICES,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, metrics.transform_of),
     .value_offset = offsetof(nas_job_t, metrics.transform),
     .allowed_offset = offsetof(nas_job_t, metrics.names),
     .initial = "{}",
     .names = transform_names,
     .doc = "Per metric of `metrics.names`, what is applied before min-max normalisation; metrics "
            "without an entry stay as they are."},

    {.key = "objective.kind",
     .type = NAS_JOB_ENUM,
     .affects = OBJECTIVE,
     .offset = offsetof(nas_job_t, objective.kind),
     .names = objective_names,
     .doc = "How an architecture is judged: by a column of the pool's table."},
    {.key = "objective.column",
     .type = NAS_JOB_STRING,
     .affects = OBJECTIVE,
     .offset = offsetof(nas_job_t, objective.column),
     .doc = "The column of objective values."},
    {.key = "objective.minimise",
     .type = NAS_JOB_BOOL,
     .affects = OBJECTIVE,
     .offset = offsetof(nas_job_t, objective.minimise),
     .initial = "false",
     .doc = "Whether lower values are better."},
    {.key = "objective.cost",
     .type = NAS_JOB_OPTIONAL,
     .affects = OBJECTIVE,
     .offset = offsetof(nas_job_t, objective.cost),
     .initial = "",
     .doc =
         "The column of evaluation costs, which add up over a run. Empty: costs are not counted."},
    {.key = "objective.report",
     .type = NAS_JOB_STRINGS,
     .affects = OBJECTIVE,
     .offset = offsetof(nas_job_t, objective.report),
     .initial = "[]",
     .doc =
         "Columns to report of the best architecture, besides the objective; the search never sees "
         "them."},

    {.key = "search.method",
     .type = NAS_JOB_STRING,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, search.method),
     .initial = "robot",
     .doc = "The search method: `robot`, `random`, `rea`, `reinforce` or `single`."},
    {.key = "search.budget",
     .type = NAS_JOB_INT,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, search.budget),
     .least = 1,
     .most = 1e6,
     .doc = "T, the number of architectures that a repeat evaluates."},
    {.key = "search.repeats",
     .type = NAS_JOB_INT,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, search.repeats),
     .initial = "1",
     .least = 1,
     .most = 1e6,
     .doc = "How many times the search runs, each with its own seed."},
    {.key = "search.parallel",
     .type = NAS_JOB_INT,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, search.parallel),
     .initial = "1",
     .least = 1,
     .most = 1e4,
     .doc = "q, the number of architectures proposed at a time. It shapes the search and is "
            "independent of the number of ranks; 1 is the published method."},
    {.key = "search.groups",
     .type = NAS_JOB_INT,
     .affects = NOTHING,
     .offset = offsetof(nas_job_t, search.groups),
     .initial = "0",
     .most = 1e6,
     .doc = "Rank groups over which the repeats are spread; 0 chooses by the size of the pool. "
            "The results are the same."},
    {.key = "search.metric",
     .type = NAS_JOB_OPTIONAL,
     .affects = VALUES,
     .offset = offsetof(nas_job_t, search.metric),
     .initial = "",
     .doc = "The metric that the method `single` follows, one of `metrics.names`."},

    {.key = "checkpoint.interval",
     .type = NAS_JOB_FLOAT,
     .affects = NOTHING,
     .offset = offsetof(nas_job_t, checkpoint.interval_s),
     .initial = "60",
     .most = 60,
     .doc = "The most seconds between two checkpoints."},
};

size_t nas_job_field_count(void)
{
    return sizeof fields / sizeof *fields;
}

const nas_job_field_t *nas_job_field_at(size_t i)
{
    return &fields[i];
}

ptrdiff_t nas_job_field_find(const char *key)
{
    for (size_t i = 0; i < nas_job_field_count(); i++)
        if (strcmp(fields[i].key, key) == 0) return (ptrdiff_t)i;
    return -1;
}

size_t nas_job_field_group(const nas_job_field_t *field)
{
    const char *dot = strchr(field->key, '.');
    return dot ? (size_t)(dot - field->key) : 0;
}

bool nas_job_same_group(const nas_job_field_t *a, const nas_job_field_t *b)
{
    const size_t length = nas_job_field_group(a);
    return length == nas_job_field_group(b) && strncmp(a->key, b->key, length) == 0;
}

bool nas_job_is_group(const char *name)
{
    for (size_t i = 0; i < nas_job_field_count(); i++) {
        const size_t length = nas_job_field_group(&fields[i]);
        if (length && strlen(name) == length && strncmp(fields[i].key, name, length) == 0)
            return true;
    }
    return false;
}

static const char *last_part(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot ? dot + 1 : key;
}

nas_status_t nas_job_field_nearest(const char *key, char **nearest_p, nas_error_t *err)
{
    nas_strings_t known = {0}, parts = {0};
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < nas_job_field_count(); i++) {
        const char *name = fields[i].key, *part = last_part(name);
        status = nas_strings_add(&known, name, strlen(name), err);
        if (!status) status = nas_strings_add(&parts, part, strlen(part), err);
    }
    for (size_t i = 0; !status && i < nas_job_field_count(); i++) {
        const size_t length = nas_job_field_group(&fields[i]);
        if (length) status = nas_strings_add(&known, fields[i].key, length, err);
    }
    if (status) goto out;

    const char *nearest = nas_strings_nearest(&known, key);
    const char *part = nearest ? NULL : nas_strings_nearest(&parts, last_part(key));
    if (part) nearest = fields[nas_strings_find(&parts, part)].key;
    *nearest_p = nearest ? nas_string_copy(nearest, err) : NULL;
    if (nearest && !*nearest_p) status = NAS_ENOMEM;
out:
    nas_strings_fini(&known);
    nas_strings_fini(&parts);
    return status;
}

/* "first, second, third" */
static void join(const char *const *names, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; names[i] && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "", names[i]);
}

void nas_job_field_expected(const nas_job_field_t *field, char text[NAS_JOB_EXPECTED_SIZE])
{
    char names[64] = "";
    if (field->names) join(field->names, names, sizeof names);
    const char *phrase = "";
    switch (field->type) {
    case NAS_JOB_STRING:
        phrase = "a text";
        break;
    case NAS_JOB_OPTIONAL:
        phrase = "a text, or \"\" for none";
        break;
    case NAS_JOB_IDENTIFIER:
        phrase = "a name of letters, digits, '.', '_' and '-', at most 100";
        break;
    case NAS_JOB_INPUT_PATH:
    case NAS_JOB_OUTPUT_PATH:
        phrase = "a path";
        break;
    case NAS_JOB_BOOL:
        phrase = "true or false";
        break;
    case NAS_JOB_STRINGS:
        phrase = "a list of texts, such as [a, b]";
        break;
    case NAS_JOB_INT:
    case NAS_JOB_FLOAT:
        (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, "%s from %.0f to %.0f",
                       field->type == NAS_JOB_INT ? "an integer" : "a number", field->least,
                       field->most);
        return;
    case NAS_JOB_ENUM:
        (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, field->names[1] ? "one of %s" : "%s", names);
        return;
    case NAS_JOB_CHOICES:
        (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, "a mapping of names to one of %s", names);
        return;
    }
    (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, "%s", phrase);
}
