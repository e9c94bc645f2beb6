#include "tests/unit/folder_case.h"

/* --------------------------------------------------------------------------------- order */

Test(folder, classes_and_files_come_in_the_order_of_their_names)
{
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "b/2.png", 11);
    add(&f, "b/10.png", 10);
    add(&f, "\xc3\xa9t\xc3\xa9/x", 40); /* UTF-8 */
    add(&f, "a c/z.png", 2);
    add(&f, "a c/Z.png", 1);
    add(&f, "a/1.png", 0);
    add(&f, "B/1.jpg", 5); /* a PNG all the same */
    read_back(&f);
    cr_assert_eq(f.summary.classes.n, 5);
    assert_classes(&f, "B\na\na c\nb\n\xc3\xa9t\xc3\xa9");
    assert_images(&f, 7,
                  (const int[][2]){{5, 0}, {0, 1}, {1, 2}, {2, 2}, {10, 3}, {11, 3}, {40, 4}});
    fixture_drop(&f);
}

Test(folder, the_first_images_of_every_class_make_a_small_file)
{
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "a/2", 2);
    add(&f, "a/1", 1);
    add(&f, "a/3/1", 3);
    add(&f, "b/1", 4);
    add(&f, "c/x/1", 5);
    add(&f, "c/x/2", 6);
    add(&f, "c/x/3", 7);
    f.options.per_class = 2;
    read_back(&f);
    assert_images(&f, 5, (const int[][2]){{1, 0}, {2, 0}, {4, 1}, {5, 2}, {6, 2}});
    fixture_drop(&f);
}

/* As sorted(os.walk(...)) and sorted(files) have it. */
Test(folder, folders_in_a_class_are_read_one_after_the_other)
{
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "a/m.png", 0);
    add(&f, "a/z.png", 1);
    add(&f, "a/b/y.png", 2);
    add(&f, "a/b/c/x.png", 4);
    add(&f, "a/b-/a.png", 3);
    add(&f, "a/c/a.png", 5);
    add(&f, "b/deep/deeper/1.png", 6);
    read_back(&f);
    assert_images(&f, 7, (const int[][2]){{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 1}});
    fixture_drop(&f);
}

Test(folder, links_are_followed_and_hidden_entries_passed_over)
{
    folder_fixture_t f;
    fixture_make(&f);
    const temp_path_t elsewhere = temp_file(&f.folder, "elsewhere");
    make_folder(&elsewhere);
    const temp_path_t image = temp_file(&elsewhere, "1.png");
    put(&image, png_constant(3, 3, (uint8_t[]){9, 9, 9}));
    add(&f, "a/1.png", 1);
    add(&f, "a/.hidden.png", 2);
    add(&f, "a/.hidden/3.png", 3);
    add(&f, ".git/4.png", 4);
    const temp_path_t beside = entry(&f, "README"), file = entry(&f, "a/2.png");
    const temp_path_t folder = entry(&f, "a/sub"), class = entry(&f, "b");
    put_bytes(&beside, "text", 4);
    cr_assert_eq(symlink(image.text, file.text), 0);
    cr_assert_eq(symlink(elsewhere.text, folder.text), 0);
    cr_assert_eq(symlink(elsewhere.text, class.text), 0);
    read_back(&f);
    assert_images(&f, 4, (const int[][2]){{1, 0}, {9, 0}, {9, 0}, {9, 1}});
    fixture_drop(&f);
}

/* -------------------------------------------------------------------------------- values */

/* A PNG of the values sample_value(7, .). */
static void add_sample(const folder_fixture_t *f, const char *name, int height, int width,
                       bool colours)
{
    uint8_t rows[3 * 64];
    const int n_channels = colours ? 3 : 1;
    cr_assert_leq(height * width, 64);
    for (int i = 0; i < height * width * n_channels; i++) rows[i] = sample_value(7, (size_t)i);
    const temp_path_t path = entry(f, name);
    put(&path,
        png_bytes(&(png_sample_t){.height = height,
                                  .width = width,
                                  .colour_type = colours ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
                                  .depth = 8,
                                  .rows = rows,
                                  .stride = (size_t)(width * n_channels)}));
}

Test(folder, colours_and_gray_become_what_was_asked_for)
{
    folder_fixture_t f;
    fixture_make(&f);
    f.options.height = 5;
    f.options.width = 7;
    add_sample(&f, "a/colours", 5, 7, true);
    add_sample(&f, "b/gray", 5, 7, false);
    for (int gray = 0; gray < 2; gray++) {
        f.options.gray = gray;
        read_back(&f);
        const nas_images_t *images = nas_memory_images(&f.dataset.train);
        const uint8_t *value = images->data;
        cr_assert(images->c == (gray ? 1 : 3) && images->h == 5 && images->w == 7);
        for (int c = 0; c < images->c; c++)
            for (size_t i = 0; i < 35; i++) {
                const uint8_t red = sample_value(7, 3 * i), green = sample_value(7, 3 * i + 1),
                              blue = sample_value(7, 3 * i + 2);
                const uint8_t one[3] = {red, green, blue};
                const int luma = (299 * red + 587 * green + 114 * blue + 500) / 1000;
                const size_t at = (size_t)c * 35 + i;
                cr_assert_eq(value[at], gray ? luma : one[c]);
                cr_assert_eq(value[nas_images_values(images) + at], sample_value(7, i));
            }
    }
    fixture_drop(&f);
}

Test(folder, the_file_is_the_same_every_time)
{
    folder_fixture_t f;
    fixture_make(&f);
    const temp_path_t other = temp_file(&f.folder, "made/on/the/way/other.h5");
    char command[4096];
    for (int i = 0; i < 20; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "class %d/%d", i % 5, i);
        add_sample(&f, name, 3 + i % 5, 8, i % 2);
    }
    cr_assert_eq(convert(&f), NAS_OK, "%s", f.err.text);
    f.options.output = other.text;
    cr_assert_eq(convert(&f), NAS_OK, "%s", f.err.text);
    cr_assert_eq(convert(&f), NAS_OK, "%s: once more over it", f.err.text);
    (void)snprintf(command, sizeof command, "cmp %s %s", f.output.text, other.text);
    cr_assert_eq(system(command), 0);
    assert_holds(&f.folder, "classes made out.h5 ");
    fixture_drop(&f);
}

/* ------------------------------------------------------------------------------- classes */

Test(folder, the_classes_of_another_file_must_be_the_same)
{
    folder_fixture_t f;
    fixture_make(&f);
    const temp_path_t train = temp_file(&f.folder, "train.h5");
    const char *root = f.classes.text;
    add(&f, "a/1.png", 1);
    add(&f, "bc/1.png", 1);
    add(&f, "d/1.png", 1);
    f.options.output = train.text;
    cr_assert_eq(convert(&f), NAS_OK, "%s", f.err.text);
    f.options.output = f.output.text;
    f.options.classes_from = train.text;
    cr_assert_eq(convert(&f), NAS_OK, "%s", f.err.text);
    static const struct {
        const char *from, *to, *text;
    } change[] = {
        {"bc", "b", "'b' is not in"},
        {"b", "bcd", "'bc' is missing, which is in"},
        {"bcd", "e", "'bc' is missing, which is in"},
        {"e", "B", "'B' is not in"},
        {"B", ".hidden", "'bc' is missing, which is in"},
        {".hidden", "bc", NULL},
        {"d", ".d", "'d' is missing, which is in"},
        {".d", "dd", "'d' is missing, which is in"},
        {"dd", "d", NULL},
    };
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        const temp_path_t from = entry(&f, change[i].from), to = entry(&f, change[i].to);
        char line[3 * TEMP_PATH_SIZE];
        cr_assert_eq(rename(from.text, to.text), 0);
        (void)snprintf(line, sizeof line, "%s: class %s %s; both must have the same", root,
                       change[i].text ? change[i].text : "", train.text);
        if (change[i].text) {
            cr_assert_eq(convert(&f), NAS_EINPUT);
            cr_assert_geq(nas_strings_find(&f.summary.faults.line, line), 0);
        } else
            cr_assert_eq(convert(&f), NAS_OK, "%s", f.err.text);
    }
    add(&f, "e/1.png", 1);
    assert_refused(convert(&f), &f.err, "%s: class 'e' is not in %s; both must have the same", root,
                   train.text);
    put_hdf5(&train, NULL, 0);
    assert_refused(convert(&f), &f.err, "%s: dataset 'classes' is not there", train.text);
    fixture_drop(&f);
}

/* ------------------------------------------------------------------ what ends in between */

/* Asked to stop at the n-th question. */
static bool count_down(void *context, double share)
{
    int *n = context;
    cr_assert(0 <= share && share <= 1);
    return --*n < 0;
}

/* What stood at the output stands there still, and nothing else. */
static void assert_untouched(const folder_fixture_t *f)
{
    char text[8] = "";
    FILE *file = fopen(f->output.text, "r");
    cr_assert_not_null(file);
    cr_assert_eq(fread(text, 1, sizeof text, file), 3);
    cr_assert_str_eq(text, "old");
    (void)fclose(file);
    assert_holds(&f->folder, "classes out.h5 ");
}

Test(folder, an_interrupted_conversion_leaves_everything_as_it_was)
{
    folder_fixture_t f;
    fixture_make(&f);
    int n_left = 0;
    const nas_interrupt_t interrupt = {.asked = count_down, .context = &n_left};
    for (int i = 0; i < 6; i++)
        add(&f, (const char *[]){"a/1", "a/2", "a/3", "b/1", "b/2", "b/3"}[i], i);
    put_bytes(&f.output, "old", 3);
    for (int n = 0; n < 6; n++) {
        n_left = n;
        cr_assert_eq(nas_folder_convert(&f.options, &interrupt, &f.summary, &f.err), NAS_ESTOP);
        assert_untouched(&f);
    }
    n_left = 6;
    cr_assert_eq(nas_folder_convert(&f.options, &interrupt, &f.summary, &f.err), NAS_OK);
    assert_holds(&f.folder, "classes out.h5 ");
    read_back(&f);
    fixture_drop(&f);
}

/* At every size that the file may be limited to, as on a disk that is full. */
Test(folder, a_full_disk_leaves_everything_as_it_was)
{
    folder_fixture_t f;
    struct stat whole;
    struct rlimit limit;
    fixture_make(&f);
    f.options.height = f.options.width = 64;
    add(&f, "a/1.png", 1);
    add(&f, "b/1.png", 1);
    read_back(&f);
    cr_assert_eq(stat(f.output.text, &whole), 0);
    put_bytes(&f.output, "old", 3);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    for (off_t size = 0; size < whole.st_size; size += 1 + whole.st_size / 40) {
        limit.rlim_cur = (rlim_t)size;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        cr_assert_eq(convert(&f), NAS_EIO, "at %lld bytes", (long long)size);
        cr_assert_not_null(strstr(f.err.text, f.output.text));
        assert_untouched(&f);
    }
    limit.rlim_cur = (rlim_t)whole.st_size;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_eq(convert(&f), NAS_OK, "%s", f.err.text);
    fixture_drop(&f);
}
