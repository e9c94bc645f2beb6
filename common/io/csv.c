#include "common/io/csv.h"

#include "common/base/text.h"
#include "common/io/file.h"

#include <csv.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_SIZE = 1 << 18, FIELD_BLOCK_SIZE = 1 << 16 };

/* The file is read in chunks and libcsv is fed one line at a time, so that every row has a line
 * number. A field takes at least one byte of the file, a comma or a line end, except the very last;
 * so a row of NAS_CSV_MAX_ROW bytes has at most one field more than that, and as many NULs. */
struct nas_csv {
    const char *path;
    int fd;
    int64_t size; /* of the file, when it was opened */
    struct csv_parser parser;
    nas_block_digest_t *blocks;
    char *chunk;
    size_t chunk_size, chunk_used;
    int64_t chunk_end; /* where in the file the chunk ends */
    int64_t end;       /* lines that begin there or behind it are not read */
    bool is_range;
    bool is_uncuttable;
    bool is_quoted;   /* the next byte is within quotes */
    int64_t line;     /* of the next byte */
    char last;        /* byte before it */
    int64_t row_line; /* of the row's first byte */
    size_t row_size;  /* bytes of the file in this row so far; 0 between rows */
    bool row_complete;
    char *text; /* the row's fields, each with a NUL */
    size_t text_used;
    const char **field; /* n_field pointers into text */
    size_t n_field;
};

static void end_field(void *text, size_t length, void *data)
{
    nas_csv_t *csv = data;
    char *copy = csv->text + csv->text_used;
    if (length > 0) memcpy(copy, text, length);
    copy[length] = '\0';
    csv->text_used += length + 1;
    csv->field[csv->n_field++] = nas_text_strip(copy);
}

static void end_row(int terminator, void *data)
{
    (void)terminator;
    ((nas_csv_t *)data)->row_complete = true;
}

static nas_status_t row_error(const nas_csv_t *csv, const char *reason, nas_error_t *err)
{
    return nas_error_set(err, NAS_EINPUT, "%s:%lld: %s", csv->path, (long long)csv->row_line,
                         reason);
}

/* Bytes beyond the range are those of its last row. */
static nas_status_t digest_chunk(nas_csv_t *csv, nas_error_t *err)
{
    const int64_t begin = csv->chunk_end - (int64_t)csv->chunk_size;
    size_t n = csv->chunk_size;
    if (csv->end < csv->chunk_end) n = csv->end > begin ? (size_t)(csv->end - begin) : 0;
    return n ? nas_block_digest_update(csv->blocks, csv->chunk, n, err) : NAS_OK;
}

static nas_status_t read_chunk(nas_csv_t *csv, nas_error_t *err)
{
    const nas_status_t status =
        nas_file_read_next(csv->fd, csv->path, csv->chunk, CHUNK_SIZE, &csv->chunk_size, err);
    if (status) return status;
    csv->chunk_end += (int64_t)csv->chunk_size;
    csv->chunk_used = 0;
    return digest_chunk(csv, err);
}

nas_status_t nas_csv_open(const char *path, nas_csv_t **csv_p, nas_error_t *err)
{
    nas_status_t status;
    nas_csv_t *csv = calloc(1, sizeof *csv);
    if (!csv) return nas_error_nomem(err, "a CSV file");
    csv->path = path;
    csv->fd = -1;
    csv->end = INT64_MAX;
    csv->line = 1;
    csv->last = '\n';
    (void)csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_blk_size(&csv->parser, FIELD_BLOCK_SIZE);

    csv->chunk = malloc(CHUNK_SIZE);
    csv->text = malloc(NAS_CSV_MAX_ROW + 1);
    csv->field = malloc((NAS_CSV_MAX_ROW + 1) * sizeof *csv->field);
    if (!csv->chunk || !csv->text || !csv->field) {
        status = nas_error_nomem(err, "a CSV file");
        goto out;
    }
    if ((status = nas_block_digest_create(&csv->blocks, err))) goto out;
    if ((status = nas_file_open(path, &csv->fd, &csv->size, err))) goto out;
    if ((status = read_chunk(csv, err))) goto out;
    if ((status = nas_text_begin(path, csv->chunk, csv->chunk_size, &csv->chunk_used, err)))
        goto out;
    *csv_p = csv;
    csv = NULL;
out:
    nas_csv_close(csv);
    return status;
}

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

/* Bytes up to and including the first line end, or all n. */
static size_t line_length(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ends_line(text[i])) return i + 1;
    return n;
}

/* Move past n bytes that hold no line end except perhaps the last; the LF of a CRLF starts no line
 * of its own. */
static void advance(nas_csv_t *csv, const char *text, size_t n)
{
    const bool crlf = n == 1 && text[0] == '\n' && csv->last == '\r';
    csv->last = text[n - 1];
    csv->chunk_used += n;
    if (ends_line(csv->last) && !crlf) csv->line++;
}

/* Every quote begins or ends what is quoted: one within stands twice. Returns whether the piece of
 * a line that comes next is good for one of several readers. */
static bool follow_quotes(nas_csv_t *csv, const char *text, size_t n)
{
    const char *end = text + n;
    for (const char *at = text; (at = memchr(at, '"', (size_t)(end - at))); at++)
        csv->is_quoted = !csv->is_quoted;
    if (csv->is_quoted && ends_line(text[n - 1])) csv->is_uncuttable = true;
    return !csv->is_range || !csv->is_uncuttable;
}

static nas_status_t parse_line(nas_csv_t *csv, const char *text, size_t n, nas_error_t *err)
{
    if (csv->row_size == 0) csv->row_line = csv->line;
    csv->row_size += n;
    if (!follow_quotes(csv, text, n)) return row_error(csv, "a line that ends within quotes", err);
    if (csv->row_size > NAS_CSV_MAX_ROW)
        return row_error(csv, "a row of more than 1 MiB; is a quote left open?", err);
    if (memchr(text, '\0', n)) return row_error(csv, "a NUL byte; this is not a CSV text", err);
    if (csv_parse(&csv->parser, text, n, end_field, end_row, csv) == n) return NAS_OK;
    if (csv_error(&csv->parser) != CSV_EPARSE) return nas_error_nomem(err, "a CSV field");
    return row_error(
        csv, "bad quoting: a quote inside a field is doubled, and the field stands in quotes", err);
}

/* Whether the line that was parsed is no part of a row. libcsv's first state, 0, is before a row's
 * first field or quote. */
static bool is_between_rows(const nas_csv_t *csv)
{
    return !csv->row_complete && csv->n_field == 0 && csv->parser.pstate == 0;
}

/* Take the next line, or what the chunk has of it. Between rows a line end alone is an empty line.
 */
static nas_status_t take_line(nas_csv_t *csv, nas_error_t *err)
{
    const char *text = csv->chunk + csv->chunk_used;
    const size_t n = line_length(text, csv->chunk_size - csv->chunk_used);
    if (csv->row_size > 0 || !ends_line(text[0])) {
        const nas_status_t status = parse_line(csv, text, n, err);
        if (status) return status;
        if (is_between_rows(csv)) csv->row_size = 0; /* a line of blanks */
    }
    advance(csv, text, n);
    return NAS_OK;
}

/* At the end of the file a row may lack its line end, but not a closing quote. */
static nas_status_t finish(nas_csv_t *csv, nas_error_t *err)
{
    if (csv->is_quoted) csv->is_uncuttable = true;
    if (csv_fini(&csv->parser, end_field, end_row, csv) == 0) return NAS_OK;
    return row_error(csv, "bad quoting: a quote is left open", err);
}

static int64_t offset_of_next(const nas_csv_t *csv)
{
    return csv->chunk_end - (int64_t)(csv->chunk_size - csv->chunk_used);
}

/* Whether the next byte begins a line of the next reader's. */
static bool is_past_range(const nas_csv_t *csv)
{
    return csv->is_range && ends_line(csv->last) && offset_of_next(csv) >= csv->end;
}

nas_status_t nas_csv_next(nas_csv_t *csv, nas_csv_row_t *row, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    csv->row_size = csv->text_used = csv->n_field = 0;
    csv->row_complete = false;
    while (!csv->row_complete) {
        if (is_past_range(csv)) break;
        if (csv->chunk_used == csv->chunk_size && (status = read_chunk(csv, err))) return status;
        if (csv->chunk_size == 0) {
            if ((status = finish(csv, err))) return status;
            break;
        }
        if ((status = take_line(csv, err))) return status;
    }
    *row = (nas_csv_row_t){.line = csv->row_line, .n_field = csv->n_field, .field = csv->field};
    return NAS_OK;
}

nas_status_t nas_csv_next_filled(nas_csv_t *csv, nas_csv_row_t *row, nas_error_t *err)
{
    for (;;) {
        const nas_status_t status = nas_csv_next(csv, row, err);
        if (status) return status;
        size_t n_empty = 0;
        while (n_empty < row->n_field && !*row->field[n_empty]) n_empty++;
        if (n_empty < row->n_field || row->n_field == 0) return NAS_OK;
    }
}

/* ------------------------------------------------------------------------------------- ranges */

/* Begin to read, and to digest, at a byte of the file. */
static nas_status_t seek(nas_csv_t *csv, int64_t begin, nas_error_t *err)
{
    size_t n = 0;
    if (lseek(csv->fd, begin - 1, SEEK_SET) < 0)
        return nas_error_set(err, NAS_EIO, "cannot read %s: %s", csv->path, strerror(errno));
    nas_status_t status = nas_file_read_next(csv->fd, csv->path, &csv->last, 1, &n, err);
    if (status) return status;
    nas_block_digest_destroy(csv->blocks);
    csv->blocks = NULL;
    status = nas_block_digest_create(&csv->blocks, err);
    csv->chunk_end = begin;
    return status ? status : read_chunk(csv, err);
}

/* Skip what belongs to a line that began before. */
static nas_status_t skip_line(nas_csv_t *csv, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t skipped = 0; csv->chunk_size > 0;) {
        const char *text = csv->chunk + csv->chunk_used;
        const bool crlf = csv->last == '\r' && text[0] == '\n';
        if (ends_line(csv->last) && !crlf) return NAS_OK;
        const size_t n = line_length(text, csv->chunk_size - csv->chunk_used);
        csv->last = text[n - 1];
        csv->chunk_used += n;
        skipped += n;
        csv->is_uncuttable = skipped > NAS_CSV_MAX_ROW;
        if (csv->is_uncuttable) return row_error(csv, "a row of more than 1 MiB", err);
        if (csv->chunk_used == csv->chunk_size) status = read_chunk(csv, err);
        if (status) return status;
    }
    return NAS_OK;
}

nas_status_t nas_csv_take_range(nas_csv_t *csv, nas_csv_range_t range, nas_error_t *err)
{
    csv->is_range = true;
    csv->end = range.end;
    if (range.begin > 0 && range.begin < offset_of_next(csv)) csv->is_uncuttable = true;
    if (csv->is_uncuttable) return row_error(csv, "it cannot be cut here", err);
    if (range.begin == 0) return NAS_OK;
    csv->row_line = csv->line = range.line;
    const nas_status_t status = seek(csv, range.begin, err);
    return status ? status : skip_line(csv, err);
}

bool nas_csv_is_uncuttable(const nas_csv_t *csv)
{
    return csv->is_uncuttable;
}

int64_t nas_csv_line(const nas_csv_t *csv)
{
    return csv->line;
}

const nas_digest_t *nas_csv_blocks(nas_csv_t *csv, int64_t *n)
{
    return nas_block_digest_finish(csv->blocks, n);
}

void nas_csv_close(nas_csv_t *csv)
{
    if (!csv) return;
    csv_free(&csv->parser);
    nas_block_digest_destroy(csv->blocks);
    if (csv->fd >= 0) (void)close(csv->fd);
    free(csv->chunk);
    free(csv->text);
    free(csv->field);
    free(csv);
}
