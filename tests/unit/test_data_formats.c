#include "data_sample.h"

#include <math.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------------------------- CIFAR */

Test(data_formats, cifar_10_comes_back)
{
    data_fixture_t f;
    data_make(&f, &nas_format_cifar);
    put(&f.a, cifar_bytes(3, 1));
    f.train = list_of(1, (const temp_path_t *[]){&f.a});
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    const nas_images_t *train = nas_memory_images(&f.dataset.train);
    cr_assert(train->n == 3 && train->c == 3 && train->h == 32 && train->w == 32);
    cr_assert_eq(f.dataset.n_classes, 10);
    cr_assert_eq(f.dataset.test.n, 0);
    assert_samples(train, 0, 0, 3);
    data_drop(&f);
}

Test(data_formats, the_fine_label_of_cifar_100_counts)
{
    data_fixture_t f;
    data_make(&f, &nas_format_cifar);
    put(&f.a, cifar_bytes(3, 2));
    f.train = list_of(1, (const temp_path_t *[]){&f.a});
    f.options.n_classes = 100;
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    cr_assert_eq(f.dataset.n_classes, 100);
    assert_samples(nas_memory_images(&f.dataset.train), 0, 0, 3);
    data_drop(&f);
}

Test(data_formats, files_follow_one_another_up_to_the_limit)
{
    data_fixture_t f;
    data_make(&f, &nas_format_cifar);
    put(&f.a, cifar_bytes(3, 1));
    put(&f.b, cifar_bytes(5, 1));
    f.train = list_of(3, (const temp_path_t *[]){&f.a, &f.b, &f.a});
    f.test = list_of(2, (const temp_path_t *[]){&f.b, &f.a});
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    cr_assert_eq(f.dataset.train.n, 11);
    assert_samples(nas_memory_images(&f.dataset.train), 0, 0, 3);
    assert_samples(nas_memory_images(&f.dataset.train), 3, 0, 5);
    assert_samples(nas_memory_images(&f.dataset.train), 8, 0, 3);
    cr_assert_eq(f.dataset.test.n, 8);

    f.options.limit = 4;
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    cr_assert(f.dataset.train.n == 4 && f.dataset.test.n == 4);
    assert_samples(nas_memory_images(&f.dataset.train), 3, 0, 1);
    data_drop(&f);
}

Test(data_formats, cifar_of_the_wrong_size_is_refused)
{
    data_fixture_t f;
    data_make(&f, &nas_format_cifar);
    bytes_t cut = cifar_bytes(2, 1);
    cut.n--;
    put(&f.a, cut);
    put(&f.b, cifar_bytes(2, 2));
    put_bytes(&f.c, "", 0);
    put(&f.d, cifar_bytes(2, 1));

    f.train = list_of(1, (const temp_path_t *[]){&f.a});
    assert_refused(data_read(&f), &f.err,
                   "%s: 6145 bytes; expected one or more records of 3073 bytes (CIFAR-10)",
                   f.a.text);
    assert_empty(&f);
    nas_strings_fini(&f.train);
    f.train = list_of(2, (const temp_path_t *[]){&f.d, &f.b});
    assert_refused(data_read(&f), &f.err,
                   "%s: whole records of CIFAR-100, not of CIFAR-10; set classes to 100", f.b.text);
    nas_strings_fini(&f.train);
    f.train = list_of(1, (const temp_path_t *[]){&f.c});
    assert_refused(data_read(&f), &f.err,
                   "%s: 0 bytes; expected one or more records of 3073 bytes (CIFAR-10)", f.c.text);
    nas_strings_fini(&f.train);
    f.train = list_of(1, (const temp_path_t *[]){&f.d});
    f.options.n_classes = 100;
    assert_refused(data_read(&f), &f.err,
                   "%s: whole records of CIFAR-10, not of CIFAR-100; set classes to 10", f.d.text);
    f.options.n_classes = 20;
    assert_refused(data_read(&f), &f.err, "20 classes, but CIFAR has 10 or 100");
    data_drop(&f);
}

Test(data_formats, a_label_out_of_range_is_refused_with_its_place)
{
    data_fixture_t f;
    data_make(&f, &nas_format_cifar);
    bytes_t bytes = cifar_bytes(4, 1);
    bytes.at[(size_t)2 * (1 + CIFAR_VALUES)] = 10;
    put(&f.a, bytes);
    f.train = list_of(1, (const temp_path_t *[]){&f.a});
    assert_refused(data_read(&f), &f.err,
                   "%s: image 2 (the first is 0) has label 10; expected 0 to 9", f.a.text);
    assert_empty(&f);
    data_drop(&f);
}

Test(data_formats, files_that_are_not_there_are_refused)
{
    data_fixture_t f;
    data_make(&f, &nas_format_cifar);
    assert_refused(data_read(&f), &f.err, "no training files; expected at least one");
    f.train = list_of(1, (const temp_path_t *[]){&f.a});
    const nas_format_t *format = NULL;
    for (size_t i = 0; (format = nas_format_at(i)); i++) {
        f.options.format = format;
        if (format == &nas_format_idx)
            cr_assert_eq(nas_strings_add(&f.train, "b", 1, NULL), NAS_OK);
        if (format == &nas_format_hdf5) {
            nas_strings_fini(&f.train);
            f.train = list_of(1, (const temp_path_t *[]){&f.a});
        }
        assert_refused(data_read(&f), &f.err, "cannot open %s: No such file or directory",
                       f.a.text);
    }
    data_drop(&f);
}

/* --------------------------------------------------------------------------------------- IDX */

Test(data_formats, idx_comes_back_plain_and_compressed)
{
    data_fixture_t f;
    data_make_idx(&f);
    put_gzip(&f.c, idx_images(3, idx_gray));
    put_gzip(&f.d, idx_labels(4));
    f.test = list_of(2, (const temp_path_t *[]){&f.c, &f.d});
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    const nas_images_t *train = nas_memory_images(&f.dataset.train),
                       *test = nas_memory_images(&f.dataset.test);
    cr_assert(train->n == 4 && train->c == 1 && train->h == 5 && train->w == 6);
    cr_assert(test->n == 4 && test->c == 1 && test->h == 5 && test->w == 6);
    assert_samples(train, 0, 0, 4);
    assert_samples(test, 0, 0, 4);
    cr_assert_eq(f.dataset.n_classes, 8, "labels are 1, 4, 7 and 0");
    data_drop(&f);
}

Test(data_formats, idx_with_four_dimensions_has_channels)
{
    data_fixture_t f;
    data_make_idx(&f);
    put(&f.a, idx_images(4, (const uint32_t[]){4, 3, 5, 6}));
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    const nas_images_t *train = nas_memory_images(&f.dataset.train);
    cr_assert(train->n == 4 && train->c == 3 && train->h == 5 && train->w == 6);
    assert_samples(train, 0, 0, 4);
    data_drop(&f);
}

Test(data_formats, idx_files_in_the_wrong_place_are_refused)
{
    data_fixture_t f;
    data_make_idx(&f);
    nas_strings_fini(&f.train);
    f.train = list_of(2, (const temp_path_t *[]){&f.b, &f.a});
    assert_refused(data_read(&f), &f.err,
                   "%s: begins with 0x00000801; an IDX file of images begins with 0x00000803 or "
                   "0x00000804",
                   f.b.text);
    assert_empty(&f);
    nas_strings_fini(&f.train);
    f.train = list_of(2, (const temp_path_t *[]){&f.a, &f.a});
    assert_refused(data_read(&f), &f.err,
                   "%s: begins with 0x00000803; an IDX file of labels begins with 0x00000801",
                   f.a.text);
    nas_strings_fini(&f.train);
    f.train = list_of(3, (const temp_path_t *[]){&f.a, &f.b, &f.c});
    assert_refused(data_read(&f), &f.err,
                   "idx needs files in pairs, images then labels; the last is %s", f.c.text);
    data_drop(&f);
}

Test(data_formats, idx_of_another_length_than_its_header_is_refused)
{
    data_fixture_t f;
    data_make_idx(&f);
    bytes_t bytes = idx_images(3, idx_gray);
    bytes.n--;
    put(&f.a, bytes);
    assert_refused(data_read(&f), &f.err, "%s: cut short; 119 values where the header has 120",
                   f.a.text);
    bytes = idx_images(3, idx_gray);
    bytes_add(&bytes, "x", 1);
    put(&f.a, bytes);
    assert_refused(data_read(&f), &f.err, "%s: longer than the 120 values of its header", f.a.text);
    put_bytes(&f.a, "\0\0\x08\x03\0\0", 6);
    assert_refused(data_read(&f), &f.err, "%s: cut short in its header", f.a.text);
    put(&f.a, idx_header(3, (const uint32_t[]){0, 5, 6}));
    assert_refused(data_read(&f), &f.err, "%s: 0 images; expected 1 to 2147483647", f.a.text);
    put(&f.a, idx_header(3, (const uint32_t[]){4, 5, 1u << 20}));
    assert_refused(data_read(&f), &f.err, "%s: 1048576 columns; expected 1 to 4096", f.a.text);
    put(&f.a, idx_header(3, (const uint32_t[]){1u << 30, 28, 28}));
    assert_refused(data_read(&f), &f.err,
                   "%s: 1073741824 images of 1 x 28 x 28 take more than 16 GiB", f.a.text);
    put(&f.a, idx_images(3, idx_gray));
    put(&f.b, idx_labels(3));
    assert_refused(data_read(&f), &f.err, "%s: 3 labels for the 4 images of %s", f.b.text,
                   f.a.text);
    assert_empty(&f);
    data_drop(&f);
}

/* Nothing is read, and no memory taken, of what a file cannot hold. */
Test(data_formats, idx_that_promises_more_than_its_file_can_hold_is_refused)
{
    static const uint32_t ten_gb[3] = {1 << 20, 100, 100};
    struct stat info;
    data_fixture_t f;
    data_make_idx(&f);
    put(&f.a, idx_header(3, ten_gb));
    assert_refused(data_read(&f), &f.err,
                   "%s: cut short; 0 values where the header has 10485760000", f.a.text);
    put_gzip(&f.a, idx_header(3, ten_gb));
    cr_assert_eq(stat(f.a.text, &info), 0);
    assert_refused(data_read(&f), &f.err,
                   "%s: a gzip file of %lld bytes cannot hold the 10485760000 values of its header",
                   f.a.text, (long long)info.st_size);
    data_drop(&f);
}

/* Zeros are what gzip makes the least of. */
Test(data_formats, the_densest_gzip_file_comes_back)
{
    enum { N = 64, SIDE = 256 };
    const uint32_t size[3] = {N, SIDE, SIDE};
    static const uint8_t zeros[N * SIDE * SIDE];
    data_fixture_t f;
    data_make_idx(&f);
    bytes_t bytes = idx_header(3, size);
    bytes_add(&bytes, zeros, sizeof zeros);
    put_gzip(&f.a, bytes);
    put(&f.b, idx_labels(N));
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    cr_assert_eq(f.dataset.train.n, N);
    data_drop(&f);
}

/* The file's bytes after compression. */
static bytes_t compressed_labels(const data_fixture_t *f)
{
    uint8_t buffer[256];
    bytes_t bytes = {0};
    put_gzip(&f->d, idx_labels(4));
    FILE *file = fopen(f->d.text, "rb");
    cr_assert_not_null(file);
    bytes_add(&bytes, buffer, fread(buffer, 1, sizeof buffer, file));
    cr_assert_eq(fclose(file), 0);
    return bytes;
}

Test(data_formats, damaged_gzip_is_refused)
{
    data_fixture_t f;
    data_make_idx(&f);
    bytes_t bytes = compressed_labels(&f);
    bytes.n -= 3;
    put(&f.b, bytes);
    assert_refused(data_read(&f), &f.err, "%s: the gzip file is cut short", f.b.text);
    bytes = compressed_labels(&f);
    bytes.at[bytes.n - 5] ^= 1; /* of the checksum */
    put(&f.b, bytes);
    assert_refused(data_read(&f), &f.err, "%s: the gzip file is damaged", f.b.text);
    data_drop(&f);
}

/* -------------------------------------------------------------------------------------- HDF5 */

Test(data_formats, hdf5_bytes_come_back)
{
    data_fixture_t f;
    h5_values_t values;
    data_make_hdf5(&f);
    h5_fill(&values);
    put_hdf5(&f.a, (h5_sample_t[]){h5_bytes(&values), h5_labels(&values)}, 2);
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    const nas_images_t *train = nas_memory_images(&f.dataset.train);
    cr_assert(train->n == 4 && train->c == 3 && train->h == 5 && train->w == 6);
    cr_assert_eq(train->pixel, NAS_PIXEL_U8);
    cr_assert_eq(f.dataset.n_classes, 8);
    assert_samples(train, 0, 0, 4);
    data_drop(&f);
}

Test(data_formats, hdf5_floats_and_gray_images_come_back)
{
    data_fixture_t f;
    h5_values_t values;
    data_make_hdf5(&f);
    h5_fill(&values);
    const h5_sample_t flat = {"images", H5T_IEEE_F32BE, H5T_NATIVE_FLOAT,
                              3,        {H5_N, 15, 6},  values.number};
    put_hdf5(&f.a, (h5_sample_t[]){flat, h5_labels(&values)}, 2);
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    const nas_images_t *train = nas_memory_images(&f.dataset.train);
    cr_assert(train->n == 4 && train->c == 1 && train->h == 15 && train->w == 6);
    cr_assert_eq(train->pixel, NAS_PIXEL_F32);
    cr_assert_arr_eq(train->data, values.number, sizeof values.number);
    data_drop(&f);
}

static void assert_hdf5_refused(data_fixture_t *f, h5_sample_t images, h5_sample_t labels,
                                const char *text)
{
    put_hdf5(&f->a, (h5_sample_t[]){images, labels}, 2);
    assert_refused(data_read(f), &f->err, "%s: %s", f->a.text, text);
    assert_empty(f);
}

Test(data_formats, hdf5_images_that_are_none_are_refused)
{
    data_fixture_t f;
    h5_values_t values;
    data_make_hdf5(&f);
    h5_fill(&values);
    const h5_sample_t good = h5_bytes(&values), labels = h5_labels(&values);
    h5_sample_t bad = good;
    bad.name = "pictures";
    assert_hdf5_refused(&f, bad, labels, "dataset 'images' is not there");
    bad = good;
    bad.stored = H5T_STD_I8LE;
    assert_hdf5_refused(&f, bad, labels,
                        "dataset 'images' is int8; expected uint8 or a float type");
    bad = (h5_sample_t){"images", H5T_STD_U8LE, H5T_NATIVE_UINT8, 2, {H5_N, 90}, values.byte};
    assert_hdf5_refused(
        &f, bad, labels,
        "dataset 'images' has 2 dimensions; expected 4 [N, C, H, W] or 3 [N, H, W]");
    bad = (h5_sample_t){"images", H5T_STD_U8LE, H5T_NATIVE_UINT8, 4, {H5_N, 5, 6, 3}, values.byte};
    assert_hdf5_refused(&f, bad, labels,
                        "dataset 'images' is 4 x 5 x 6 x 3, which looks like [N, H, W, C]; "
                        "expected [N, C, H, W]");
    bad = (h5_sample_t){"images", H5T_STD_U8LE, H5T_NATIVE_UINT8, 4, {0, 3, 5, 6}, values.byte};
    assert_hdf5_refused(&f, bad, labels, "0 images; expected 1 to 2147483647");
    values.number[2 * H5_VALUES + 7] = NAN;
    assert_hdf5_refused(&f, h5_floats(&values), labels,
                        "image 2 (the first is 0) has a value that is not finite");
    data_drop(&f);
}

Test(data_formats, hdf5_labels_that_are_none_are_refused)
{
    data_fixture_t f;
    h5_values_t values;
    data_make_hdf5(&f);
    h5_fill(&values);
    const h5_sample_t images = h5_bytes(&values);
    h5_sample_t bad = h5_labels(&values);
    bad.stored = H5T_IEEE_F32LE;
    assert_hdf5_refused(&f, images, bad, "dataset 'labels' is float32; expected an integer type");
    bad = h5_labels(&values);
    bad.size[0] = 3;
    assert_hdf5_refused(&f, images, bad, "dataset 'labels' is not a list of 4, one an image");
    values.label[1] = -1;
    assert_hdf5_refused(&f, images, h5_labels(&values),
                        "image 1 (the first is 0) has label -1; expected 0 to 65535");
    bad = h5_labels(&values);
    bad.stored = H5T_STD_I64LE;
    values.label[1] = (int64_t)1 << 40;
    assert_hdf5_refused(&f, images, bad,
                        "image 1 (the first is 0) has label 1099511627776; expected 0 to 65535");
    data_drop(&f);
}

Test(data_formats, what_is_no_hdf5_file_is_refused)
{
    data_fixture_t f;
    data_make_hdf5(&f);
    put(&f.a, cifar_bytes(1, 1));
    assert_refused(data_read(&f), &f.err, "%s: not an HDF5 file", f.a.text);
    data_drop(&f);
}

/* -------------------------------------------------------------------------------- public data */

static void assert_counts(const nas_images_t *images, const int64_t count[10])
{
    int64_t found[10] = {0};
    for (int64_t i = 0; i < images->n; i++) found[images->labels[i]]++;
    cr_assert_arr_eq(found, count, sizeof found);
}

/* Label counts and moments from numpy. */
Test(data_formats, real_cifar_10_is_read)
{
    data_fixture_t f;
    const char *shared = getenv("ROBOTNAS_SHARED");
    if (!shared) cr_skip_test("the environment variable ROBOTNAS_SHARED is not set");
    data_make(&f, &nas_format_cifar);
    const temp_path_t *folder = &f.c;
    (void)snprintf(f.c.text, sizeof f.c.text, "%s/data/cifar-10-batches-bin", shared);
    f.a = temp_file(folder, "data_batch_1.bin");
    f.b = temp_file(folder, "test_batch.bin");
    if (access(f.a.text, R_OK) != 0) {
        temp_folder_remove(&f.folder);
        cr_skip_test("%s is not there", f.a.text);
    }
    f.train = list_of(1, (const temp_path_t *[]){&f.a});
    f.test = list_of(1, (const temp_path_t *[]){&f.b});
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    const uint8_t *first = nas_memory_images(&f.dataset.train)->data;
    cr_assert(first[0] == 141 && first[1] == 145 && first[4] == 199);
    cr_assert_eq(f.dataset.train.labels[0], 2);
    assert_counts(nas_memory_images(&f.dataset.train),
                  (const int64_t[]){981, 1008, 996, 996, 1021, 977, 1012, 984, 972, 1053});
    assert_counts(nas_memory_images(&f.dataset.test),
                  (const int64_t[]){199, 220, 202, 193, 190, 183, 214, 205, 204, 190});
    cr_assert_float_eq(f.dataset.mean[0], 0.4898417, 1e-7);
    cr_assert_float_eq(f.dataset.std[2], 0.26023986, 1e-7);
    data_drop(&f);
}

Test(data_formats, real_fashion_mnist_is_read)
{
    static const temp_path_t folder = {"/usr/share/datasets/fashion-mnist"};
    data_fixture_t f;
    data_make(&f, &nas_format_idx);
    f.a = temp_file(&folder, "train-images-idx3-ubyte.gz");
    f.b = temp_file(&folder, "train-labels-idx1-ubyte.gz");
    f.c = temp_file(&folder, "t10k-images-idx3-ubyte.gz");
    f.d = temp_file(&folder, "t10k-labels-idx1-ubyte.gz");
    if (access(f.a.text, R_OK) != 0) {
        temp_folder_remove(&f.folder);
        cr_skip_test("the package dataset-fashion-mnist is not installed");
    }
    f.train = list_of(2, (const temp_path_t *[]){&f.a, &f.b});
    f.test = list_of(2, (const temp_path_t *[]){&f.c, &f.d});
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    int64_t sum = 0;
    const nas_images_t *train = nas_memory_images(&f.dataset.train);
    cr_assert(train->n == 60000 && train->c == 1 && train->h == 28 && train->w == 28);
    for (size_t k = 0; k < 784; k++) sum += ((const uint8_t *)train->data)[k];
    cr_assert_eq(sum, 76247);
    assert_counts(train,
                  (const int64_t[]){6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000});
    cr_assert_eq(f.dataset.test.n, 10000);
    cr_assert_float_eq(f.dataset.mean[0], 0.2860405969887955, 1e-12);
    cr_assert_float_eq(f.dataset.std[0], 0.3530242445149223, 1e-12);
    data_drop(&f);
}
