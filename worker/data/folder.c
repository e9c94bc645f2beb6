#include "worker/data/folder.h"

#include "common/log.h"
#include "common/progress.h"
#include "worker/data/folder_internal.h"
#include "worker/data/foreign_hdf5.h"
#include "worker/data/resize.h"

#include <stdlib.h>
#include <string.h>

enum {
    COLOURS = 3,
    CLASS_TEXT_BYTES = 1 << 26, /* more than the names of the most classes take */
    CPU_S = 60,                 /* to read them */
    WALL_S = 600
};

/* ---------------------------------------------------------------------------- one image */

/* ITU-R 601, from three planes. */
static void to_gray(uint8_t *values, size_t plane)
{
    for (size_t i = 0; i < plane; i++) {
        const unsigned red = values[i], green = values[plane + i], blue = values[2 * plane + i];
        values[i] = (uint8_t)((299 * red + 587 * green + 114 * blue + 500) / 1000);
    }
}

/* Gray, into three planes. */
static void to_colours(uint8_t *values, size_t plane)
{
    memcpy(values + plane, values, plane);
    memcpy(values + 2 * plane, values, plane);
}

/* A file as the values of one image.  values [out] room for three channels. */
static nas_status_t read_image(const char *path, const nas_images_t *shape, uint8_t *values,
                               nas_error_t *err)
{
    const size_t plane = (size_t)shape->h * (size_t)shape->w;
    nas_picture_t picture = {0};
    nas_status_t status = nas_picture_read(path, &picture, err);
    if (!status) status = nas_resize(&picture, shape->h, shape->w, values, err);
    if (!status && picture.channels > shape->c) to_gray(values, plane);
    if (!status && picture.channels < shape->c) to_colours(values, plane);
    nas_picture_fini(&picture);
    return status;
}

/* ------------------------------------------------------------------------------ classes */

/* A list of names, one a line, seen from one of them on. */
typedef struct lines {
    const char *at;
    size_t n; /* bytes of the line; 0 at the end */
} lines_t;

static lines_t lines_from(const char *text)
{
    return (lines_t){.at = text, .n = strcspn(text, "\n")};
}

static lines_t next_line(const lines_t *lines)
{
    const char *end = lines->at + lines->n;
    return lines_from(end + (*end == '\n'));
}

/* As strcmp, the end of a list behind all names. */
static int compare_lines(const lines_t *a, const lines_t *b)
{
    const bool a_ends = a->n == 0, b_ends = b->n == 0;
    if (a_ends || b_ends) return a_ends - b_ends;
    const int order = memcmp(a->at, b->at, a->n < b->n ? a->n : b->n);
    return order != 0 ? order : (a->n > b->n) - (a->n < b->n);
}

/* Both lists are sorted: of the first two names that differ, the lesser is in one list alone. */
static nas_status_t compare_classes(const nas_folder_options_t *options, const char *classes,
                                    const char *expected, nas_error_t *err)
{
    lines_t here = lines_from(classes), there = lines_from(expected);
    int order;
    while ((order = compare_lines(&here, &there)) == 0 && here.n > 0) {
        here = next_line(&here);
        there = next_line(&there);
    }
    if (order == 0) return NAS_OK;
    const lines_t *alone = order < 0 ? &here : &there;
    return nas_error_set(err, NAS_EINPUT, "%s: class '%.*s' is %s %s; both must have the same",
                         options->folder, (int)alone->n, alone->at,
                         order < 0 ? "not in" : "missing, which is in", options->classes_from);
}

static nas_status_t check_classes(const nas_folder_options_t *options, const char *classes,
                                  nas_error_t *err)
{
    const nas_foreign_item_t item = {.name = "classes", .types = NAS_FOREIGN_TEXT};
    const nas_foreign_request_t request = {.path = options->classes_from,
                                           .item = &item,
                                           .n = 1,
                                           .max_bytes = CLASS_TEXT_BYTES,
                                           .cpu_s = CPU_S,
                                           .wall_s = WALL_S};
    nas_foreign_array_t found = {0};
    nas_status_t status = nas_foreign_hdf5_read(&request, &found, err);
    if (!status) status = compare_classes(options, classes, found.data, err);
    nas_foreign_arrays_fini(&found, 1);
    return status;
}

/* --------------------------------------------------------------------------- the whole */

/* Read, resize and append the files. */
static nas_status_t add_images(const nas_folder_list_t *list, const nas_images_t *shape,
                               const nas_interrupt_t *interrupt, nas_folder_file_t *file,
                               nas_error_t *err)
{
    const size_t n = list->files.n;
    nas_progress_t progress;
    nas_status_t status = NAS_OK;
    uint8_t *values = malloc(COLOURS * (size_t)shape->h * (size_t)shape->w);
    if (!values) return nas_error_nomem(err, "an image");
    nas_progress_init(&progress, "images", 0, (int64_t)n);
    for (size_t i = 0; i < n && !status; i++) {
        nas_progress_update(&progress, (int64_t)i, list->classes.at[list->labels[i]]);
        status = nas_interrupted(interrupt, (double)i / (double)n)
                     ? nas_error_set(err, NAS_ESTOP, "stopped at image %zu of %zu; %s is as it was",
                                     i, n, file->path)
                     : read_image(list->files.at[i], shape, values, err);
        if (!status) status = nas_folder_file_add(file, values, nas_images_values(shape), err);
    }
    nas_log_status("");
    free(values);
    return status;
}

static nas_status_t write_images(const nas_folder_options_t *options, const nas_folder_list_t *list,
                                 const char *classes, const nas_interrupt_t *interrupt,
                                 nas_error_t *err)
{
    const int64_t extent[4] = {(int64_t)list->files.n, options->gray ? 1 : COLOURS, options->height,
                               options->width};
    nas_images_t shape = {0};
    nas_folder_file_t file = {0};
    nas_status_t status = nas_images_shape(&shape, NAS_PIXEL_U8, extent, options->output, err);
    if (status) return status;
    const nas_folder_layout_t layout = {
        .shape = &shape, .labels = list->labels, .classes = classes};
    status = nas_folder_file_begin(options->output, &layout, &file, err);
    if (!status) status = add_images(list, &shape, interrupt, &file, err);
    if (!status) status = nas_folder_file_finish(&file, err);
    if (status) nas_folder_file_drop(&file);
    return status;
}

nas_status_t nas_folder_convert(const nas_folder_options_t *options,
                                const nas_interrupt_t *interrupt, nas_folder_summary_t *summary,
                                nas_error_t *err)
{
    nas_folder_list_t list = {0};
    char *classes = NULL;
    nas_status_t status = nas_folder_list(options->folder, &list, err);
    if (status) return status;
    classes = nas_folder_class_text(&list.classes, err);
    status = classes ? NAS_OK : NAS_ENOMEM;
    if (!status && options->classes_from) status = check_classes(options, classes, err);
    if (!status) status = write_images(options, &list, classes, interrupt, err);
    if (!status)
        *summary = (nas_folder_summary_t){.n_images = (int64_t)list.files.n,
                                          .n_classes = (int)list.classes.n};
    free(classes);
    nas_folder_list_fini(&list);
    return status;
}
