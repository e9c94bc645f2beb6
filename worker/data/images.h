/* Labelled images in memory, as read from files: one split of a data set, or a part of one.
 *
 * Dimension letters: N images, C channels, H W pixels. The order in memory is [N, C, H, W].
 */
#ifndef NAS_WORKER_DATA_IMAGES_H
#define NAS_WORKER_DATA_IMAGES_H

#include "common/base/error.h"

#include <stddef.h>
#include <stdint.h>

/** Bounds of what is accepted; beyond them a header is damaged rather than a data set large. */
enum { NAS_IMAGES_MAX_CHANNELS = 256, NAS_IMAGES_MAX_SIDE = 4096, NAS_IMAGES_MAX_CLASSES = 65536 };

/** Most bytes of one file's pixels: 16 GiB. */
#define NAS_IMAGES_MAX_BYTES ((int64_t)1 << 34)

/** How a value is stored. */
typedef enum nas_pixel {
    NAS_PIXEL_U8 = 0, /**< uint8_t, 255 is full intensity */
    NAS_PIXEL_F32     /**< float, finite, in any unit */
} nas_pixel_t;

/** Zero-initialised: no images. End with nas_images_fini. */
typedef struct nas_images {
    nas_pixel_t pixel;
    int64_t n;
    int c;
    int h;
    int w;
    void *data;      /**< [N, C, H, W], uint8_t or float; owned */
    int32_t *labels; /**< [N]; owned */
} nas_images_t;

/** Set pixel, n, c, h and w for images of a file, after checking them.  Not collective.
 *  extent [in] N, C, H, W; path: for the message.
 *  NAS_EINPUT: a size outside 1 and its bound, or more than NAS_IMAGES_MAX_BYTES together. */
nas_status_t nas_images_shape(nas_images_t *images, nas_pixel_t pixel, const int64_t extent[4],
                              const char *path, nas_error_t *err);

/** Make room for the pixels and labels of the shape that is set, those that are NULL.
 *  Not collective. NAS_ENOMEM. */
nas_status_t nas_images_allocate(nas_images_t *images, nas_error_t *err);

/** Values of one image: C x H x W. */
size_t nas_images_values(const nas_images_t *images);

/** Bytes of one value. */
size_t nas_pixel_bytes(nas_pixel_t pixel);

/** Move the images of part, which has the same shape and kind of pixel, behind those of images.
 *  Not collective. part is empty afterwards; where images was, nothing is copied. NAS_ENOMEM:
 *  both are as before. */
nas_status_t nas_images_append(nas_images_t *images, nas_images_t *part, nas_error_t *err);

/** Mean and standard deviation (biased) of every channel, after normalisation's division by 255 for
 *  uint8.  Not collective. O(N C H W), deterministic, exact sums for uint8.
 *  mean, std [out] C. A constant channel has a standard deviation of 1, which leaves it at 0. */
void nas_images_moments(const nas_images_t *images, double *mean, double *std);

/** The text for a label outside its range.  image: its place in the file, from 0; n_classes: 0
 *  where it is not known. Returns NAS_EINPUT. */
nas_status_t nas_images_bad_label(const char *path, int64_t image, int64_t label, int n_classes,
                                  nas_error_t *err);

/** Free everything; images is empty afterwards. */
void nas_images_fini(nas_images_t *images);

#endif
