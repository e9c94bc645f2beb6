#include "common/io/table.h"

#include "common/base/fault.h"
#include "common/base/text.h"
#include "common/io/csv.h"
#include "common/io/field.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024, COLUMN_LIST_SIZE = 400, SHOWN_FIELD = 40, SHOWN_ARCH = 120 };

struct nas_table {
    nas_names_t *names;
    nas_strings_t columns;
    double **value; /* one array for each of columns */
    nas_digest_t digest;
};

/* What is needed while reading only. */
typedef struct reader {
    const nas_table_options_t *options;
    nas_csv_t *csv;
    nas_names_t *header;  /* of the columns that have a name */
    size_t *header_field; /* where each of them stands */
    int64_t header_line;
    size_t n_named, n_header; /* fields of the header: up to its last name, and in all */
    size_t arch_field;
    size_t *field;          /* of each asked column */
    double *missing_number; /* n_missing entries of options->missing that are numbers */
    size_t n_missing;
    size_t n_row, capacity;
    nas_table_t *table;
} reader_t;

/* The value of a field, NaN where it means missing; false where it is not a number. */
static bool read_value(const reader_t *reader, const char *text, double *value)
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

static nas_status_t read_missing(reader_t *reader, nas_error_t *err)
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

/* The column names, comma separated, cut where they do not fit. */
static void list_columns(const nas_strings_t *columns, char list[COLUMN_LIST_SIZE])
{
    static const char cut[] = "...";
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < columns->n; i++) {
        const size_t room = COLUMN_LIST_SIZE - sizeof cut - used;
        const int n = snprintf(list + used, room, "%s%s", i > 0 ? ", " : "", columns->at[i]);
        if (n < 0 || (size_t)n >= room) {
            memcpy(list + strlen(list), cut, sizeof cut);
            return;
        }
        used += (size_t)n;
    }
}

const char *nas_table_separator(const char *header)
{
    if (strchr(header, ';')) return "semicolons";
    if (strchr(header, '\t')) return "tabs";
    return strchr(header, '|') ? "vertical bars" : NULL;
}

static nas_status_t unknown_column(const reader_t *reader, const char *name, nas_error_t *err)
{
    char list[COLUMN_LIST_SIZE];
    nas_strings_t columns = {0};
    nas_status_t status = NAS_OK;
    const long long line = (long long)reader->header_line;
    for (int64_t i = 0; i < nas_names_count(reader->header); i++) {
        const char *column = nas_names_at(reader->header, i);
        if ((status = nas_strings_add(&columns, column, strlen(column), err))) goto out;
    }
    const char *separator = columns.n == 1 ? nas_table_separator(columns.at[0]) : NULL;
    if (separator) {
        status = nas_error_set(
            err, NAS_EINPUT,
            "%s:%lld: no column '%.*s'; %s separate the fields here; save the table as CSV with commas, and numbers with a decimal point",
            reader->options->path, line, SHOWN_ARCH, name, separator);
        goto out;
    }
    list_columns(&columns, list);
    const char *nearest = nas_strings_nearest(&columns, name);
    status = nas_error_set(err, NAS_EINPUT, "%s:%lld: no column '%.*s'%s%.*s%s; columns are %s",
                           reader->options->path, line, SHOWN_ARCH, name,
                           nearest ? "; nearest is '" : "", SHOWN_ARCH, nearest ? nearest : "",
                           nearest ? "'" : "", list);
out:
    nas_strings_fini(&columns);
    return status;
}

static nas_status_t locate(const reader_t *reader, const char *name, size_t *field,
                           nas_error_t *err)
{
    char *trimmed = nas_text_copy_trimmed(name, err);
    if (!trimmed) return NAS_ENOMEM;
    const int64_t found = nas_names_find(reader->header, trimmed);
    free(trimmed);
    if (found < 0) return unknown_column(reader, name, err);
    *field = reader->header_field[found];
    return NAS_OK;
}

/* Take the names of a header, in which some columns, above all the last ones, may have none. */
static nas_status_t take_names(reader_t *reader, const nas_csv_row_t *row, nas_error_t *err)
{
    int64_t duplicate, first;
    nas_status_t status = nas_names_create(&reader->header, err);
    if (status) return status;
    reader->header_field = malloc(row->n_field * sizeof *reader->header_field);
    if (!reader->header_field) return nas_error_nomem(err, "the columns of a table");
    reader->header_line = row->line;
    reader->n_header = row->n_field;
    for (size_t i = 0; i < row->n_field; i++) {
        const char *name = row->field[i];
        if (!*name) continue;
        reader->header_field[nas_names_count(reader->header)] = i;
        reader->n_named = i + 1;
        if ((status = nas_names_add(reader->header, name, strlen(name), err))) return status;
    }
    if ((status = nas_names_index(reader->header, &duplicate, &first, err))) return status;
    if (duplicate < 0) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT, "%s:%lld: fields %zu and %zu are both called '%.*s'",
                         reader->options->path, (long long)row->line,
                         reader->header_field[first] + 1, reader->header_field[duplicate] + 1,
                         SHOWN_ARCH, nas_names_at(reader->header, duplicate));
}

static nas_status_t read_header(reader_t *reader, nas_error_t *err)
{
    const nas_table_options_t *options = reader->options;
    nas_csv_row_t row;
    nas_status_t status = nas_csv_next_filled(reader->csv, &row, err);
    if (status) return status;
    if (row.n_field == 0)
        return nas_error_set(err, NAS_EINPUT, "%s: empty; expected a header row with column names",
                             options->path);
    if ((status = take_names(reader, &row, err))) return status;
    if ((status = locate(reader, options->arch_column, &reader->arch_field, err))) return status;
    for (size_t c = 0; c < options->columns->n; c++) {
        status = locate(reader, options->columns->at[c], &reader->field[c], err);
        if (status) return status;
    }
    return NAS_OK;
}

/* Set the capacity of every per-row array. */
static nas_status_t resize(reader_t *reader, size_t capacity, nas_error_t *err)
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

static nas_status_t read_values(const reader_t *reader, const nas_csv_row_t *row, nas_error_t *err)
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
static nas_status_t check_length(const reader_t *reader, const nas_csv_row_t *row, nas_error_t *err)
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

static nas_status_t add_row(reader_t *reader, const nas_csv_row_t *row, nas_error_t *err)
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

static nas_status_t read_rows(reader_t *reader, nas_error_t *err)
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
    if (reader->n_row == 0)
        return nas_error_set(err, NAS_EINPUT, "%s: no rows below the header",
                             reader->options->path);
    return resize(reader, reader->n_row, err);
}

static nas_status_t seal(const reader_t *reader, nas_error_t *err)
{
    nas_names_t *names = reader->table->names;
    int64_t duplicate, first;
    nas_names_set_interrupt(names, reader->options->interrupt);
    const nas_status_t status = nas_names_index(names, &duplicate, &first, err);
    if (status) return status;
    if (duplicate < 0) return NAS_OK;
    return nas_error_set(
        err, NAS_EINPUT, "%s:%lld: architecture '%.*s' stands in line %lld already",
        reader->options->path, (long long)nas_names_line(names, duplicate), SHOWN_ARCH,
        nas_names_at(names, duplicate), (long long)nas_names_line(names, first));
}

/* An empty table with the columns asked for, and the reader's places for them. */
static nas_status_t prepare(reader_t *reader, nas_error_t *err)
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

nas_status_t nas_table_read(const nas_table_options_t *options, nas_table_t **table_p,
                            nas_error_t *err)
{
    reader_t reader = {.options = options};
    nas_status_t status;
    if ((status = prepare(&reader, err))) goto out;
    if ((status = read_missing(&reader, err))) goto out;
    if ((status = nas_csv_open(options->path, &reader.csv, err))) goto out;
    if ((status = read_header(&reader, err))) goto out;
    if ((status = read_rows(&reader, err))) goto out;
    if ((status = seal(&reader, err))) goto out;
    reader.table->digest = nas_csv_digest(reader.csv);
    *table_p = reader.table;
    reader.table = NULL;
out:
    nas_table_destroy(reader.table);
    nas_names_destroy(reader.header);
    nas_csv_close(reader.csv);
    free(reader.field);
    free(reader.header_field);
    free(reader.missing_number);
    return status;
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

int64_t nas_table_present(const nas_table_t *table, const char *name)
{
    const double *value = nas_table_column(table, name);
    int64_t present = 0;
    NAS_ASSERT(value);
    for (int64_t i = 0; i < nas_table_rows(table); i++) present += !isnan(value[i]);
    return present;
}

nas_digest_t nas_table_digest(const nas_table_t *table)
{
    return table->digest;
}

void nas_table_destroy(nas_table_t *table)
{
    if (!table) return;
    for (size_t c = 0; c < table->columns.n; c++) free(table->value[c]);
    nas_strings_fini(&table->columns);
    nas_names_destroy(table->names);
    free(table->value);
    free(table);
}
