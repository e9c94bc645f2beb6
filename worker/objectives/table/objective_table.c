#include "worker/objectives/table/objective_table.h"

#include "common/base/magnitude.h"
#include "common/base/sort.h"

#include <math.h>
#include <stdlib.h>

struct nas_objective {
    nas_objective_options_t options;
    int64_t n_arch;
    const double *value;   /* by row of the table, as are the others */
    const double *cost;    /* NULL: none */
    const double **column; /* [n_column] */
    double *column_at;     /* [n_column] of the last evaluation */
    size_t n_column;
    double sign;    /* -1 where lower is better */
    double *sorted; /* sign * value of those that are there, descending */
    int64_t n_sorted;
    double top; /* sign * the T-th best value, NaN where there is none */
};

/* An entry of a column at an architecture; NaN without a column, or a row. */
static double at(const nas_objective_t *objective, const double *column, int64_t arch)
{
    const int64_t row = objective->options.row ? objective->options.row[arch] : arch;
    return column && row >= 0 ? column[row] : NAN;
}

/* Number of values strictly better than target. */
static int64_t count_better(const nas_objective_t *objective, double target)
{
    int64_t low = 0, high = objective->n_sorted;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (objective->sorted[middle] > target)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static nas_status_t sort_values(nas_objective_t *objective, nas_error_t *err)
{
    double *sorted = objective->sorted;
    int64_t n = 0;
    for (int64_t i = 0; i < objective->n_arch; i++) {
        const double value = at(objective, objective->value, i);
        if (!isnan(value)) sorted[n++] = -objective->sign * value;
    }
    const nas_status_t status = nas_sort_numbers(sorted, n, objective->options.interrupt, err);
    for (int64_t i = 0; i < n; i++) sorted[i] = -sorted[i];
    objective->n_sorted = n;
    return status;
}

/* The value that the last of the T best has. */
static double value_of_place(const nas_objective_t *objective, int64_t place)
{
    if (objective->n_sorted == 0) return (double)NAN;
    return objective->sorted[(place < objective->n_sorted ? place : objective->n_sorted) - 1];
}

nas_status_t nas_objective_create(const nas_objective_options_t *options,
                                  nas_objective_t **objective_p, nas_error_t *err)
{
    const nas_job_t *job = options->job;
    const int64_t n_arch = nas_names_count(options->names);
    const size_t n_rows = (size_t)n_arch, n_column = job->objective.report.n;
    nas_objective_t *objective = calloc(1, sizeof *objective);
    if (!objective) return nas_error_nomem(err, "the objective");
    *objective = (nas_objective_t){
        .options = *options,
        .n_arch = n_arch,
        .value = nas_table_column(options->table, job->objective.column),
        .cost = job->objective.cost ? nas_table_column(options->table, job->objective.cost) : NULL,
        .column = calloc(n_column + 1, sizeof *objective->column),
        .column_at = calloc(n_column + 1, sizeof *objective->column_at),
        .n_column = n_column,
        .sign = job->objective.minimise ? -1.0 : 1.0,
        .sorted = calloc(n_rows + 1, sizeof *objective->sorted),
    };
    if (!objective->column || !objective->column_at || !objective->sorted) {
        nas_objective_destroy(objective);
        return nas_error_nomem(err, "the objective");
    }
    for (size_t c = 0; c < n_column; c++)
        objective->column[c] = nas_table_column(options->table, job->objective.report.at[c]);
    const nas_status_t status = sort_values(objective, err);
    if (status) {
        nas_objective_destroy(objective);
        return status;
    }
    objective->top = value_of_place(objective, job->search.budget);
    *objective_p = objective;
    return NAS_OK;
}

void nas_objective_evaluate(nas_objective_t *objective, int64_t arch, nas_evaluation_t *evaluation)
{
    const double value = at(objective, objective->value, arch);
    for (size_t c = 0; c < objective->n_column; c++)
        objective->column_at[c] = at(objective, objective->column[c], arch);
    *evaluation = (nas_evaluation_t){
        .arch = arch,
        /* the ledger copies what it keeps; nothing writes through this pointer */
        .name = (char *)(uintptr_t)nas_names_at(objective->options.names, arch),
        .value = {value},
        .cost = at(objective, objective->cost, arch),
        .columns = objective->column_at,
        .pool_rank = isnan(value) ? 0 : 1 + count_better(objective, objective->sign * value),
        .status = isnan(value) ? NAS_EVAL_MISSING : NAS_EVAL_OK,
    };
}

int64_t nas_objective_present(const nas_objective_t *objective)
{
    return objective->n_sorted;
}

double nas_objective_precision(const nas_objective_t *objective, const int64_t *arch, int64_t n)
{
    int64_t n_hits = 0;
    for (int64_t i = 0; i < n; i++)
        n_hits += objective->sign * at(objective, objective->value, arch[i]) >= objective->top;
    return (double)n_hits / (double)n;
}

double nas_objective_mean_cost(const nas_objective_t *objective)
{
    nas_mean_t mean = {0};
    for (int64_t i = 0; i < objective->n_arch; i++) {
        const double cost = at(objective, objective->cost, i);
        if (!isnan(cost)) nas_mean_add(&mean, cost);
    }
    return nas_mean_value(&mean);
}

void nas_objective_destroy(nas_objective_t *objective)
{
    if (!objective) return;
    free(objective->column);
    free(objective->column_at);
    free(objective->sorted);
    free(objective);
}
