#include "data_sample.h"
#include "worker/data/untrusted/untrusted_hdf5.h"

enum { MAX_BYTES = 1 << 20, CPU_S = 1, WALL_S = 20 };

static const double numbers[6] = {0.1, -2, 1e300, 3, 4, 5};
static const int64_t integers[3] = {-1, 300, INT64_MAX};
static const uint8_t bytes[4] = {0, 1, 254, 255};

/* A text of variable length, as h5py writes it, one of fixed length, and a number. */
static void put_attributes(const temp_path_t *path)
{
    const char *arch = "|nor_conv_3x3~0|+|none~0|none~1|";
    const int64_t channels = 16;
    const hid_t file = H5Fopen(path->text, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t space = H5Screate(H5S_SCALAR), text = H5Tcopy(H5T_C_S1), word = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, H5T_VARIABLE);
    H5Tset_cset(text, H5T_CSET_UTF8);
    H5Tset_size(word, 5);
    H5Tset_strpad(word, H5T_STR_NULLPAD);
    const hid_t id[3] = {
        H5Acreate2(file, "arch", text, space, H5P_DEFAULT, H5P_DEFAULT),
        H5Acreate2(file, "word", word, space, H5P_DEFAULT, H5P_DEFAULT),
        H5Acreate2(file, "channels", H5T_STD_I32BE, space, H5P_DEFAULT, H5P_DEFAULT)};
    cr_assert_geq(H5Awrite(id[0], text, &arch), 0);
    cr_assert_geq(H5Awrite(id[1], word, "score"), 0);
    cr_assert_geq(H5Awrite(id[2], H5T_NATIVE_INT64, &channels), 0);
    for (int i = 0; i < 3; i++) H5Aclose(id[i]);
    H5Tclose(text);
    H5Tclose(word);
    H5Sclose(space);
    cr_assert_geq(H5Fclose(file), 0);
}

/* A file of every kind of content. */
static void put_file(const temp_path_t *path)
{
    const h5_sample_t content[] = {
        {"weights/stem", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2, {2, 3}, numbers},
        {"labels", H5T_STD_I64LE, H5T_NATIVE_INT64, 1, {3}, integers},
        {"bytes", H5T_STD_U8LE, H5T_NATIVE_UINT8, 3, {2, 1, 2}, bytes},
        {"loss", H5T_IEEE_F32LE, H5T_NATIVE_DOUBLE, 0, {0}, numbers},
        {"none", H5T_STD_U8LE, H5T_NATIVE_UINT8, 2, {0, 7}, bytes},
    };
    put_hdf5(path, content, sizeof content / sizeof *content);
    put_attributes(path);
}

static nas_status_t read_items(const temp_path_t *path, const nas_untrusted_item_t *item, size_t n,
                               nas_untrusted_array_t *array, nas_error_t *err)
{
    const nas_untrusted_request_t request = {.path = path->text,
                                             .item = item,
                                             .n = n,
                                             .max_bytes = MAX_BYTES,
                                             .cpu_s = CPU_S,
                                             .wall_s = WALL_S};
    return nas_untrusted_hdf5_read(&request, array, err);
}

static const nas_untrusted_item_t everything[] = {
    {.name = "weights/stem", .types = NAS_UNTRUSTED_F64},
    {.name = "weights/stem", .types = NAS_UNTRUSTED_F32},
    {.name = "labels", .types = NAS_UNTRUSTED_I64 | NAS_UNTRUSTED_U8},
    {.name = "bytes", .types = NAS_UNTRUSTED_U8 | NAS_UNTRUSTED_F32},
    {.name = "bytes", .types = NAS_UNTRUSTED_I64},
    {.name = "loss", .types = NAS_UNTRUSTED_F64},
    {.name = "none", .types = NAS_UNTRUSTED_U8},
    {.name = "arch", .types = NAS_UNTRUSTED_TEXT, .attribute = true},
    {.name = "word", .types = NAS_UNTRUSTED_TEXT, .attribute = true},
    {.name = "channels", .types = NAS_UNTRUSTED_I64, .attribute = true},
    {.name = "weights/gone/deep", .types = NAS_UNTRUSTED_F64, .optional = true},
    {.name = "arch", .types = NAS_UNTRUSTED_TEXT, .optional = true},
};
enum { N_EVERYTHING = sizeof everything / sizeof *everything };

static void assert_shape(const nas_untrusted_array_t *array, nas_untrusted_type_t type, int rank,
                         const int64_t *size)
{
    size_t n = 1;
    cr_assert_eq(array->type, type);
    cr_assert_eq(array->rank, rank);
    for (int i = 0; i < rank; i++) {
        cr_assert_eq(array->size[i], size[i]);
        n *= (size_t)size[i];
    }
    cr_assert_eq(array->n, n);
    cr_assert_not_null(array->data);
}

Test(untrusted_hdf5, arrays_and_attributes_come_back_in_the_type_asked_for)
{
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "a.h5");
    nas_untrusted_array_t a[N_EVERYTHING] = {0};
    nas_error_t err = {0};
    put_file(&path);
    cr_assert_eq(read_items(&path, everything, N_EVERYTHING, a, &err), NAS_OK, "%s", err.text);
    assert_shape(&a[0], NAS_UNTRUSTED_F64, 2, (int64_t[]){2, 3});
    cr_assert_arr_eq(a[0].data, numbers, sizeof numbers);
    assert_shape(&a[1], NAS_UNTRUSTED_F32, 2, (int64_t[]){2, 3});
    for (int i = 0; i < 6; i++) cr_assert_eq(((float *)a[1].data)[i], (float)numbers[i]);
    assert_shape(&a[2], NAS_UNTRUSTED_I64, 1, (int64_t[]){3});
    cr_assert_arr_eq(a[2].data, integers, sizeof integers);
    assert_shape(&a[3], NAS_UNTRUSTED_U8, 3, (int64_t[]){2, 1, 2});
    cr_assert_arr_eq(a[3].data, bytes, sizeof bytes);
    assert_shape(&a[4], NAS_UNTRUSTED_I64, 3, (int64_t[]){2, 1, 2});
    cr_assert_eq(((int64_t *)a[4].data)[2], 254);
    assert_shape(&a[5], NAS_UNTRUSTED_F64, 0, NULL);
    cr_assert_eq(*(double *)a[5].data, (double)0.1F);
    assert_shape(&a[6], NAS_UNTRUSTED_U8, 2, (int64_t[]){0, 7});
    assert_shape(&a[7], NAS_UNTRUSTED_TEXT, 1, (int64_t[]){32});
    cr_assert_str_eq(a[7].data, "|nor_conv_3x3~0|+|none~0|none~1|");
    assert_shape(&a[8], NAS_UNTRUSTED_TEXT, 1, (int64_t[]){5});
    cr_assert_str_eq(a[8].data, "score");
    assert_shape(&a[9], NAS_UNTRUSTED_I64, 0, NULL);
    cr_assert_eq(*(int64_t *)a[9].data, 16);
    cr_assert(!a[10].data && !a[11].data, "there is no dataset of these names");
    nas_untrusted_arrays_fini(a, N_EVERYTHING);
    temp_folder_remove(&folder);
}

Test(untrusted_hdf5, what_is_not_as_asked_for_is_refused_with_its_name)
{
    static const struct {
        nas_untrusted_item_t item;
        const char *text;
    } bad[] = {
        {{.name = "gone", .types = NAS_UNTRUSTED_U8}, "dataset 'gone' is not there"},
        {{.name = "weights/gone", .types = NAS_UNTRUSTED_U8},
         "dataset 'weights/gone' is not there"},
        {{.name = "gone", .types = NAS_UNTRUSTED_TEXT, .attribute = true},
         "attribute 'gone' is not there"},
        {{.name = "weights", .types = NAS_UNTRUSTED_F64},
         "dataset 'weights' cannot be opened by HDF5"},
        {{.name = "labels", .types = NAS_UNTRUSTED_U8},
         "dataset 'labels' is int64; expected uint8"},
        {{.name = "labels", .types = NAS_UNTRUSTED_F32 | NAS_UNTRUSTED_F64},
         "dataset 'labels' is int64; expected a float type"},
        {{.name = "loss", .types = NAS_UNTRUSTED_I64 | NAS_UNTRUSTED_TEXT},
         "dataset 'loss' is float32; expected an integer type or text"},
        {{.name = "arch", .types = NAS_UNTRUSTED_F64, .attribute = true},
         "attribute 'arch' is text; expected a float type"},
    };
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "a.h5");
    put_file(&path);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const nas_untrusted_item_t item[] = {everything[0], bad[i].item, everything[1]};
        nas_untrusted_array_t array[3] = {0};
        nas_error_t err = {0};
        assert_refused(read_items(&path, item, 3, array, &err), &err, "%s: %s", path.text,
                       bad[i].text);
        for (int k = 0; k < 3; k++) cr_assert_null(array[k].data);
    }
    temp_folder_remove(&folder);
}

/* A dataset may claim a size that nothing stands behind. */
Test(untrusted_hdf5, too_large_a_claim_is_refused)
{
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "a.h5");
    const hsize_t size[2] = {(hsize_t)1 << 40, (hsize_t)1 << 20};
    const hid_t file = H5Fcreate(path.text, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    for (int rank = 1; rank <= 2; rank++) {
        const hid_t space = H5Screate_simple(rank, size, NULL);
        const hid_t id = H5Dcreate2(file, rank == 1 ? "long" : "wide", H5T_STD_U8LE, space,
                                    H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        cr_assert_geq(id, 0);
        H5Dclose(id);
        H5Sclose(space);
    }
    cr_assert_geq(H5Fclose(file), 0);
    for (int rank = 1; rank <= 2; rank++) {
        const nas_untrusted_item_t item = {.name = rank == 1 ? "long" : "wide",
                                           .types = NAS_UNTRUSTED_U8};
        nas_untrusted_array_t array = {0};
        nas_error_t err = {0};
        assert_refused(read_items(&path, &item, 1, &array, &err), &err,
                       "%s: '%s' takes more than 1048576 bytes", path.text, item.name);
    }
    temp_folder_remove(&folder);
}

/* A filter that the writer has and the reader, once it is unregistered, has not. */
static size_t pass_through(unsigned flags, size_t n_values, const unsigned values[], size_t n_bytes,
                           size_t *size, void **data)
{
    (void)flags, (void)n_values, (void)values, (void)size, (void)data;
    return n_bytes;
}

static void put_filtered(const temp_path_t *path, H5Z_filter_t id, const char *name)
{
    const H5Z_class2_t filter = {.version = H5Z_CLASS_T_VERS,
                                 .id = id,
                                 .encoder_present = 1,
                                 .decoder_present = 1,
                                 .name = name,
                                 .filter = pass_through};
    const hsize_t size = 3;
    cr_assert_geq(H5Zregister(&filter), 0);
    const hid_t file = H5Fcreate(path->text, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &size, NULL);
    cr_assert_geq(H5Pset_chunk(creation, 1, &size), 0);
    cr_assert_geq(H5Pset_filter(creation, id, H5Z_FLAG_MANDATORY, 0, NULL), 0);
    const hid_t data =
        H5Dcreate2(file, "labels", H5T_STD_I64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    cr_assert_geq(H5Dwrite(data, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, integers), 0);
    H5Dclose(data);
    H5Sclose(space);
    H5Pclose(creation);
    cr_assert_geq(H5Fclose(file), 0);
    cr_assert_geq(H5Zunregister(id), 0);
}

Test(untrusted_hdf5, a_filter_that_is_not_installed_is_named)
{
    static const struct {
        H5Z_filter_t id;
        const char *stored, *said;
    } filter[] = {{32000, "lzf", "lzf"}, {32001, "", "blosc"}, {300, "of my own", "of my own"}};
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "a.h5");
    const nas_untrusted_item_t item = {.name = "labels", .types = NAS_UNTRUSTED_I64};
    for (size_t i = 0; i < sizeof filter / sizeof *filter; i++) {
        nas_untrusted_array_t array = {0};
        nas_error_t err = {0};
        put_filtered(&path, filter[i].id, filter[i].stored);
        assert_refused(
            read_items(&path, &item, 1, &array, &err), &err,
            "%s: dataset 'labels' went through the HDF5 filter %d (%s), which is not "
            "installed here; set HDF5_PLUGIN_PATH to where it is, or write the file anew "
            "where it can be read, as h5repack -f GZIP=1 OLD.h5 NEW.h5 or h5py with "
            "compression='gzip' do",
            path.text, (int)filter[i].id, filter[i].said);
    }
    temp_folder_remove(&folder);
}

Test(untrusted_hdf5, values_in_a_file_that_is_not_there_are_no_damage)
{
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "a.h5");
    const nas_untrusted_item_t item = {.name = "labels", .types = NAS_UNTRUSTED_I64};
    const hsize_t size = 3;
    nas_untrusted_array_t array = {0};
    nas_error_t err = {0};
    const hid_t file = H5Fcreate(path.text, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &size, NULL);
    cr_assert_geq(H5Pset_external(creation, "/nowhere/values.raw", 0, 24), 0);
    H5Dclose(H5Dcreate2(file, "labels", H5T_STD_I64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(creation);
    cr_assert_geq(H5Fclose(file), 0);
    assert_refused(
        read_items(&path, &item, 1, &array, &err), &err,
        "%s: dataset 'labels' has its values in another file, /nowhere/values.raw, which "
        "cannot be read from here; h5repack OLD.h5 NEW.h5 writes one file, where both "
        "can be read",
        path.text);
    temp_folder_remove(&folder);
}

Test(untrusted_hdf5, what_is_no_file_is_refused)
{
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "a.h5");
    nas_untrusted_array_t array = {0};
    nas_error_t err = {0};
    assert_refused(read_items(&path, everything, 1, &array, &err), &err,
                   "cannot open %s: No such file or directory", path.text);
    assert_refused(read_items(&folder, everything, 1, &array, &err), &err,
                   "%s is a directory; a file was expected", folder.text);
    put_bytes(&path, "some text", 9);
    assert_refused(read_items(&path, everything, 1, &array, &err), &err, "%s: not an HDF5 file",
                   path.text);
    temp_folder_remove(&folder);
}

/* The bytes of a good file. */
static bytes_t load(const temp_path_t *path)
{
    bytes_t image = {0};
    char buffer[4096];
    FILE *file = fopen(path->text, "rb");
    cr_assert_not_null(file);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;) bytes_add(&image, buffer, n);
    cr_assert_eq(fclose(file), 0);
    return image;
}

/* Whatever was done to the file: an answer, or one line that names it and nothing else. */
static nas_status_t assert_survives(const temp_path_t *path)
{
    nas_untrusted_array_t array[N_EVERYTHING] = {0};
    nas_error_t err = {0};
    const nas_status_t status = read_items(path, everything, N_EVERYTHING, array, &err);
    if (status) {
        cr_assert_eq(status, NAS_EINPUT, "%s", err.text);
        cr_assert_not_null(strstr(err.text, path->text));
        for (int i = 0; i < N_EVERYTHING; i++) cr_assert_null(array[i].data);
    }
    nas_untrusted_arrays_fini(array, N_EVERYTHING);
    return status;
}

Test(untrusted_hdf5, a_file_cut_short_is_refused)
{
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "a.h5");
    put_file(&path);
    const bytes_t image = load(&path);
    for (size_t n = 0; n < image.n; n += 97) {
        put_bytes(&path, image.at, n);
        cr_assert_eq(assert_survives(&path), NAS_EINPUT, "%zu of %zu bytes", n, image.n);
    }
    put(&path, image);
    cr_assert_eq(assert_survives(&path), NAS_OK);
    temp_folder_remove(&folder);
}

Test(untrusted_hdf5, no_changed_byte_brings_the_reader_down)
{
    const temp_path_t folder = temp_folder_make(), path = temp_file(&folder, "a.h5");
    int n_refused = 0;
    put_file(&path);
    const bytes_t image = load(&path);
    for (size_t i = 0; i < image.n; i++) {
        const uint8_t good = image.at[i];
        if (good == 0 && i % 64 != 0) continue; /* most of the file is empty */
        image.at[i] = (uint8_t)(good ^ (1u << i % 8));
        put_bytes(&path, image.at, image.n);
        n_refused += assert_survives(&path) != NAS_OK;
        image.at[i] = good;
    }
    cr_assert_gt(n_refused, 0);
    free(image.at);
    temp_folder_remove(&folder);
}
