#include "image_sample.h"
#include "worker/data/folders/folder.h"
#include "worker/data/memory.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* A folder of classes, what is made of it, and that read back. */
typedef struct folder_fixture {
    temp_path_t folder, classes, output;
    nas_folder_options_t options;
    nas_folder_summary_t summary;
    nas_dataset_t dataset;
    nas_error_t err;
} folder_fixture_t;

static void make_folder(const temp_path_t *path)
{
    cr_assert_eq(mkdir(path->text, 0700), 0);
}

static void fixture_make(folder_fixture_t *f)
{
    *f = (folder_fixture_t){.folder = temp_folder_make()};
    f->classes = temp_file(&f->folder, "classes");
    f->output = temp_file(&f->folder, "out.h5");
    make_folder(&f->classes);
    f->options = (nas_folder_options_t){
        .folder = f->classes.text, .output = f->output.text, .height = 4, .width = 4};
}

static void fixture_drop(folder_fixture_t *f)
{
    nas_dataset_fini(&f->dataset);
    nas_folder_summary_fini(&f->summary);
    temp_folder_remove(&f->folder);
}

/* The path of an entry below the classes, with the folders above it. */
static temp_path_t entry(const folder_fixture_t *f, const char *name)
{
    temp_path_t path = temp_file(&f->classes, name);
    for (char *slash = strchr(path.text + strlen(f->classes.text) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path.text, 0700);
        *slash = '/';
    }
    return path;
}

/* An image of one level. */
static void add(const folder_fixture_t *f, const char *name, int level)
{
    const temp_path_t path = entry(f, name);
    const uint8_t colour[3] = {(uint8_t)level, (uint8_t)level, (uint8_t)level};
    put(&path, png_constant(6, 5, colour));
}

static nas_status_t convert(folder_fixture_t *f)
{
    f->err = (nas_error_t){0};
    nas_folder_summary_fini(&f->summary);
    return nas_folder_convert(&f->options, NULL, &f->summary, &f->err);
}

/* Convert, and read by the reader of data.format hdf5. */
static void read_back(folder_fixture_t *f)
{
    nas_strings_t train = list_of(1, (const temp_path_t *[]){&f->output});
    const nas_dataset_options_t options = {.format = &nas_format_hdf5, .train = &train};
    nas_dataset_fini(&f->dataset);
    cr_assert_eq(convert(f), NAS_OK, "%s", f->err.text);
    cr_assert_eq(nas_dataset_read(&options, &f->dataset, &f->err), NAS_OK, "%s", f->err.text);
    cr_assert_eq(f->dataset.train.n, f->summary.n_images);
    nas_strings_fini(&train);
}

/* The levels of the images, and their labels, in order. */
static void assert_images(const folder_fixture_t *f, size_t n, const int expected[][2])
{
    const nas_images_t *images = nas_memory_images(&f->dataset.train);
    const size_t n_values = nas_images_values(images);
    cr_assert_eq((size_t)images->n, n);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *value = (const uint8_t *)images->data + i * n_values;
        for (size_t k = 0; k < n_values; k++)
            cr_assert_eq(value[k], expected[i][0], "image %zu", i);
        cr_assert_eq(images->labels[i], expected[i][1], "image %zu", i);
    }
}

/* Dataset `classes`. */
static void assert_classes(const folder_fixture_t *f, const char *expected)
{
    char text[4096] = "";
    const hid_t file = H5Fopen(f->output.text, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t id = H5Dopen2(file, "classes", H5P_DEFAULT), type = H5Dget_type(id);
    cr_assert_eq(H5Tget_size(type), strlen(expected) + 1);
    cr_assert_geq(H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text), 0);
    cr_assert_str_eq(text, expected);
    H5Tclose(type);
    H5Dclose(id);
    H5Fclose(file);
}

/* The names in a folder, but for those hidden, with a space behind each. */
static void assert_holds(const temp_path_t *folder, const char *expected)
{
    char names[4096] = "";
    struct dirent **found = NULL;
    const int n = scandir(folder->text, &found, NULL, alphasort);
    cr_assert_geq(n, 0);
    for (int i = 0; i < n; i++) {
        if (found[i]->d_name[0] != '.') strcat(strcat(names, found[i]->d_name), " ");
        free(found[i]);
    }
    free(found);
    cr_assert_str_eq(names, expected);
}

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

/* ----------------------------------------------------------------------------- refusals */

/* Refused with this text, and nothing of it left. */
#define ASSERT_CONVERT_REFUSED(f, ...)                                                             \
    do {                                                                                           \
        assert_refused(convert(f), &(f)->err, __VA_ARGS__);                                        \
        assert_holds(&(f)->folder, "classes ");                                                    \
    } while (0)

Test(folder, what_is_no_folder_of_classes_is_refused)
{
    folder_fixture_t f;
    fixture_make(&f);
    const char *root = f.classes.text;
    ASSERT_CONVERT_REFUSED(&f, "%s: 0 folders in it, each of which is a class; expected 2 to 65536",
                           root);
    add(&f, "a/1.png", 1);
    ASSERT_CONVERT_REFUSED(&f, "%s: 1 folder in it, each of which is a class; expected 2 to 65536",
                           root);
    add(&f, "a/x/1.png", 1);
    add(&f, "a/y/1.png", 1);
    ASSERT_CONVERT_REFUSED(&f,
                           "%s: 1 folder in it, each of which is a class; expected 2 to 65536; are "
                           "those in %s/a meant?",
                           root, root);
    const temp_path_t empty = entry(&f, "b");
    make_folder(&empty);
    ASSERT_CONVERT_REFUSED(&f, "%s: this class has no images", empty.text);
    add(&f, "b/sub/.1.png", 1);
    ASSERT_CONVERT_REFUSED(&f, "%s: this class has no images", empty.text);
    add(&f, "b/1.png", 1);
    const temp_path_t loop = entry(&f, "b/sub/loop"), lost = entry(&f, "a/lost");
    cr_assert_eq(symlink(empty.text, loop.text), 0);
    ASSERT_CONVERT_REFUSED(&f, "%s leads back to %s, which it is in", loop.text, empty.text);
    cr_assert_eq(unlink(loop.text), 0);
    cr_assert_eq(symlink("..", loop.text), 0);
    ASSERT_CONVERT_REFUSED(&f, "%s leads back to %s, which it is in", loop.text, empty.text);
    cr_assert_eq(unlink(loop.text), 0);
    cr_assert_eq(symlink("nowhere", lost.text), 0);
    ASSERT_CONVERT_REFUSED(&f, "cannot read %s: No such file or directory", lost.text);
    fixture_drop(&f);
}

Test(folder, a_folder_that_is_missing_is_refused)
{
    folder_fixture_t f;
    fixture_make(&f);
    const temp_path_t gone = temp_file(&f.classes, "gone");
    f.options.folder = gone.text;
    ASSERT_CONVERT_REFUSED(&f, "cannot read %s: No such file or directory", gone.text);
    put_bytes(&gone, "", 0);
    ASSERT_CONVERT_REFUSED(&f, "cannot read %s: Not a directory", gone.text);
    fixture_drop(&f);
}

/* Names end in files that are read as UTF-8, one a line. */
Test(folder, a_class_whose_name_is_no_line_of_text_is_refused)
{
    static const struct {
        const char *name, *shown;
    } bad[] = {{"c\nd", "c\\x0ad"},
               {"caf\xe9", "caf\\xe9"},
               {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
               {"next\xc2\x85line", "next\\xc2\\x85line"}};
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "a/1.png", 1);
    add(&f, "b/caf\xe9.png", 1); /* not kept */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const temp_path_t class = entry(&f, bad[i].name);
        make_folder(&class);
        const temp_path_t image = temp_file(&class, "1.png");
        put(&image, png_constant(3, 3, (uint8_t[]){9, 9, 9}));
        ASSERT_CONVERT_REFUSED(
            &f,
            "%s/%s: the name of a class is UTF-8 without control characters; rename this folder",
            f.classes.text, bad[i].shown);
        temp_folder_remove(&class);
    }
    read_back(&f);
    fixture_drop(&f);
}

/* Every fault of a run, in the order in which they are met. */
Test(folder, all_faults_are_found_at_once)
{
    folder_fixture_t f;
    fixture_make(&f);
    const char *root = f.classes.text;
    const temp_path_t text = entry(&f, "a/1.png"), web = entry(&f, "b/1.jpg");
    const temp_path_t pipe = entry(&f, "b/pipe"), lost = entry(&f, "b/lost\xff");
    const temp_path_t empty = entry(&f, "c"), loop = entry(&f, "d/loop");
    put_bytes(&text, "", 0);
    put_bytes(&web, "RIFF----WEBP", 12);
    cr_assert_eq(mkfifo(pipe.text, 0600), 0);
    cr_assert_eq(symlink("nowhere", lost.text), 0);
    make_folder(&empty);
    add(&f, "d/1.png", 1);
    cr_assert_eq(symlink("..", loop.text), 0);
    ASSERT_CONVERT_REFUSED(&f, "%s: 6 faults; nothing was written", root);
    static const char *const expected[] = {
        "cannot read %s/b/lost\\xff: No such file or directory",
        "%s/c: this class has no images",
        "%s/d/loop leads back to %s, which it is in",
        "%s/a/1.png: it is empty; a JPEG or PNG image was expected, whatever its name",
        "%s/b/1.jpg: a WebP image; a JPEG or PNG image was expected, whatever its name",
        "%s/b/pipe is not a regular file"};
    cr_assert_eq(f.summary.faults.n, 6);
    for (size_t i = 0; i < 6; i++) {
        char line[2 * TEMP_PATH_SIZE];
        (void)snprintf(line, sizeof line, expected[i], root, root);
        cr_assert_str_eq(f.summary.faults.line.at[i], line);
    }
    fixture_drop(&f);
}

Test(folder, faults_beyond_the_first_hundred_are_counted)
{
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "a/1.png", 1);
    for (int i = 0; i < 130; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "b/%d", i);
        const temp_path_t bad = entry(&f, name);
        put_bytes(&bad, "text", 4);
    }
    ASSERT_CONVERT_REFUSED(&f, "%s: 130 faults; nothing was written", f.classes.text);
    cr_assert_eq(f.summary.faults.n, 130);
    cr_assert_eq(f.summary.faults.line.n, NAS_FOLDER_MOST_FAULTS);
    fixture_drop(&f);
}

Test(folder, what_file_managers_and_archives_leave_is_passed_over)
{
    static const char *const left[] = {"a/Thumbs.db",        "a/thumbs.DB",
                                       "a/desktop.ini",      "b/.DS_Store",
                                       "b/._1.png",          "b/@eaDir/1.png/SYNOPHOTO_THUMB_M.jpg",
                                       "__MACOSX/a/._1.png", ".ipynb_checkpoints/1.png",
                                       "lost+found/x",       "$RECYCLE.BIN/x"};
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "a/1.png", 1);
    add(&f, "b/1.png", 2);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        const temp_path_t path = entry(&f, left[i]);
        put_bytes(&path, "\xd0\xcf", 2);
    }
    read_back(&f);
    assert_images(&f, 2, (const int[][2]){{1, 0}, {2, 1}});
    cr_assert_eq(f.summary.notes.n, 0);
    cr_assert(f.summary.n_of_class[0] == 1 && f.summary.n_of_class[1] == 1);
    fixture_drop(&f);
}

Test(folder, parts_of_a_data_set_are_no_classes)
{
    folder_fixture_t f;
    fixture_make(&f);
    const char *root = f.classes.text;
    add(&f, "Test/a/1.png", 1);
    add(&f, "Test/b/1.png", 1);
    add(&f, "train/a/1.png", 1);
    add(&f, "train/b/1.png", 1);
    add(&f, "others/1.png", 1);
    f.options.gray = true;
    ASSERT_CONVERT_REFUSED(
        &f,
        "%s: train and Test are parts of a data set, not classes; convert each by itself: robotnas "
        "convert %s/train train.h5 --size 4x4 --gray, then robotnas convert %s/Test Test.h5 --size "
        "4x4 --gray --classes-from train.h5",
        root, root, root);
    const temp_path_t train = entry(&f, "train"), trains = entry(&f, "trains");
    cr_assert_eq(rename(train.text, trains.text), 0);
    read_back(&f); /* one such name may well be a class */
    cr_assert_eq(f.summary.classes.n, 3);
    fixture_drop(&f);
}

Test(folder, parts_without_classes_are_refused)
{
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "val/1.png", 1);
    add(&f, "TRAIN/1.png", 1);
    ASSERT_CONVERT_REFUSED(&f,
                           "%s: TRAIN and val are parts of a data set, not classes, and have no "
                           "folders in them; every class needs a folder of its own in each",
                           f.classes.text);
    fixture_drop(&f);
}

Test(folder, what_may_not_be_meant_is_noted)
{
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "CAT/x/1.png", 1);
    add(&f, "CAT/y/1.png", 1);
    add(&f, "bee/1.png", 1);
    add(&f, "cat/x/1.png", 1);
    add(&f, "cat/y/1.png", 1);
    const temp_path_t beside = entry(&f, "labels.csv");
    put_bytes(&beside, "", 0);
    read_back(&f);
    char inner[2 * TEMP_PATH_SIZE];
    (void)snprintf(
        inner, sizeof inner,
        "CAT and cat have the same folders in them, such as x and y; where those are the "
        "classes, convert %s/CAT by itself",
        f.classes.text);
    cr_assert_eq(f.summary.notes.n, 3);
    cr_assert_str_eq(f.summary.notes.at[0], "classes 'CAT' and 'cat' differ in case alone");
    cr_assert_str_eq(f.summary.notes.at[1], inner);
    cr_assert_str_eq(f.summary.notes.at[2],
                     "1 file beside the classes passed over, such as labels.csv");
    fixture_drop(&f);
}

/* Also where other images come first. */
Test(folder, a_file_that_is_no_image_is_refused)
{
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "a/1.png", 1);
    add(&f, "b/1.png", 1);
    const temp_path_t bad = entry(&f, "b/notes.txt");
    put_bytes(&bad, "thumbs", 6);
    ASSERT_CONVERT_REFUSED(
        &f, "%s: neither JPEG nor PNG; a JPEG or PNG image was expected, whatever its name",
        bad.text);
    bytes_t cut = png_constant(3, 3, (uint8_t[]){1, 2, 3});
    cut.n--;
    put(&bad, cut);
    ASSERT_CONVERT_REFUSED(&f, "%s: damaged PNG: it is cut short", bad.text);
    fixture_drop(&f);
}

Test(folder, an_output_that_is_no_file_is_refused)
{
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "a/1.png", 1);
    add(&f, "b/1.png", 1);
    f.options.output = f.classes.text;
    ASSERT_CONVERT_REFUSED(&f, "%s is a directory; a file was expected", f.classes.text);
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
