/* Sums over tensors, compiled once per instruction set: NAS_REDUCE_KERNEL names the table of
 * functions.
 *
 * Sums are in float32 over a segment of a plane, in float64 across segments.
 */
#include "worker/engine/backends/cpu/kernels.h"
#include "worker/engine/backends/cpu/lanes.h"

#include <math.h>
#include <string.h>

enum {
    GROUP = 8,
    SEGMENT = 256 /* pixels */
};

NAS_INLINE lanes_t group_sum(const lanes_t value[GROUP])
{
    return ((value[0] + value[1]) + (value[2] + value[3])) +
           ((value[4] + value[5]) + (value[6] + value[7]));
}

NAS_INLINE lanes_t product_at(const float *a, const float *b, size_t pixel)
{
    const lanes_t value = lanes_load(a + pixel * LANES);
    if (b == NULL) return value;
    return value * lanes_load(b + pixel * LANES);
}

/* Sum of a, or of a * b, over n pixels. */
NAS_INLINE lanes_t sum_products(const float *a, const float *b, int n)
{
    lanes_t sum[GROUP] = {0};
    int i = 0;
    for (; i + GROUP <= n; i += GROUP) {
#pragma GCC unroll 8
        for (int j = 0; j < GROUP; j++) sum[j] += product_at(a, b, (size_t)(i + j));
    }
    for (; i < n; i++) sum[0] += product_at(a, b, (size_t)i);
    return group_sum(sum);
}

/* Deviations from a centre, summed and squared and summed. */
typedef struct deviations {
    lanes_t sum[GROUP];
    lanes_t squares[GROUP];
} deviations_t;

NAS_INLINE void add_deviation(const float *at, lanes_t center, deviations_t *of, int j)
{
    const lanes_t deviation = lanes_load(at) - center;
    of->sum[j] += deviation;
    of->squares[j] += deviation * deviation;
}

NAS_INLINE deviations_t deviations(const float *at, lanes_t center, int n)
{
    deviations_t of = {0};
    int i = 0;
    for (; i + GROUP <= n; i += GROUP) {
#pragma GCC unroll 8
        for (int j = 0; j < GROUP; j++) add_deviation(at + (size_t)(i + j) * LANES, center, &of, j);
    }
    for (; i < n; i++) add_deviation(at + (size_t)i * LANES, center, &of, 0);
    return of;
}

/* Moments of the pixels seen so far. */
typedef struct moments {
    double n;
    double mean[LANES];
    double squares[LANES]; /* of the deviations from the mean */
} moments_t;

/* The centre is the mean so far, or any pixel at first: its distance from the segment's mean is
 * part of the variance, so that no more digits are lost than the variance has.  Merged by Chan,
 * Golub and LeVeque 1983. */
static void add_segment(const float *at, int n, moments_t *all)
{
    _Alignas(lanes_t) float center[LANES];
    _Alignas(lanes_t) float sum[LANES];
    _Alignas(lanes_t) float squares[LANES];
    for (int l = 0; l < LANES; l++) center[l] = all->n > 0 ? (float)all->mean[l] : at[l];
    const deviations_t of = deviations(at, lanes_load(center), n);
    lanes_store(sum, group_sum(of.sum));
    lanes_store(squares, group_sum(of.squares));
    const double n_all = all->n + n;
    for (int l = 0; l < LANES; l++) {
        const double correction = (double)sum[l] / n;
        const double difference = (double)center[l] + correction - all->mean[l];
        all->mean[l] += difference * (n / n_all);
        all->squares[l] += (double)squares[l] - correction * (double)sum[l] +
                           difference * difference * (all->n * n / n_all);
    }
    all->n = n_all;
}

static int at_most_segment(int n)
{
    return n < SEGMENT ? n : SEGMENT;
}

static void moments(nas_shape_t shape, nas_channels_t tensor, double *mean, double *variance)
{
    const int n_pixels = shape.h * shape.w;
    for (int c = 0; c < shape.c; c += LANES) {
        moments_t all = {0};
        for (int n = 0; n < shape.n; n++) {
            const float *plane = lanes_plane(shape, tensor, n, c);
            for (int first = 0; first < n_pixels; first += SEGMENT)
                add_segment(plane + (size_t)first * LANES, at_most_segment(n_pixels - first), &all);
        }
        for (int l = 0; l < LANES && c + l < shape.c; l++) {
            mean[c + l] = all.mean[l];
            variance[c + l] = all.squares[l] / all.n;
        }
    }
}

static void image_dots(nas_shape_t shape, nas_channels_t a, nas_channels_t b, double *sum)
{
    const int n_pixels = shape.h * shape.w;
    memset(sum, 0, (size_t)shape.n * (size_t)shape.c * sizeof *sum);
    for (int n = 0; n < shape.n; n++, sum += shape.c) {
        for (int c = 0; c < shape.c; c += LANES) {
            const float *of_a = lanes_plane(shape, a, n, c);
            const float *of_b = b.data == NULL ? NULL : lanes_plane(shape, b, n, c);
            for (int first = 0; first < n_pixels; first += SEGMENT) {
                const size_t at = (size_t)first * LANES;
                const lanes_t part = sum_products(of_a + at, of_b == NULL ? NULL : of_b + at,
                                                  at_most_segment(n_pixels - first));
                lanes_add_to_channels(part, c, shape.c, sum);
            }
        }
    }
}

NAS_INLINE lanes_t plane_max_abs(const float *plane, int n)
{
    lanes_t largest[GROUP] = {0};
    int i = 0;
    for (; i + GROUP <= n; i += GROUP) {
#pragma GCC unroll 8
        for (int j = 0; j < GROUP; j++)
            largest[j] =
                lanes_max(lanes_abs(lanes_load(plane + (size_t)(i + j) * LANES)), largest[j]);
    }
    for (; i < n; i++)
        largest[0] = lanes_max(lanes_abs(lanes_load(plane + (size_t)i * LANES)), largest[0]);
    for (int j = 1; j < GROUP; j++) largest[0] = lanes_max(largest[j], largest[0]);
    return largest[0];
}

static double max_abs(nas_shape_t shape, nas_channels_t tensor)
{
    lanes_t largest = {0};
    for (int n = 0; n < shape.n; n++) {
        for (int c = 0; c < shape.c; c += LANES) {
            const float *plane = lanes_plane(shape, tensor, n, c);
            largest = lanes_max(plane_max_abs(plane, shape.h * shape.w), largest);
        }
    }
    float of_lanes = 0;
    for (int l = 0; l < LANES; l++)
        if (largest[l] > of_lanes) of_lanes = largest[l];
    return (double)of_lanes;
}

static size_t sign_words(nas_shape_t shape)
{
    return ((size_t)shape.c * (size_t)shape.h * (size_t)shape.w + 63) / 64;
}

/* Bits are appended from the lowest up. */
typedef struct bit_writer {
    uint64_t *at;
    uint64_t word;
    unsigned filled;
} bit_writer_t;

NAS_INLINE void append_bits(bit_writer_t *writer, uint64_t bits, unsigned n)
{
    writer->word |= bits << writer->filled;
    writer->filled += n;
    if (writer->filled < 64) return;
    *writer->at++ = writer->word;
    writer->filled -= 64;
    writer->word = bits >> (n - writer->filled);
}

/* n_channels of the lanes, a constant where this is inlined. */
NAS_INLINE void append_plane(bit_writer_t *writer, const float *plane, int n_pixels, int n_channels)
{
    const uint64_t channels = (UINT64_C(1) << n_channels) - 1;
    bit_writer_t local = *writer;
    for (int i = 0; i < n_pixels; i++) {
        const uint64_t bits = lanes_signs(lanes_load(plane + (size_t)i * LANES));
        append_bits(&local, bits & channels, (unsigned)n_channels);
    }
    *writer = local;
}

static void signs(nas_shape_t shape, nas_channels_t relu, uint64_t *bits)
{
    const int n_pixels = shape.h * shape.w;
    for (int n = 0; n < shape.n; n++, bits += sign_words(shape)) {
        bit_writer_t writer = {.at = bits};
        for (int c = 0; c < shape.c; c += LANES) {
            const float *plane = lanes_plane(shape, relu, n, c);
            if (shape.c - c >= LANES)
                append_plane(&writer, plane, n_pixels, LANES);
            else
                append_plane(&writer, plane, n_pixels, shape.c - c);
        }
        if (writer.filled > 0) *writer.at = writer.word;
    }
}

static void weight_dots(const void *a, const void *b, size_t n, double sums[2])
{
    const float *of_a = a;
    const float *of_b = b;
    double sum[LANES] = {0};
    double sum_abs[LANES] = {0};
    for (size_t i = 0; i < n; i += LANES) {
        for (int l = 0; l < LANES; l++) {
            const double product = (double)of_a[i + (size_t)l] * (double)of_b[i + (size_t)l];
            sum[l] += product;
            sum_abs[l] += fabs(product);
        }
    }
    for (int l = 0; l < LANES; l++) {
        sums[0] += sum[l];
        sums[1] += sum_abs[l];
    }
}

const nas_reduce_kernel_t NAS_REDUCE_KERNEL = {
    .moments = moments,
    .image_dots = image_dots,
    .max_abs = max_abs,
    .signs = signs,
    .sign_words = sign_words,
    .weight_dots = weight_dots,
};
