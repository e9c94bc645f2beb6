#include "worker/engine/gpu/pack/golden_set.h"

#include <string.h>

/* The next of the generator of Numerical Recipes, as a multiple of 1 / 256 in [-2, 2). */
static double next_number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return ((int)(*state >> 22) - 512) / 256.0;
}

void nas_golden_fill(nas_golden_set_t *set)
{
    uint32_t state = 1;
    float *data = (float *)(void *)set->data;
    for (int i = 0; i < NAS_GOLDEN_FLOATS; i++) set->arena[i] = (float)next_number(&state);
    for (int i = 0; i < NAS_GOLDEN_DOUBLES; i++) set->vectors[i] = next_number(&state);
    for (size_t i = 0; i < NAS_GOLDEN_DATA / sizeof *data; i++)
        data[i] = (float)next_number(&state);
    memset(set->table, 0, NAS_GOLDEN_TABLE);
}

static int64_t take(int64_t *taken, int64_t n, int64_t room)
{
    const int64_t at = *taken;
    *taken += n;
    NAS_ASSERT(*taken <= room);
    return at;
}

/* Tensors begin at multiples of 16 bytes. */
int64_t nas_golden_floats(nas_golden_set_t *set, int64_t n)
{
    return take(&set->n_floats, (n + 3) / 4 * 4, NAS_GOLDEN_FLOATS);
}

int64_t nas_golden_doubles(nas_golden_set_t *set, int64_t n)
{
    return take(&set->n_doubles, n, NAS_GOLDEN_DOUBLES);
}

int64_t nas_golden_data(nas_golden_set_t *set, int64_t n)
{
    return take(&set->n_data, (n + 15) / 16 * 16, NAS_GOLDEN_DATA);
}

nas_gpu_slice_t nas_golden_tensor(nas_golden_set_t *set, nas_shape_t shape, int first)
{
    const int64_t planes = (int64_t)shape.n * shape.c;
    return (nas_gpu_slice_t){.at = nas_golden_floats(set, planes * NAS_GPU_PITCH(shape.h, shape.w)),
                             .c_total = shape.c,
                             .c_first = first};
}

int64_t nas_golden_describe(nas_golden_set_t *set, const void *work, size_t bytes)
{
    const int64_t at = take(&set->n_table, (int64_t)bytes, NAS_GOLDEN_TABLE);
    memcpy(set->table + at, work, bytes);
    return at;
}

void nas_golden_launch(nas_golden_set_t *set, nas_gpu_variant_t variant, int groups_x, int groups_y,
                       int64_t at)
{
    NAS_ASSERT(set->n_launches < NAS_GOLDEN_LAUNCHES);
    set->launch[set->n_launches++] = (nas_golden_launch_t){
        .variant = variant, .groups_x = groups_x, .groups_y = groups_y, .at = at};
}
