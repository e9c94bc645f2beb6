/* Small image files of every format, for tests. Value k of image i is sample_value(i, k). */
#ifndef NAS_TESTS_UNIT_DATA_SAMPLE_H
#define NAS_TESTS_UNIT_DATA_SAMPLE_H

#include "common/base/error.h"
#include "temp_folder.h"
#include "worker/data/dataset.h"
#include "worker/data/memory.h"

#include <criterion/criterion.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SAMPLE_N_LABELS = 10, CIFAR_VALUES = 3072 };

static inline uint8_t sample_value(size_t i, size_t k)
{
    return (uint8_t)(31 * i + 7 * k + k / 256);
}

static inline uint8_t sample_label(size_t i)
{
    return (uint8_t)((3 * i + 1) % SAMPLE_N_LABELS);
}

/* Bytes under construction. */
typedef struct bytes {
    uint8_t *at;
    size_t n;
} bytes_t;

static inline void bytes_add(bytes_t *bytes, const void *more, size_t n)
{
    bytes->at = realloc(bytes->at, bytes->n + n);
    cr_assert_not_null(bytes->at);
    memcpy(bytes->at + bytes->n, more, n);
    bytes->n += n;
}

static inline void put_bytes(const temp_path_t *path, const void *data, size_t n)
{
    FILE *file = fopen(path->text, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, n, file), n);
    cr_assert_eq(fclose(file), 0);
}

/* Write the bytes and free them. */
static inline void put(const temp_path_t *path, bytes_t bytes)
{
    put_bytes(path, bytes.at, bytes.n);
    free(bytes.at);
}

static inline void put_gzip(const temp_path_t *path, bytes_t bytes)
{
    gzFile file = gzopen(path->text, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(gzwrite(file, bytes.at, (unsigned)bytes.n), (int)bytes.n);
    cr_assert_eq(gzclose(file), Z_OK);
    free(bytes.at);
}

/* n records of CIFAR-10, or with two label bytes of CIFAR-100. */
static inline bytes_t cifar_bytes(size_t n, size_t n_label_bytes)
{
    bytes_t bytes = {0};
    for (size_t i = 0; i < n; i++) {
        uint8_t record[2 + CIFAR_VALUES] = {77, sample_label(i)};
        for (size_t k = 0; k < CIFAR_VALUES; k++) record[2 + k] = sample_value(i, k);
        bytes_add(&bytes, record + 2 - n_label_bytes, n_label_bytes + CIFAR_VALUES);
    }
    return bytes;
}

static inline bytes_t idx_header(uint8_t rank, const uint32_t *size)
{
    bytes_t bytes = {0};
    bytes_add(&bytes, (uint8_t[]){0, 0, 8, rank}, 4);
    for (int i = 0; i < rank; i++)
        bytes_add(&bytes,
                  (uint8_t[]){(uint8_t)(size[i] >> 24), (uint8_t)(size[i] >> 16),
                              (uint8_t)(size[i] >> 8), (uint8_t)size[i]},
                  4);
    return bytes;
}

/* Images of the given sizes, the first of which is their number. */
static inline bytes_t idx_images(uint8_t rank, const uint32_t *size)
{
    bytes_t bytes = idx_header(rank, size);
    size_t n_values = 1;
    for (int i = 1; i < rank; i++) n_values *= size[i];
    for (size_t i = 0; i < size[0]; i++)
        for (size_t k = 0; k < n_values; k++) bytes_add(&bytes, (uint8_t[]){sample_value(i, k)}, 1);
    return bytes;
}

static inline bytes_t idx_labels(uint32_t n)
{
    bytes_t bytes = idx_header(1, &n);
    for (size_t i = 0; i < n; i++) bytes_add(&bytes, (uint8_t[]){sample_label(i)}, 1);
    return bytes;
}

/* An array to store in an HDF5 file. */
typedef struct h5_sample {
    const char *name;
    hid_t stored; /* type in the file */
    hid_t memory; /* type of data */
    int rank;
    hsize_t size[8];
    const void *data;
} h5_sample_t;

static inline void put_hdf5(const temp_path_t *path, const h5_sample_t *sample, size_t n)
{
    const hid_t file = H5Fcreate(path->text, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), link = H5Pcreate(H5P_LINK_CREATE);
    cr_assert_geq(H5Pset_obj_track_times(creation, false), 0);
    cr_assert_geq(H5Pset_create_intermediate_group(link, 1), 0);
    for (size_t i = 0; i < n; i++) {
        const h5_sample_t *s = &sample[i];
        const hid_t space = H5Screate_simple(s->rank, s->size, NULL);
        const hid_t id = H5Dcreate2(file, s->name, s->stored, space, link, creation, H5P_DEFAULT);
        cr_assert_geq(H5Dwrite(id, s->memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, s->data), 0);
        H5Dclose(id);
        H5Sclose(space);
    }
    H5Pclose(creation);
    H5Pclose(link);
    cr_assert_geq(H5Fclose(file), 0);
}

/* Whether images are the samples from number `first` on, in order. */
static inline void assert_samples(const nas_images_t *images, size_t at, size_t first, size_t n)
{
    const size_t n_values = nas_images_values(images);
    const uint8_t *value = images->data;
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(images->labels[at + i], sample_label(first + i));
        for (size_t k = 0; k < n_values; k++)
            cr_assert_eq(value[(at + i) * n_values + k], sample_value(first + i, k));
    }
}

static inline nas_strings_t list_of(int n, const temp_path_t *const *path)
{
    nas_strings_t list = {0};
    for (int i = 0; i < n; i++)
        cr_assert_eq(nas_strings_add(&list, path[i]->text, strlen(path[i]->text), NULL), NAS_OK);
    return list;
}

/* The exact text of an error. */
__attribute__((format(printf, 3, 4))) static inline void
assert_refused(nas_status_t status, const nas_error_t *err, const char *format, ...)
{
    char text[NAS_ERROR_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cr_assert_eq(status, NAS_EINPUT);
    cr_assert_str_eq(err->text, text);
}

/* Files to read, by value. */
typedef struct data_fixture {
    temp_path_t folder, a, b, c, d;
    nas_strings_t train, test;
    nas_dataset_options_t options;
    nas_dataset_t dataset;
    nas_error_t err;
} data_fixture_t;

static inline void data_make(data_fixture_t *f, const nas_format_t *format)
{
    *f = (data_fixture_t){.folder = temp_folder_make(), .options = {.format = format}};
    f->a = temp_file(&f->folder, "a");
    f->b = temp_file(&f->folder, "b");
    f->c = temp_file(&f->folder, "c");
    f->d = temp_file(&f->folder, "d");
    f->options.train = &f->train;
    f->options.test = &f->test;
}

static inline nas_status_t data_read(data_fixture_t *f)
{
    nas_dataset_fini(&f->dataset);
    f->err = (nas_error_t){0};
    return nas_dataset_read(&f->options, &f->dataset, &f->err);
}

static inline void data_drop(data_fixture_t *f)
{
    nas_dataset_fini(&f->dataset);
    nas_strings_fini(&f->train);
    nas_strings_fini(&f->test);
    temp_folder_remove(&f->folder);
}

/* What a failed read leaves behind. */
static inline void assert_empty(const data_fixture_t *f)
{
    cr_assert(f->dataset.train.n == 0 && !f->dataset.train.self && !f->dataset.train.labels);
    cr_assert(f->dataset.n_classes == 0);
}

static const uint32_t idx_gray[3] = {4, 5, 6};

/* Images in a, labels in b. */
static inline void data_make_idx(data_fixture_t *f)
{
    data_make(f, &nas_format_idx);
    put(&f->a, idx_images(3, idx_gray));
    put(&f->b, idx_labels(4));
    f->train = list_of(2, (const temp_path_t *[]){&f->a, &f->b});
}

enum { H5_N = 4, H5_VALUES = 3 * 5 * 6 };

/* Samples as uint8 and as float, labels as int64. */
typedef struct h5_values {
    uint8_t byte[H5_N * H5_VALUES];
    float number[H5_N * H5_VALUES];
    int64_t label[H5_N];
} h5_values_t;

static inline void h5_fill(h5_values_t *values)
{
    for (size_t i = 0; i < H5_N; i++) {
        values->label[i] = sample_label(i);
        for (size_t k = 0; k < H5_VALUES; k++) {
            values->byte[i * H5_VALUES + k] = sample_value(i, k);
            values->number[i * H5_VALUES + k] = (float)sample_value(i, k) / 16;
        }
    }
}

static inline h5_sample_t h5_bytes(const h5_values_t *values)
{
    return (h5_sample_t){.name = "images",
                         .stored = H5T_STD_U8LE,
                         .memory = H5T_NATIVE_UINT8,
                         .rank = 4,
                         .size = {H5_N, 3, 5, 6},
                         .data = values->byte};
}

static inline h5_sample_t h5_floats(const h5_values_t *values)
{
    return (h5_sample_t){.name = "images",
                         .stored = H5T_IEEE_F64LE,
                         .memory = H5T_NATIVE_FLOAT,
                         .rank = 4,
                         .size = {H5_N, 3, 5, 6},
                         .data = values->number};
}

static inline h5_sample_t h5_labels(const h5_values_t *values)
{
    return (h5_sample_t){.name = "labels",
                         .stored = H5T_STD_I16LE,
                         .memory = H5T_NATIVE_INT64,
                         .rank = 1,
                         .size = {H5_N},
                         .data = values->label};
}

static inline void data_make_hdf5(data_fixture_t *f)
{
    data_make(f, &nas_format_hdf5);
    f->train = list_of(1, (const temp_path_t *[]){&f->a});
}

#endif
