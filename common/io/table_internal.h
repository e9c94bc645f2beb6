/* What the files of reading a table share. */
#ifndef NAS_COMMON_IO_TABLE_INTERNAL_H
#define NAS_COMMON_IO_TABLE_INTERNAL_H

#include "common/io/csv.h"
#include "common/io/table.h"

enum { NAS_TABLE_SHOWN_ARCH = 120 };

/** What is needed while reading only. */
typedef struct nas_table_reader {
    const nas_table_options_t *options;
    nas_csv_t *csv;
    nas_names_t *header;  /**< of the columns that have a name */
    size_t *header_field; /**< where each of them stands */
    int64_t header_line;
    size_t n_named, n_header; /**< fields of the header: up to its last name, and in all */
    size_t arch_field;
    size_t *field;          /**< of each asked column */
    double *missing_number; /**< n_missing entries of options->missing that are numbers */
    size_t n_missing;
    size_t n_row, capacity;
    nas_table_t *table;
} nas_table_reader_t;

/** Read the header and find the columns asked for.  NAS_EINPUT: there is none, two columns have one
 *  name, one is not there. */
nas_status_t nas_table_read_header(nas_table_reader_t *reader, nas_error_t *err);

#endif
