#include "data_sample.h"

#include <math.h>

Test(dataset, images_must_be_of_one_kind)
{
    data_fixture_t f;
    h5_values_t values;
    data_make_hdf5(&f);
    h5_fill(&values);
    put_hdf5(&f.a, (h5_sample_t[]){h5_bytes(&values), h5_labels(&values)}, 2);
    put_hdf5(&f.b, (h5_sample_t[]){h5_floats(&values), h5_labels(&values)}, 2);
    f.test = list_of(1, (const temp_path_t *[]){&f.b});
    assert_refused(data_read(&f), &f.err,
                   "%s: images of 3 x 5 x 6 float, but those of %s are 3 x 5 x 6 uint8", f.b.text,
                   f.a.text);
    const h5_sample_t larger = {"images", H5T_STD_U8LE,    H5T_NATIVE_UINT8,
                                4,        {H5_N, 3, 6, 5}, values.byte};
    put_hdf5(&f.b, (h5_sample_t[]){larger, h5_labels(&values)}, 2);
    assert_refused(data_read(&f), &f.err,
                   "%s: images of 3 x 6 x 5 uint8, but those of %s are 3 x 5 x 6 uint8", f.b.text,
                   f.a.text);
    data_drop(&f);
}

Test(dataset, classes_may_be_given)
{
    data_fixture_t f;
    data_make_idx(&f);
    f.options.n_classes = 20;
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    cr_assert_eq(f.dataset.n_classes, 20);
    f.options.n_classes = 7;
    assert_refused(data_read(&f), &f.err,
                   "%s: image 2 (the first is 0) has label 7; expected 0 to 6", f.b.text);
    f.options.n_classes = 65537;
    assert_refused(data_read(&f), &f.err, "65537 classes; expected 2 to 65536");
    data_drop(&f);
}

Test(dataset, a_test_label_that_no_training_image_reaches_is_refused)
{
    data_fixture_t f;
    data_make_idx(&f);
    put(&f.c, idx_images(3, idx_gray));
    bytes_t labels = idx_labels(4);
    labels.at[labels.n - 1] = 8;
    put(&f.d, labels);
    f.test = list_of(2, (const temp_path_t *[]){&f.c, &f.d});
    assert_refused(data_read(&f), &f.err,
                   "%s: image 3 (the first is 0) has label 8; expected 0 to 7", f.d.text);
    data_drop(&f);
}

Test(dataset, a_single_class_is_refused)
{
    data_fixture_t f;
    data_make_idx(&f);
    bytes_t labels = idx_header(1, (const uint32_t[]){4});
    bytes_add(&labels, "\0\0\0\0", 4);
    put(&f.b, labels);
    assert_refused(data_read(&f), &f.err, "%s: all labels are 0; expected two classes or more",
                   f.b.text);
    data_drop(&f);
}

static void put_labels(const temp_path_t *path, const uint8_t label[4])
{
    bytes_t labels = idx_header(1, (const uint32_t[]){4});
    bytes_add(&labels, label, 4);
    put(path, labels);
}

/* Also those of files that the limit leaves out altogether. */
Test(dataset, it_is_known_which_classes_a_limit_leaves)
{
    static const struct {
        int64_t limit;
        int used;
        bool sorted;
    } expected[] = {{0, 4, false}, {8, 4, false}, {7, 3, false}, {4, 2, true},
                    {3, 2, false}, {2, 1, true},  {1, 1, false}};
    data_fixture_t f;
    data_make_idx(&f);
    put(&f.c, idx_images(3, idx_gray));
    put_labels(&f.b, (const uint8_t[]){0, 0, 2, 2});
    put_labels(&f.d, (const uint8_t[]){5, 2, 0, 7});
    nas_strings_fini(&f.train);
    f.train = list_of(4, (const temp_path_t *[]){&f.a, &f.b, &f.c, &f.d});
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        f.options.limit = expected[i].limit;
        if (expected[i].sorted) {
            assert_refused(data_read(&f), &f.err,
                           "%s: sorted by class, so that the %lld images that data.limit leaves "
                           "have %d of 4 classes; take all, or a file with fewer of each (robotnas "
                           "convert --per-class)",
                           f.a.text, (long long)f.options.limit, expected[i].used);
            continue;
        }
        cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
        const nas_class_use_t *use = &f.dataset.train_use;
        cr_assert_eq(use->whole, 4);
        cr_assert_eq(use->used, expected[i].used, "case %zu", i);
        cr_assert_eq(use->sorted, expected[i].sorted, "case %zu", i);
        cr_assert_eq(f.dataset.test_use.whole, 0);
    }
    f.test = list_of(2, (const temp_path_t *[]){&f.c, &f.d});
    f.options.limit = 3;
    assert_refused(data_read(&f), &f.err,
                   "%s: image 0 (the first is 0) has label 5; expected 0 to 2; data.limit leaves 2 "
                   "of 4 classes, set data.classes",
                   f.d.text);
    f.options.n_classes = 8;
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    cr_assert_eq(f.dataset.test_use.used, 3);
    data_drop(&f);
}

/* A dataset `classes`: one text, or (NULL) numbers of a user's own. */
static void put_classes(const temp_path_t *path, const char *text)
{
    static const int32_t number[3] = {1, 2, 3};
    h5_values_t values;
    h5_fill(&values);
    put_hdf5(path, (h5_sample_t[]){h5_bytes(&values), h5_labels(&values)}, 2);
    const hid_t file = H5Fopen(path->text, H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t type = H5Tcopy(text ? H5T_C_S1 : H5T_NATIVE_INT32);
    if (text) cr_assert_geq(H5Tset_size(type, strlen(text) + 1), 0);
    const hid_t space = text ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, (hsize_t[]){3}, NULL);
    const hid_t id =
        H5Dcreate2(file, "classes", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text ? text : (void *)number),
                  0);
    H5Dclose(id);
    H5Sclose(space);
    H5Tclose(type);
    cr_assert_geq(H5Fclose(file), 0);
}

Test(dataset, classes_have_the_names_that_the_files_give)
{
    static const char ten[] = "a\nb\nc\nd\ne\nf\ng\nh\n\xe9\ni\x1b";
    data_fixture_t f;
    data_make_hdf5(&f);
    f.test = list_of(1, (const temp_path_t *[]){&f.b});
    put_classes(&f.a, ten);
    put_classes(&f.b, NULL); /* says nothing */
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    cr_assert_eq(f.dataset.class_names.n, 10);
    cr_assert_str_eq(f.dataset.class_names.at[2], "c");
    cr_assert_str_eq(f.dataset.class_names.at[8], "\xef\xbf\xbd");
    cr_assert_str_eq(f.dataset.class_names.at[9], "i?");
    put_classes(&f.b, "a\nb\nx");
    assert_refused(data_read(&f), &f.err,
                   "%s: label 2 is class 'x', but 'c' in the first file; convert with "
                   "--classes-from",
                   f.b.text);
    put_classes(&f.b, "a\nb\nc");
    assert_refused(data_read(&f), &f.err,
                   "%s: 3 classes, but the first file has 10; convert with --classes-from",
                   f.b.text);
    put_classes(&f.a, "too\nfew");
    put_classes(&f.b, NULL);
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    cr_assert_eq(f.dataset.class_names.n, 0);
    data_drop(&f);
}

/* Mean and standard deviation of a channel by their definition. */
static void assert_moments(const nas_dataset_t *dataset, int channel)
{
    const nas_images_t *train = nas_memory_images(&dataset->train);
    const size_t plane = (size_t)(train->h * train->w), n = (size_t)train->n * plane;
    double mean = 0, variance = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++) {
            const size_t image = i / plane, k = (size_t)channel * plane + i % plane;
            const double x = sample_value(image, k) / 255.0;
            if (pass == 0)
                mean += x / (double)n;
            else
                variance += (x - mean) * (x - mean) / (double)n;
        }
    cr_assert_float_eq(dataset->mean[channel], mean, 1e-13);
    cr_assert_float_eq(dataset->std[channel], sqrt(variance), 1e-13);
}

Test(dataset, mean_and_deviation_are_those_of_the_training_images)
{
    data_fixture_t f;
    data_make(&f, &nas_format_cifar);
    put(&f.a, cifar_bytes(5, 1));
    f.train = list_of(1, (const temp_path_t *[]){&f.a});
    f.options.limit = 4;
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    for (int c = 0; c < 3; c++) assert_moments(&f.dataset, c);

    const double mean[] = {0.1, 0.2, 0.3};
    const double std = f.dataset.std[1];
    f.options.mean = (nas_channel_numbers_t){mean, 3};
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    cr_assert_eq(f.dataset.mean[2], 0.3);
    cr_assert_eq(f.dataset.std[1], std, "the one that is not given is found");
    data_drop(&f);
}

Test(dataset, a_constant_channel_becomes_zero)
{
    data_fixture_t f;
    h5_values_t values;
    data_make_hdf5(&f);
    h5_fill(&values);
    for (size_t i = 0; i < H5_N; i++)
        for (size_t k = 0; k < 30; k++) values.number[i * H5_VALUES + 30 + k] = 0.1F;
    put_hdf5(&f.a, (h5_sample_t[]){h5_floats(&values), h5_labels(&values)}, 2);
    cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
    float y[H5_VALUES];
    nas_source_read(&f.dataset.train, (const int64_t[]){2}, 1, y);
    for (size_t k = 30; k < 60; k++) cr_assert_eq(y[k], 0);
    cr_assert_eq(f.dataset.std[1], 1);
    data_drop(&f);
}

Test(dataset, numbers_that_do_not_fit_the_channels_are_refused)
{
    data_fixture_t f;
    data_make(&f, &nas_format_cifar);
    put(&f.a, cifar_bytes(2, 1));
    f.train = list_of(1, (const temp_path_t *[]){&f.a});
    const double mean[] = {0.5, NAN, 0.5}, std[] = {0.5, 0.5, 0};
    f.options.mean = (nas_channel_numbers_t){mean, 2};
    assert_refused(data_read(&f), &f.err, "2 numbers of mean for images of 3 channels");
    f.options.mean.n = 3;
    assert_refused(data_read(&f), &f.err, "mean of channel 1 is not finite");
    f.options.mean.n = 0;
    f.options.std = (nas_channel_numbers_t){std, 3};
    assert_refused(data_read(&f), &f.err, "std of channel 2 is 0; expected more than 0");
    data_drop(&f);
}

Test(dataset, normalisation_is_exact_in_float64_and_rounded_once)
{
    data_fixture_t f;
    h5_values_t values;
    data_make_hdf5(&f);
    h5_fill(&values);
    const double mean[] = {0.4914, 0.4822, 0.4465}, std[] = {0.2470, 0.2435, 0.2616};
    f.options.mean = (nas_channel_numbers_t){mean, 3};
    f.options.std = (nas_channel_numbers_t){std, 3};
    for (int floats = 0; floats < 2; floats++) {
        const h5_sample_t bytes = h5_bytes(&values), numbers = h5_floats(&values);
        float y[2 * H5_VALUES];
        put_hdf5(&f.a, (h5_sample_t[]){floats ? numbers : bytes, h5_labels(&values)}, 2);
        cr_assert_eq(data_read(&f), NAS_OK, "%s", f.err.text);
        nas_source_read(&f.dataset.train, (const int64_t[]){3, 1}, 2, y);
        for (size_t k = 0; k < H5_VALUES; k++) {
            const size_t c = k / 30;
            const double x = floats ? (double)values.number[3 * H5_VALUES + k]
                                    : values.byte[3 * H5_VALUES + k] / 255.0;
            cr_assert_eq(y[k], (float)((x - mean[c]) / std[c]));
            cr_assert_neq(y[k], y[H5_VALUES + k], "image 1 is another");
        }
    }
    data_drop(&f);
}
