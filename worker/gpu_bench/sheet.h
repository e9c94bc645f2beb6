/* What the bench prints: tables for people, or the same as one JSON object. A row is out as soon as
 * it is known, so that what was measured before a device is lost is not. */
#ifndef NAS_WORKER_GPU_BENCH_SHEET_H
#define NAS_WORKER_GPU_BENCH_SHEET_H

#include <stdbool.h>
#include <stdio.h>

/** A column. */
typedef struct nas_sheet_column {
    const char *key;  /**< in JSON */
    const char *head; /**< above it; with the unit */
    int width;        /**< negative: a text, to the left */
    int decimals;     /**< of a number */
} nas_sheet_column_t;

/** What stands in a column: a text where that is not NULL, else a number. */
typedef struct nas_sheet_cell {
    const char *text;
    double number;
} nas_sheet_cell_t;

/** A plain value. Columns are borrowed until the table ends. */
typedef struct nas_sheet {
    FILE *out;
    bool is_json;
    int n_tables;
    const nas_sheet_column_t *column; /**< of the table that is open; NULL: none is */
    int n_columns, n_rows;
} nas_sheet_t;

/** No function is collective; whether all could be written is ferror's to say. */
void nas_sheet_begin(nas_sheet_t *sheet, FILE *out, bool is_json);
/** A table named `key` in JSON, and otherwise by `title`. */
void nas_sheet_table(nas_sheet_t *sheet, const char *key, const char *title,
                     const nas_sheet_column_t *column, int n_columns);
/** cell [in] one for each column. */
void nas_sheet_row(nas_sheet_t *sheet, const nas_sheet_cell_t *cell);
void nas_sheet_end_table(nas_sheet_t *sheet);
void nas_sheet_end(nas_sheet_t *sheet);

#endif
