#include "tests/unit/table_case.h"

Test(table, columns_come_as_asked_and_others_may_hold_anything)
{
    const char *text = "note,b,arch,a\nfree text,1.5,x,-2\n0x,,y,3e2\n";
    const request_t request = {.columns = {"a", "b"}};
    nas_error_t err = {0};
    nas_digest_t digest;
    nas_table_t *table = read_good(text, &request);
    cr_assert_eq(nas_table_rows(table), 2);
    cr_assert_str_eq(nas_names_at(nas_table_names(table), 0), "x");
    cr_assert_str_eq(nas_names_at(nas_table_names(table), 1), "y");
    cr_assert_eq(nas_names_find(nas_table_names(table), "y"), 1);
    cr_assert_eq(nas_table_column(table, "a")[0], -2.0);
    cr_assert_eq(nas_table_column(table, "a")[1], 300.0);
    cr_assert_eq(nas_table_column(table, "b")[0], 1.5);
    cr_assert(isnan(nas_table_column(table, "b")[1]));
    cr_assert_eq(count_present(table, "a"), 2);
    cr_assert_eq(count_present(table, "b"), 1);
    cr_assert_null(nas_table_column(table, "note"), "not asked for");

    int64_t n_blocks = 0;
    const nas_digest_t *found = nas_table_blocks(table, &n_blocks);
    cr_assert_eq(nas_digest_of(text, strlen(text), &digest, &err), NAS_OK);
    cr_assert_eq(n_blocks, 1);
    cr_assert_eq(memcmp(&digest, found, sizeof digest), 0);
    nas_table_destroy(table);
    nas_table_destroy(NULL);
}

/* Two rows, x with 1 and y with 2. */
static void assert_x_and_y(const char *text)
{
    const request_t request = {.columns = {"a"}};
    nas_table_t *table = read_good(text, &request);
    cr_assert_eq(nas_table_rows(table), 2, "%s", text);
    cr_assert_str_eq(nas_names_at(nas_table_names(table), 0), "x");
    cr_assert_str_eq(nas_names_at(nas_table_names(table), 1), "y");
    cr_assert_eq(nas_table_column(table, "a")[0], 1.0);
    cr_assert_eq(nas_table_column(table, "a")[1], 2.0);
    nas_table_destroy(table);
}

Test(table, line_ends_empty_lines_and_a_byte_order_mark_change_nothing)
{
    static const char *const texts[] = {
        "arch,a\nx,1\ny,2\n",
        "arch,a\r\nx,1\r\ny,2\r\n",
        "arch,a\rx,1\ry,2\r",
        "arch,a\nx,1\ny,2",
        "arch,a\r\nx,1\r\ny,2",
        "\n\narch,a\n\nx,1\n\r\n\ny,2\n\n\n",
        BOM "arch,a\nx,1\ny,2\n",
        "\"arch\",\"a\"\n\"x\",\"1\"\n\"y\",\"2\"",
        BOM "\"arch\",\"a\"\r\n\"x\",1\r\n\"y\",2\r\n",
        "arch,a\n \nx,1\n\t\r\ny,2\n  ",
    };
    for (size_t i = 0; i < N_OF(texts); i++) assert_x_and_y(texts[i]);
}

Test(table, names_are_the_bytes_of_the_field_without_blanks_around)
{
    static const struct {
        const char *field, *name;
    } cases[] = {
        {"\"(1, 2)\"", "(1, 2)"},
        {" x  y  ", "x  y"},
        {"\" x \"", "x"},
        {" \"x\"\t", "x"},
        {"\tx", "x"},
        {"\xC2\xA0x\xC2\xA0", "x"},
        {"\"say \"\"x\"\"\"", "say \"x\""},
        {"\"\"\"\"", "\""},
        {"\"two\nlines\"", "two\nlines"},
        {"\"two\r\nlines\"", "two\r\nlines"},
        {"\"\nx\n\"", "x"},
        {"caf\xC3\xA9", "caf\xC3\xA9"},
        {"|none~0|+|none~0|none~1|", "|none~0|+|none~0|none~1|"},
    };
    const request_t request = {0}; /* no number columns at all */
    for (size_t i = 0; i < N_OF(cases); i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "arch\n%s\n", cases[i].field);
        nas_table_t *table = read_good(text, &request);
        cr_assert_str_eq(nas_names_at(nas_table_names(table), 0), cases[i].name);
        nas_table_destroy(table);
    }
}

/* What spreadsheets write besides. */
Test(table, blanks_and_what_holds_nothing_do_not_count)
{
    static const char *const texts[] = {
        "arch,a,,\nx,1,,\ny,2,,\n",
        "arch,a,,\nx,1\ny,2,,,,\n",
        "arch,a\nx,1\n,\ny,2\n,\n,\n",
        ",,\narch,a,\nx,1,\n, ,\ny,2,\n,,\n,,\n",
        " arch , a\n x , 1 \n\"y \",\" 2\"\n",
        "arch ,\xC2\xA0"
        "a\nx\xC2\xA0,1\ny,\xC2\xA0"
        "2\n",
        ",arch,a\n0,x,1\n1,y,2\n",
        ",arch,,a,\n0,x,7,1,note\n1,y,8,2,\n",
    };
    for (size_t i = 0; i < N_OF(texts); i++) assert_x_and_y(texts[i]);
}

Test(table, names_know_their_lines)
{
    const request_t request = {.columns = {"a"}};
    char place[NAS_NAMES_PLACE_SIZE];
    nas_table_t *table = read_good("\narch,a\nx,1\ny,2\n,\n\"z\nz\",3\nu,4\nv,5\n", &request);
    static const int64_t line[] = {3, 4, 6, 8, 9};
    for (int i = 0; i < 5; i++) cr_assert_eq(nas_names_line(nas_table_names(table), i), line[i]);
    nas_names_place(nas_table_names(table), 3, place);
    cr_assert(strstr(place, "/t.csv:8: "), "%s", place);
    nas_table_destroy(table);
}

Test(table, a_column_is_asked_for_with_blanks_around_it)
{
    const request_t request = {.columns = {" a "}};
    nas_table_t *table = read_good("arch,a\nx,1\n", &request);
    cr_assert_eq(nas_table_column(table, " a ")[0], 1.0);
    nas_table_destroy(table);
}

/* The one value of column a. */
static double value_of(const char *field, const request_t *request)
{
    char text[256];
    (void)snprintf(text, sizeof text, "arch,a\nx,%s\n", field);
    nas_table_t *table = read_good(text, request);
    const double value = nas_table_column(table, "a")[0];
    nas_table_destroy(table);
    return value;
}

Test(table, numbers_are_the_nearest_doubles)
{
    static const struct {
        const char *field;
        double value;
    } cases[] = {
        {"0", 0.0},
        {"-0.0", 0.0},
        {"7", 7.0},
        {"+7", 7.0},
        {".5", 0.5},
        {"5.", 5.0},
        {"007", 7.0},
        {"  7\t", 7.0},
        {"\" 7 \"", 7.0},
        {"1e3", 1000.0},
        {"1E-3", 1e-3},
        {"1e+3", 1000.0},
        {"-133.80162659377805", -133.80162659377805},
        {"0.00400059949606657", 0.00400059949606657},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"5e-324", 5e-324},
        {"0.1000000000000000055511151231257827021181583404541015625", 0.1},
        {"100000000000000000000000", 1e23},
    };
    const request_t request = {.columns = {"a"}};
    for (size_t i = 0; i < N_OF(cases); i++)
        cr_assert_eq(value_of(cases[i].field, &request), cases[i].value, "'%s'", cases[i].field);
}

Test(table, fields_that_mean_missing)
{
    static const char *const fields[] = {
        "",           "\"\"", "  ",        "\"\t\"", "nan",   "NaN",           "NAN",   "-nan",
        " nan ",      "inf",  "-Infinity", "1e999",  "NA",    " NA ",          "\"?\"", "-1e8",
        "-100000000", "0.5",  "5e-1",      "0.50",   "n/a n", "-100000000.00", "-1E+8", "-.1e9",
    };
    const request_t request = {.columns = {"a"},
                               .missing = {"-100000000.0", "NA", "?", "n/a n", "0.5"}};
    for (size_t i = 0; i < N_OF(fields); i++)
        cr_assert(isnan(value_of(fields[i], &request)), "'%s'", fields[i]);
    cr_assert_eq(value_of("-100000000.1", &request), -100000000.1);
    cr_assert_eq(value_of("100000000", &request), 1e8);
}

Test(table, fields_that_are_no_numbers)
{
    static const char *const fields[] = {
        "abc",   "0x10", "0X1p3", "1,5",   "1 2", "1e",       "--1",
        "1.2.3", "-",    ".",     "e5",    "1f",  "NA",       "?",
        "1_000", "1;",   "nanx",  "infin", "'1'", "nan(0x1)", "\u22121",
    };
    const request_t request = {.columns = {"a"}};
    for (size_t i = 0; i < N_OF(fields); i++) {
        char text[64], reason[64];
        (void)snprintf(text, sizeof text, "arch,a\nx,\"%s\"\n", fields[i]);
        (void)snprintf(reason, sizeof reason, "t.csv:2: column 'a': '%s' is not a number",
                       fields[i]);
        expect_refused(text, strlen(text), &request, reason);
    }
}

Test(table, what_is_no_number_says_what_would_be_right)
{
#define MARKER "; where it means a missing value, set pool.missing: ['"
#define DECORATION "; write numbers such as 1234.5, with a decimal point and no other signs"
    static const struct {
        const char *field, *hint;
    } cases[] = {
        {"NA", MARKER "NA']"},
        {" n/a ", MARKER "n/a']"},
        {"NULL", MARKER "NULL']"},
        {"None", MARKER "None']"},
        {"-", MARKER "-']"},
        {"?", MARKER "?']"},
        {"#N/A", MARKER "#N/A']"},
        {"#DIV/0!", MARKER "#DIV/0!']"},
        {"1.#QNAN", MARKER "1.#QNAN']"},
        {"\xE2\x80\x94", MARKER "\xE2\x80\x94']"},
        {"0,84", DECORATION},
        {"1,234.5", DECORATION},
        {"1 234", DECORATION},
        {"1'234", DECORATION},
        {"93.5%", DECORATION},
        {"1\xE2\x80\xAF"
         "234,5",
         DECORATION},
        {"\xE2\x88\x92"
         "0.5",
         DECORATION},
        {"few", ""},
        {"0x10", ""},
        {"1e", ""},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        char hint[NAS_FIELD_HINT_SIZE];
        char *field = nas_text_copy_trimmed(cases[i].field, NULL);
        nas_field_hint(field, "pool.missing", hint);
        cr_assert_str_eq(hint, cases[i].hint, "'%s'", cases[i].field);
        nas_field_hint(field, NULL, hint);
        cr_assert_null(strstr(hint, "missing"));
        free(field);
    }
}

Test(table, the_shipped_table_is_a_nas_bench_201_pool)
{
    const char *source = getenv("ROBOTNAS_SOURCE");
    if (!source) cr_skip_test("the environment variable ROBOTNAS_SOURCE is not set");
    const request_t request = {.columns = {"grad_norm", "snip", "grasp", "fisher", "plain",
                                           "l2_norm", "synflow", "jacob_cov", "nwot", "params",
                                           "flops", "valid_accuracy", "test_accuracy"}};
    char path[4096];
    nas_error_t err = {0};
    nas_table_t *table = NULL;
    nas_encoding_t *encoding = NULL;
    (void)snprintf(path, sizeof path, "%s/jobs/tables/fashion-mnist-mini.csv", source);
    cr_assert_eq(read_file(path, &request, &table, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(nas_table_rows(table), 400);
    for (int c = 0; c < 13; c++) cr_assert_eq(count_present(table, request.columns[c]), 400);
    cr_assert_eq(nas_encoding_create(NAS_ENCODING_NB201, nas_table_names(table), &encoding, &err),
                 NAS_OK, "%s", err.text);
    for (int p = 0; p < 6; p++) cr_assert_eq(nas_encoding_choices(encoding, p), 5);
    nas_encoding_destroy(encoding);
    nas_table_destroy(table);
}

/* A published table and what its text says. */
typedef struct published {
    const char *file;
    nas_encoding_kind_t kind;
    int64_t n_row;
    request_t request;
} published_t;

/* Times marker occurs in a file. */
static int64_t count_in_file(const char *path, const char *marker)
{
    nas_error_t err = {0};
    char *text = NULL;
    size_t size;
    int64_t count = 0;
    cr_assert_eq(nas_file_read(path, (size_t)1 << 24, &text, &size, &err), NAS_OK, "%s", err.text);
    for (const char *at = text; (at = strstr(at, marker)); at++) count++;
    free(text);
    return count;
}

static void check_published(const published_t *published, const char *path)
{
    nas_error_t err = {0};
    nas_table_t *table = NULL;
    nas_encoding_t *encoding = NULL;
    int64_t n_missing = 0;
    cr_assert_eq(read_file(path, &published->request, &table, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(nas_table_rows(table), published->n_row);
    for (int c = 0; published->request.columns[c]; c++)
        n_missing += published->n_row - count_present(table, published->request.columns[c]);
    cr_assert_eq(n_missing, count_in_file(path, ",-100000000.0,"), "%s", published->file);

    cr_assert_eq(nas_encoding_create(published->kind, nas_table_names(table), &encoding, &err),
                 NAS_OK, "%s", err.text);
    cr_assert_eq(nas_encoding_count(encoding), published->n_row);
    cr_assert_eq(nas_encoding_positions(encoding), 6);
    nas_encoding_destroy(encoding);
    nas_table_destroy(table);
}

#define MISSING                                                                                    \
    {                                                                                              \
        "-1e8"                                                                                     \
    }
#define NB201_ACCURACIES "cifar10_test_acc", "cifar100_test_acc", "imagenet16_test_acc"
#define NB201_METRICS                                                                              \
    "grad_norm", "snip", "grasp", "fisher", "synflow", "jacov", "nwot", "zen", "epe_nas", "plain", \
        "l2_norm", "params", "flops"
#define TNB101_METRICS                                                                             \
    "grad_norm", "snip", "grasp", "fisher", "jacov", "nwot", "epe_nas", "plain", "l2_norm",        \
        "params", "flops", "val_acc"

static const published_t all_published[] = {
    {"nb201-accuracy.csv", NAS_ENCODING_NB201, 15625, {{NB201_ACCURACIES}, MISSING}},
    {"nb201-cifar10.csv", NAS_ENCODING_NB201, 9445, {{NB201_METRICS, NB201_ACCURACIES}, MISSING}},
    {"tnb101-macro-class_scene.csv", NAS_ENCODING_DIGITS, 662, {{TNB101_METRICS}, MISSING}},
    {"tnb101-macro-jigsaw.csv", NAS_ENCODING_DIGITS, 725, {{TNB101_METRICS}, MISSING}},
    {"tnb101-micro-class_object.csv", NAS_ENCODING_DIGITS, 711, {{TNB101_METRICS}, MISSING}},
    {"tnb101-micro-jigsaw.csv", NAS_ENCODING_DIGITS, 711, {{TNB101_METRICS}, MISSING}},
};

Test(table, the_published_tables_are_read_whole)
{
    const char *shared = getenv("ROBOTNAS_SHARED");
    if (!shared) cr_skip_test("the environment variable ROBOTNAS_SHARED is not set");
    for (size_t i = 0; i < N_OF(all_published); i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/data/tables/%s", shared, all_published[i].file);
        if (access(path, R_OK) != 0) cr_skip_test("%s is not there", path);
        check_published(&all_published[i], path);
    }
}

static bool stops_at(void *left, double share)
{
    (void)share;
    return --*(int *)left <= 0;
}

/* In the middle of the rows, and in the middle of their index; what comes after is not reached. */
Test(table, reading_is_interrupted)
{
    enum { N = 40000 };
    char folder[] = "/tmp/test_table.XXXXXX", path[64];
    nas_strings_t columns = {0};
    cr_assert(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/t.csv", folder);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    (void)fprintf(file, "arch\n");
    for (int i = 0; i < N; i++) (void)fprintf(file, "a%d\n", i);
    cr_assert_eq(fclose(file), 0);
    static const int n_questions[] = {1, 5, N / 4096 + 1};
    for (size_t i = 0; i < N_OF(n_questions); i++) {
        int left = n_questions[i];
        nas_table_t *table = NULL;
        nas_error_t err = {0};
        const nas_interrupt_t interrupt = {.asked = stops_at, .context = &left};
        const nas_table_options_t options = {
            .path = path, .arch_column = "arch", .columns = &columns, .interrupt = &interrupt};
        cr_assert_eq(nas_table_read(&options, &table, &err), NAS_ESTOP);
        cr_assert_eq(left, 0, "it went on");
        cr_assert_null(table);
    }
    (void)unlink(path);
    (void)rmdir(folder);
}
