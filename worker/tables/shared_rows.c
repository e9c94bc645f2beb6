/* Rows of a shared table that rank 0 wants to know.
 *
 * It asks all ranks for them; those that hold some send them; and where the table is ranked, it
 * tells their values to all, who count what they hold that is better. There is no memory to run out
 * of in the middle that is worth a message of its own: the job then ends. */
#include "common/comm/buffer.h"
#include "worker/tables/shared_table_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_AT_ONCE = 31 }; /* rows that fit into the first message */

/* The first message of a fetch. */
typedef struct request {
    int64_t n;
    int64_t row[MOST_AT_ONCE];
} request_t;

/* What stands before the values and the name of a row in a message. */
typedef struct record {
    int64_t row;
    int64_t line;
    int64_t n_name; /* bytes, with the NUL */
} record_t;

static void *need(void *memory)
{
    if (!memory) nas_comm_abort("out of memory for rows of a table");
    return memory;
}

/* Whether the rank takes part in messages at all. */
static bool is_silent(const nas_shared_table_t *table)
{
    return nas_shared_table_is_alone(table);
}

/* Rank 0: those that are new, which count as fetched from here on. */
static int64_t take_new(nas_shared_table_t *table, const int64_t *row, int64_t n, int64_t *wanted)
{
    nas_error_t err = {0};
    int64_t n_wanted = 0;
    if (nas_visited_reserve(&table->fetched, table->fetched.n + n, &err)) nas_comm_abort(err.text);
    for (int64_t i = 0; i < n; i++)
        if (nas_visited_add(&table->fetched, row[i])) wanted[n_wanted++] = row[i];
    if (table->fetched.n > table->row_capacity) {
        table->row_capacity = 2 * table->fetched.n;
        table->row = need(realloc(table->row, (size_t)table->row_capacity * sizeof *table->row));
    }
    return n_wanted;
}

/* The rows that rank 0 wants, on all ranks; the caller's. */
static int64_t *share_request(nas_shared_table_t *table, const int64_t *row, int64_t *n)
{
    request_t request = {0};
    const bool asks = nas_comm_rank(table->comm) == 0;
    int64_t *wanted = asks ? need(malloc((size_t)*n * sizeof *wanted + 1)) : NULL;
    if (asks) request.n = take_new(table, row, *n, wanted);
    if (is_silent(table)) {
        *n = request.n;
        return wanted;
    }
    const bool fits = request.n <= MOST_AT_ONCE;
    if (asks && fits) memcpy(request.row, wanted, (size_t)request.n * sizeof *wanted);
    nas_comm_bcast(table->comm, 0, &request, sizeof request);
    const size_t n_bytes = (size_t)request.n * sizeof *wanted;
    *n = request.n;
    if (!asks) wanted = need(malloc(n_bytes + 1));
    if (request.n > MOST_AT_ONCE)
        nas_comm_bcast(table->comm, 0, wanted, n_bytes);
    else
        memcpy(wanted, request.row, n_bytes);
    return wanted;
}

/* A held row into a message. */
static void pack_row(const nas_shared_table_t *table, int64_t row, nas_buffer_t *buffer)
{
    nas_error_t err = {0};
    const int64_t at = row - nas_shared_table_held(table).first;
    const nas_names_t *names = nas_table_names(table->mine);
    const char *name = nas_names_at(names, at);
    const record_t record = {
        .row = row, .line = nas_names_line(names, at), .n_name = (int64_t)strlen(name) + 1};
    nas_status_t status = nas_buffer_put(buffer, &record, sizeof record, &err);
    for (size_t c = 0; !status && c < table->columns.n; c++)
        status = nas_buffer_put(buffer, &nas_shared_table_column(table, (int)c)[at], sizeof(double),
                                &err);
    if (!status) status = nas_buffer_put(buffer, name, (size_t)record.n_name, &err);
    if (status) nas_comm_abort(err.text);
}

static void pack_held(const nas_shared_table_t *table, const int64_t *wanted, int64_t n,
                      nas_buffer_t *buffer)
{
    const nas_comm_rows_t held = nas_shared_table_held(table);
    for (int64_t i = 0; i < n; i++)
        if (wanted[i] >= held.first && wanted[i] < held.first + held.n)
            pack_row(table, wanted[i], buffer);
}

/* Rank 0: keep the rows of a message. */
static void unpack_rows(nas_shared_table_t *table, const char *at, const char *end)
{
    const size_t n_values = table->columns.n * sizeof(double);
    while (at < end) {
        const record_t *record = nas_buffer_take(&at, sizeof *record);
        nas_table_row_t *row = &table->row[nas_visited_find(&table->fetched, record->row)];
        *row = (nas_table_row_t){.line = record->line,
                                 .value = need(malloc(n_values + 1)),
                                 .name = need(malloc((size_t)record->n_name))};
        if (n_values) memcpy(row->value, nas_buffer_take(&at, n_values), n_values);
        memcpy(row->name, nas_buffer_take(&at, (size_t)record->n_name), (size_t)record->n_name);
    }
}

static void gather_rows(nas_shared_table_t *table, const nas_buffer_t *mine)
{
    const char *all = mine->data;
    size_t n_bytes = mine->size;
    if (!is_silent(table)) {
        const int size = nas_comm_size(table->comm);
        size_t *offset = need(calloc((size_t)size + 1, sizeof *offset));
        nas_comm_gather(table->comm, mine->data, mine->size, &all, offset);
        n_bytes = offset[size];
        free(offset);
    }
    if (nas_comm_rank(table->comm) == 0 && n_bytes) unpack_rows(table, all, all + n_bytes);
}

/* How many of the held values are strictly better. */
static int64_t count_better(const nas_shared_table_t *table, double value)
{
    int64_t low = 0, high = table->n_sorted;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (table->sorted[middle] > table->sign * value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Where the rows stand among those of all ranks. */
static void rank_rows(nas_shared_table_t *table, const int64_t *wanted, int64_t n)
{
    const bool asks = nas_comm_rank(table->comm) == 0;
    double *value = need(calloc((size_t)n, sizeof *value));
    int64_t *n_better = need(calloc((size_t)n, sizeof *n_better));
    for (int64_t i = 0; asks && i < n; i++)
        value[i] = nas_shared_table_row(table, wanted[i])->value[table->ranked_column];
    if (!is_silent(table)) nas_comm_bcast(table->comm, 0, value, (size_t)n * sizeof *value);
    for (int64_t i = 0; i < n; i++)
        if (!isnan(value[i])) n_better[i] = count_better(table, value[i]);
    if (!is_silent(table)) nas_comm_sum(table->comm, n_better, (int)n);
    for (int64_t i = 0; asks && i < n; i++)
        table->row[nas_visited_find(&table->fetched, wanted[i])].n_better = n_better[i];
    free(n_better);
    free(value);
}

void nas_shared_table_fetch(nas_shared_table_t *table, const int64_t *row, int64_t n)
{
    nas_buffer_t mine = {0};
    if (is_silent(table) && nas_comm_rank(table->comm) != 0) return;
    int64_t *wanted = share_request(table, row, &n);
    if (n > 0) {
        pack_held(table, wanted, n, &mine);
        gather_rows(table, &mine);
        if (table->is_ranked) rank_rows(table, wanted, n);
    }
    free(mine.data);
    free(wanted);
}

const nas_table_row_t *nas_shared_table_row(const nas_shared_table_t *table, int64_t row)
{
    const int64_t at = nas_visited_find(&table->fetched, row);
    NAS_ASSERT(at >= 0);
    return &table->row[at];
}
