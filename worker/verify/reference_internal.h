/* What reading a reference's network (reference.c), its images (reference_images.c) and its values
 * (reference_values.c) and writing one (reference_write.c) share. */
#ifndef NAS_WORKER_VERIFY_REFERENCE_INTERNAL_H
#define NAS_WORKER_VERIFY_REFERENCE_INTERNAL_H

#include "worker/data/untrusted/untrusted_hdf5.h"
#include "worker/verify/reference.h"

/** Shape of an array in a file. */
typedef struct nas_reference_shape {
    int rank; /**< 0: a single number */
    int64_t size[4];
} nas_reference_shape_t;

nas_reference_shape_t nas_reference_parameter_shape(const nas_parameter_t *parameter);
nas_reference_shape_t nas_reference_images_shape(const nas_reference_t *reference);
nas_reference_shape_t nas_reference_logits_shape(const nas_reference_t *reference);

/** Read items of a file, with the limits of references. array [out] n; the caller's. */
nas_status_t nas_reference_items(const char *path, const nas_untrusted_item_t *item, size_t n,
                                 nas_untrusted_array_t *array, nas_error_t *err);

/** Images and labels, once graph and n_images are known.
 *  input [in] input/images and input/labels as read; the images are taken over. Where there are
 *  none: those of the file cifar, see reference.h.
 *  NAS_EINPUT, NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_reference_take_images(const char *path, const char *cifar,
                                       nas_untrusted_array_t input[2], nas_reference_t *reference,
                                       nas_error_t *err);

/** Parameters and expected values, once graph and batch are known.  NAS_EINPUT, NAS_EIO,
 *  NAS_ENOMEM. */
nas_status_t nas_reference_read_values(const char *path, nas_reference_t *reference,
                                       nas_error_t *err);

#endif
