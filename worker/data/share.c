#include "worker/data/share.h"

#include "worker/data/memory.h"

/* Extents first, then room on every rank, then the pixels and labels.
 * images [in, out] the root's is filled; the others' are made. */
static nas_status_t share_images(nas_comm_t *comm, nas_images_t *images, nas_error_t *err)
{
    const bool is_root = nas_comm_rank(comm) == 0;
    nas_images_t extent = *images;
    extent.data = NULL;
    extent.labels = NULL;
    nas_comm_bcast(comm, 0, &extent, sizeof extent);
    if (extent.n == 0) return NAS_OK;
    nas_status_t status = NAS_OK;
    if (!is_root) {
        *images = extent;
        status = nas_images_allocate(images, err);
    }
    status = nas_comm_agree(comm, status, err);
    if (status) return status;
    const size_t n_bytes =
        (size_t)extent.n * nas_images_values(images) * nas_pixel_bytes(extent.pixel);
    nas_comm_bcast(comm, 0, images->data, n_bytes);
    nas_comm_bcast(comm, 0, images->labels, (size_t)extent.n * sizeof *images->labels);
    return NAS_OK;
}

/* The root's source stays as it is; the others get one of a copy. */
static nas_status_t share_source(nas_comm_t *comm, const nas_dataset_t *dataset,
                                 nas_image_source_t *source, nas_error_t *err)
{
    const bool is_root = nas_comm_rank(comm) == 0;
    nas_images_t images = {0};
    if (is_root) images = *nas_memory_images(source);
    nas_status_t status = share_images(comm, &images, err);
    if (!status && !is_root)
        status = nas_memory_source(&images, dataset->mean, dataset->std, source, err);
    if (!is_root) nas_images_fini(&images);
    return nas_comm_agree(comm, status, err);
}

/* The numbers without the images. */
static void share_numbers(nas_comm_t *comm, nas_dataset_t *dataset)
{
    nas_comm_bcast(comm, 0, &dataset->n_classes, sizeof dataset->n_classes);
    nas_comm_bcast(comm, 0, dataset->mean, sizeof dataset->mean);
    nas_comm_bcast(comm, 0, dataset->std, sizeof dataset->std);
}

nas_status_t nas_dataset_share(nas_comm_t *comm, nas_dataset_t *dataset, nas_error_t *err)
{
    share_numbers(comm, dataset);
    nas_status_t status = share_source(comm, dataset, &dataset->train, err);
    if (!status) status = share_source(comm, dataset, &dataset->test, err);
    if (status && nas_comm_rank(comm) != 0) nas_dataset_fini(dataset);
    return status;
}
