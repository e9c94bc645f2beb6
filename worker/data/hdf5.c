/* Images in HDF5: dataset `images`, uint8 or float, [N, C, H, W] or [N, H, W], and dataset
 * `labels`, integers [N]. */
#include "worker/data/format.h"
#include "worker/data/untrusted/untrusted_hdf5.h"

#include <math.h>
#include <stdlib.h>

enum { IMAGES = 0, LABELS, N_ITEMS, CPU_S = 300, WALL_S = 1800, MOST_COLOURS = 4 };

/* [N, H, W, C] is common, and taken for [N, C, H, W] it would train on nonsense. */
static bool looks_channels_last(const int64_t extent[4])
{
    return extent[1] > MOST_COLOURS && extent[2] > MOST_COLOURS && extent[3] <= MOST_COLOURS;
}

static nas_status_t shape_images(const char *path, const nas_untrusted_array_t *array,
                                 nas_images_t *images, nas_error_t *err)
{
    const int64_t *size = array->size;
    const int64_t gray[4] = {size[0], 1, size[1], size[2]};
    if (array->rank != 3 && array->rank != 4)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: dataset 'images' has %d dimensions; expected 4 [N, C, H, W] or 3 [N, H, W]", path,
            array->rank);
    if (array->rank == 4 && looks_channels_last(size))
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: dataset 'images' is %lld x %lld x %lld x %lld, which looks like [N, H, W, C]; expected [N, C, H, W]",
            path, (long long)size[0], (long long)size[1], (long long)size[2], (long long)size[3]);
    return nas_images_shape(images, array->type == NAS_UNTRUSTED_U8 ? NAS_PIXEL_U8 : NAS_PIXEL_F32,
                            array->rank == 3 ? gray : size, path, err);
}

static nas_status_t check_finite(const char *path, const nas_images_t *images, nas_error_t *err)
{
    const float *value = images->data;
    const size_t n_values = nas_images_values(images), n = (size_t)images->n * n_values;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(value[i]))
            return nas_error_set(err, NAS_EINPUT,
                                 "%s: image %zu (the first is 0) has a value that is not finite",
                                 path, i / n_values);
    return NAS_OK;
}

static nas_status_t convert_labels(const char *path, const nas_untrusted_array_t *array,
                                   nas_images_t *images, nas_error_t *err)
{
    const int64_t *label = array->data;
    if (array->rank != 1 || array->size[0] != images->n)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: dataset 'labels' is not a list of %lld, one an image", path,
                             (long long)images->n);
    for (int64_t i = 0; i < images->n; i++) {
        if (label[i] < 0 || label[i] >= NAS_IMAGES_MAX_CLASSES)
            return nas_images_bad_label(path, i, label[i], 0, err);
        images->labels[i] = (int32_t)label[i];
    }
    return NAS_OK;
}

static nas_status_t read_hdf5(char *const *path, int n_classes, nas_images_t *part,
                              nas_error_t *err)
{
    (void)n_classes;
    static const nas_untrusted_item_t item[N_ITEMS] = {
        [IMAGES] = {.name = "images", .types = NAS_UNTRUSTED_U8 | NAS_UNTRUSTED_F32},
        [LABELS] = {.name = "labels", .types = NAS_UNTRUSTED_I64}};
    const nas_untrusted_request_t request = {.path = path[0],
                                             .item = item,
                                             .n = N_ITEMS,
                                             .max_bytes = NAS_IMAGES_MAX_BYTES,
                                             .cpu_s = CPU_S,
                                             .wall_s = WALL_S};
    nas_untrusted_array_t array[N_ITEMS] = {0};
    nas_images_t images = {0};
    nas_status_t status = nas_untrusted_hdf5_read(&request, array, err);
    if (status) return status;
    if ((status = shape_images(path[0], &array[IMAGES], &images, err))) goto out;
    images.data = array[IMAGES].data;
    array[IMAGES].data = NULL;
    if ((status = nas_images_allocate(&images, err))) goto out;
    if (images.pixel == NAS_PIXEL_F32 && (status = check_finite(path[0], &images, err))) goto out;
    if ((status = convert_labels(path[0], &array[LABELS], &images, err))) goto out;
    *part = images;
    images = (nas_images_t){0};
out:
    nas_images_fini(&images);
    nas_untrusted_arrays_fini(array, N_ITEMS);
    return status;
}

const nas_format_t nas_format_hdf5 = {
    .name = "hdf5", .n_files = 1, .has_class_names = true, .read = read_hdf5};
