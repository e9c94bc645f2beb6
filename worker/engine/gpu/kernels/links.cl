/* What lies between nodes but for convolutions: pools, parts of tensors, flat tensors. A work-item has
 * an element of what is written. */
#define LANES NAS_GPU_LINK_LANES

/* ----------------------------------------------------------------------------------------- pools */

/* Pixels [first, end) of a row or column that a window has, and how many a mean is over. */
typedef struct span {
    int first, end, count;
} span_t;

DEVICE span_t span_of(int out, int k, int stride, int before, int after, int extent,
                      int counts_padding)
{
    const int first = out * stride - before, end = first + k;
    span_t span;
    span.first = first < 0 ? 0 : first;
    span.end = end < extent ? end : extent;
    span.count = span.end - span.first;
    if (counts_padding) span.count = (end < extent + after ? end : extent + after) - first;
    return span;
}

DEVICE span_t rows_of(const GLOBAL nas_gpu_pooling_t *k, int out)
{
    return span_of(out, k->k_h, k->stride_h, k->top, k->bottom, k->h_in, k->counts_padding);
}

DEVICE span_t columns_of(const GLOBAL nas_gpu_pooling_t *k, int out)
{
    return span_of(out, k->k_w, k->stride_w, k->left, k->right, k->w_in, k->counts_padding);
}

/* 1 / pixels that a mean is over. */
DEVICE float share_of(const span_t *rows, const span_t *columns)
{
    return (float)(1.0 / ((double)rows->count * columns->count));
}

/* Where in a plane the largest value of a window stands: the first one. */
DEVICE int largest_of(const GLOBAL float *x, int w, const span_t *rows, const span_t *columns)
{
    int best = rows->first * w + columns->first;
    for (int v = rows->first; v < rows->end; v++)
        for (int u = columns->first; u < columns->end; u++) {
            const float value = x[v * w + u];
            if (value > x[best] || value != value) best = v * w + u;
        }
    return best;
}

/* A plane of a tensor, by its number among those of a pool. */
DEVICE i64 plane_of(const nas_gpu_slice_t slice, i64 number, int n_c, int h, int w)
{
    const i64 plane = number / n_c * slice.c_total + slice.c_first + number % n_c;
    return slice.at + plane * NAS_GPU_PITCH(h, w);
}

NAS_KERNEL(pool, LANES)
{
    const GLOBAL nas_gpu_pooling_t *k = NAS_WORK(nas_gpu_pooling_t);
    const int n_pixels = k->h_out * k->w_out;
    const i64 i = (i64)GROUP_X * LANES + LANE, number = i / n_pixels;
    const int pixel = (int)(i % n_pixels);
    if (number >= (i64)k->n * k->c) return;
    const span_t rows = rows_of(k, pixel / k->w_out), columns = columns_of(k, pixel % k->w_out);
    const GLOBAL float *from = arena + plane_of(k->from, number, k->c, k->h_in, k->w_in);
    float value = 0;
    if (k->takes_largest) {
        const GLOBAL float *x = arena + plane_of(k->x, number, k->c, k->h_in, k->w_in);
        value = from[largest_of(x, k->w_in, &rows, &columns)];
    } else {
        for (int v = rows.first; v < rows.end; v++)
            for (int u = columns.first; u < columns.end; u++) value += from[v * k->w_in + u];
        value *= share_of(&rows, &columns);
    }
    arena[plane_of(k->to, number, k->c, k->h_out, k->w_out) + pixel] = value;
}

/* Whether pixel `at` is the largest of a window: of most the first that is larger says no. */
DEVICE int is_largest(const GLOBAL float *x, int at, int w, const span_t *rows,
                      const span_t *columns)
{
    const float value = x[at];
    for (int v = rows->first; v < rows->end; v++)
        for (int u = columns->first; u < columns->end; u++) {
            const int other = v * w + u;
            const float rival = x[other];
            if (rival > value || (rival == value && other < at)) return 0;
            if (rival != rival && (value == value || other > at)) return 0;
        }
    return 1;
}

/* Windows that may have row or column `at`: of n, [first, end). */
DEVICE span_t windows_of(int at, int k, int stride, int before, int n)
{
    const int last = (at + before) / stride, first = at + before - k + stride;
    span_t span;
    span.first = first < 0 ? 0 : first / stride;
    span.end = last + 1 < n ? last + 1 : n;
    span.count = 0;
    return span;
}

/* dx at a pixel, of all windows that it is in, in their order. */
NAS_KERNEL(pool_adjoint, LANES)
{
    const GLOBAL nas_gpu_pooling_t *k = NAS_WORK(nas_gpu_pooling_t);
    const int n_pixels = k->h_in * k->w_in;
    const i64 i = (i64)GROUP_X * LANES + LANE, number = i / n_pixels;
    const int pixel = (int)(i % n_pixels);
    if (number >= (i64)k->n * k->c) return;
    const span_t down = windows_of(pixel / k->w_in, k->k_h, k->stride_h, k->top, k->h_out);
    const span_t across = windows_of(pixel % k->w_in, k->k_w, k->stride_w, k->left, k->w_out);
    const GLOBAL float *dy = arena + plane_of(k->from, number, k->c, k->h_out, k->w_out);
    const i64 x = k->takes_largest ? plane_of(k->x, number, k->c, k->h_in, k->w_in) : 0;
    float sum = 0;
    for (int v = down.first; v < down.end; v++)
        for (int u = across.first; u < across.end; u++) {
            const span_t rows = rows_of(k, v), columns = columns_of(k, u);
            const float d = dy[v * k->w_out + u];
            if (!k->takes_largest)
                sum = MAD(d, share_of(&rows, &columns), sum);
            else if (is_largest(arena + x, pixel, k->w_in, &rows, &columns))
                sum += d;
        }
    arena[plane_of(k->to, number, k->c, k->h_in, k->w_in) + pixel] = sum;
}

/* ---------------------------------------------------------------------------------------- copies */

NAS_KERNEL(copy, LANES)
{
    const GLOBAL nas_gpu_copy_t *k = NAS_WORK(nas_gpu_copy_t);
    const int n_pixels = k->h * k->w;
    const i64 i = (i64)GROUP_X * LANES + LANE, number = i / n_pixels;
    const int pixel = (int)(i % n_pixels);
    if (number >= (i64)k->n * k->c) return;
    const int v = pixel / k->w + k->top, u = pixel % k->w + k->left;
    const int is_there = v >= 0 && v < k->h_from && u >= 0 && u < k->w_from;
    const i64 from = plane_of(k->from, number, k->c, k->h_from, k->w_from);
    arena[plane_of(k->to, number, k->c, k->h, k->w) + pixel] =
        is_there ? arena[from + v * k->w_from + u] : 0;
}

NAS_KERNEL(flatten, LANES)
{
    const GLOBAL nas_gpu_flatten_t *k = NAS_WORK(nas_gpu_flatten_t);
    const int n_pixels = k->h * k->w;
    const i64 i = (i64)GROUP_X * LANES + LANE, number = i / n_pixels;
    if (number >= (i64)k->n * k->c) return;
    const i64 whole = plane_of(k->tensor, number, k->c, k->h, k->w) + i % n_pixels;
    const i64 flat = plane_of(k->flat, i, k->c * n_pixels, 1, 1);
    if (k->back)
        arena[whole] = arena[flat];
    else
        arena[flat] = arena[whole];
}
