/* CSV files. Rows that are read, written with every field in quotes, are read again as the same. */
#include "common/io/csv.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void print_row(const nas_csv_row_t *row, FILE *out)
{
    for (size_t i = 0; i < row->n_field; i++) {
        (void)fputs(i > 0 ? ",\"" : "\"", out);
        for (const char *c = row->field[i]; *c; c++)
            (void)fputs(*c == '"' ? "\"\"" : (const char[]){*c, '\0'}, out);
        (void)fputc('"', out);
    }
    (void)fputs("\r\n", out);
}

/* Copy the rows of a file to out. */
static nas_status_t copy_rows(const char *path, FILE *out, int64_t *n, nas_error_t *err)
{
    nas_csv_t *csv = NULL;
    nas_csv_row_t row = {.n_field = 1};
    int64_t line = 0;
    nas_status_t status = nas_csv_open(path, &csv, err);
    if (status) return status;
    for (*n = 0; !status && row.n_field > 0; ++*n) {
        status = nas_csv_next(csv, &row, err);
        if (status || row.n_field == 0) break;
        NAS_ASSERT(row.line > line);
        line = row.line;
        print_row(&row, out);
    }
    int64_t n_blocks = 0;
    if (!status) (void)nas_csv_blocks(csv, &n_blocks);
    nas_csv_close(csv);
    return status;
}

/* The same of bytes; copy [out] the caller's. */
static nas_status_t copy_bytes(fuzz_bytes_t file, fuzz_bytes_t *copy, int64_t *n, nas_error_t *err)
{
    char *path = fuzz_path("table.csv"), *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    NAS_ASSERT(out);
    fuzz_write(path, file);
    const nas_status_t status = copy_rows(path, out, n, err);
    NAS_ASSERT(fclose(out) == 0);
    *copy = (fuzz_bytes_t){.at = (const uint8_t *)text, .n = size};
    free(path);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes_t copy = {0}, again = {0};
    int64_t n = 0, n_again = 0;
    nas_error_t err = {0};
    const nas_status_t status = copy_bytes((fuzz_bytes_t){data, size}, &copy, &n, &err);
    if (status) {
        fuzz_check_error(status, &err);
    } else {
        NAS_ASSERT(copy_bytes(copy, &again, &n_again, &err) == NAS_OK);
        NAS_ASSERT(n == n_again && copy.n == again.n && memcmp(copy.at, again.at, copy.n) == 0);
    }
    free((void *)(uintptr_t)copy.at);
    free((void *)(uintptr_t)again.at);
    return 0;
}
