/* Images of a user, found by the names that their formats have. */
#include "coordinator/commands/init_job.h"
#include "coordinator/commands/shell_word.h"
#include "worker/data/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* What stands in a folder: paths, in the order of their names. */
typedef struct contents {
    nas_strings_t files;
    nas_strings_t folders;
} contents_t;

static void contents_fini(contents_t *contents)
{
    nas_strings_fini(&contents->files);
    nas_strings_fini(&contents->folders);
}

static nas_status_t take_entry(const char *folder, const char *name, contents_t *contents,
                               nas_error_t *err)
{
    struct stat info;
    const bool ends_in_slash = folder[strlen(folder) - 1] == '/';
    char *path = nas_string_format(err, "%s%s%s", folder, ends_in_slash ? "" : "/", name);
    nas_status_t status = path ? NAS_OK : NAS_ENOMEM;
    if (!status && stat(path, &info) == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)))
        status = nas_strings_add(S_ISDIR(info.st_mode) ? &contents->folders : &contents->files,
                                 path, strlen(path), err);
    free(path);
    return status;
}

static nas_status_t list(const char *folder, contents_t *contents, nas_error_t *err)
{
    struct dirent **entry = NULL;
    const int n = scandir(folder, &entry, NULL, alphasort);
    if (n < 0) return nas_error_set(err, NAS_EINPUT, "cannot read %s: %s", folder, strerror(errno));
    nas_status_t status = NAS_OK;
    for (int i = 0; i < n; i++) {
        if (!status && entry[i]->d_name[0] != '.')
            status = take_entry(folder, entry[i]->d_name, contents, err);
        free(entry[i]);
    }
    free(entry);
    return status;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), n_end = strlen(end);
    return n >= n_end && strcasecmp(text + n - n_end, end) == 0;
}

static bool is_hdf5(const char *name)
{
    return ends_with(name, ".h5") || ends_with(name, ".hdf5") || ends_with(name, ".hdf");
}

static nas_status_t add(nas_strings_t *list, const char *text, nas_error_t *err)
{
    return nas_strings_add(list, text, strlen(text), err);
}

/* ----------------------------------------------------------------------- formats that jobs read */

/* CIFAR-10's parts, or CIFAR-100's two files. */
static nas_status_t take_cifar(const contents_t *contents, nas_init_images_t *images,
                               nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < contents->files.n; i++) {
        const char *path = contents->files.at[i], *name = name_of(path);
        const bool hundred = strcmp(name, "train.bin") == 0 || strcmp(name, "test.bin") == 0;
        if (!ends_with(name, ".bin")) continue;
        if (strncmp(name, "data_batch_", 11) == 0 || strcmp(name, "train.bin") == 0)
            status = add(&images->train, path, err);
        else if (strcmp(name, "test_batch.bin") == 0 || strcmp(name, "test.bin") == 0)
            status = add(&images->test, path, err);
        if (hundred) images->n_classes = 100;
    }
    images->format = &nas_format_cifar;
    return status;
}

/* Append the images and the labels of a pair of IDX files, where both are there. */
static nas_status_t take_pair(const contents_t *contents, const char *path, nas_strings_t *split,
                              nas_error_t *err)
{
    const char *at = strstr(name_of(path), "images");
    const char *rest = at + strlen("images");
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < contents->files.n; i++) {
        const char *other = contents->files.at[i];
        const char *labels = strstr(name_of(other), "labels");
        const bool same_head =
            labels && labels - other == at - path && strncmp(other, path, (size_t)(at - path)) == 0;
        if (!same_head || ends_with(other, ".gz") != ends_with(rest, ".gz")) continue;
        status = add(split, path, err);
        return status ? status : add(split, other, err);
    }
    return status;
}

static nas_status_t take_idx(const contents_t *contents, nas_init_images_t *images,
                             nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < contents->files.n; i++) {
        const char *path = contents->files.at[i], *name = name_of(path);
        if (!strstr(name, "images") || !strstr(name, "ubyte")) continue;
        const bool is_test = strncmp(name, "t10k", 4) == 0 || strstr(name, "test");
        nas_strings_t *split = is_test ? &images->test : &images->train;
        if (split->n == 0) status = take_pair(contents, path, split, err);
    }
    images->format = &nas_format_idx;
    return status;
}

static nas_status_t take_hdf5(const contents_t *contents, nas_init_images_t *images,
                              nas_error_t *err)
{
    const char *only = NULL;
    size_t n = 0;
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < contents->files.n; i++) {
        const char *path = contents->files.at[i], *name = name_of(path);
        if (!is_hdf5(name)) continue;
        only = path;
        n++;
        if (nas_init_has(name, "train"))
            status = add(&images->train, path, err);
        else if (nas_init_has(name, "test") || nas_init_has(name, "val"))
            status = images->test.n == 0 ? add(&images->test, path, err) : NAS_OK;
    }
    if (!status && n == 1 && images->train.n == 0 && images->test.n == 0)
        status = add(&images->train, only, err);
    images->format = &nas_format_hdf5;
    return status;
}

/* The first format that has training images there. */
static nas_status_t take_files(const contents_t *contents, nas_init_images_t *images,
                               nas_error_t *err)
{
    static nas_status_t (*const take[])(const contents_t *, nas_init_images_t *,
                                        nas_error_t *) = {take_cifar, take_idx, take_hdf5};
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && images->train.n == 0 && i < sizeof take / sizeof *take; i++) {
        nas_strings_fini(&images->test);
        images->n_classes = 0;
        status = take[i](contents, images, err);
    }
    return status;
}

/* -------------------------------------------------------------------------- folders of pictures */

/* The folder of a split by one of its names, a list that ends with NULL. */
static const char *find_split(const contents_t *contents, const char *const *names)
{
    for (; *names; names++)
        for (size_t i = 0; i < contents->folders.n; i++)
            if (strcasecmp(name_of(contents->folders.at[i]), *names) == 0)
                return contents->folders.at[i];
    return NULL;
}

static nas_status_t add_convert(nas_init_images_t *images, nas_strings_t *split, const char *folder,
                                const char *output, const char *classes_from, nas_error_t *err)
{
    char *word = nas_shell_word(folder, err);
    char *command = word ? nas_string_format(err, "robotnas convert %s %s --size 32%s%s", word,
                                             output, classes_from ? " --classes-from " : "",
                                             classes_from ? classes_from : "")
                         : NULL;
    nas_status_t status = command ? add(&images->convert, command, err) : NAS_ENOMEM;
    free(word);
    free(command);
    return status ? status : add(split, output, err);
}

/* Files in the folders of classes, near enough the number of images. */
static nas_status_t count(const char *folder, int64_t *n, nas_error_t *err)
{
    contents_t classes = {0}, pictures = {0};
    nas_status_t status = list(folder, &classes, err);
    for (size_t i = 0; !status && i < classes.folders.n; i++) {
        status = list(classes.folders.at[i], &pictures, err);
        *n += (int64_t)pictures.files.n;
        contents_fini(&pictures);
    }
    contents_fini(&classes);
    return status;
}

/* What files of the job are called before "train" and "test": a name that ends with that word does
 * not say it twice. */
static char *file_prefix(const char *name, nas_error_t *err)
{
    static const char word[] = "train";
    const size_t n = strlen(name), n_word = sizeof word - 1;
    const bool ends = n >= n_word && strcmp(name + n - n_word, word) == 0;
    if (ends && (n == n_word || strchr("-_", name[n - n_word - 1])))
        return nas_string_format(err, "%.*s", (int)(n - n_word), name);
    return nas_string_format(err, "%s-", name);
}

static nas_status_t take_folders(const char *path, const char *name, const contents_t *contents,
                                 nas_init_images_t *images, nas_error_t *err)
{
    static const char *const training[] = {"train", "training", NULL};
    static const char *const testing[] = {"test", "testing", "val", "valid", "validation", NULL};
    const char *train = find_split(contents, training), *test = find_split(contents, testing);
    char *begin = file_prefix(name, err);
    char *train_file = begin ? nas_string_format(err, "%strain.h5", begin) : NULL;
    char *test_file = train_file ? nas_string_format(err, "%stest.h5", begin) : NULL;
    nas_status_t status = test_file ? NAS_OK : NAS_ENOMEM;
    images->format = &nas_format_hdf5;
    images->side = 32;
    if (!status) status = count(train ? train : path, &images->n_train, err);
    if (!status)
        status = add_convert(images, &images->train, train ? train : path, train_file, NULL, err);
    if (!status && train && test)
        status = add_convert(images, &images->test, test, test_file, train_file, err);
    free(begin);
    free(train_file);
    free(test_file);
    return status;
}

/* ------------------------------------------------------------------------------------- together */

/* The folder that a downloaded archive of CIFAR holds. */
static nas_status_t look_below(const contents_t *contents, nas_init_images_t *images,
                               nas_error_t *err)
{
    static const char *const archives[] = {"cifar-10-batches-bin", "cifar-100-binary", NULL};
    const char *folder = find_split(contents, archives);
    contents_t below = {0};
    if (!folder) return NAS_OK;
    nas_status_t status = list(folder, &below, err);
    if (!status) status = take_files(&below, images, err);
    contents_fini(&below);
    return status;
}

static nas_status_t find_files(const char *path, const char *name, nas_init_images_t *images,
                               nas_error_t *err)
{
    struct stat info;
    contents_t contents = {0};
    if (stat(path, &info) != 0)
        return nas_error_set(err, NAS_EINPUT, "cannot open %s: %s", path, strerror(errno));
    images->format = &nas_format_hdf5;
    if (!S_ISDIR(info.st_mode)) return add(&images->train, path, err);
    nas_status_t status = list(path, &contents, err);
    if (!status) status = take_files(&contents, images, err);
    if (!status && images->train.n == 0) status = look_below(&contents, images, err);
    if (!status && images->train.n == 0 && contents.folders.n >= 2)
        status = take_folders(path, name, &contents, images, err);
    if (!status && images->train.n == 0)
        status = nas_error_set(
            err, NAS_EINPUT,
            "%s: no training images are found: HDF5 files, files of CIFAR or IDX by their usual names, or one folder of pictures a class were expected, see docs/data.md",
            path);
    contents_fini(&contents);
    return status;
}

/* What the files hold, which a job's values depend on. */
static nas_status_t look_inside(nas_init_images_t *images, nas_error_t *err)
{
    nas_dataset_t dataset = {0};
    const nas_dataset_options_t options = {.format = images->format,
                                           .train = &images->train,
                                           .test = &images->test,
                                           .n_classes = images->n_classes};
    const nas_status_t status = nas_dataset_read(&options, &dataset, err);
    if (!status) {
        const nas_image_source_t *train = &dataset.train;
        images->n_train = train->n;
        images->channels = train->c;
        images->side = train->h < train->w ? train->h : train->w;
    }
    nas_dataset_fini(&dataset);
    return status;
}

nas_status_t nas_init_images_find(const char *path, const char *name, nas_init_images_t *images,
                                  nas_error_t *err)
{
    const nas_status_t status = find_files(path, name, images, err);
    return status || images->convert.n > 0 ? status : look_inside(images, err);
}

void nas_init_images_fini(nas_init_images_t *images)
{
    nas_strings_fini(&images->train);
    nas_strings_fini(&images->test);
    nas_strings_fini(&images->convert);
    *images = (nas_init_images_t){0};
}
