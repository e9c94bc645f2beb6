/* Adjoints of convolutions by their input, for the files that are compiled once per instruction
 * set.
 *
 * With strides above 1, inputs fall into phases: those of rows and columns with the same remainders
 * meet the same elements of the filter (taps), and the outputs that they meet by them lie side by
 * side. Within a phase the adjoint is a sum over few taps, without zeros in between.
 */
#ifndef NAS_WORKER_ENGINE_BACKENDS_CPU_TAPS_H
#define NAS_WORKER_ENGINE_BACKENDS_CPU_TAPS_H

#include "worker/engine/backends/cpu/kernels.h"
#include "worker/engine/backends/cpu/lanes.h"

/* One axis of a convolution. */
typedef struct axis {
    nas_axis_t window;
    int n_in;
    int n_out;
} axis_t;

static axis_t rows_of(const nas_conv_blocks_t *conv)
{
    return (axis_t){nas_window_rows(&conv->window), conv->h_in, conv->h_out};
}

static axis_t columns_of(const nas_conv_blocks_t *conv)
{
    return (axis_t){nas_window_columns(&conv->window), conv->w_in, conv->w_out};
}

/* Inputs of a phase: phase, phase + stride, ... */
static int phase_size(const axis_t *axis, int phase)
{
    const int stride = axis->window.stride;
    return phase < axis->n_in ? (axis->n_in - phase + stride - 1) / stride : 0;
}

/* Whether the inputs of a phase meet an element of the filter: input number i of it then meets
 * output i + shift, if there is such. */
static bool meets(const axis_t *axis, int phase, int element, int *shift)
{
    const nas_axis_t *window = &axis->window;
    const int distance = phase + window->before - element * window->dilation;
    *shift = distance / window->stride;
    return distance % window->stride == 0;
}

/* Zeros in front of the outputs, so that the first inputs meet some. */
static int zeros_before(const axis_t *axis)
{
    const nas_axis_t *window = &axis->window;
    const int least = window->before - (window->k - 1) * window->dilation;
    return least < 0 ? -least / window->stride : 0;
}

/* Outputs with the zeros on both sides, where phases are rounded up to a multiple of `tile`. */
static int padded_outputs(const axis_t *axis, int tile)
{
    const int size = (phase_size(axis, 0) + tile - 1) / tile * tile;
    const int most = axis->window.stride - 1 + axis->window.before;
    const int met = size + most / axis->window.stride;
    return zeros_before(axis) + (met > axis->n_out ? met : axis->n_out);
}

/* What an element of a filter reads, in numbers from where a sum begins, and its weight. */
typedef struct tap {
    size_t at;
    size_t weight;
} tap_t;

/* Padded outputs in memory. */
typedef struct padded {
    size_t width;  /* of rows, in pixels */
    size_t pixel;  /* numbers of one */
    size_t weight; /* from an element of the filter to the next */
} padded_t;

/* The taps of a phase (row, column), columns before rows. taps [out]: room for all of the filter.
 * Their number. */
static int phase_taps(const nas_conv_blocks_t *conv, int row, int column, padded_t padded,
                      tap_t *taps)
{
    const axis_t rows = rows_of(conv), columns = columns_of(conv);
    int n = 0;
    for (int kw = 0; kw < columns.window.k; kw++) {
        int across = 0, down = 0;
        if (!meets(&columns, column, kw, &across)) continue;
        for (int kh = 0; kh < rows.window.k; kh++) {
            if (!meets(&rows, row, kh, &down)) continue;
            const size_t y = (size_t)(zeros_before(&rows) + down);
            const size_t x = (size_t)(zeros_before(&columns) + across);
            taps[n++] = (tap_t){.at = (y * padded.width + x) * padded.pixel,
                                .weight = (size_t)(kh * columns.window.k + kw) * padded.weight};
        }
    }
    return n;
}

#endif
