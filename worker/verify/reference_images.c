/* A reference's images and labels: its own, or the first of a CIFAR-10 file. */
#include "worker/data/dataset.h"
#include "worker/verify/reference_internal.h"

#include <stdlib.h>
#include <string.h>

enum { CIFAR_SIDE = 32, CIFAR_CHANNELS = 3, CIFAR_CLASSES = 10 };

static const double cifar_mean[] = {0.4914, 0.4822, 0.4465};
static const double cifar_std[] = {0.2470, 0.2435, 0.2616};

/* As the network takes them, without room yet. */
static nas_images_t images_of(const nas_reference_t *reference, int64_t n)
{
    const nas_network_t *network = &reference->graph->network;
    return (nas_images_t){.pixel = NAS_PIXEL_F32,
                          .n = n,
                          .c = network->image_channels,
                          .h = network->height,
                          .w = network->width};
}

/* ------------------------------------------------------------------------------- the file's */

static nas_status_t check_labels(const char *path, const nas_untrusted_array_t *array, int64_t n,
                                 int classes, nas_error_t *err)
{
    const int64_t *label = array->data;
    if (!label || array->rank != 1 || array->size[0] != n)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: dataset 'input/labels' is not a list of %lld, one an image", path,
                             (long long)n);
    for (int64_t i = 0; i < n; i++)
        if (label[i] < 0 || label[i] >= classes)
            return nas_error_set(
                err, NAS_EINPUT,
                "%s: dataset 'input/labels': %lld, of image %lld, is not a class from 0 to %d",
                path, (long long)label[i], (long long)i, classes - 1);
    return NAS_OK;
}

static nas_status_t take_own(const char *path, nas_untrusted_array_t input[2],
                             const nas_reference_t *reference, nas_images_t *images,
                             nas_error_t *err)
{
    nas_images_t own = images_of(reference, input[0].size[0]);
    nas_status_t status =
        check_labels(path, &input[1], own.n, reference->graph->network.classes, err);
    if (status) return status;
    own.data = input[0].data;
    input[0].data = NULL;
    status = nas_images_allocate(&own, err);
    for (int64_t i = 0; !status && i < own.n; i++)
        own.labels[i] = (int32_t)((const int64_t *)input[1].data)[i];
    *images = own;
    return status;
}

/* ---------------------------------------------------------------------------------- CIFAR's */

/* Whether a side is a part of CIFAR's, or several pixels for each of them. */
static bool fits(int side)
{
    return side <= CIFAR_SIDE || side % CIFAR_SIDE == 0;
}

static nas_status_t check_extents(const char *path, const nas_images_t *images, nas_error_t *err)
{
    if (images->c == CIFAR_CHANNELS && fits(images->h) && fits(images->w)) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT,
                         "%s: a training on images of %d x %d x %d, which CIFAR-10's cannot be cut "
                         "or enlarged to; sides are at most 32, or a multiple of it",
                         path, images->c, images->h, images->w);
}

/* Cut, or with every pixel repeated. */
static void fit(const float *from, const nas_images_t *images, float *to)
{
    const int step_h = images->h > CIFAR_SIDE ? images->h / CIFAR_SIDE : 1;
    const int step_w = images->w > CIFAR_SIDE ? images->w / CIFAR_SIDE : 1;
    for (int c = 0; c < images->c; c++)
        for (int y = 0; y < images->h; y++)
            for (int x = 0; x < images->w; x++)
                *to++ = from[(c * CIFAR_SIDE + y / step_h) * CIFAR_SIDE + x / step_w];
}

/* The first images, normalised. */
static void take_first(const nas_image_source_t *source, int classes, nas_images_t *images)
{
    const size_t n_values = nas_images_values(images);
    float whole[CIFAR_CHANNELS * CIFAR_SIDE * CIFAR_SIDE];
    for (int64_t i = 0; i < images->n; i++) {
        nas_source_read(source, &i, 1, whole);
        fit(whole, images, (float *)images->data + (size_t)i * n_values);
        images->labels[i] = source->labels[i] % classes;
    }
}

static nas_status_t read_cifar(const char *path, const char *cifar, int64_t n,
                               nas_dataset_t *dataset, nas_error_t *err)
{
    nas_strings_t file = {0};
    const nas_dataset_options_t options = {.format = &nas_format_cifar,
                                           .train = &file,
                                           .n_classes = CIFAR_CLASSES,
                                           .mean = {cifar_mean, CIFAR_CHANNELS},
                                           .std = {cifar_std, CIFAR_CHANNELS},
                                           .limit = n};
    nas_status_t status = nas_strings_add(&file, cifar, strlen(cifar), err);
    if (!status) status = nas_dataset_read(&options, dataset, err);
    if (!status && dataset->train.n < n)
        status = nas_error_set(err, NAS_EINPUT, "%s: %lld images; %s takes %lld", cifar,
                               (long long)dataset->train.n, path, (long long)n);
    nas_strings_fini(&file);
    return status;
}

static nas_status_t take_cifar(const char *path, const char *cifar, nas_reference_t *reference,
                               nas_error_t *err)
{
    nas_images_t *images = &reference->course;
    nas_dataset_t dataset = {0};
    *images = images_of(reference, (int64_t)reference->n_steps * reference->batch);
    nas_status_t status = check_extents(path, images, err);
    if (!status) status = read_cifar(path, cifar, images->n, &dataset, err);
    if (!status) status = nas_images_allocate(images, err);
    if (!status) take_first(&dataset.train, reference->graph->network.classes, images);
    nas_dataset_fini(&dataset);
    return status;
}

/* ------------------------------------------------------------------------------------- both */

static nas_status_t take_course(const char *path, const char *cifar, nas_reference_t *reference,
                                nas_error_t *err)
{
    if (cifar) return take_cifar(path, cifar, reference, err);
    if (!nas_reference_has_values(reference))
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: a training without images; name the CIFAR-10 file that has them with --images",
            path);
    reference->n_left_out = reference->n_steps;
    reference->n_steps = 0;
    return NAS_OK;
}

nas_status_t nas_reference_take_images(const char *path, const char *cifar,
                                       nas_untrusted_array_t input[2], nas_reference_t *reference,
                                       nas_error_t *err)
{
    nas_images_t *images =
        nas_reference_has_values(reference) ? &reference->input : &reference->course;
    const nas_status_t status =
        input[0].data ? take_own(path, input, reference, images, err) : NAS_OK;
    if (status || reference->n_steps == 0 || reference->course.n > 0) return status;
    return take_course(path, cifar, reference, err);
}
