/* A table that all ranks read is what one reader finds, at any number of ranks: rows, lines, digest and
 * refusals. */
#include "check.h"
#include "common/io/file.h"
#include "worker/tables/shared_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_ROWS = 90, PADDING = 60000, MAX_PATH = 64 };

/* What is wrong in a file, at a row. */
typedef enum defect {
    NOTHING,
    BAD_NUMBER,
    RAGGED,
    AGAIN, /* the architecture of row 2 */
    BREAK, /* within quotes */
    OPEN_QUOTE,
    NO_NAME,
    BLANK_LINES, /* before it */
    CRLF         /* everywhere; no defect */
} defect_t;

static double value_of(int row, int column)
{
    if ((row + column) % 11 == 5) return (double)NAN;
    return (double)((row * 37 + column * 11) % 29) - 7.0;
}

/* Rows as long as a good part of a block, so that few of them have many readers. */
static void write_row(FILE *file, int row, defect_t defect)
{
    const char *pad = defect == BREAK ? "\"two\nlines\"" : defect == OPEN_QUOTE ? "\"" : "";
    const char *end = defect == CRLF ? "\r\n" : "\n";
    if (defect == BLANK_LINES) CHECK(fputs("\n\r\n,,,\n  \n", file) >= 0);
    if (defect == NO_NAME)
        CHECK(fputs(" ", file) >= 0);
    else
        CHECK(fprintf(file, "arch %d", defect == AGAIN ? 2 : row) > 0);
    for (int c = 0; c < 2; c++) {
        const double value = value_of(row, c);
        if (isnan(value))
            CHECK(fputs(",", file) >= 0);
        else
            CHECK(fprintf(file, ",%g%s", value, c == 1 && defect == BAD_NUMBER ? "x" : "") > 0);
    }
    CHECK(fprintf(file, ",%s%0*d%s%s", pad, PADDING + 997 * (row % 7), 0,
                  defect == RAGGED ? ",1" : "", end) > 0);
}

/* defect: of every row from `first` on, every `step` rows. */
static void write_file(nas_comm_t *world, const char *path, defect_t defect, int first, int step)
{
    bool done = true;
    if (nas_comm_rank(world) == 0) {
        FILE *file = fopen(path, "w");
        CHECK(file);
        CHECK(fputs("arch,a,b,pad\n", file) >= 0);
        for (int row = 0; row < N_ROWS; row++)
            write_row(file, row, row >= first && (row - first) % step == 0 ? defect : NOTHING);
        CHECK(fclose(file) == 0);
    }
    nas_comm_bcast(world, 0, &done, sizeof done);
}

static nas_strings_t two_columns(void)
{
    nas_error_t err = {0};
    nas_strings_t columns = {0};
    CHECK(nas_strings_add(&columns, "b", 1, &err) == NAS_OK);
    CHECK(nas_strings_add(&columns, "a", 1, &err) == NAS_OK);
    return columns;
}

static bool same_number(double x, double y)
{
    return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
}

static void check_held(const nas_shared_table_t *shared, const nas_table_t *alone)
{
    const nas_comm_rows_t held = nas_shared_table_held(shared);
    CHECK(nas_shared_table_rows(shared) == nas_table_rows(alone));
    for (int64_t i = 0; i < held.n; i++) {
        const int64_t row = held.first + i;
        const nas_names_t *names = nas_shared_table_names(shared);
        CHECK(strcmp(nas_names_at(names, i), nas_names_at(nas_table_names(alone), row)) == 0);
        CHECK(nas_names_line(names, i) == nas_names_line(nas_table_names(alone), row));
        CHECK(
            same_number(nas_shared_table_column(shared, 1)[i], nas_table_column(alone, "a")[row]));
    }
}

static int64_t count_better(const nas_table_t *alone, double value, bool minimise)
{
    int64_t n = 0;
    const double *all = nas_table_column(alone, "a");
    for (int64_t i = 0; i < nas_table_rows(alone); i++)
        n += minimise ? all[i] < value : all[i] > value;
    return n;
}

/* Rank 0 asks for n rows from `first` on, some again. */
static void check_fetched(nas_comm_t *world, nas_shared_table_t *shared, const nas_table_t *alone,
                          bool minimise, int n)
{
    int64_t row[N_ROWS];
    const bool asks = nas_comm_rank(world) == 0;
    for (int i = 0; i < n; i++) row[i] = (i * 31 + 4) % N_ROWS;
    nas_shared_table_fetch(shared, asks ? row : NULL, asks ? n : 0);
    for (int i = 0; asks && i < n; i++) {
        const nas_table_row_t *found = nas_shared_table_row(shared, row[i]);
        const double a = nas_table_column(alone, "a")[row[i]];
        const double b = nas_table_column(alone, "b")[row[i]];
        CHECK(strcmp(found->name, nas_names_at(nas_table_names(alone), row[i])) == 0);
        CHECK(found->line == nas_names_line(nas_table_names(alone), row[i]));
        CHECK(same_number(found->value[1], a));
        CHECK(same_number(found->value[0], b));
        CHECK(found->n_better == (isnan(a) ? 0 : count_better(alone, a, minimise)));
    }
}

static int64_t count_present(const nas_table_t *table, const char *name)
{
    const double *value = nas_table_column(table, name);
    int64_t n = 0;
    for (int64_t i = 0; i < nas_table_rows(table); i++) n += !isnan(value[i]);
    return n;
}

static void check_ranked(nas_comm_t *world, nas_shared_table_t *shared, const nas_table_t *alone,
                         bool minimise, int64_t n_best)
{
    nas_error_t err = {0};
    const nas_table_order_t order = {
        .column = nas_shared_table_find(shared, "a"), .minimise = minimise, .n_best = n_best};
    const int64_t early = 4; /* looked up, as for its name's form, before there are ranks */
    nas_shared_table_fetch(shared, &early, nas_comm_rank(world) == 0 ? 1 : 0);
    CHECK(nas_shared_table_rank(shared, &order, &err) == NAS_OK);
    CHECK(nas_shared_table_ranked(shared) == count_present(alone, "a"));
    const double last = nas_shared_table_last_best(shared);
    if (nas_comm_rank(world) == 0) CHECK(count_better(alone, last, minimise) < n_best);
    if (nas_comm_rank(world) == 0 && n_best < count_present(alone, "a"))
        CHECK(count_better(alone, minimise ? last + 1 : last - 1, minimise) >= n_best);
    check_fetched(world, shared, alone, minimise, 0);
    check_fetched(world, shared, alone, minimise, 5);
    check_fetched(world, shared, alone, minimise, N_ROWS);
}

static void check_digest(nas_comm_t *world, const nas_shared_table_t *shared,
                         const nas_table_t *alone)
{
    nas_error_t err = {0};
    nas_digest_t digest, found = nas_shared_table_digest(shared);
    int64_t n = 0;
    const nas_digest_t *block = nas_table_blocks(alone, &n);
    CHECK(nas_block_digest_combine(block, n, &digest, &err) == NAS_OK);
    if (nas_comm_rank(world) == 0) CHECK(memcmp(&digest, &found, sizeof digest) == 0);
}

/* Read a file together and alone. */
static void compare(nas_comm_t *world, const char *path, bool is_shared)
{
    nas_error_t err = {0}, err_alone = {0};
    nas_strings_t columns = two_columns();
    nas_table_t *alone = NULL;
    nas_shared_table_t *shared = NULL;
    nas_file_stamp_t stamp = {0};
    CHECK(nas_file_stamp(path, &stamp));
    const nas_shared_table_options_t options = {
        .table = {.path = path, .arch_column = "arch", .columns = &columns},
        .n_bytes = stamp.size,
        .least = 1};
    const nas_status_t expected = nas_table_read(&options.table, &alone, &err_alone);
    const nas_status_t status = nas_shared_table_read(world, &options, &shared, &err);
    CHECK(status == expected);
    if (strcmp(err.text, err_alone.text) != 0)
        (void)fprintf(stderr, "'%s' for '%s'\n", err.text, err_alone.text);
    CHECK(strcmp(err.text, err_alone.text) == 0);
    if (!status) {
        CHECK(nas_shared_table_is_alone(shared) == (!is_shared || nas_comm_size(world) == 1));
        check_held(shared, alone);
        check_digest(world, shared, alone);
        check_ranked(world, shared, alone, stamp.size % 2 == 0, 1 + stamp.size % 100);
    }
    nas_shared_table_destroy(shared);
    nas_table_destroy(alone);
    nas_strings_fini(&columns);
}

static void try_file(nas_comm_t *world, const char *path, defect_t defect, int first, int step)
{
    write_file(world, path, defect, first, step);
    compare(world, path, defect != BREAK);
    nas_comm_sum(world, &(int64_t){0}, 1); /* all are through with it */
}

/* The name of another rank's file leads to nothing here, as where nodes have disks of their own. */
static void test_another_file(nas_comm_t *world, const char *path)
{
    nas_error_t err = {0};
    nas_strings_t columns = two_columns();
    nas_shared_table_t *shared = NULL;
    nas_file_stamp_t stamp = {0};
    write_file(world, path, NOTHING, 0, 1);
    CHECK(nas_file_stamp(path, &stamp));
    const bool is_last =
        nas_comm_rank(world) > 0 && nas_comm_rank(world) == nas_comm_size(world) - 1;
    const nas_shared_table_options_t options = {.table = {.path = is_last ? "/nowhere.csv" : path,
                                                          .arch_column = "arch",
                                                          .columns = &columns},
                                                .n_bytes = stamp.size,
                                                .least = 1};
    CHECK(nas_shared_table_read(world, &options, &shared, &err) == NAS_OK);
    CHECK(nas_shared_table_is_alone(shared));
    CHECK(nas_shared_table_held(shared).n == (nas_comm_rank(world) == 0 ? N_ROWS : 0));
    nas_shared_table_destroy(shared);
    nas_strings_fini(&columns);
}

static bool stops(void *context, double share)
{
    (void)context;
    (void)share;
    return true;
}

/* One that is asked to stop stops all. */
static void test_stop(nas_comm_t *world, const char *path)
{
    enum { N = 300000 };
    nas_error_t err = {0};
    nas_strings_t columns = {0};
    nas_shared_table_t *shared = NULL;
    nas_file_stamp_t stamp = {0};
    const nas_interrupt_t interrupt = {.asked = stops};
    bool done = true;
    if (nas_comm_rank(world) == 0) {
        FILE *file = fopen(path, "w");
        CHECK(file);
        CHECK(fputs("arch\n", file) >= 0);
        for (int i = 0; i < N; i++) CHECK(fprintf(file, "architecture %d\n", i) > 0);
        CHECK(fclose(file) == 0);
    }
    nas_comm_bcast(world, 0, &done, sizeof done);
    CHECK(nas_file_stamp(path, &stamp));
    nas_shared_table_options_t options = {
        .table = {.path = path, .arch_column = "arch", .columns = &columns},
        .n_bytes = stamp.size,
        .least = 1};
    if (nas_comm_rank(world) == nas_comm_size(world) - 1) options.table.interrupt = &interrupt;
    CHECK(nas_shared_table_read(world, &options, &shared, &err) == NAS_ESTOP);
    CHECK(!shared);
}

/* Digits, of which rows of the last reader are another form, or the same as one of the first's. */
static void write_digits(nas_comm_t *world, const char *path, const char *last)
{
    bool done = true;
    if (nas_comm_rank(world) == 0) {
        FILE *file = fopen(path, "w");
        CHECK(file);
        CHECK(fputs("arch,pad\n", file) >= 0);
        for (int row = 0; row < N_ROWS; row++)
            CHECK(fprintf(file, "\"(%d, %d)\",%0*d\n", row / 10, row % 10, PADDING, 0) > 0);
        CHECK(fprintf(file, "\"%s\",\n", last) > 0);
        CHECK(fclose(file) == 0);
    }
    nas_comm_bcast(world, 0, &done, sizeof done);
}

static void compare_codes(nas_comm_t *world, const char *path, nas_encoding_kind_t kind,
                          const char *last)
{
    nas_error_t err = {0}, err_alone = {0};
    nas_strings_t columns = {0};
    nas_table_t *alone = NULL;
    nas_shared_table_t *shared = NULL;
    nas_encoding_t *encoding = NULL, *expected = NULL;
    nas_file_stamp_t stamp = {0};
    write_digits(world, path, last);
    CHECK(nas_file_stamp(path, &stamp));
    const nas_shared_table_options_t options = {
        .table = {.path = path, .arch_column = "arch", .columns = &columns},
        .n_bytes = stamp.size,
        .least = 1};
    CHECK(nas_table_read(&options.table, &alone, &err) == NAS_OK);
    CHECK(nas_shared_table_read(world, &options, &shared, &err) == NAS_OK);
    const nas_status_t status =
        nas_encoding_create(kind, nas_table_names(alone), &expected, &err_alone);
    CHECK(nas_shared_table_encode(shared, kind, &encoding, &err) == status);
    CHECK(strcmp(err.text, err_alone.text) == 0);
    CHECK((encoding != NULL) == (!status && nas_comm_rank(world) == 0));
    for (int64_t i = 0; encoding && i < nas_encoding_count(expected); i++)
        CHECK(nas_encoding_find(encoding, nas_encoding_at(expected, i)) == i);
    nas_encoding_destroy(encoding);
    nas_encoding_destroy(expected);
    nas_shared_table_destroy(shared);
    nas_table_destroy(alone);
}

static void test_codes(nas_comm_t *world, const char *path)
{
    compare_codes(world, path, NAS_ENCODING_DIGITS, "(63, 0)");
    compare_codes(world, path, NAS_ENCODING_DIGITS, "(1,2)");
    compare_codes(world, path, NAS_ENCODING_DIGITS, "(1, 2, 3)");
    compare_codes(world, path, NAS_ENCODING_DIGITS, "(1, 64)");
    compare_codes(world, path, NAS_ENCODING_NB201, "(1, 0)x");
}

static void all_tests(nas_comm_t *world)
{
    char path[MAX_PATH] = "/tmp/test_shared_table.XXXXXX";
    if (nas_comm_rank(world) == 0) {
        const int fd = mkstemp(path);
        CHECK(fd >= 0 && close(fd) == 0);
    }
    nas_comm_bcast(world, 0, path, sizeof path);
    try_file(world, path, NOTHING, 0, 1);
    try_file(world, path, CRLF, 0, 1);
    try_file(world, path, BLANK_LINES, 1, 3);
    try_file(world, path, BREAK, 3, N_ROWS);
    try_file(world, path, BREAK, N_ROWS - 2, N_ROWS);
    try_file(world, path, OPEN_QUOTE, N_ROWS - 1, 1);
    try_file(world, path, AGAIN, N_ROWS - 10, 3);
    static const defect_t refused[] = {BAD_NUMBER, RAGGED, NO_NAME, OPEN_QUOTE};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        for (int first = 1; first < N_ROWS; first += 22)
            try_file(world, path, refused[i], first, 5);
    test_another_file(world, path);
    test_codes(world, path);
    test_stop(world, path);
    if (nas_comm_rank(world) == 0) CHECK(unlink(path) == 0);
}

int main(void)
{
    return run_mpi_test(all_tests);
}
