#include "tests/unit/folder_case.h"

/* ----------------------------------------------------------------------------- refusals */

/* Refused with this text, and nothing of it left. */
#define ASSERT_CONVERT_REFUSED(f, ...)                                                             \
    do {                                                                                           \
        assert_refused(convert(f), &(f)->err, __VA_ARGS__);                                        \
        assert_holds(&(f)->folder, "classes ");                                                    \
    } while (0)

Test(folder_refused, what_is_no_folder_of_classes_is_refused)
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

Test(folder_refused, a_folder_that_is_missing_is_refused)
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
Test(folder_refused, a_class_whose_name_is_no_line_of_text_is_refused)
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
Test(folder_refused, all_faults_are_found_at_once)
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

Test(folder_refused, faults_beyond_the_first_hundred_are_counted)
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

Test(folder_refused, what_file_managers_and_archives_leave_is_passed_over)
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

Test(folder_refused, parts_of_a_data_set_are_no_classes)
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

Test(folder_refused, parts_without_classes_are_refused)
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

Test(folder_refused, what_may_not_be_meant_is_noted)
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
Test(folder_refused, a_file_that_is_no_image_is_refused)
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

Test(folder_refused, an_output_that_is_no_file_is_refused)
{
    folder_fixture_t f;
    fixture_make(&f);
    add(&f, "a/1.png", 1);
    add(&f, "b/1.png", 1);
    f.options.output = f.classes.text;
    ASSERT_CONVERT_REFUSED(&f, "%s is a directory; a file was expected", f.classes.text);
    fixture_drop(&f);
}
