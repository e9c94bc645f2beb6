#include "common/base/sort.h"
#include "worker/tables/shared_table_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

nas_comm_t *nas_shared_table_comm(const nas_shared_table_t *table)
{
    return table->comm;
}

int64_t nas_shared_table_rows(const nas_shared_table_t *table)
{
    return table->first[nas_comm_size(table->comm)];
}

nas_comm_rows_t nas_shared_table_held(const nas_shared_table_t *table)
{
    const int64_t *first = table->first + nas_comm_rank(table->comm);
    return (nas_comm_rows_t){.first = first[0], .n = first[1] - first[0]};
}

bool nas_shared_table_is_alone(const nas_shared_table_t *table)
{
    return table->first[1] == nas_shared_table_rows(table);
}

int nas_shared_table_find(const nas_shared_table_t *table, const char *name)
{
    return (int)nas_strings_find(&table->columns, name);
}

const double *nas_shared_table_column(const nas_shared_table_t *table, int column)
{
    NAS_ASSERT(column >= 0 && (size_t)column < table->columns.n);
    return table->mine ? nas_table_column(table->mine, table->columns.at[column]) : NULL;
}

const nas_names_t *nas_shared_table_names(const nas_shared_table_t *table)
{
    return table->mine ? nas_table_names(table->mine) : NULL;
}

nas_digest_t nas_shared_table_digest(const nas_shared_table_t *table)
{
    return table->digest;
}

/* ---------------------------------------------------------------------------------------- ranks */

/* The held rows that take part, best first. */
static nas_status_t sort_values(nas_shared_table_t *table, const nas_table_order_t *order,
                                nas_error_t *err)
{
    const double *value = nas_shared_table_column(table, order->column);
    const int64_t n = order->row ? order->n_row : nas_shared_table_held(table).n;
    double *sorted = malloc((size_t)n * sizeof *sorted + 1);
    if (!sorted) return nas_error_nomem(err, "the order of a table");
    table->sorted = sorted;
    for (int64_t i = 0; i < n; i++) {
        const int64_t row = order->row ? order->row[i] : i;
        if (row >= 0 && !isnan(value[row])) sorted[table->n_sorted++] = -table->sign * value[row];
    }
    const nas_status_t status = nas_sort_numbers(sorted, table->n_sorted, order->interrupt, err);
    for (int64_t i = 0; i < table->n_sorted; i++) sorted[i] = -sorted[i];
    return status;
}

/* The value at a place of all ranks' values, best first: each gives its own as far as they could
 * reach it.
 */
static nas_status_t find_last_best(nas_shared_table_t *table, int64_t n_best, nas_error_t *err)
{
    const int64_t first = nas_shared_table_held(table).first;
    const int64_t k = n_best < table->n_ranked ? n_best : table->n_ranked;
    if (k == 0) return NAS_OK;
    nas_top_entry_t *best = malloc((size_t)k * sizeof *best);
    nas_status_t status = best ? NAS_OK : nas_error_nomem(err, "the best of a table");
    status = nas_comm_agree(table->comm, status, err);
    for (int64_t i = 0; !status && i < k; i++) {
        const bool exists = i < table->n_sorted;
        best[i] = (nas_top_entry_t){.score = exists ? table->sorted[i] : 0,
                                    .index = exists ? first + i : -1};
    }
    int flag = 0;
    if (!status) nas_comm_reduce_top(table->comm, best, 1, k, &flag);
    if (!status) table->last_best = table->sign * best[k - 1].score;
    free(best);
    return status;
}

/* What was fetched before has no rank. */
static void forget_fetched(nas_shared_table_t *table)
{
    for (int64_t i = 0; i < table->fetched.n; i++) {
        free(table->row[i].name);
        free(table->row[i].value);
    }
    nas_visited_clear(&table->fetched);
}

nas_status_t nas_shared_table_rank(nas_shared_table_t *table, const nas_table_order_t *order,
                                   nas_error_t *err)
{
    NAS_ASSERT(!table->is_ranked && (!order->row || nas_shared_table_is_alone(table)));
    forget_fetched(table);
    table->is_ranked = true;
    table->ranked_column = order->column;
    table->sign = order->minimise ? -1.0 : 1.0;
    const nas_status_t status = nas_comm_agree(table->comm, sort_values(table, order, err), err);
    if (status) return status;
    table->n_ranked = table->n_sorted;
    nas_comm_sum(table->comm, &table->n_ranked, 1);
    return find_last_best(table, order->n_best, err);
}

int64_t nas_shared_table_ranked(const nas_shared_table_t *table)
{
    return table->n_ranked;
}

double nas_shared_table_last_best(const nas_shared_table_t *table)
{
    return table->last_best;
}

void nas_shared_table_destroy(nas_shared_table_t *table)
{
    if (!table) return;
    forget_fetched(table);
    nas_visited_fini(&table->fetched);
    free(table->row);
    free(table->sorted);
    free(table->first);
    free(table->path);
    nas_strings_fini(&table->columns);
    nas_table_destroy(table->mine);
    free(table);
}
