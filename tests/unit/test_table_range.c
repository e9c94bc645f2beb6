/* A table that several readers share, cut at every byte: together they find what one reader finds. */
#include "common/io/table.h"
#include "temp_folder.h"

#include <math.h>

enum { MAX_READERS = 3, SHOWN_SIZE = 4096 };

/* What came of reading: the rows as text, or an error's. */
typedef struct found {
    nas_status_t status;
    bool is_uncuttable;
    char text[SHOWN_SIZE];
} found_t;

static void show_rows(const nas_table_t *table, found_t *found)
{
    const nas_names_t *names = nas_table_names(table);
    for (int64_t i = 0; i < nas_table_rows(table); i++) {
        const size_t used = strlen(found->text);
        (void)snprintf(found->text + used, sizeof found->text - used, "%lld: %s %g\n",
                       (long long)nas_names_line(names, i), nas_names_at(names, i),
                       nas_table_column(table, "a")[i]);
    }
}

static nas_table_options_t options_of(const char *path, nas_strings_t *columns)
{
    nas_error_t err = {0};
    cr_assert_eq(nas_strings_add(columns, "a", 1, &err), NAS_OK);
    return (nas_table_options_t){.path = path, .arch_column = "arch", .columns = columns};
}

static found_t read_alone(const nas_table_options_t *options)
{
    found_t found = {0};
    nas_error_t err = {0};
    nas_table_t *table = NULL;
    found.status = nas_table_read(options, &table, &err);
    if (found.status)
        (void)snprintf(found.text, sizeof found.text, "%s", err.text);
    else
        show_rows(table, &found);
    nas_table_destroy(table);
    return found;
}

/* Readers of n ranges between cuts, one after the other, each told its line by those before. */
static found_t read_together(const nas_table_options_t *options, const int64_t *cut, int n)
{
    found_t found = {0};
    int64_t line = 1;
    for (int r = 0; r < n; r++) {
        nas_error_t err = {0};
        nas_table_t *table = NULL;
        nas_table_seen_t seen = {0};
        const nas_csv_range_t range = {
            .begin = r ? cut[r - 1] : 0, .end = r < n - 1 ? cut[r] : INT64_MAX, .line = line};
        const nas_status_t status = nas_table_read_range(options, range, &seen, &table, &err);
        found.is_uncuttable |= seen.is_uncuttable;
        line += seen.n_lines;
        if (!status && !found.status) show_rows(table, &found);
        if (status && !found.status) {
            found.status = status;
            (void)snprintf(found.text, sizeof found.text, "%s", err.text);
        }
        nas_table_destroy(table);
    }
    if (!found.status && !*found.text) {
        nas_error_t err = {0};
        found.status = nas_table_refuse_empty(options->path, &err);
        (void)snprintf(found.text, sizeof found.text, "%s", err.text);
    }
    return found;
}

static void expect_same(const char *text, const found_t *alone, const found_t *together,
                        const int64_t *cut)
{
    cr_assert_eq(together->status, alone->status, "%s, cut at %lld: %s", text, (long long)cut[0],
                 together->text);
    cr_assert_str_eq(together->text, alone->text, "%s, cut at %lld and %lld", text,
                     (long long)cut[0], (long long)cut[1]);
}

/* Cut a text in two and in three, at every byte behind its header of n_header bytes. */
static void cut_everywhere(const char *text, int64_t n_header, bool has_break)
{
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "t.csv");
    const int64_t n = (int64_t)strlen(text);
    nas_strings_t columns = {0};
    temp_file_put(path.text, text);
    const nas_table_options_t options = options_of(path.text, &columns);
    const found_t alone = read_alone(&options);
    for (int64_t a = n_header; a <= n + 1; a++) {
        for (int64_t b = a; b <= n + 1; b++) {
            const int64_t cut[] = {a, b};
            const found_t found = read_together(&options, cut, MAX_READERS);
            cr_assert_eq(found.is_uncuttable, has_break, "%s, cut at %lld and %lld", text,
                         (long long)a, (long long)b);
            if (!has_break) expect_same(text, &alone, &found, cut);
        }
    }
    nas_strings_fini(&columns);
    temp_folder_remove(&folder);
}

Test(table_range, any_cut_gives_the_rows_and_their_lines)
{
    static const char *const texts[] = {
        "arch,a\nx,1\ny,2\nz,3\n",
        "arch,a\r\nx,1\r\ny,2\r\nz,3",
        "arch,a\rx,1\r\ry,2\rz,3\r",
        "arch,a\nx,1\r\n\r\n\n\ry,2\n \t \nz,3\n,\n,,,\n  ",
        "arch,a\n\"x\",\"1\"\n\"(1, 2)\",2\n\"q\"\"q\",3\n\"\"\"\",4\n",
        "arch,a\n\n\nx,1\n\n",
        "arch,a\nx,1",
        "a,b,arch\n1,,x\n\"2\",\"\",\"y\"\r\n3,\" \"\"\"\"\",z,\r\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cut_everywhere(texts[i], (int64_t)strcspn(texts[i], "\r\n") + 2, false);
}

Test(table_range, the_first_error_in_the_file_is_the_one_that_is_told)
{
    static const char *const texts[] = {
        "arch,a\nx,1\ny,z\nz,\n,3\n",
        "arch,a\r\nx,1\r\n\r\ny,1,2\r\nz,one\r\n",
        "arch,a\nx,1\n\ny\"y\"y,2\nz,3,\n",
        "arch,a\nx\"\",1\ny,-\n",
        "arch,a\nx,1\n\"y\"z\"\",2\n",
        "arch,a\n\n,\n\n",
        "arch,a\nx,1\ny,1.5.\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cut_everywhere(texts[i], (int64_t)strcspn(texts[i], "\r\n") + 2, false);
}

/* Also where an error stands before or behind it, which one reader then tells in the right order. */
Test(table_range, a_line_that_ends_within_quotes_is_seen_wherever_the_cut_is)
{
    static const char *const texts[] = {
        "arch,a\nx,1\n\"y\ny\",2\nz,3\n",
        "arch,a\r\n\"x\r\n\r\n\",1\r\ny,2\r\n",
        "arch,a,b\nx,1,\"\n\"\ny,2,\"\n\"\n",
        "arch,a\nx,1\ny,2\n\"z,3\n",
        "arch,a\nx,1\ny\"y,2\nz,3\n",
        "arch,a\nx,1\ny,2\nz,\"3",
        "arch,a,b\nx,1,\"1\n2\n3\n4\"\"5\"\ny,2,\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cut_everywhere(texts[i], (int64_t)strcspn(texts[i], "\r\n") + 2, true);
}

Test(table_range, a_cut_in_the_header_is_none)
{
    static const char text[] = "\n\"ar\nch\",a\nx,1\ny,2\n", good[] = "\narch,a\nx,1\n";
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "t.csv");
    nas_strings_t columns = {0};
    nas_table_options_t options = options_of(path.text, &columns);
    temp_file_put(path.text, good);
    for (int64_t at = 1; at < 8; at++)
        cr_assert(read_together(&options, &at, 2).is_uncuttable, "%lld", (long long)at);
    temp_file_put(path.text, text);
    options.arch_column = "ar\nch";
    const int64_t behind = 15;
    cr_assert(read_together(&options, &behind, 2).is_uncuttable);
    nas_strings_fini(&columns);
    temp_folder_remove(&folder);
}

/* Lines of more than a MiB have no beginning that a reader would find. */
Test(table_range, endless_lines_cannot_be_cut)
{
    enum { N = 3 * NAS_CSV_MAX_ROW };
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "t.csv");
    char *text = malloc(N + 1);
    nas_strings_t columns = {0};
    const int64_t cut = 1 << 20;
    cr_assert_not_null(text);
    memset(text, 'x', N);
    memcpy(text, "arch,a\n", 7);
    text[N] = '\0';
    temp_file_put(path.text, text);
    const nas_table_options_t options = options_of(path.text, &columns);
    cr_assert(read_together(&options, &cut, 2).is_uncuttable);
    nas_strings_fini(&columns);
    free(text);
    temp_folder_remove(&folder);
}

/* Ranges that begin with blocks give the digests of the whole file's, however long its lines. */
Test(table_range, readers_digest_their_blocks)
{
    enum { N_BLOCKS = 4, N_CUTS = N_BLOCKS - 1 };
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "t.csv");
    FILE *file = fopen(path.text, "w");
    nas_strings_t columns = {0};
    nas_error_t err = {0};
    cr_assert_not_null(file);
    cr_assert_geq(fputs("arch,a\n", file), 0);
    for (int i = 0; ftell(file) < (long)N_CUTS * NAS_DIGEST_BLOCK_SIZE + 100; i++)
        cr_assert_gt(fprintf(file, "%d%0*d,1\n", i, i % 70 == 0 ? 200000 : 9, 0), 0);
    cr_assert_eq(fclose(file), 0);
    const nas_table_options_t options = options_of(path.text, &columns);
    nas_table_t *whole = NULL;
    int64_t n_whole = 0;
    cr_assert_eq(nas_table_read(&options, &whole, &err), NAS_OK, "%s", err.text);
    const nas_digest_t *expected = nas_table_blocks(whole, &n_whole);
    cr_assert_eq(n_whole, N_BLOCKS);
    for (int64_t b = 0; b < N_BLOCKS; b++) {
        nas_table_t *table = NULL;
        nas_table_seen_t seen;
        int64_t n = 0;
        const int64_t begin = b * NAS_DIGEST_BLOCK_SIZE;
        const nas_csv_range_t range = {.begin = begin,
                                       .end =
                                           b < N_CUTS ? begin + NAS_DIGEST_BLOCK_SIZE : INT64_MAX,
                                       .line = 1};
        cr_assert_eq(nas_table_read_range(&options, range, &seen, &table, &err), NAS_OK, "%s",
                     err.text);
        const nas_digest_t *found = nas_table_blocks(table, &n);
        cr_assert_eq(n, 1);
        cr_assert_eq(memcmp(found, &expected[b], sizeof *found), 0, "block %lld", (long long)b);
        nas_table_destroy(table);
    }
    nas_table_destroy(whole);
    nas_strings_fini(&columns);
    temp_folder_remove(&folder);
}
