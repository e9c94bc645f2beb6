/* Tensors of many extents, of which a range of channels is meant. */
#ifndef NAS_TESTS_UNIT_BACKEND_TENSORS_H
#define NAS_TESTS_UNIT_BACKEND_TENSORS_H

#include "backend_case.h"

/* Extents around blocks of 16 channels, with odd and even planes, one pixel and long rows. */
static const nas_shape_t SHAPES[] = {
    {2, 16, 6, 8}, {2, 8, 9, 7}, {1, 24, 4, 4},   {3, 32, 2, 2},
    {1, 48, 6, 4}, {3, 8, 1, 1}, {1, 16, 2, 140}, {1, 40, 3, 5},
};

enum {
    N_SHAPES = sizeof SHAPES / sizeof *SHAPES,
    BLOCK = 16 /* a multiple of every backend's channel_block */
};

/* A range of channels of a tensor. */
typedef struct placed {
    tensor_t tensor;
    int c_first;
} placed_t;

static inline nas_channels_t range(const placed_t *placed)
{
    return channels(&placed->tensor, placed->c_first);
}

/* Value of an element, its channel counted within the range. */
static inline double value_at(const placed_t *placed, element_t e)
{
    const tensor_t *tensor = &placed->tensor;
    e.c += placed->c_first;
    return tensor->values[position(tensor->shape, e)];
}

/* A tensor of random values, of which a range of shape.c channels is meant: it begins at a block,
 * and ends at a block or with the tensor. */
static inline placed_t place(fixture_t *f, nas_shape_t shape)
{
    placed_t placed = {.c_first = BLOCK * (int)nas_rng_below(&f->rng, 3)};
    shape.c += placed.c_first;
    if (shape.c % BLOCK == 0) shape.c += BLOCK * (int)nas_rng_below(&f->rng, 2);
    placed.tensor = random_tensor(f, shape);
    return placed;
}

static inline bool is_whole(const placed_t *placed, nas_shape_t shape)
{
    return placed->tensor.shape.c == shape.c;
}

/* The same to write to: where all is overwritten it holds NaN. */
static inline placed_t place_output(fixture_t *f, nas_shape_t shape)
{
    placed_t placed = place(f, shape);
    if (is_whole(&placed, shape))
        memset(placed.tensor.data, 0xff, f->backend->tensor_bytes(placed.tensor.shape));
    return placed;
}

/* The range holds the values, the rest of the tensor what it held. */
static inline void check_output(fixture_t *f, const placed_t *placed, nas_shape_t shape,
                                const double *values, const char *what)
{
    const tensor_t *tensor = &placed->tensor;
    double *expected = take_doubles(f, n_elements(tensor->shape));
    memcpy(expected, tensor->values, n_elements(tensor->shape) * sizeof *expected);
    for (size_t i = 0; i < n_elements(shape); i++) {
        element_t e = element(shape, i);
        e.c += placed->c_first;
        expected[position(tensor->shape, e)] = values[i];
    }
    check_close(f, stored(f, tensor->shape, tensor->data), expected, n_elements(tensor->shape),
                what);
}

#endif
