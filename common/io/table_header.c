/* The header of a table: its columns, and where those that are asked for stand. */
#include "common/base/text.h"
#include "common/io/table_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_LIST_SIZE = 400 };

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

static nas_status_t unknown_column(const nas_table_reader_t *reader, const char *name,
                                   nas_error_t *err)
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
            reader->options->path, line, NAS_TABLE_SHOWN_ARCH, name, separator);
        goto out;
    }
    list_columns(&columns, list);
    const char *nearest = nas_strings_nearest(&columns, name);
    status = nas_error_set(err, NAS_EINPUT, "%s:%lld: no column '%.*s'%s%.*s%s; columns are %s",
                           reader->options->path, line, NAS_TABLE_SHOWN_ARCH, name,
                           nearest ? "; nearest is '" : "", NAS_TABLE_SHOWN_ARCH,
                           nearest ? nearest : "", nearest ? "'" : "", list);
out:
    nas_strings_fini(&columns);
    return status;
}

static nas_status_t locate(const nas_table_reader_t *reader, const char *name, size_t *field,
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
static nas_status_t take_names(nas_table_reader_t *reader, const nas_csv_row_t *row,
                               nas_error_t *err)
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
                         NAS_TABLE_SHOWN_ARCH, nas_names_at(reader->header, duplicate));
}

nas_status_t nas_table_read_header(nas_table_reader_t *reader, nas_error_t *err)
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
