#include "common/base/log.h"
#include "common/io/progress.h"
#include "worker/data/folders/folder_internal.h"
#include "worker/data/folders/resize.h"

#include <stdlib.h>
#include <string.h>

enum { COLOURS = 3 };

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

/* What a conversion works on. */
typedef struct conversion {
    const nas_folder_options_t *options;
    const nas_interrupt_t *interrupt;
    nas_folder_list_t list;
    nas_folder_faults_t *faults;
} conversion_t;

/* Read, resize and append the files; after the first fault the others are only looked at. */
static nas_status_t add_images(const conversion_t *c, const nas_images_t *shape,
                               nas_folder_file_t *file, nas_error_t *err)
{
    const nas_folder_list_t *list = &c->list;
    const size_t n = list->files.n;
    nas_progress_t progress;
    nas_status_t status = NAS_OK;
    uint8_t *values = malloc(COLOURS * (size_t)shape->h * (size_t)shape->w);
    if (!values) return nas_error_nomem(err, "an image");
    nas_progress_init(&progress, "images", (int64_t)n, nas_progress_units(0, (int64_t)n));
    for (size_t i = 0; i < n && !status; i++) {
        nas_error_t reason = {0};
        nas_progress_update(&progress, nas_progress_units((int64_t)i, (int64_t)n),
                            list->classes.at[list->labels[i]]);
        status =
            nas_interrupted(c->interrupt, (double)i / (double)n)
                ? nas_error_set(&reason, NAS_ESTOP, "stopped at image %zu of %zu; %s is as it was",
                                i, n, file->path)
                : read_image(list->files.at[i], shape, values, &reason);
        status = nas_folder_absorb(c->faults, status, &reason, err);
        if (!status && c->faults->n == 0)
            status = nas_folder_file_add(file, values, nas_images_values(shape), err);
    }
    nas_log_status("");
    free(values);
    return status;
}

/* The text of all faults together. */
static nas_status_t refuse(const conversion_t *c, nas_error_t *err)
{
    const nas_folder_faults_t *faults = c->faults;
    if (faults->n == 1) return nas_error_set(err, NAS_EINPUT, "%s", faults->line.at[0]);
    return nas_error_set(err, NAS_EINPUT, "%s: %lld faults; nothing was written",
                         c->options->folder, (long long)faults->n);
}

static nas_status_t write_images(const conversion_t *c, const char *classes, nas_error_t *err)
{
    const nas_folder_options_t *options = c->options;
    const int64_t extent[4] = {(int64_t)c->list.files.n, options->gray ? 1 : COLOURS,
                               options->height, options->width};
    nas_images_t shape = {0};
    nas_folder_file_t file = {0};
    if (c->list.files.n == 0) return refuse(c, err);
    nas_status_t status = nas_images_shape(&shape, NAS_PIXEL_U8, extent, options->output, err);
    if (status) return status;
    const nas_folder_layout_t layout = {
        .shape = &shape, .labels = c->list.labels, .classes = classes};
    status = nas_folder_file_begin(options->output, &layout, &file, err);
    if (!status) status = add_images(c, &shape, &file, err);
    if (!status && c->faults->n > 0) status = refuse(c, err);
    if (!status) status = nas_folder_file_finish(&file, err);
    if (status) nas_folder_file_drop(&file);
    return status;
}

/* What was written; the names of the classes go over to the summary. */
static nas_status_t summarise(conversion_t *c, nas_folder_summary_t *summary, nas_error_t *err)
{
    nas_folder_list_t *list = &c->list;
    summary->n_of_class = calloc(list->classes.n, sizeof *summary->n_of_class);
    if (!summary->n_of_class) return nas_error_nomem(err, "numbers of images");
    for (size_t i = 0; i < list->files.n; i++) summary->n_of_class[list->labels[i]]++;
    summary->n_images = (int64_t)list->files.n;
    summary->classes = list->classes;
    list->classes = (nas_strings_t){0};
    return NAS_OK;
}

nas_status_t nas_folder_convert(const nas_folder_options_t *options,
                                const nas_interrupt_t *interrupt, nas_folder_summary_t *summary,
                                nas_error_t *err)
{
    conversion_t c = {.options = options, .interrupt = interrupt, .faults = &summary->faults};
    nas_status_t status = nas_folder_list(options, &c.list, summary, err);
    if (status) return status;
    char *classes = nas_folder_class_text(&c.list.classes, err);
    status = classes ? NAS_OK : NAS_ENOMEM;
    if (!status && options->classes_from)
        status = nas_folder_compare_classes(options, classes, c.faults, err);
    if (!status) status = write_images(&c, classes, err);
    if (!status) status = summarise(&c, summary, err);
    free(classes);
    nas_folder_list_fini(&c.list);
    return status;
}

void nas_folder_summary_fini(nas_folder_summary_t *summary)
{
    nas_strings_fini(&summary->classes);
    nas_strings_fini(&summary->notes);
    nas_strings_fini(&summary->faults.line);
    free(summary->n_of_class);
    *summary = (nas_folder_summary_t){0};
}
