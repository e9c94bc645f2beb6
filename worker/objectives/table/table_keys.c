/* The job's keys about an objective that is a column of a table. */
#include "worker/candidates/objective.h"
#include "worker/objectives/table/objective_table.h"

static const nas_job_condition_t of_space = {.key = "pool.space", .choices = NAS_POOL_OF_SPACE};

static const nas_job_field_t fields[] = {
    {.key = "objective.table",
     .type = NAS_JOB_INPUT_PATH,
     .affects = NAS_JOB_AFFECTS_NOTHING,
     .condition = &of_space,
     .search_only = true,
     .own = true,
     .offset = offsetof(nas_table_keys_t, table),
     .doc =
         "The table of the columns below, a CSV file as `pool.table`, joined on the architecture in either form of the space."},
    {.key = "objective.arch",
     .type = NAS_JOB_STRING,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .condition = &of_space,
     .search_only = true,
     .own = true,
     .offset = offsetof(nas_table_keys_t, arch),
     .initial = "arch",
     .doc = "Its column that holds the architectures, each once."},
    {.key = "objective.missing",
     .type = NAS_JOB_STRINGS,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .condition = &of_space,
     .search_only = true,
     .own = true,
     .offset = offsetof(nas_table_keys_t, missing),
     .initial = "[]",
     .doc = "Further field values that mean missing in it, compared as text or as numbers."},
    {.key = "objective.column",
     .type = NAS_JOB_STRING,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(nas_table_keys_t, column),
     .doc = "The column of objective values."},
    {.key = "objective.minimise",
     .type = NAS_JOB_BOOL,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.minimise),
     .initial = "false",
     .doc = "Whether lower values are better."},
    {.key = "objective.cost",
     .type = NAS_JOB_OPTIONAL,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .own = true,
     .offset = offsetof(nas_table_keys_t, cost),
     .initial = "",
     .doc =
         "The column of evaluation costs, which add up over a run. Empty: costs are not counted."},
    {.key = "objective.report",
     .type = NAS_JOB_STRINGS,
     .affects = NAS_JOB_OF_OBJECTIVE,
     .search_only = true,
     .offset = offsetof(nas_job_t, objective.report),
     .initial = "[]",
     .doc =
         "Columns to report of the best architecture, besides the objective; the search never sees them. Of a program's answer, the names of numbers under `columns`."},
};

const nas_job_section_t nas_objective_keys_table = {
    .key = "objective.kind",
    .name = "table",
    .fields = fields,
    .n_fields = sizeof fields / sizeof *fields,
    .n_bytes = sizeof(nas_table_keys_t),
};

const nas_table_keys_t *nas_job_table(const nas_job_t *job)
{
    return nas_job_values(job, &nas_objective_keys_table);
}

const nas_objective_kind_t nas_objective_kind_table = {
    .name = "table",
    .traits = NAS_OBJECTIVE_IN_TABLE,
    .keys = &nas_objective_keys_table,
};
