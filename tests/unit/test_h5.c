#include "common/base/digest.h"
#include "common/state/h5.h"
#include "temp_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An image built by fill(file), opened for reading, until the next one is. */
static hid_t reopen(void (*fill)(hid_t file))
{
    static char *image;
    hid_t file = H5I_INVALID_HID;
    free(image);
    image = NULL;
    size_t size = 0;
    cr_assert_eq(nas_h5_create(&file, NULL), NAS_OK);
    fill(file);
    cr_assert_eq(nas_h5_image(file, &image, &size, NULL), NAS_OK);
    nas_h5_close(file);
    cr_assert_eq(nas_h5_open(image, size, &file, NULL), NAS_OK);
    return file;
}

static void assert_refused(nas_status_t status, const nas_error_t *err, const char *reason)
{
    cr_assert_eq(status, NAS_EINPUT);
    cr_assert_not_null(strstr(err->text, reason), "'%s' is said in: %s", reason, err->text);
}

static void fill_attributes(hid_t file)
{
    const char *text = "a text", *none = NULL;
    const nas_digest_t digest = {{0x01, 0xab, 0xff}};
    const char *odd = "xyz";
    cr_assert_eq(nas_h5_write_attribute(file, "bool", NAS_H5_BOOL, &(bool){true}, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_attribute(file, "i32", NAS_H5_I32, &(int32_t){-5}, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_attribute(file, "i64", NAS_H5_I64, &(int64_t){INT64_MIN}, NULL),
                 NAS_OK);
    cr_assert_eq(nas_h5_write_attribute(file, "u64", NAS_H5_U64, &(uint64_t){UINT64_MAX}, NULL),
                 NAS_OK);
    cr_assert_eq(nas_h5_write_attribute(file, "f64", NAS_H5_F64, &(double){0.1}, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_attribute(file, "text", NAS_H5_TEXT, &text, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_attribute(file, "none", NAS_H5_TEXT, &none, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_attribute(file, "odd", NAS_H5_TEXT, &odd, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_attribute(file, "digest", NAS_H5_DIGEST, &digest, NULL), NAS_OK);
}

Test(h5, attributes_come_back)
{
    const hid_t file = reopen(fill_attributes);
    bool b = false;
    int32_t i32 = 0;
    int64_t i64 = 0;
    uint64_t u64 = 0;
    double f64 = 0;
    char *text = NULL, *none = NULL;
    nas_digest_t digest = {{0}};
    cr_assert_eq(nas_h5_read_attribute(file, "bool", NAS_H5_BOOL, &b, NULL), NAS_OK);
    cr_assert_eq(nas_h5_read_attribute(file, "i32", NAS_H5_I32, &i32, NULL), NAS_OK);
    cr_assert_eq(nas_h5_read_attribute(file, "i64", NAS_H5_I64, &i64, NULL), NAS_OK);
    cr_assert_eq(nas_h5_read_attribute(file, "u64", NAS_H5_U64, &u64, NULL), NAS_OK);
    cr_assert_eq(nas_h5_read_attribute(file, "f64", NAS_H5_F64, &f64, NULL), NAS_OK);
    cr_assert_eq(nas_h5_read_attribute(file, "text", NAS_H5_TEXT, &text, NULL), NAS_OK);
    cr_assert_eq(nas_h5_read_attribute(file, "none", NAS_H5_TEXT, &none, NULL), NAS_OK);
    cr_assert_eq(nas_h5_read_attribute(file, "digest", NAS_H5_DIGEST, &digest, NULL), NAS_OK);
    cr_assert(b && i32 == -5 && i64 == INT64_MIN && u64 == UINT64_MAX && f64 == 0.1);
    cr_assert(nas_h5_has_attribute(file, "none") && !nas_h5_has_attribute(file, "other"));
    cr_assert_str_eq(text, "a text");
    cr_assert_str_eq(none, "");
    cr_assert(digest.byte[0] == 0x01 && digest.byte[1] == 0xab && digest.byte[2] == 0xff);
    free(text);
    free(none);
    nas_h5_close(file);
}

static void fill_group(hid_t file)
{
    const nas_h5_array_t array = {.type = NAS_H5_F64, .rank = 1, .size = {1}, .data = &(double){1}};
    hid_t group = H5I_INVALID_HID;
    cr_assert_eq(nas_h5_group_create(file, "group", &group, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_array(group, "array", &array, NULL), NAS_OK);
    nas_h5_group_close(group);
}

/* So that equal content has equal bytes, whenever it is written. */
Test(h5, nothing_keeps_the_time_it_was_made_at)
{
    static const char *const name[] = {"/", "/group", "/group/array"};
    const hid_t file = reopen(fill_group);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        H5O_info_t info;
        cr_assert_geq(H5Oget_info_by_name(file, name[i], &info, H5P_DEFAULT), 0);
        cr_assert(info.atime == 0 && info.mtime == 0 && info.ctime == 0 && info.btime == 0, "%s",
                  name[i]);
    }
    nas_h5_close(file);
}

Test(h5, attribute_of_another_type_is_refused_by_name)
{
    const char *name[] = {"bool", "i32", "i64", "u64", "f64", "text"};
    const nas_h5_type_t type[] = {NAS_H5_BOOL, NAS_H5_I32, NAS_H5_I64,
                                  NAS_H5_U64,  NAS_H5_F64, NAS_H5_TEXT};
    const hid_t file = reopen(fill_attributes);
    for (int stored = 0; stored < 6; stored++)
        for (int wanted = 0; wanted < 6; wanted++) {
            uint64_t value = 77;
            nas_error_t err = {0};
            if (stored == wanted) continue;
            assert_refused(nas_h5_read_attribute(file, name[stored], type[wanted], &value, &err),
                           &err, name[stored]);
            cr_assert_eq(value, 77, "outputs stay as they were");
        }
    nas_h5_close(file);
}

Test(h5, absent_attribute_and_malformed_digest_are_refused)
{
    const hid_t file = reopen(fill_attributes);
    nas_digest_t digest = {{0}};
    nas_error_t err = {0};
    char *text = NULL;
    assert_refused(nas_h5_read_attribute(file, "absent", NAS_H5_TEXT, &text, &err), &err,
                   "/absent");
    assert_refused(nas_h5_read_attribute(file, "odd", NAS_H5_DIGEST, &digest, &err), &err,
                   "hexadecimal");
    nas_h5_close(file);
}

static void fill_long_text(hid_t file)
{
    static char text[300001];
    const char *const long_text = text;
    memset(text, 'y', sizeof text - 1);
    cr_assert_eq(nas_h5_write_attribute(file, "long", NAS_H5_TEXT, &long_text, NULL), NAS_OK);
}

Test(h5, attribute_may_be_longer_than_64_KiB)
{
    const hid_t file = reopen(fill_long_text);
    char *text = NULL;
    cr_assert_eq(nas_h5_read_attribute(file, "long", NAS_H5_TEXT, &text, NULL), NAS_OK);
    cr_assert_eq(strspn(text, "y"), 300000);
    free(text);
    nas_h5_close(file);
}

static void fill_arrays(hid_t file)
{
    int64_t i64[6] = {1, 2, 3, 4, 5, 6};
    unsigned char byte[2] = {1, 2};
    double large[3000];
    hid_t group = H5I_INVALID_HID;
    for (int i = 0; i < 3000; i++) large[i] = i;
    cr_assert_eq(nas_h5_group_create(file, "g", &group, NULL), NAS_OK);
    cr_assert_eq(
        nas_h5_write_array(group, "flat", &(nas_h5_array_t){NAS_H5_I64, 1, {6}, i64}, NULL),
        NAS_OK);
    cr_assert_eq(
        nas_h5_write_array(group, "matrix", &(nas_h5_array_t){NAS_H5_I64, 2, {2, 3}, i64}, NULL),
        NAS_OK);
    cr_assert_eq(
        nas_h5_write_array(group, "empty", &(nas_h5_array_t){NAS_H5_I64, 2, {0, 3}, NULL}, NULL),
        NAS_OK);
    cr_assert_eq(
        nas_h5_write_array(group, "large", &(nas_h5_array_t){NAS_H5_F64, 1, {3000}, large}, NULL),
        NAS_OK);
    cr_assert_eq(
        nas_h5_write_array(group, "odd", &(nas_h5_array_t){NAS_H5_BOOL, 1, {2}, byte}, NULL),
        NAS_OK);
    nas_h5_group_close(group);
}

Test(h5, arrays_come_back)
{
    const hid_t file = reopen(fill_arrays);
    nas_h5_array_t any = {.type = NAS_H5_I64, .rank = 2, .size = {-1, 3}};
    nas_h5_array_t empty = {.type = NAS_H5_I64, .rank = 2, .size = {-1, -1}};
    nas_h5_array_t large = {.type = NAS_H5_F64, .rank = 1, .size = {3000}};
    cr_assert_eq(nas_h5_read_array(file, "g/matrix", &any, NULL), NAS_OK);
    cr_assert(any.size[0] == 2 && any.size[1] == 3);
    for (int64_t i = 0; i < 6; i++) cr_assert_eq(((int64_t *)any.data)[i], i + 1);
    cr_assert_eq(nas_h5_read_array(file, "g/empty", &empty, NULL), NAS_OK);
    cr_assert(empty.size[0] == 0 && empty.size[1] == 3);
    cr_assert_not_null(empty.data);
    cr_assert_eq(nas_h5_read_array(file, "g/large", &large, NULL), NAS_OK);
    for (int i = 0; i < 3000; i++) cr_assert_eq(((double *)large.data)[i], (double)i);
    free(any.data);
    free(empty.data);
    free(large.data);
    nas_h5_close(file);
}

Test(h5, array_of_another_type_or_shape_is_refused)
{
    const hid_t file = reopen(fill_arrays);
    nas_h5_array_t wrong[] = {
        {.type = NAS_H5_F64, .rank = 1, .size = {6}},
        {.type = NAS_H5_U64, .rank = 1, .size = {6}},
        {.type = NAS_H5_I32, .rank = 1, .size = {6}},
        {.type = NAS_H5_I64, .rank = 1, .size = {5}},
        {.type = NAS_H5_I64, .rank = 2, .size = {6, 1}},
        {.type = NAS_H5_I64, .rank = 2, .size = {-1, -1}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        nas_error_t err = {0};
        assert_refused(nas_h5_read_array(file, "g/flat", &wrong[i], &err), &err, "/g/flat");
        cr_assert_null(wrong[i].data);
    }
    nas_h5_close(file);
}

Test(h5, what_is_no_such_object_is_refused)
{
    const hid_t file = reopen(fill_arrays);
    nas_h5_array_t odd = {.type = NAS_H5_BOOL, .rank = 1, .size = {2}};
    nas_h5_texts_t texts = {0};
    nas_error_t err = {0};
    hid_t group = H5I_INVALID_HID;
    assert_refused(nas_h5_read_array(file, "g/odd", &odd, &err), &err, "truth values");
    assert_refused(nas_h5_read_array(file, "g/absent", &odd, &err), &err, "/g/absent");
    assert_refused(nas_h5_read_array(file, "g", &odd, &err), &err, "/g");
    assert_refused(nas_h5_read_texts(file, "g/flat", 6, &texts, &err), &err, "/g/flat");
    assert_refused(nas_h5_group_open(file, "g/flat", &group, &err), &err, "group");
    cr_assert(nas_h5_has(file, "g") && !nas_h5_has(file, "absent"));
    nas_h5_close(file);
}

static void fill_texts(hid_t file)
{
    const char *text[] = {"", "a", "longer than the others", "b"};
    cr_assert_eq(nas_h5_write_texts(file, "texts", text, 4, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_texts(file, "none", text, 0, NULL), NAS_OK);
}

Test(h5, texts_come_back)
{
    const hid_t file = reopen(fill_texts);
    const char *expected[] = {"", "a", "longer than the others", "b"};
    nas_h5_texts_t texts = {0}, none = {0};
    nas_error_t err = {0};
    assert_refused(nas_h5_read_texts(file, "texts", 3, &texts, &err), &err, "number of texts");
    cr_assert_eq(nas_h5_read_texts(file, "texts", -1, &texts, NULL), NAS_OK);
    cr_assert_eq(texts.n, 4);
    for (size_t i = 0; i < 4; i++) cr_assert_str_eq(texts.data + i * texts.width, expected[i]);
    cr_assert_eq(nas_h5_read_texts(file, "none", -1, &none, NULL), NAS_OK);
    cr_assert_eq(none.n, 0);
    free(texts.data);
    free(none.data);
    nas_h5_close(file);
}

/* A dataset may claim a size that nothing stands behind; it must not decide how much memory is
 * taken. */
static void fill_claim(hid_t file)
{
    const hsize_t size = (hsize_t)1 << 50;
    const hid_t space = H5Screate_simple(1, &size, NULL);
    const hid_t id =
        H5Dcreate2(file, "claim", H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(id, 0);
    H5Dclose(id);
    H5Sclose(space);
}

Test(h5, array_without_storage_is_refused)
{
    const hid_t file = reopen(fill_claim);
    nas_h5_array_t claim = {.type = NAS_H5_I64, .rank = 1, .size = {-1}};
    nas_error_t err = {0};
    assert_refused(nas_h5_read_array(file, "claim", &claim, &err), &err, "/claim");
    nas_h5_close(file);
}

static const hsize_t eight = 8;
static temp_path_t folder; /* of files that a file leads to */

/* A dataset of eight numbers, and another in a group. */
static void fill_own(hid_t file)
{
    double number[8] = {0};
    const nas_h5_array_t array = {.type = NAS_H5_F64, .rank = 1, .size = {8}, .data = number};
    hid_t group = H5I_INVALID_HID;
    cr_assert_eq(nas_h5_write_array(file, "own", &array, NULL), NAS_OK);
    cr_assert_eq(nas_h5_group_create(file, "group", &group, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_array(group, "own", &array, NULL), NAS_OK);
    nas_h5_group_close(group);
}

static void fill_links(hid_t file)
{
    const temp_path_t other = temp_file(&folder, "other.h5");
    const hid_t elsewhere = H5Fcreate(other.text, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    fill_own(elsewhere);
    H5Fclose(elsewhere);
    cr_assert_geq(H5Lcreate_hard(file, "own", file, "hard", H5P_DEFAULT, H5P_DEFAULT), 0);
    cr_assert_geq(H5Lcreate_soft("own", file, "soft", H5P_DEFAULT, H5P_DEFAULT), 0);
    cr_assert_geq(H5Lcreate_soft("group", file, "soft_group", H5P_DEFAULT, H5P_DEFAULT), 0);
    cr_assert_geq(H5Lcreate_external(other.text, "own", file, "external", H5P_DEFAULT, H5P_DEFAULT),
                  0);
    cr_assert_geq(
        H5Lcreate_external(other.text, "group", file, "external_group", H5P_DEFAULT, H5P_DEFAULT),
        0);
}

/* A dataset without values of its own. */
static void fill_borrowed(hid_t file, const char *name, hid_t creation)
{
    const hid_t space = H5Screate_simple(1, &eight, NULL);
    const hid_t id =
        H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    cr_assert_geq(id, 0, "%s", name);
    H5Dclose(id);
    H5Sclose(space);
}

static void fill_ways_out(hid_t file)
{
    const hid_t raw = H5Pcreate(H5P_DATASET_CREATE);
    fill_own(file);
    fill_links(file);
    cr_assert_geq(H5Pset_external(raw, "/dev/zero", 0, H5F_UNLIMITED), 0);
    fill_borrowed(file, "raw", raw);
    H5Pclose(raw);
}

Test(h5, what_leads_out_of_the_file_is_refused)
{
    static const char *const name[] = {"soft", "external", "soft_group/own", "external_group/own",
                                       "raw"};
    folder = temp_folder_make();
    const hid_t file = reopen(fill_ways_out);
    nas_h5_array_t array = {.type = NAS_H5_F64, .rank = 1, .size = {8}};
    hid_t group = H5I_INVALID_HID;
    nas_error_t err = {0};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        assert_refused(nas_h5_read_array(file, name[i], &array, &err), &err, name[i]);
        cr_assert(!nas_h5_is(file, name[i], NAS_H5_F64), "%s", name[i]);
    }
    assert_refused(nas_h5_group_open(file, "soft_group", &group, &err), &err, "/soft_group");
    assert_refused(nas_h5_group_open(file, "external_group", &group, &err), &err, "of this file");
    cr_assert_eq(nas_h5_read_array(file, "hard", &array, NULL), NAS_OK);
    free(array.data);
    nas_h5_close(file);
    temp_folder_remove(&folder);
}

/* A dataset that is put together from another one is not to be had in the format of HDF5 1.8. */
static void make_together(const char *path)
{
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const hid_t space = H5Screate_simple(1, &eight, NULL);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    fill_own(file);
    cr_assert_geq(H5Pset_virtual(creation, space, ".", "own", space), 0);
    fill_borrowed(file, "together", creation);
    H5Fclose(file);
    H5Sclose(space);
    H5Pclose(creation);
}

Test(h5, what_is_put_together_from_other_datasets_is_refused)
{
    static char image[1 << 16];
    nas_h5_array_t array = {.type = NAS_H5_F64, .rank = 1, .size = {8}};
    nas_error_t err = {0};
    hid_t file = H5I_INVALID_HID;
    folder = temp_folder_make();
    const temp_path_t path = temp_file(&folder, "together.h5");
    make_together(path.text);
    FILE *bytes = fopen(path.text, "rb");
    const size_t size = fread(image, 1, sizeof image, bytes);
    (void)fclose(bytes);
    cr_assert_eq(nas_h5_open(image, size, &file, &err), NAS_OK, "%s", err.text);
    assert_refused(nas_h5_read_array(file, "together", &array, &err), &err, "/together");
    cr_assert(!nas_h5_is(file, "together", NAS_H5_F64));
    cr_assert_eq(nas_h5_read_array(file, "own", &array, NULL), NAS_OK);
    free(array.data);
    nas_h5_close(file);
    temp_folder_remove(&folder);
}

Test(h5, bytes_that_are_no_image_are_refused)
{
    static char zeros[4096];
    hid_t file = H5I_INVALID_HID;
    nas_error_t err = {0};
    cr_assert_eq(nas_h5_open(zeros, sizeof zeros, &file, &err), NAS_EINPUT);
    nas_h5_close(file);
}

/* Names that are made when they are asked for: the digits of their numbers. */
static const char *digits_at(const nas_name_source_t *source, int64_t i)
{
    static char digits[16];
    (void)source;
    (void)snprintf(digits, sizeof digits, "%d", (int)i);
    return digits;
}

static const nas_name_source_t digits = {.n = 10000, .size = 5, .at = digits_at};

static void fill_names(hid_t file)
{
    const nas_name_source_t none = {.n = 0, .size = 1, .at = digits_at};
    cr_assert_eq(nas_h5_write_names(file, "names", &digits, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_names(file, "none", &none, NULL), NAS_OK);
}

Test(h5, names_are_written_as_texts_are)
{
    nas_h5_texts_t texts = {0}, none = {0};
    const hid_t file = reopen(fill_names);
    cr_assert_eq(nas_h5_read_texts(file, "names", digits.n, &texts, NULL), NAS_OK);
    cr_assert_eq(texts.width, digits.size);
    for (int i = 0; i < (int)digits.n; i++)
        cr_assert_eq(atoi(texts.data + (size_t)i * texts.width), i);
    cr_assert_eq(nas_h5_read_texts(file, "none", 0, &none, NULL), NAS_OK);
    free(texts.data);
    free(none.data);
    nas_h5_close(file);
}

static void fill_narrow(hid_t file)
{
    uint8_t bytes[] = {0, 2, 255};
    float floats[] = {0.5f, -1.25f};
    const nas_h5_array_t u8 = {NAS_H5_U8, 1, {3}, bytes}, f32 = {NAS_H5_F32, 1, {2}, floats};
    cr_assert_eq(nas_h5_write_array(file, "u8", &u8, NULL), NAS_OK);
    cr_assert_eq(nas_h5_write_array(file, "f32", &f32, NULL), NAS_OK);
}

Test(h5, narrow_numbers_survive)
{
    const hid_t file = reopen(fill_narrow);
    nas_h5_array_t u8 = {.type = NAS_H5_U8, .rank = 1, .size = {3}};
    nas_h5_array_t f32 = {.type = NAS_H5_F32, .rank = 1, .size = {2}};
    cr_assert(nas_h5_is(file, "u8", NAS_H5_U8) && nas_h5_is(file, "f32", NAS_H5_F32));
    cr_assert(!nas_h5_is(file, "f32", NAS_H5_F64) && !nas_h5_is(file, "absent", NAS_H5_U8));
    cr_assert_eq(nas_h5_read_array(file, "u8", &u8, NULL), NAS_OK);
    cr_assert_eq(nas_h5_read_array(file, "f32", &f32, NULL), NAS_OK);
    cr_assert_eq(((uint8_t *)u8.data)[2], 255);
    cr_assert_eq(((float *)f32.data)[1], -1.25f);
    free(u8.data);
    free(f32.data);
    nas_h5_close(file);
}
