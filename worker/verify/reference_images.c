/* A reference's images and labels: its own, or the first of a CIFAR-10 file. */
#include "worker/data/dataset.h"
#include "worker/verify/reference_internal.h"

#include <stdlib.h>
#include <string.h>

static const double cifar_mean[] = {0.4914, 0.4822, 0.4465};
static const double cifar_std[] = {0.2470, 0.2435, 0.2616};

static nas_status_t take_labels(const char *path, const nas_untrusted_array_t *array,
                                nas_reference_t *reference, nas_error_t *err)
{
    const int n = reference->n_images, classes = reference->graph->network.classes;
    const int64_t *label = array->data;
    if (!label || array->rank != 1 || array->size[0] != n)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: dataset 'input/labels' is not a list of %d, one an image", path,
                             n);
    reference->labels = malloc((size_t)n * sizeof *reference->labels);
    if (!reference->labels) return nas_error_nomem(err, "labels");
    for (int i = 0; i < n; i++) {
        if (label[i] < 0 || label[i] >= classes)
            return nas_error_set(
                err, NAS_EINPUT,
                "%s: dataset 'input/labels': %lld, of image %d, is not a class from 0 to %d", path,
                (long long)label[i], i, classes - 1);
        reference->labels[i] = (int32_t)label[i];
    }
    return NAS_OK;
}

/* The first images, normalised. */
static nas_status_t take_first(nas_dataset_t *dataset, nas_reference_t *reference, nas_error_t *err)
{
    const nas_image_source_t *images = &dataset->train;
    const size_t n_values = nas_source_values(images), n = (size_t)reference->n_images;
    reference->images = malloc(n * n_values * sizeof *reference->images);
    reference->labels = malloc(n * sizeof *reference->labels);
    if (!reference->images || !reference->labels) return nas_error_nomem(err, "images");
    memcpy(reference->labels, images->labels, n * sizeof *reference->labels);
    for (int64_t i = 0; i < reference->n_images; i++)
        nas_source_read(images, &i, 1, reference->images + (size_t)i * n_values);
    return NAS_OK;
}

static nas_status_t read_cifar(const char *path, const char *cifar, nas_reference_t *reference,
                               nas_error_t *err)
{
    const int classes = reference->graph->network.classes;
    nas_strings_t file = {0};
    nas_dataset_t dataset = {0};
    const nas_dataset_options_t options = {.format = &nas_format_cifar,
                                           .train = &file,
                                           .n_classes = 10,
                                           .mean = {cifar_mean, 3},
                                           .std = {cifar_std, 3},
                                           .limit = reference->n_images};
    if (!cifar)
        return nas_error_set(
            err, NAS_EINPUT,
            "%s: a training without images; name the CIFAR-10 file that has them with --images",
            path);
    if (classes != options.n_classes)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: attribute 'classes' is %d, but the images are to be CIFAR-10's",
                             path, classes);
    nas_status_t status = nas_strings_add(&file, cifar, strlen(cifar), err);
    if (!status) status = nas_dataset_read(&options, &dataset, err);
    if (!status && dataset.train.n < reference->n_images)
        status = nas_error_set(err, NAS_EINPUT, "%s: %lld images; %s takes %d", cifar,
                               (long long)dataset.train.n, path, reference->n_images);
    if (!status) status = take_first(&dataset, reference, err);
    nas_dataset_fini(&dataset);
    nas_strings_fini(&file);
    return status;
}

nas_status_t nas_reference_take_images(const char *path, const char *cifar,
                                       nas_untrusted_array_t input[2], nas_reference_t *reference,
                                       nas_error_t *err)
{
    if (!input[0].data) return read_cifar(path, cifar, reference, err);
    const nas_status_t status = take_labels(path, &input[1], reference, err);
    if (status) return status;
    reference->images = input[0].data;
    input[0].data = NULL;
    return NAS_OK;
}
