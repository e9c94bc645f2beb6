/* Tables: of a CSV file the column `arch` and, as numbers, `a` and `b`. Its names are looked up,
 * encoded, and joined on a part of NAS-Bench-201. Two readers that share it find what one does. */
#include "common/io/table.h"
#include "common/space/pool.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static nas_strings_t list_of(const char *const *text, size_t n)
{
    nas_strings_t list = {0};
    for (size_t i = 0; i < n; i++)
        NAS_ASSERT(nas_strings_add(&list, text[i], strlen(text[i]), NULL) == NAS_OK);
    return list;
}

/* A table and what came of reading it. */
typedef struct reading {
    nas_table_t *table;
    nas_table_seen_t seen;
    nas_status_t status;
    nas_error_t err;
} reading_t;

/* range NULL: all of it. */
static reading_t read_table(const char *path, const nas_csv_range_t *range)
{
    static const char *const number[] = {"a", "b"}, *const none[] = {"-", "n/a", "-1", "1e400"};
    reading_t reading = {0};
    nas_strings_t columns = list_of(number, 2), missing = list_of(none, 4);
    const nas_table_options_t options = {
        .path = path, .arch_column = "arch", .columns = &columns, .missing = &missing};
    reading.status =
        range ? nas_table_read_range(&options, *range, &reading.seen, &reading.table, &reading.err)
              : nas_table_read(&options, &reading.table, &reading.err);
    nas_strings_fini(&columns);
    nas_strings_fini(&missing);
    return reading;
}

/* Rows of a range are those of the whole table from `first` on, in the same lines. */
static void check_rows(const nas_table_t *whole, const nas_table_t *part, int64_t first)
{
    const nas_names_t *all = nas_table_names(whole), *names = nas_table_names(part);
    for (int64_t i = 0; i < nas_table_rows(part); i++) {
        NAS_ASSERT(strcmp(nas_names_at(names, i), nas_names_at(all, first + i)) == 0);
        NAS_ASSERT(nas_names_line(names, i) == nas_names_line(all, first + i));
    }
}

/* Duplicates, and that there are no rows, ranges do not know. */
static void try_cut(const char *path, int64_t cut, const reading_t *whole)
{
    const nas_csv_range_t begin = {.end = cut};
    reading_t first = read_table(path, &begin);
    const nas_csv_range_t end = {.begin = cut, .end = INT64_MAX, .line = 1 + first.seen.n_lines};
    reading_t second = read_table(path, &end);
    if (!first.seen.is_uncuttable && !second.seen.is_uncuttable) {
        const reading_t *failed = first.status ? &first : &second;
        if (failed->status) {
            NAS_ASSERT(whole->status == failed->status);
            NAS_ASSERT(strcmp(failed->err.text, whole->err.text) == 0);
        }
        if (whole->table) {
            const int64_t n_first = nas_table_rows(first.table);
            NAS_ASSERT(n_first + nas_table_rows(second.table) == nas_table_rows(whole->table));
            check_rows(whole->table, first.table, 0);
            check_rows(whole->table, second.table, n_first);
        }
    }
    nas_table_destroy(first.table);
    nas_table_destroy(second.table);
}

static void check_column(const nas_table_t *table, const char *name)
{
    const double *value = nas_table_column(table, name);
    NAS_ASSERT(value);
    for (int64_t i = 0; i < nas_table_rows(table); i++)
        NAS_ASSERT(isnan(value[i]) || (isfinite(value[i]) && value[i] != -1));
}

static void check_names(const nas_names_t *names)
{
    for (int64_t i = 0; i < nas_names_count(names); i++) {
        NAS_ASSERT(*nas_names_at(names, i));
        NAS_ASSERT(nas_names_find(names, nas_names_at(names, i)) == i);
    }
}

static void try_encoding(nas_encoding_kind_t kind, const nas_names_t *names)
{
    nas_encoding_t *encoding = NULL;
    nas_error_t err = {0};
    const nas_status_t status = nas_encoding_create(kind, names, &encoding, &err);
    if (status) {
        fuzz_check_error(status, &err);
        return;
    }
    NAS_ASSERT(nas_encoding_count(encoding) == nas_names_count(names));
    for (int64_t i = 0; i < nas_encoding_count(encoding); i++)
        NAS_ASSERT(nas_encoding_find(encoding, nas_encoding_at(encoding, i)) == i);
    nas_encoding_destroy(encoding);
}

static void try_join(const nas_names_t *names)
{
    enum { N = 100 };
    const nas_subset_t subset = {.kind = NAS_SUBSET_SAMPLE, .n = N, .seed = 1};
    nas_pool_t pool = {0};
    int64_t row[N];
    nas_error_t err = {0};
    NAS_ASSERT(nas_pool_of_space(nas_space_find("nas-bench-201"), &subset, &pool, &err) == NAS_OK);
    const nas_status_t status = nas_pool_join(&pool, names, row, &err);
    if (status) fuzz_check_error(status, &err);
    for (int64_t i = 0; !status && i < N; i++)
        NAS_ASSERT(row[i] >= -1 && row[i] < nas_names_count(names));
    nas_pool_fini(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *path = fuzz_path("table.csv");
    fuzz_write(path, (fuzz_bytes_t){data, size});
    reading_t whole = read_table(path, NULL);
    for (size_t cut = 1 + size % 7; cut <= size; cut += 1 + size / 4)
        try_cut(path, (int64_t)cut, &whole);
    free(path);
    if (whole.status) {
        fuzz_check_error(whole.status, &whole.err);
        return 0;
    }
    const nas_table_t *table = whole.table;
    NAS_ASSERT(nas_table_rows(table) > 0 &&
               nas_table_rows(table) == nas_names_count(nas_table_names(table)));
    check_column(table, "a");
    check_column(table, "b");
    check_names(nas_table_names(table));
    try_encoding(NAS_ENCODING_NB201, nas_table_names(table));
    try_encoding(NAS_ENCODING_DIGITS, nas_table_names(table));
    try_join(nas_table_names(table));
    nas_table_destroy(whole.table);
    return 0;
}
