/* Tables: CSV files (RFC 4180, with a header row) of architectures and numbers. */
#ifndef NAS_COMMON_IO_TABLE_H
#define NAS_COMMON_IO_TABLE_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"
#include "common/base/names.h"
#include "common/base/strings.h"

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

/** What separates the fields of a table that is no CSV ("semicolons", ...), by the only field that its
 *  header then has, or NULL. */
const char *nas_table_separator(const char *header);

/** Rows. */
int64_t nas_table_rows(const nas_table_t *table);

/** Architecture names, sealed; they know file and line. Borrowed. */
const nas_names_t *nas_table_names(const nas_table_t *table);

/** Column by name, rows values, or NULL if it was not asked for. Borrowed. */
const double *nas_table_column(const nas_table_t *table, const char *name);

/** Number of values of a column that are not missing. */
int64_t nas_table_present(const nas_table_t *table, const char *name);

/** SHA-256 of the file's bytes. */
nas_digest_t nas_table_digest(const nas_table_t *table);

/** Accepts NULL. */
void nas_table_destroy(nas_table_t *table);

#endif
