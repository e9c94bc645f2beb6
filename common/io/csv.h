/* CSV files by RFC 4180, one row at a time, through libcsv: bounded memory, located errors, the
 * digest on the way.
 *
 * Beyond the RFC: blanks around a field, within its quotes too, do not belong to it
 * (nas_text_trim); a line may also end in LF or CR alone; a UTF-8 byte order mark is skipped, and
 * so are blank lines.
 */
#ifndef NAS_COMMON_IO_CSV_H
#define NAS_COMMON_IO_CSV_H

#include "common/base/digest.h"
#include "common/base/error.h"

#include <stddef.h>
#include <stdint.h>

/** The most bytes a row may take in the file, quotes and line ends included. */
enum { NAS_CSV_MAX_ROW = 1 << 20 };

/** An open file. Opaque; about 1.3 MiB, and 8 bytes a field of the widest row. */
typedef struct nas_csv nas_csv_t;

/** One row. Borrowed until the next call on its file. */
typedef struct nas_csv_row {
    int64_t line;             /**< of the row's first character; the file begins with line 1 */
    size_t n_field;           /**< at least 1; 0 means the end of the file */
    const char *const *field; /**< n_field unquoted texts */
} nas_csv_row_t;

/** Open a file.  Not collective. path is borrowed until nas_csv_close.
 *  The caller owns *csv_p. Errors of nas_file_open. */
nas_status_t nas_csv_open(const char *path, nas_csv_t **csv_p, nas_error_t *err);

/** Read the next row.  Not collective. O(bytes).
 *  NAS_EINPUT, as `path:line: reason` with the row's line: bad quoting, a NUL byte, a row of more
 *  than NAS_CSV_MAX_ROW bytes (refused without reading on). NAS_EIO. After an error the file can
 *  only be closed. */
nas_status_t nas_csv_next(nas_csv_t *csv, nas_csv_row_t *row, nas_error_t *err);

/** The same of the next row that has a text, not of empty fields alone as spreadsheets write them
 *  below a table. */
nas_status_t nas_csv_next_filled(nas_csv_t *csv, nas_csv_row_t *row, nas_error_t *err);

/** SHA-256 of the file's bytes, once, after its end was reached. */
nas_digest_t nas_csv_digest(nas_csv_t *csv);

/** Accepts NULL. */
void nas_csv_close(nas_csv_t *csv);

#endif
