/* CSV files by RFC 4180, one row at a time, through libcsv: bounded memory, located errors, the
 * digests of its blocks on the way.
 *
 * Several readers can share a file, a range of its bytes each: a reader has the rows that begin in
 * its range, and finds the first by the line ends. That is right as long as no line ends within
 * quotes, which no reader can know of the bytes before its own. But each sees whether every line of
 * its own has an even number of quotes, and if all do, no line of the file ends within them.
 *
 * Beyond the RFC: blanks around a field, within its quotes too, do not belong to it
 * (nas_text_trim); a line may also end in LF or CR alone; a UTF-8 byte order mark is skipped, and
 * so are blank lines.
 */
#ifndef NAS_COMMON_IO_CSV_H
#define NAS_COMMON_IO_CSV_H

#include "common/base/digest.h"
#include "common/base/error.h"

#include <stdbool.h>
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

/** Bytes [begin, end) of a file, for one of its readers. */
typedef struct nas_csv_range {
    int64_t begin; /**< 0: where the reader stands; others lie behind that */
    int64_t end;   /**< INT64_MAX: the file's end */
    int64_t line;  /**< number of the first line that begins there; of no matter for begin 0 */
} nas_csv_range_t;

/** Read on with the rows that begin in a range, and no others.  Not collective; between two rows,
 *  such as behind the header. From here on a line that ends within quotes is an error, and the file
 *  uncuttable.  NAS_EINPUT: it is so already. NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_csv_take_range(nas_csv_t *csv, nas_csv_range_t range, nas_error_t *err);

/** Whether a line that was read ends within quotes, or lines are so long that a range has none, so
 *  that one reader has to read the file. Known once the range was read or has failed. */
bool nas_csv_is_uncuttable(const nas_csv_t *csv);

/** Line of the next byte: what was read has one less, where it ended with a line end. */
int64_t nas_csv_line(const nas_csv_t *csv);

/** Digests of the file's blocks (digest.h), or of those in the range, which has to begin where a
 *  block does, and not to end before; once, after its end was reached. n [out]. Borrowed. */
const nas_digest_t *nas_csv_blocks(nas_csv_t *csv, int64_t *n);

/** Accepts NULL. */
void nas_csv_close(nas_csv_t *csv);

#endif
