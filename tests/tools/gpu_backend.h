/* A backend of tests: every function is kernels of a GPU, launched and waited for.
 *
 * Tensors are those of the gpu layout in the host's memory. A call puts what it needs into a small
 * arena one behind the other, launches, and takes the results back. Whatever is nobody's is NaN:
 * between tensors, and the padding of their planes, so that a kernel that reads it is found.
 *
 * One device a process, opened at the first call and never closed. Whatever fails, aborts.
 */
#ifndef NAS_TESTS_TOOLS_GPU_BACKEND_H
#define NAS_TESTS_TOOLS_GPU_BACKEND_H

#include "worker/engine/backends/backend.h"
#include "worker/engine/gpu/layers/layer.h"
#include "worker/engine/gpu/plan/variant.h"

typedef int64_t i64;
typedef uint32_t u32;
#include "worker/engine/gpu/kernels/work.h"

/** The backend of a layer's first device; NULL: there is none. Named as the layer. */
const nas_backend_t *gpu_backend(const char *layer);

/** Begin a call: nothing is in the arena, the vectors or the data. */
void gpu_call_begin(void);
/** Floats of the arena; from NULL: NaN.  Returns their place. */
i64 gpu_put_floats(const float *from, size_t n);
/** A tensor of the layout; data NULL: NaN.  A range of shape.c channels of it; memory has all. */
nas_gpu_slice_t gpu_put_range(nas_shape_t shape, nas_channels_t range);
/** shape.c channels from the first on. */
nas_gpu_slice_t gpu_put_tensor(nas_shape_t shape, const void *data);
/** Doubles of the vectors; from NULL: NaN. */
i64 gpu_put_doubles(const double *from, size_t n);
/** Descriptors, or parts of them, of the table: their place in bytes. */
i64 gpu_put_table(const void *from, size_t bytes);
/** Launch over groups_y works that lie one behind the other, and wait. What is in the host's memory
 *  goes to the device before the call's first launch, and comes back after every one. */
void gpu_run(const nas_gpu_variant_t *variant, int groups_x, int groups_y, i64 works);
/** What the device has there now. */
void gpu_take_floats(i64 place, float *to, size_t n);
void gpu_take_doubles(i64 place, double *to, size_t n);
/** A tensor, or a range of its channels, into the host's. */
void gpu_take_range(nas_shape_t shape, nas_gpu_slice_t slice, nas_channels_t to);

/* Parts of the backend: each fills in its functions. */
void gpu_backend_add_layout(nas_backend_t *backend);
void gpu_backend_add_conv(nas_backend_t *backend);
void gpu_backend_add_sums(nas_backend_t *backend);
void gpu_backend_add_links(nas_backend_t *backend);

#endif
