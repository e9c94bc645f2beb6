/* Images that lie in memory as a source: for whoever makes or reads them. */
#ifndef NAS_WORKER_DATA_MEMORY_H
#define NAS_WORKER_DATA_MEMORY_H

#include "worker/data/images.h"
#include "worker/data/source.h"

/** A source of images in memory, whose values are (x - mean) / std, x divided by 255 first where it
 *  is uint8; computed in float64, then rounded.  Not collective.
 *  images [in, out] moved into the source, and empty afterwards; none make a source of none.
 *  mean, std [in] C, copied. source [out]; the caller's (nas_source_fini).
 *  NAS_ENOMEM: images are as before. */
nas_status_t nas_memory_source(nas_images_t *images, const double *mean, const double *std,
                               nas_image_source_t *source, nas_error_t *err);

/** The bytes of such a source [n, C, H, W]; NULL: it has floats, or is another kind. Borrowed. */
const uint8_t *nas_memory_pixels(const nas_image_source_t *source);

enum { NAS_BYTE_VALUES = 256 };

/** The values that its bytes stand for.  table [out] [C, NAS_BYTE_VALUES]. */
void nas_memory_table(const nas_image_source_t *source, float *table);

/** The images of such a source; borrowed. */
const nas_images_t *nas_memory_images(const nas_image_source_t *source);

#endif
