/* The end of what a trainer printed. */
#include "temp_folder.h"
#include "worker/objectives/command/output.h"

#include <sys/stat.h>

/* The last line of a text of n bytes. */
static void assert_last(const char *text, size_t n, const char *expected)
{
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "a.err");
    char line[NAS_OUTPUT_LINE_SIZE] = "before";
    FILE *file = fopen(path.text, "w");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
    cr_assert(nas_output_last_line(path.text, line));
    cr_assert_str_eq(line, expected);
    temp_folder_remove(&folder);
}

Test(output, the_last_line_is_none_that_is_blank_or_the_programs_own)
{
    static const char *const text[][2] = {
        {"", ""},
        {"one", "one"},
        {"one\ntwo\n", "two"},
        {"one\n  two \n\n \t\r\n", "  two"},
        {"1 %\r2 %\r", "2 %"},
        {"one\n\nrobotnas: 7 more bytes were printed, and dropped\n", "one"},
        {"robotnas: some processes of this trainer could not be ended\n", ""},
        {"\n\n", ""},
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        assert_last(text[i][0], strlen(text[i][0]), text[i][1]);
}

Test(output, long_lines_are_cut_and_long_files_read_at_their_end)
{
    static char text[100000];
    char expected[NAS_OUTPUT_LINE_SIZE];
    memset(text, 'x', sizeof text);
    memset(expected, 'x', sizeof expected);
    expected[sizeof expected - 1] = '\0';
    assert_last(text, sizeof text, expected);
    memcpy(text + sizeof text - 6, "\nlast\n", 6);
    assert_last(text, sizeof text, "last");
}

Test(output, what_is_no_file_has_no_lines)
{
    const temp_path_t folder = temp_folder_make(), link = temp_file(&folder, "a.err"),
                      fifo = temp_file(&folder, "b.err");
    char line[NAS_OUTPUT_LINE_SIZE];
    cr_assert(!nas_output_last_line(link.text, line));
    cr_assert_eq(symlink("/etc/passwd", link.text), 0);
    cr_assert_eq(mkfifo(fifo.text, 0666), 0);
    cr_assert(!nas_output_last_line(link.text, line));
    cr_assert(!nas_output_last_line(fifo.text, line));
    cr_assert(!nas_output_last_line(folder.text, line));
    cr_assert_str_eq(line, "");
    temp_folder_remove(&folder);
}
