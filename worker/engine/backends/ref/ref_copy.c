/* Copies of the reference backend. A flat tensor lies as the one that it is made of. */
#include "worker/engine/backends/ref/ref_internal.h"

#include <string.h>

/* to [W] = pixels of row h of a plane, 0 outside. */
static void copy_row(const nas_copy_t *copy, const double *plane, int h, double *to)
{
    const bool is_within = h >= 0 && h < copy->h_from;
    for (int w = 0; w < copy->shape.w; w++) {
        const int at = w + copy->left;
        to[w] =
            is_within && at >= 0 && at < copy->w_from ? plane[(int64_t)h * copy->w_from + at] : 0;
    }
}

void nas_ref_copy(const nas_copy_t *copy)
{
    const nas_shape_t shape = copy->shape;
    const nas_shape_t from = {shape.n, shape.c, copy->h_from, copy->w_from};
    for (int n = 0; n < shape.n; n++) {
        for (int c = 0; c < shape.c; c++) {
            const double *plane = nas_ref_plane(copy->from, from, n, c);
            double *to = nas_ref_plane(copy->to, shape, n, c);
            for (int h = 0; h < shape.h; h++, to += shape.w)
                copy_row(copy, plane, h + copy->top, to);
        }
    }
}

void nas_ref_flatten(nas_shape_t shape, const void *x, void *y)
{
    memcpy(y, x, nas_ref_tensor_bytes(shape));
}

void nas_ref_unflatten(nas_shape_t shape, const void *y, void *x)
{
    memcpy(x, y, nas_ref_tensor_bytes(shape));
}
