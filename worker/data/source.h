/* Where images come from. Whoever uses images knows how many there are, their shape and labels, and
 * asks for the values of those that it needs; where they lie, and as what, is the source's own. */
#ifndef NAS_WORKER_DATA_SOURCE_H
#define NAS_WORKER_DATA_SOURCE_H

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/interrupt.h"

#include <stddef.h>
#include <stdint.h>

typedef struct nas_image_source nas_image_source_t;

/** What a source does. Not collective, deterministic. */
typedef struct nas_source_functions {
    /** Values of n images as a network takes them, normalised: index [in] n, each in [0, n of the
     *  source); values [out] n x C x H x W. What can fail fails before there is a source. */
    void (*read)(const nas_image_source_t *source, const int64_t *index, int64_t n, float *values);
    /** Feed a digest with the labels and all that the values are made of but mean and deviation.
     *  O(images). NAS_ESTOP: interrupted. */
    nas_status_t (*hash)(const nas_image_source_t *source, nas_hasher_t *hasher,
                         const nas_interrupt_t *interrupt, nas_error_t *err);
    void (*destroy)(void *self);
} nas_source_functions_t;

/** Images of one shape: a split of a data set. Zero-initialised: none. End with nas_source_fini. */
struct nas_image_source {
    int64_t n;
    int c;
    int h;
    int w;
    const int32_t *labels; /**< [n]; the source's */
    size_t n_bytes;        /**< of memory that it takes */
    const nas_source_functions_t *functions;
    void *self; /**< owned */
};

/** Values of one image: C x H x W. */
size_t nas_source_values(const nas_image_source_t *source);

/** Read values: nas_source_functions_t. */
void nas_source_read(const nas_image_source_t *source, const int64_t *index, int64_t n,
                     float *values);

/** Feed a digest: nas_source_functions_t. A source without images has nothing to say. */
nas_status_t nas_source_hash(const nas_image_source_t *source, nas_hasher_t *hasher,
                             const nas_interrupt_t *interrupt, nas_error_t *err);

/** Free everything; there are no images afterwards. */
void nas_source_fini(nas_image_source_t *source);

#endif
