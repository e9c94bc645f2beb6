#include "tests/unit/table_case.h"

Test(table_refused, bad_files_are_refused_with_the_line)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "t.csv: empty; expected a header row"},
        {"\n\r\n\n", "t.csv: empty; expected a header row"},
        {BOM, "t.csv: empty; expected a header row"},
        {"arch,a", "t.csv: no rows below the header"},
        {"arch,a\n\n\n", "t.csv: no rows below the header"},
        {"name,a\nx,1\n", "t.csv:1: no column 'arch'; columns are name, a"},
        {"\narch,aa\nx,1\n", "t.csv:2: no column 'a'; nearest is 'aa'; columns are arch, aa"},
        {"ARCH,A\nx,1\n", "t.csv:1: no column 'arch'; nearest is 'ARCH'"},
        {"arch;a\nx;1\n", "t.csv:1: no column 'arch'; semicolons separate the fields here"},
        {"arch\ta\nx\t1\n", "t.csv:1: no column 'arch'; tabs separate the fields here"},
        {",,\n", "t.csv: empty; expected a header row"},
        {"arch,a,a \nx,1,2\n", "t.csv:1: fields 2 and 3 are both called 'a'"},
        {"arch,,a,a,\nx,,1,2,\n", "t.csv:1: fields 3 and 4 are both called 'a'"},
        {"arch,a,,\nx\n", "t.csv:2: 1 field where the header has 2"},
        {"arch,a,\nx,1,,2\n",
         "t.csv:2: 4 fields where the header has 3; a text that holds commas stands in quotes"},
        {"arch,a,b\nx,1,2,3\n", "t.csv:2: 4 fields where the header has 3; a text"},
        {"arch,a\nx,1\narch,a\ny,2\n",
         "t.csv:3: column 'a': 'a' is not a number; is this a second header?"},
        {"arch,a\nx,1\n,,\nx ,2\n", "t.csv:4: architecture 'x' stands in line 2 already"},
        {"arch,a,a\nx,1,2\n", "t.csv:1: fields 2 and 3 are both called 'a'"},
        {"\narch,a,b,arch\nx,1,2,y\n", "t.csv:2: fields 1 and 4 are both called 'arch'"},
        {"arch,a\nx\n", "t.csv:2: 1 field where the header has 2"},
        {"arch,a\n,1\n", "t.csv:2: column 'arch': the architecture is empty"},
        {"arch,a\n\"\",1\n", "t.csv:2: column 'arch': the architecture is empty"},
        {"arch,a\nx,1\ny,2\nx,3\n", "t.csv:4: architecture 'x' stands in line 2 already"},
        {"arch,a\nx,1\n\n\"x\",3\n", "t.csv:4: architecture 'x' stands in line 2 already"},
        {"arch,a\nx\"y,1\n", "t.csv:2: bad quoting"},
        {"arch,a\n\"x\"y,1\n", "t.csv:2: bad quoting"},
        {"arch,a\n\"x\" y,1\n", "t.csv:2: bad quoting"},
        {"arch,a\n\"x,1\n", "t.csv:2: bad quoting: a quote is left open"},
        {"arch,a\nx,1\n\"\n\n", "t.csv:3: bad quoting: a quote is left open"},
        {"arch,\"a\nx,1\n", "t.csv:1: bad quoting: a quote is left open"},
        {"{\"arch\": 1}\n", "t.csv:1: bad quoting"},
    };
    const request_t request = {.columns = {"a"}};
    for (size_t i = 0; i < N_OF(cases); i++)
        expect_refused(cases[i].text, strlen(cases[i].text), &request, cases[i].reason);
}

Test(table_refused, lines_are_counted_through_every_kind_of_line_end)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"arch,a\nx,1\ny,bad\n", "t.csv:3:"},
        {"arch,a\r\nx,1\r\ny,bad\r\n", "t.csv:3:"},
        {"arch,a\rx,1\ry,bad\r", "t.csv:3:"},
        {"arch,a\n\r\n\r\r\n\nx,bad\n", "t.csv:6:"},
        {"arch,a\n\"x\n\n\r\nx\",1\ny,bad\n", "t.csv:6:"},
        {"arch,a\n\"x\n\n\r\nx\",bad\ny,1\n", "t.csv:2:"},
        {"\"the\narch\",arch,a\n1,x,bad", "t.csv:3:"},
        {"arch,a\nx,1\n\"y,1\nz,2\n\"w\",3\n", "t.csv:3:"},
    };
    const request_t request = {.columns = {"a"}};
    for (size_t i = 0; i < N_OF(cases); i++)
        expect_refused(cases[i].text, strlen(cases[i].text), &request, cases[i].reason);
}

Test(table_refused, a_nul_byte_is_refused)
{
    static const char header[] = "arch,a\0\nx,1\n", row[] = "arch,a\nx,1\n\0y,2\n";
    static const char utf16[] = {'\xFF', '\xFE', 'a', '\0', 'r', '\0'};
    const request_t request = {.columns = {"a"}};
    expect_refused(header, sizeof header - 1, &request, "t.csv:1: a NUL byte");
    expect_refused(row, sizeof row - 1, &request, "t.csv:3: a NUL byte");
    expect_refused(utf16, sizeof utf16, &request, "t.csv:1: this text is in UTF-16; save it");
}

/* head, then fill bytes 'y', then tail, as one malloc'ed text. */
static char *padded(const char *head, size_t fill, const char *tail)
{
    const size_t n_head = strlen(head);
    char *text = malloc(n_head + fill + strlen(tail) + 1);
    cr_assert(text);
    memcpy(text, head, n_head);
    memset(text + n_head, 'y', fill);
    memcpy(text + n_head + fill, tail, strlen(tail) + 1);
    return text;
}

Test(table_refused, rows_have_at_most_one_mebibyte)
{
    static const char endless[] = "t.csv:1: a row of more than 1 MiB",
                      open[] = "t.csv:2: a row of more";
    const request_t request = {.columns = {"a"}};
    const size_t fill = NAS_CSV_MAX_ROW - strlen(",1\n");
    char *text = padded("arch,a\n", fill, ",1\n");
    nas_table_t *table = read_good(text, &request);
    cr_assert_eq(strlen(nas_names_at(nas_table_names(table), 0)), fill);
    nas_table_destroy(table);
    free(text);

    text = padded("arch,a\n", fill + 1, ",1\n");
    expect_refused(text, strlen(text), &request, open);
    free(text);
    text = padded("arch,a\n\"", (size_t)3 * NAS_CSV_MAX_ROW, "\n");
    expect_refused(text, strlen(text), &request, open);
    free(text);
    text = padded("", (size_t)3 * NAS_CSV_MAX_ROW, "");
    expect_refused(text, strlen(text), &request, endless);
    free(text);
}

Test(table_refused, a_row_of_nothing_but_commas_fits)
{
    const request_t request = {.columns = {"a"}};
    char *text = padded("arch,a\n", NAS_CSV_MAX_ROW, "");
    memset(text + strlen("arch,a\n"), ',', NAS_CSV_MAX_ROW);
    expect_refused(text, strlen(text), &request, "t.csv: no rows below the header");
    text[strlen(text) - 1] = 'x';
    expect_refused(text, strlen(text), &request, "t.csv:2: 1048576 fields where the header has 2");
    free(text);
}

/* A header as long as shift demands, then n rows "name-i,i" with lines ended by CRLF and one quoted
 * line end each. */
static char *long_table(int shift, int n)
{
    char *text = malloc((size_t)n * 40 + 128);
    cr_assert(text);
    char *at = text + sprintf(text, "arch,a,%.*s\r\n", shift,
                              "----------------------------------------------------------------");
    for (int i = 0; i < n; i++) at += sprintf(at, "\"name\r\n\"\"%d\",%d,\r\n", i, i);
    return text;
}

Test(table_refused, rows_may_lie_across_chunks)
{
    enum { N = 14000 };
    const request_t request = {.columns = {"a"}};
    for (int shift = 1; shift <= 32; shift++) {
        char *text = long_table(shift, N), name[32];
        nas_table_t *table = read_good(text, &request);
        const double *a = nas_table_column(table, "a");
        cr_assert_eq(nas_table_rows(table), N);
        for (int i = 0; i < N; i++) {
            (void)snprintf(name, sizeof name, "name\r\n\"%d", i);
            cr_assert_str_eq(nas_names_at(nas_table_names(table), i), name);
            cr_assert_eq(a[i], i);
        }
        nas_table_destroy(table);
        memcpy(text + strlen(text) - strlen(",\r\n"), "?,\r\n", sizeof "?,\r\n");
        expect_refused(text, strlen(text), &request, "t.csv:28000: column 'a': '13999?'");
        free(text);
    }
}

Test(table_refused, long_texts_are_cut_in_errors)
{
    const request_t request = {.columns = {"synflw"}};
    char text[4096];
    char *at = text + sprintf(text, "arch,synflow");
    for (int i = 0; i < 200; i++) at += sprintf(at, ",column-%d", i);
    nas_error_t err = {0};
    nas_table_t *table = NULL;
    cr_assert_eq(read_bytes(text, strlen(text), &request, &table, &err), NAS_EINPUT);
    cr_assert(strstr(
        err.text, "no column 'synflw'; nearest is 'synflow'; columns are arch, synflow, column-0"));
    const size_t length = strlen(err.text);
    cr_assert(length < 600);
    cr_assert_str_eq(err.text + length - strlen("..."), "...");
}

Test(table_refused, paths_that_are_no_files_are_refused)
{
    static const char *const paths[] = {"/nonexistent/t.csv", "/tmp", "", "/dev/null"};
    const request_t request = {.columns = {"a"}};
    for (size_t i = 0; i < N_OF(paths); i++) {
        nas_error_t err = {0};
        nas_table_t *table = NULL;
        cr_assert_eq(read_file(paths[i], &request, &table, &err), NAS_EINPUT, "'%s'", paths[i]);
        cr_assert(strstr(err.text, paths[i]), "%s", err.text);
        cr_assert_null(table);
    }
}
