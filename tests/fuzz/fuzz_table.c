/* Tables: of a CSV file the column `arch` and, as numbers, `a` and `b`. Its names are looked up,
 * encoded, and joined on a part of NAS-Bench-201. */
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

static nas_status_t read_table(const char *path, nas_table_t **table_p, nas_error_t *err)
{
    static const char *const number[] = {"a", "b"}, *const none[] = {"-", "n/a", "-1", "1e400"};
    nas_strings_t columns = list_of(number, 2), missing = list_of(none, 4);
    const nas_table_options_t options = {
        .path = path, .arch_column = "arch", .columns = &columns, .missing = &missing};
    const nas_status_t status = nas_table_read(&options, table_p, err);
    nas_strings_fini(&columns);
    nas_strings_fini(&missing);
    return status;
}

static void check_column(const nas_table_t *table, const char *name)
{
    const double *value = nas_table_column(table, name);
    int64_t n_present = 0;
    NAS_ASSERT(value);
    for (int64_t i = 0; i < nas_table_rows(table); i++) {
        NAS_ASSERT(isnan(value[i]) || (isfinite(value[i]) && value[i] != -1));
        n_present += !isnan(value[i]);
    }
    NAS_ASSERT(nas_table_present(table, name) == n_present);
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
    nas_table_t *table = NULL;
    nas_error_t err = {0};
    fuzz_write(path, (fuzz_bytes_t){data, size});
    const nas_status_t status = read_table(path, &table, &err);
    free(path);
    if (status) {
        fuzz_check_error(status, &err);
        return 0;
    }
    NAS_ASSERT(nas_table_rows(table) > 0 &&
               nas_table_rows(table) == nas_names_count(nas_table_names(table)));
    check_column(table, "a");
    check_column(table, "b");
    check_names(nas_table_names(table));
    try_encoding(NAS_ENCODING_NB201, nas_table_names(table));
    try_encoding(NAS_ENCODING_DIGITS, nas_table_names(table));
    try_join(nas_table_names(table));
    nas_table_destroy(table);
    return 0;
}
