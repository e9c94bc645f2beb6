/* CIFAR's binary files: records of one label (CIFAR-10) or of a coarse and a fine one (CIFAR-100),
 * and 3 x 32 x 32 bytes of pixels. https://www.cs.toronto.edu/~kriz/cifar.html */
#include "common/io/file.h"
#include "worker/data/format.h"

#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 3, SIDE = 32, N_PIXELS = CHANNELS * SIDE * SIDE };

/* The label that counts is the last one before the pixels. */
static size_t label_bytes(int n_classes)
{
    return n_classes == 10 ? 1 : 2;
}

/* The file must be whole records. */
static nas_status_t check_size(const char *path, size_t size, int n_classes, nas_error_t *err)
{
    const size_t record = label_bytes(n_classes) + N_PIXELS;
    const int other = n_classes == 10 ? 100 : 10;
    if (size > 0 && size % record == 0) return NAS_OK;
    if (size > 0 && size % (label_bytes(other) + N_PIXELS) == 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: whole records of CIFAR-%d, not of CIFAR-%d; set classes to %d",
                             path, other, n_classes, other);
    return nas_error_set(err, NAS_EINPUT,
                         "%s: %zu bytes; expected one or more records of %zu bytes (CIFAR-%d)",
                         path, size, record, n_classes);
}

static nas_status_t read_cifar(char *const *path, int n_classes, nas_images_t *part,
                               nas_error_t *err)
{
    char *file = NULL;
    size_t size = 0;
    nas_images_t images = {0};
    const size_t n_labels = label_bytes(n_classes), record = n_labels + N_PIXELS;
    if (n_classes != 10 && n_classes != 100)
        return nas_error_set(err, NAS_EINPUT, "%d classes, but CIFAR has 10 or 100", n_classes);
    nas_status_t status = nas_file_read(path[0], (size_t)NAS_IMAGES_MAX_BYTES, &file, &size, err);
    if (status) return status;
    if ((status = check_size(path[0], size, n_classes, err))) goto out;
    const int64_t extent[4] = {(int64_t)(size / record), CHANNELS, SIDE, SIDE};
    if ((status = nas_images_shape(&images, NAS_PIXEL_U8, extent, path[0], err))) goto out;
    if ((status = nas_images_allocate(&images, err))) goto out;
    for (size_t i = 0; i < (size_t)images.n; i++) {
        const char *pixels = file + i * record + n_labels;
        images.labels[i] = (unsigned char)pixels[-1];
        memcpy((char *)images.data + i * N_PIXELS, pixels, N_PIXELS);
    }
    *part = images;
    images = (nas_images_t){0};
out:
    nas_images_fini(&images);
    free(file);
    return status;
}

const nas_format_t nas_format_cifar = {
    .name = "cifar-binary", .n_files = 1, .n_classes = 10, .read = read_cifar};
