/* What tests of tables share. */
#ifndef NAS_TESTS_UNIT_TABLE_CASE_H
#define NAS_TESTS_UNIT_TABLE_CASE_H

#include "common/base/text.h"
#include "common/io/csv.h"
#include "common/io/field.h"
#include "common/io/file.h"
#include "common/io/table.h"
#include "common/space/encoding.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_OF(array) (sizeof(array) / sizeof(array)[0])
#define MAX_COLUMNS 20
#define BOM "\xEF\xBB\xBF"

/* What to ask of a table; lists end with NULL. */
typedef struct request {
    const char *columns[MAX_COLUMNS];
    const char *missing[MAX_COLUMNS];
} request_t;

static inline nas_strings_t list_of(const char *const *text)
{
    nas_error_t err = {0};
    nas_strings_t list = {0};
    for (size_t i = 0; i < MAX_COLUMNS && text[i]; i++)
        cr_assert_eq(nas_strings_add(&list, text[i], strlen(text[i]), &err), NAS_OK);
    return list;
}

static inline nas_status_t read_file(const char *path, const request_t *request,
                                     nas_table_t **table_p, nas_error_t *err)
{
    nas_strings_t columns = list_of(request->columns), missing = list_of(request->missing);
    const nas_table_options_t options = {
        .path = path, .arch_column = "arch", .columns = &columns, .missing = &missing};
    const nas_status_t status = nas_table_read(&options, table_p, err);
    nas_strings_fini(&columns);
    nas_strings_fini(&missing);
    return status;
}

/* Read n bytes as the file t.csv. */
static inline nas_status_t read_bytes(const char *bytes, size_t n, const request_t *request,
                                      nas_table_t **table_p, nas_error_t *err)
{
    char folder[] = "/tmp/test_table.XXXXXX", path[64];
    cr_assert(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/t.csv", folder);
    FILE *file = fopen(path, "wb");
    cr_assert(file);
    cr_assert_eq(fwrite(bytes, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
    const nas_status_t status = read_file(path, request, table_p, err);
    (void)unlink(path);
    (void)rmdir(folder);
    return status;
}

static inline nas_table_t *read_good(const char *text, const request_t *request)
{
    nas_error_t err = {0};
    nas_table_t *table = NULL;
    const nas_status_t status = read_bytes(text, strlen(text), request, &table, &err);
    cr_assert_eq(status, NAS_OK, "%s: %s", text, err.text);
    return table;
}

static inline void expect_refused(const char *bytes, size_t n, const request_t *request,
                                  const char *reason)
{
    nas_error_t err = {0};
    nas_table_t *table = NULL;
    cr_assert_eq(read_bytes(bytes, n, request, &table, &err), NAS_EINPUT, "expected: %s", reason);
    cr_assert_null(table);
    cr_assert(strstr(err.text, reason), "'%s' does not contain '%s'", err.text, reason);
}

/* Rows that have a value in a column. */
static inline int64_t count_present(const nas_table_t *table, const char *name)
{
    const double *value = nas_table_column(table, name);
    int64_t n = 0;
    for (int64_t i = 0; i < nas_table_rows(table); i++) n += !isnan(value[i]);
    return n;
}

#endif
