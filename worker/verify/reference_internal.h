/* What reading a reference's network (reference.c, reference_onnx.c, reference_space.c),
 * its images (reference_images.c) and its values (reference_values.c) and writing one (reference_write.c)
 * share. */
#ifndef NAS_WORKER_VERIFY_REFERENCE_INTERNAL_H
#define NAS_WORKER_VERIFY_REFERENCE_INTERNAL_H

#include "worker/data/untrusted/untrusted_hdf5.h"
#include "worker/verify/reference.h"

/** Of what a file may say. */
enum { NAS_REFERENCE_MOST_CHANNELS = 1024, NAS_REFERENCE_MOST_CELLS = 64 };

/** Shape of an array in a file. */
typedef struct nas_reference_shape {
    int rank; /**< 0: a single number */
    int64_t size[4];
} nas_reference_shape_t;

nas_reference_shape_t nas_reference_parameter_shape(const nas_parameter_t *parameter);
nas_reference_shape_t nas_reference_images_shape(const nas_images_t *images);
nas_reference_shape_t nas_reference_logits_shape(const nas_reference_t *reference);

/** Read items of a file, with the limits of references. array [out] n; the caller's. */
nas_status_t nas_reference_items(const char *path, const nas_untrusted_item_t *item, size_t n,
                                 nas_untrusted_array_t *array, nas_error_t *err);

/** Graph and parameters of a network in the ONNX file beside a reference.
 *  network [in] extents of the images and classes, which the file must have.
 *  NAS_EINPUT, NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_reference_read_onnx(const char *path, const nas_network_t *network,
                                     nas_reference_t *reference, nas_error_t *err);

/** That network as a space builds it of the attribute model (reference.h), in place of the graph that
 *  was read; the parameters, which have the same shapes in the same order, stay as they are.
 *  NAS_EINPUT: the attribute says no network of the space, or one of other parameters. NAS_ENOMEM. */
nas_status_t nas_reference_build(const char *path, const nas_space_t *space,
                                 nas_reference_t *reference, nas_error_t *err);

/** Images and labels, once graph, batch, input.n and n_steps are known.
 *  input [in] input/images and input/labels as read; the images are taken over. What a training has
 *  not among them is of the file cifar, see reference.h; without that it is left out, unless
 *  there is nothing else.
 *  NAS_EINPUT, NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_reference_take_images(const char *path, const char *cifar,
                                       nas_untrusted_array_t input[2], nas_reference_t *reference,
                                       nas_error_t *err);

/** Parameters, unless they are there, and expected values, once graph and images are known.
 *  NAS_EINPUT, NAS_EIO, NAS_ENOMEM. */
nas_status_t nas_reference_read_values(const char *path, nas_reference_t *reference,
                                       nas_error_t *err);

#endif
