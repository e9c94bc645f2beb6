/* What tests of image folders share. */
#ifndef NAS_TESTS_UNIT_FOLDER_CASE_H
#define NAS_TESTS_UNIT_FOLDER_CASE_H

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

static inline void make_folder(const temp_path_t *path)
{
    cr_assert_eq(mkdir(path->text, 0700), 0);
}

static inline void fixture_make(folder_fixture_t *f)
{
    *f = (folder_fixture_t){.folder = temp_folder_make()};
    f->classes = temp_file(&f->folder, "classes");
    f->output = temp_file(&f->folder, "out.h5");
    make_folder(&f->classes);
    f->options = (nas_folder_options_t){
        .folder = f->classes.text, .output = f->output.text, .height = 4, .width = 4};
}

static inline void fixture_drop(folder_fixture_t *f)
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
static inline void add(const folder_fixture_t *f, const char *name, int level)
{
    const temp_path_t path = entry(f, name);
    const uint8_t colour[3] = {(uint8_t)level, (uint8_t)level, (uint8_t)level};
    put(&path, png_constant(6, 5, colour));
}

static inline nas_status_t convert(folder_fixture_t *f)
{
    f->err = (nas_error_t){0};
    nas_folder_summary_fini(&f->summary);
    return nas_folder_convert(&f->options, NULL, &f->summary, &f->err);
}

/* Convert, and read by the reader of data.format hdf5. */
static inline void read_back(folder_fixture_t *f)
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
static inline void assert_images(const folder_fixture_t *f, size_t n, const int expected[][2])
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
static inline void assert_classes(const folder_fixture_t *f, const char *expected)
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
static inline void assert_holds(const temp_path_t *folder, const char *expected)
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

#endif
