/* The golden set under construction: memory that is full of numbers, descriptors, launches. Sets are
 * fixed, so that there is room is our business. Places are taken one after the other: no two in one
 * expression, of which compilers may do either first. */
#ifndef NAS_WORKER_ENGINE_GPU_PACK_GOLDEN_SET_H
#define NAS_WORKER_ENGINE_GPU_PACK_GOLDEN_SET_H

#include "worker/engine/gpu/plan/descriptors.h"
#include "worker/engine/gpu/plan/variant.h"

/** Elements of the arena and the vectors, bytes of the data and the table, launches. */
enum {
    NAS_GOLDEN_FLOATS = 1 << 16,
    NAS_GOLDEN_DOUBLES = 1 << 15,
    NAS_GOLDEN_DATA = 1 << 14,
    NAS_GOLDEN_TABLE = 1 << 14,
    NAS_GOLDEN_LAUNCHES = 48
};

typedef struct nas_golden_launch {
    nas_gpu_variant_t variant;
    int groups_x, groups_y;
    int64_t at;
} nas_golden_launch_t;

/** What a device is given. The arrays are borrowed. */
typedef struct nas_golden_set {
    float *arena;
    double *vectors;
    unsigned char *data;
    unsigned char *table;
    int64_t n_floats, n_doubles, n_data, n_table; /**< taken */
    nas_golden_launch_t launch[NAS_GOLDEN_LAUNCHES];
    int n_launches;
} nas_golden_set_t;

/** Numbers everywhere, and an empty table. */
void nas_golden_fill(nas_golden_set_t *set);

/** Places of n floats, doubles; of n bytes of data, from a multiple of 16 on. They hold numbers in
 *  [-2, 2), multiples of 1 / 256; the data such floats. */
int64_t nas_golden_floats(nas_golden_set_t *set, int64_t n);
int64_t nas_golden_doubles(nas_golden_set_t *set, int64_t n);
int64_t nas_golden_data(nas_golden_set_t *set, int64_t n);

/** A tensor of so many channels, of which a range begins at the first one. */
nas_gpu_slice_t nas_golden_tensor(nas_golden_set_t *set, nas_shape_t shape, int first);

/** The place of a descriptor that is added to the table. */
int64_t nas_golden_describe(nas_golden_set_t *set, const void *work, size_t bytes);

/** Add a launch of the descriptors from `at` on, a row of groups each. */
void nas_golden_launch(nas_golden_set_t *set, nas_gpu_variant_t variant, int groups_x, int groups_y,
                       int64_t at);

/** The launches: of convolutions (golden_conv.c), of all else that is done with tensors
 *  (golden_tensor.c), of beginnings and scalars (golden_scalar.c), of training (golden_train.c). */
void nas_golden_add_convs(nas_golden_set_t *set);
void nas_golden_add_tensors(nas_golden_set_t *set);
void nas_golden_add_scalars(nas_golden_set_t *set);
void nas_golden_add_training(nas_golden_set_t *set);

/** Of the second set: convolutions of any window (golden_window.c), all else (golden_link.c). */
void nas_golden_add_windows(nas_golden_set_t *set);
void nas_golden_add_links(nas_golden_set_t *set);

#endif
