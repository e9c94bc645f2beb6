#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/io/field.h"
#include "common/io/table_internal.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024, SHOWN_FIELD = 40 };

struct nas_table {
    nas_names_t *names;
    nas_strings_t columns;
    double **value; /* one array for each of columns */
    nas_digest_t *block;
    int64_t n_blocks;
};

/* The value of a field, NaN where it means missing; false where it is not a number. */
static bool read_value(const nas_table_reader_t *reader, const char *text, double *value)
{
    double x;
    if (!nas_field_number(text, &x)) {
        if (!nas_field_is_missing(reader->options->missing, text)) return false;
        x = NAN;
    }
    bool missing = !isfinite(x);
    for (size_t i = 0; i < reader->n_missing; i++)
        missing = missing || x == reader->missing_number[i];
    *value = missing ? NAN : x;
    return true;
}

static nas_status_t read_missing(nas_table_reader_t *reader, nas_error_t *err)
{
    const nas_strings_t *missing = reader->options->missing;
    if (!missing || missing->n == 0) return NAS_OK;
    reader->missing_number = malloc(missing->n * sizeof *reader->missing_number);
    if (!reader->missing_number) return nas_error_nomem(err, "the list of missing values");
    for (size_t i = 0; i < missing->n; i++) {
        char *entry = nas_text_copy_trimmed(missing->at[i], err);
        if (!entry) return NAS_ENOMEM;
        reader->n_missing += nas_field_number(entry, &reader->missing_number[reader->n_missing]);
        free(entry);
    }
    return NAS_OK;
}

/* Set the capacity of every per-row array. */
static nas_status_t resize(nas_table_reader_t *reader, size_t capacity, nas_error_t *err)
{
    nas_table_t *table = reader->table;
    for (size_t c = 0; c < table->columns.n; c++) {
        double *value = realloc(table->value[c], capacity * sizeof *value);
        if (!value) return nas_error_nomem(err, "a table");
        table->value[c] = value;
    }
    reader->capacity = capacity;
    return NAS_OK;
}

static nas_status_t read_values(const nas_table_reader_t *reader, const nas_csv_row_t *row,
                                nas_error_t *err)
{
    const nas_table_t *table = reader->table;
    for (size_t c = 0; c < table->columns.n; c++) {
        const char *text = row->field[reader->field[c]];
        char hint[NAS_FIELD_HINT_SIZE];
        if (read_value(reader, text, &table->value[c][reader->n_row])) continue;
        if (strcmp(text, table->columns.at[c]) == 0)
            (void)snprintf(hint, sizeof hint, "; is this a second header?");
        else
            nas_field_hint(text, reader->options->missing_key, hint);
        return nas_error_set(err, NAS_EINPUT, "%s:%lld: column '%s': '%.*s' is not a number%s",
                             reader->options->path, (long long)row->line, table->columns.at[c],
                             SHOWN_FIELD, text, hint);
    }
    return NAS_OK;
}

/* Fields up to the last named column must be there; beyond the header they must be empty. */
static nas_status_t check_length(const nas_table_reader_t *reader, const nas_csv_row_t *row,
                                 nas_error_t *err)
{
    size_t n_field = row->n_field;
    while (n_field > reader->n_header && !*row->field[n_field - 1]) n_field--;
    if (n_field >= reader->n_named && n_field <= reader->n_header) return NAS_OK;
    const bool is_long = n_field > reader->n_header;
    return nas_error_set(err, NAS_EINPUT, "%s:%lld: %zu field%s where the header has %zu%s",
                         reader->options->path, (long long)row->line, n_field,
                         n_field == 1 ? "" : "s", is_long ? reader->n_header : reader->n_named,
                         is_long ? "; a text that holds commas stands in quotes" : "");
}

static nas_status_t add_row(nas_table_reader_t *reader, const nas_csv_row_t *row, nas_error_t *err)
{
    const nas_table_options_t *options = reader->options;
    nas_names_t *names = reader->table->names;
    nas_status_t status = check_length(reader, row, err);
    if (status) return status;
    const char *arch = row->field[reader->arch_field];
    if (arch[0] == '\0')
        return nas_error_set(err, NAS_EINPUT, "%s:%lld: column '%s': the architecture is empty",
                             options->path, (long long)row->line, options->arch_column);
    if (reader->n_row == reader->capacity) {
        const size_t capacity = reader->capacity ? 2 * reader->capacity : FIRST_CAPACITY;
        if ((status = resize(reader, capacity, err))) return status;
    }
    if ((status = read_values(reader, row, err))) return status;
    if ((status = nas_names_add(names, arch, strlen(arch), err))) return status;
    reader->n_row++;
    return nas_names_set_line(names, row->line, err);
}

static nas_status_t read_rows(nas_table_reader_t *reader, nas_error_t *err)
{
    const size_t block = 1 << 12; /* rows between two questions */
    nas_csv_row_t row;
    for (;;) {
        nas_status_t status = nas_csv_next_filled(reader->csv, &row, err);
        if (status) return status;
        if (row.n_field == 0) break;
        if ((status = add_row(reader, &row, err))) return status;
        if (reader->n_row % block != 0) continue;
        NAS_FAULT_POINT("read-rows");
        if ((status = nas_interrupt_check(reader->options->interrupt, 0, err))) return status;
    }
    return reader->n_row > 0 ? resize(reader, reader->n_row, err) : NAS_OK;
}

static nas_status_t keep_blocks(const nas_table_reader_t *reader, nas_error_t *err)
{
    nas_table_t *table = reader->table;
    const nas_digest_t *block = nas_csv_blocks(reader->csv, &table->n_blocks);
    const size_t n_bytes = (size_t)table->n_blocks * sizeof *block;
    table->block = malloc(n_bytes + 1);
    if (!table->block) return nas_error_nomem(err, "the digests of a table");
    if (n_bytes > 0) memcpy(table->block, block, n_bytes);
    return NAS_OK;
}

nas_status_t nas_table_refuse_empty(const char *path, nas_error_t *err)
{
    return nas_error_set(err, NAS_EINPUT, "%s: no rows below the header", path);
}

static nas_status_t index_names(const nas_table_reader_t *reader, nas_error_t *err)
{
    nas_names_t *names = reader->table->names;
    int64_t again, first;
    nas_names_set_interrupt(names, reader->options->interrupt);
    const nas_status_t status = nas_names_index(names, &again, &first, err);
    if (status || again < 0) return status;
    return nas_error_set(
        err, NAS_EINPUT, "%s:%lld: architecture '%.*s' stands in line %lld already",
        reader->options->path, (long long)nas_names_line(names, again), NAS_TABLE_SHOWN_ARCH,
        nas_names_at(names, again), (long long)nas_names_line(names, first));
}

/* An empty table with the columns asked for, and the reader's places for them. */
static nas_status_t prepare(nas_table_reader_t *reader, nas_error_t *err)
{
    const nas_strings_t *columns = reader->options->columns;
    nas_table_t *table = calloc(1, sizeof *table);
    if (!table) return nas_error_nomem(err, "a table");
    reader->table = table;
    reader->field = calloc(columns->n + 1, sizeof *reader->field);
    table->value = calloc(columns->n + 1, sizeof *table->value);
    if (!reader->field || !table->value) return nas_error_nomem(err, "a table");
    for (size_t c = 0; c < columns->n; c++) {
        const nas_status_t status =
            nas_strings_add(&table->columns, columns->at[c], strlen(columns->at[c]), err);
        if (status) return status;
    }
    const nas_status_t status = nas_names_create(&table->names, err);
    return status ? status : nas_names_set_file(table->names, reader->options->path, err);
}

/* Up to the first row. */
static nas_status_t open_table(nas_table_reader_t *reader, nas_error_t *err)
{
    nas_status_t status = prepare(reader, err);
    if (!status) status = read_missing(reader, err);
    if (!status) status = nas_csv_open(reader->options->path, &reader->csv, err);
    return status ? status : nas_table_read_header(reader, err);
}

/* Give away the table, where it is one, and drop the rest. */
static void close_table(nas_table_reader_t *reader, nas_status_t status, nas_table_t **table_p)
{
    if (status)
        nas_table_destroy(reader->table);
    else
        *table_p = reader->table;
    nas_names_destroy(reader->header);
    nas_csv_close(reader->csv);
    free(reader->field);
    free(reader->header_field);
    free(reader->missing_number);
}

nas_status_t nas_table_read(const nas_table_options_t *options, nas_table_t **table_p,
                            nas_error_t *err)
{
    nas_table_reader_t reader = {.options = options};
    nas_status_t status = open_table(&reader, err);
    if (!status) status = read_rows(&reader, err);
    if (!status && reader.n_row == 0) status = nas_table_refuse_empty(options->path, err);
    if (!status) status = index_names(&reader, err);
    if (!status) status = keep_blocks(&reader, err);
    close_table(&reader, status, table_p);
    return status;
}

static nas_status_t add_texts(nas_table_reader_t *reader, nas_strings_t *texts, nas_error_t *err)
{
    const nas_table_options_t *options = reader->options;
    nas_csv_row_t row;
    for (;;) {
        nas_status_t status = nas_csv_next_filled(reader->csv, &row, err);
        if (status || row.n_field == 0) return status;
        if ((status = check_length(reader, &row, err))) return status;
        const char *text = reader->arch_field < row.n_field ? row.field[reader->arch_field] : "";
        if (!*text)
            return nas_error_set(err, NAS_EINPUT, "%s:%lld: column '%s' is empty", options->path,
                                 (long long)row.line, options->arch_column);
        if ((status = nas_strings_add(texts, text, strlen(text), err))) return status;
    }
}

nas_status_t nas_table_read_texts(const char *path, const char *column, nas_strings_t *texts,
                                  nas_error_t *err)
{
    const nas_strings_t none = {0};
    const nas_table_options_t options = {.path = path, .arch_column = column, .columns = &none};
    nas_table_reader_t reader = {.options = &options};
    nas_table_t *table = NULL;
    nas_status_t status = open_table(&reader, err);
    if (!status) status = add_texts(&reader, texts, err);
    close_table(&reader, status, &table);
    nas_table_destroy(table);
    return status;
}

nas_status_t nas_table_read_range(const nas_table_options_t *options, nas_csv_range_t range,
                                  nas_table_seen_t *seen, nas_table_t **table_p, nas_error_t *err)
{
    nas_table_reader_t reader = {.options = options};
    nas_status_t status = open_table(&reader, err);
    if (!status) status = nas_csv_take_range(reader.csv, range, err);
    if (!status) status = read_rows(&reader, err);
    if (!status) status = keep_blocks(&reader, err);
    *seen = (nas_table_seen_t){0};
    if (reader.csv) {
        seen->is_uncuttable = nas_csv_is_uncuttable(reader.csv);
        seen->n_lines = nas_csv_line(reader.csv) - (range.begin > 0 ? range.line : 1);
    }
    close_table(&reader, status, table_p);
    return status;
}

void nas_table_move_lines(nas_table_t *table, int64_t by)
{
    nas_names_move_lines(table->names, by);
}

int64_t nas_table_rows(const nas_table_t *table)
{
    return nas_names_count(table->names);
}

const nas_names_t *nas_table_names(const nas_table_t *table)
{
    return table->names;
}

const double *nas_table_column(const nas_table_t *table, const char *name)
{
    const ptrdiff_t c = nas_strings_find(&table->columns, name);
    return c < 0 ? NULL : table->value[c];
}

const nas_digest_t *nas_table_blocks(const nas_table_t *table, int64_t *n)
{
    *n = table->n_blocks;
    return table->block;
}

void nas_table_destroy(nas_table_t *table)
{
    if (!table) return;
    for (size_t c = 0; c < table->columns.n; c++) free(table->value[c]);
    nas_strings_fini(&table->columns);
    nas_names_destroy(table->names);
    free(table->value);
    free(table->block);
    free(table);
}
