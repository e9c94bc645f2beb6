/* Memory of a device for cases that are measured one after the other, in the same place. A case
 * takes what it needs; before there is memory, that says how much it will need. */
#ifndef NAS_WORKER_GPU_BENCH_ROOM_H
#define NAS_WORKER_GPU_BENCH_ROOM_H

#include "common/base/error.h"
#include "worker/engine/backends/backend.h"
#include "worker/engine/gpu/layers/layer.h"
#include "worker/engine/gpu/plan/descriptors.h"

/** Taken by the present case, and the most that one has taken. */
typedef struct nas_room_extent {
    int64_t taken, most;
} nas_room_extent_t;

/** Zero-initialise it; the rest is nas_room_open's. */
typedef struct nas_room {
    nas_room_extent_t floats, doubles, table;
    nas_gpu_memory_t memory; /**< nothing before nas_room_open */
    unsigned char *host;     /**< the table's */
} nas_room_t;

/** Begin a case. */
void nas_room_clear(nas_room_t *room);

/** Places of n floats of the arena, of n doubles of the vectors; of a tensor. */
int64_t nas_room_floats(nas_room_t *room, int64_t n);
int64_t nas_room_doubles(nas_room_t *room, int64_t n);
nas_gpu_slice_t nas_room_tensor(nas_room_t *room, nas_shape_t shape);

/** The place of a descriptor that is added to the table. */
int64_t nas_room_describe(nas_room_t *room, const void *work, size_t bytes);

/** Whether the present case fits a device: its arena is one buffer. */
bool nas_room_fits(const nas_room_t *room, const nas_gpu_info_t *info);

/** The case fits: what it takes counts. */
void nas_room_keep(nas_room_t *room);

/** Memory for the largest case that was kept. The arena is full of numbers in [-1, 1), the vectors
 *  of 0.  Not collective.  NAS_ENOMEM, NAS_EIO. Ends with nas_room_close, after errors, too. */
nas_status_t nas_room_open(nas_room_t *room, nas_gpu_t *gpu, nas_error_t *err);

/** Queue the present case's descriptors to the device. */
void nas_room_upload(nas_room_t *room, nas_gpu_t *gpu);

void nas_room_close(nas_room_t *room, nas_gpu_t *gpu);

#endif
