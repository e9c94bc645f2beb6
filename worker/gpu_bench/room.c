#include "worker/gpu_bench/room.h"

#include "common/base/rng.h"

#include <string.h>

enum { CHUNK = 1 << 22, TABLE_BYTES = 1 << 22 };

void nas_room_clear(nas_room_t *room)
{
    room->floats.taken = room->doubles.taken = room->table.taken = 0;
}

static int64_t take(nas_room_extent_t *extent, int64_t n)
{
    const int64_t at = extent->taken;
    extent->taken += (n + 3) / 4 * 4; /* tensors begin at multiples of 16 bytes */
    return at;
}

int64_t nas_room_floats(nas_room_t *room, int64_t n)
{
    return take(&room->floats, n);
}

int64_t nas_room_doubles(nas_room_t *room, int64_t n)
{
    return take(&room->doubles, n);
}

nas_gpu_slice_t nas_room_tensor(nas_room_t *room, nas_shape_t shape)
{
    const int64_t n = (int64_t)shape.n * shape.c * NAS_GPU_PITCH(shape.h, shape.w);
    return (nas_gpu_slice_t){.at = nas_room_floats(room, n), .c_total = shape.c};
}

int64_t nas_room_describe(nas_room_t *room, const void *work, size_t bytes)
{
    NAS_ASSERT(bytes % 8 == 0 && room->table.taken + (int64_t)bytes <= TABLE_BYTES);
    const int64_t at = room->table.taken;
    if (room->host) memcpy(room->host + at, work, bytes);
    room->table.taken += (int64_t)bytes;
    return at;
}

bool nas_room_fits(const nas_room_t *room, const nas_gpu_info_t *info)
{
    const size_t arena = (size_t)room->floats.taken * sizeof(float);
    const size_t vectors = (size_t)room->doubles.taken * sizeof(double);
    const size_t free = info->free_memory > 0 ? info->free_memory : info->memory;
    return arena <= info->largest && arena + vectors + 2 * (size_t)TABLE_BYTES <= free / 10 * 9;
}

static void keep(nas_room_extent_t *extent)
{
    if (extent->taken > extent->most) extent->most = extent->taken;
}

void nas_room_keep(nas_room_t *room)
{
    keep(&room->floats);
    keep(&room->doubles);
}

/* Copies of one chunk of the host's, as far as the buffer goes. */
static void fill(nas_gpu_t *gpu, nas_gpu_buffer_t to, const void *chunk)
{
    for (size_t at = 0; at < to.bytes; at += CHUNK)
        gpu->layer->write(gpu, to, at, chunk, to.bytes - at < CHUNK ? to.bytes - at : CHUNK);
}

static nas_status_t fill_both(nas_room_t *room, nas_gpu_t *gpu, nas_error_t *err)
{
    float *numbers = gpu->layer->host_alloc(gpu, CHUNK);
    void *zeros = gpu->layer->host_alloc(gpu, CHUNK);
    nas_status_t status = numbers && zeros ? NAS_OK : nas_error_nomem(err, "the bench");
    nas_rng_t rng;
    nas_rng_init(&rng, 0, NAS_STREAM_BENCH, 2);
    if (!status) {
        for (size_t i = 0; i < CHUNK / sizeof *numbers; i++)
            numbers[i] = (float)nas_rng_between(&rng, -1, 1);
        memset(zeros, 0, CHUNK);
        fill(gpu, room->memory.arena, numbers);
        fill(gpu, room->memory.vectors, zeros);
        status = gpu->layer->wait(gpu, err);
    }
    gpu->layer->host_free(gpu, numbers);
    gpu->layer->host_free(gpu, zeros);
    return status;
}

nas_status_t nas_room_open(nas_room_t *room, nas_gpu_t *gpu, nas_error_t *err)
{
    const nas_gpu_layer_t *layer = gpu->layer;
    nas_gpu_memory_t *memory = &room->memory;
    const size_t floats = (size_t)room->floats.most * sizeof(float) + 16;
    const size_t doubles = (size_t)room->doubles.most * sizeof(double) + 16;
    nas_status_t status = layer->alloc(gpu, floats, &memory->arena, err);
    if (!status) status = layer->alloc(gpu, doubles, &memory->vectors, err);
    if (!status) status = layer->alloc(gpu, 16, &memory->data, err);
    if (!status) status = layer->alloc(gpu, TABLE_BYTES, &memory->table, err);
    if (!status) room->host = layer->host_alloc(gpu, TABLE_BYTES);
    if (!status && !room->host) status = nas_error_nomem(err, "the bench");
    return status ? status : fill_both(room, gpu, err);
}

void nas_room_upload(nas_room_t *room, nas_gpu_t *gpu)
{
    gpu->layer->write(gpu, room->memory.table, 0, room->host, (size_t)room->table.taken);
}

void nas_room_close(nas_room_t *room, nas_gpu_t *gpu)
{
    nas_gpu_buffer_t *const buffer[] = {&room->memory.arena, &room->memory.vectors,
                                        &room->memory.data, &room->memory.table};
    for (size_t i = 0; i < sizeof buffer / sizeof *buffer; i++) gpu->layer->free(gpu, buffer[i]);
    gpu->layer->host_free(gpu, room->host);
    room->host = NULL;
}
