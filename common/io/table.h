/* Tables: CSV files (RFC 4180, with a header row) of architectures and numbers. */
#ifndef NAS_COMMON_IO_TABLE_H
#define NAS_COMMON_IO_TABLE_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/names.h"
#include "common/base/strings.h"
#include "common/io/csv.h"

#include <stdbool.h>
#include <stdint.h>

/** What to read of a table. Borrowed for the call. */
typedef struct nas_table_options {
    const char *path;
    const char *arch_column;
    const nas_strings_t *columns; /**< number columns to keep, distinct, in this order */
    const nas_strings_t
        *missing;            /**< field texts that mean missing besides "" and nan; may be NULL */
    const char *missing_key; /**< the job's key of missing, for messages; NULL: none */
    const nas_interrupt_t *interrupt; /**< asked between many rows; may be NULL */
} nas_table_options_t;

/** An immutable table in memory: names plus float64 columns; NaN where a value is missing or not
 *  finite. Opaque. */
typedef struct nas_table nas_table_t;

/** Read a table.  Not collective. One pass, O(bytes) time, 8 bytes a value plus the names, up to
 *  twice that meanwhile. Numbers are decimal, in the C locale; fields of other columns may hold
 *  anything. Blanks around column names, architectures and other fields do not count
 *  (nas_text_trim), nor do rows of blanks, columns without a name, and empty fields beyond the
 *  header's. A field means missing when it is empty, `nan` in any case, an infinity (also one too
 *  large for a float64), or equal (as text or as a number) to an entry of `missing`.
 *  NAS_EINPUT, one line with file, line and column name: no such file, no header, no rows, a
 *  duplicate or unknown column (with the nearest known), a ragged row, a field that is no number
 *  (with what would be right), an empty or duplicate architecture (with the line of the first), and
 *  what nas_csv_next refuses: bad quoting, a NUL byte, a header or row of more than 1 MiB.
 *  NAS_ESTOP: interrupted. NAS_EIO, NAS_ENOMEM.
 *  The caller owns *table_p. */
nas_status_t nas_table_read(const nas_table_options_t *options, nas_table_t **table_p,
                            nas_error_t *err);

/** Read a column of texts.  Not collective. As nas_table_read, of the same rows.
 *  texts [in, out] appended to, one a row.
 *  NAS_EINPUT, with file and line: as nas_table_read, or a field is empty. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_table_read_texts(const char *path, const char *column, nas_strings_t *texts,
                                  nas_error_t *err);

/** What a reader of a range of a table's file found. */
typedef struct nas_table_seen {
    int64_t n_lines;    /**< that begin in its range, with the header's for the first one, where the
                         *   range was read without an error */
    bool is_uncuttable; /**< one reader has to read the file (nas_csv_is_uncuttable) */
} nas_table_seen_t;

/** Read the rows of a table that begin in a range of its file.  Not collective. As nas_table_read,
 *  but that there may be no rows, that duplicates are not looked for and that there is no look-up
 *  by name; lines in messages and of names count from range.line on. An error is one of the whole
 *  table, too, where no other reader finds it uncuttable or has an error before it.
 *  seen [out] also where it fails. The caller owns *table_p. */
nas_status_t nas_table_read_range(const nas_table_options_t *options, nas_csv_range_t range,
                                  nas_table_seen_t *seen, nas_table_t **table_p, nas_error_t *err);

/** Add to the lines of all names what was not known when they were read. */
void nas_table_move_lines(nas_table_t *table, int64_t by);

/** The refusal of a table without rows.  NAS_EINPUT, with its line. */
nas_status_t nas_table_refuse_empty(const char *path, nas_error_t *err);

/** What separates the fields of a table that is no CSV ("semicolons", ...), by the only field that
 *  its header then has, or NULL. */
const char *nas_table_separator(const char *header);

/** Rows. */
int64_t nas_table_rows(const nas_table_t *table);

/** Architecture names, indexed; they know file and line. Borrowed. */
const nas_names_t *nas_table_names(const nas_table_t *table);

/** Column by name, rows values, or NULL if it was not asked for. Borrowed. */
const double *nas_table_column(const nas_table_t *table, const char *name);

/** Digests of the blocks of the file (digest.h), or of the range that was read. Borrowed. */
const nas_digest_t *nas_table_blocks(const nas_table_t *table, int64_t *n);

/** Accepts NULL. */
void nas_table_destroy(nas_table_t *table);

#endif
