#include "worker/objectives/table/objective_table.h"

#include "common/base/magnitude.h"

#include <math.h>
#include <stdlib.h>

struct nas_objective {
    nas_objective_options_t options;
    int value;      /* columns of the table */
    int cost;       /* -1: none */
    int *column;    /* [n_column] */
    double *values; /* [n_column] of the last evaluation */
    size_t n_column;
    double sign; /* -1 where lower is better */
    double last; /* sign * the T-th best value, NaN where there is none */
};

nas_status_t nas_objective_create(const nas_objective_options_t *options,
                                  nas_objective_t **objective_p, nas_error_t *err)
{
    const nas_job_t *job = options->job;
    const size_t n_column = job->objective.report.n;
    const double sign = job->objective.minimise ? -1.0 : 1.0;
    nas_objective_t *objective = calloc(1, sizeof *objective);
    if (!objective) return nas_error_nomem(err, "the objective");
    *objective = (nas_objective_t){
        .options = *options,
        .value = nas_shared_table_find(options->table, nas_job_table(job)->column),
        .cost = nas_job_table(job)->cost
                    ? nas_shared_table_find(options->table, nas_job_table(job)->cost)
                    : -1,
        .column = calloc(n_column + 1, sizeof *objective->column),
        .values = calloc(n_column + 1, sizeof *objective->values),
        .n_column = n_column,
        .sign = sign,
        .last = sign * nas_shared_table_last_best(options->table),
    };
    if (!objective->column || !objective->values) {
        nas_objective_destroy(objective);
        return nas_error_nomem(err, "the objective");
    }
    for (size_t c = 0; c < n_column; c++)
        objective->column[c] = nas_shared_table_find(options->table, job->objective.report.at[c]);
    *objective_p = objective;
    return NAS_OK;
}

int64_t nas_objective_row(const nas_objective_t *objective, int64_t arch)
{
    return objective->options.row ? objective->options.row[arch] : arch;
}

/* Of an architecture that the table lacks nothing is known. */
static const nas_table_row_t *row_of(const nas_objective_t *objective, int64_t arch)
{
    const int64_t row = nas_objective_row(objective, arch);
    return row < 0 ? NULL : nas_shared_table_row(objective->options.table, row);
}

static double value_at(const nas_table_row_t *row, int column)
{
    return row && column >= 0 ? row->value[column] : NAN;
}

void nas_objective_look_up(nas_objective_t *objective, int64_t arch, nas_outcome_t *outcome,
                           int64_t *pool_rank)
{
    const nas_table_row_t *row = row_of(objective, arch);
    const double value = value_at(row, objective->value);
    for (size_t c = 0; c < objective->n_column; c++)
        objective->values[c] = value_at(row, objective->column[c]);
    *outcome = (nas_outcome_t){
        .value = {value},
        .cost = value_at(row, objective->cost),
        .columns = objective->values,
        .status = isnan(value) ? NAS_EVAL_MISSING : NAS_EVAL_OK,
    };
    *pool_rank = isnan(value) ? 0 : 1 + row->n_better;
}

int64_t nas_objective_present(const nas_objective_t *objective)
{
    return nas_shared_table_ranked(objective->options.table);
}

double nas_objective_precision(const nas_objective_t *objective, const int64_t *arch, int64_t n)
{
    int64_t n_hits = 0;
    for (int64_t i = 0; i < n; i++)
        n_hits += objective->sign * value_at(row_of(objective, arch[i]), objective->value) >=
                  objective->last;
    return (double)n_hits / (double)n;
}

double nas_objective_mean_cost(const nas_objective_t *objective)
{
    const nas_objective_options_t *options = &objective->options;
    nas_mean_t mean = {0};
    if (objective->cost < 0) return (double)NAN;
    NAS_ASSERT(nas_shared_table_is_alone(options->table));
    const double *cost = nas_shared_table_column(options->table, objective->cost);
    for (int64_t i = 0; i < options->n_arch; i++) {
        const int64_t row = nas_objective_row(objective, i);
        if (row >= 0 && !isnan(cost[row])) nas_mean_add(&mean, cost[row]);
    }
    return nas_mean_value(&mean);
}

void nas_objective_destroy(nas_objective_t *objective)
{
    if (!objective) return;
    free(objective->column);
    free(objective->values);
    free(objective);
}
