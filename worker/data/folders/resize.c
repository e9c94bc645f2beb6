#include "worker/data/folders/resize.h"

#include <stdlib.h>
#include <string.h>

/* One side: the part of the picture that is used, and the result. */
typedef struct side {
    int64_t offset; /* of the first pixel used */
    int64_t n_from; /* pixels used */
    int64_t n_to;   /* of the result */
} side_t;

/* The pixels that one of the result is made of, along one side: the first has weight `head`, the
 * last, where there are several, `tail`, those between `inner`. */
typedef struct taps {
    int64_t first; /* in the picture */
    int64_t n;
    uint64_t head;
    uint64_t inner;
    uint64_t tail;
} taps_t;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Cut n[0] x n[1] pixels to the proportions of to[0] x to[1]. */
static void cut(const int64_t n[2], const int64_t to[2], side_t side[2])
{
    for (int i = 0; i < 2; i++) {
        const int64_t other = 1 - i;
        const int64_t fitting = (2 * n[other] * to[i] + to[other]) / (2 * to[other]);
        const int64_t n_from = fitting < 1 ? 1 : least(n[i], fitting);
        side[i] = (side_t){.offset = (n[i] - n_from) / 2, .n_from = n_from, .n_to = to[i]};
    }
}

/* Sum of all weights of one pixel of the result. */
static uint64_t weight_of(const side_t *side)
{
    return (uint64_t)(side->n_from >= side->n_to ? side->n_from : 2 * side->n_to);
}

/* Fewer pixels. In units of 1 / n_to of a pixel, pixel i covers [i n_to, (i + 1) n_to) and pixel j
 * of the result [j n_from, (j + 1) n_from). */
static taps_t average(const side_t *side, int64_t j)
{
    const int64_t begin = j * side->n_from, end = begin + side->n_from;
    const int64_t first = begin / side->n_to, last = (end - 1) / side->n_to;
    return (taps_t){.first = side->offset + first,
                    .n = last - first + 1,
                    .head = (uint64_t)(least(end, (first + 1) * side->n_to) - begin),
                    .inner = (uint64_t)side->n_to,
                    .tail = (uint64_t)(end - last * side->n_to)};
}

/* More pixels. In units of 1 / (2 n_to) of a pixel, the centre of pixel j of the result lies
 * (2 j + 1) n_from - n_to behind the first pixel's; outside the centres the edge goes on. */
static taps_t interpolate(const side_t *side, int64_t j)
{
    const int64_t unit = 2 * side->n_to, end = unit * (side->n_from - 1);
    const int64_t centre = (2 * j + 1) * side->n_from - side->n_to;
    const int64_t at = centre < 0 ? 0 : least(centre, end);
    const int64_t rest = at % unit;
    return (taps_t){.first = side->offset + at / unit,
                    .n = rest == 0 ? 1 : 2,
                    .head = (uint64_t)(unit - rest),
                    .tail = (uint64_t)rest};
}

static taps_t taps_of(const side_t *side, int64_t j)
{
    return side->n_from >= side->n_to ? average(side, j) : interpolate(side, j);
}

/* Weighted sum of every `stride`th value. */
static uint64_t sum_taps(const taps_t *taps, const uint8_t *value, size_t stride)
{
    const size_t last = (size_t)taps->n - 1;
    uint64_t inner = 0;
    for (size_t i = 1; i < last; i++) inner += value[i * stride];
    return taps->head * value[0] + taps->inner * inner +
           (last > 0 ? taps->tail * value[last * stride] : 0);
}

/* Add a row of the picture, of some weight, to the sums [width, C]. */
static void add_row(const nas_picture_t *picture, int64_t y, uint64_t weight, const taps_t *column,
                    const side_t *across, uint64_t *sum)
{
    const size_t n_channels = (size_t)picture->channels;
    const uint8_t *row = picture->pixel + (size_t)y * (size_t)picture->width * n_channels;
    for (int64_t x = 0; x < across->n_to; x++) {
        const uint8_t *first = row + (size_t)column[x].first * n_channels;
        for (size_t c = 0; c < n_channels; c++)
            *sum++ += weight * sum_taps(&column[x], first + c, n_channels);
    }
}

nas_status_t nas_resize(const nas_picture_t *picture, int height, int width, uint8_t *values,
                        nas_error_t *err)
{
    const size_t n_channels = (size_t)picture->channels, n_sums = (size_t)width * n_channels;
    const size_t plane = (size_t)height * (size_t)width;
    nas_status_t status = NAS_OK;
    side_t side[2]; /* down, across */
    cut((int64_t[]){picture->height, picture->width}, (int64_t[]){height, width}, side);
    const uint64_t total = weight_of(&side[0]) * weight_of(&side[1]);
    taps_t *column = malloc((size_t)width * sizeof *column);
    uint64_t *sum = malloc(n_sums * sizeof *sum);
    if (!column || !sum) {
        status = nas_error_nomem(err, "a picture");
        goto out;
    }
    for (int x = 0; x < width; x++) column[x] = taps_of(&side[1], x);
    for (int y = 0; y < height; y++) {
        const taps_t row = taps_of(&side[0], y);
        memset(sum, 0, n_sums * sizeof *sum);
        for (int64_t i = 0; i < row.n; i++) {
            const uint64_t weight = i == 0 ? row.head : i == row.n - 1 ? row.tail : row.inner;
            add_row(picture, row.first + i, weight, column, &side[1], sum);
        }
        for (size_t i = 0; i < n_sums; i++)
            values[i % n_channels * plane + (size_t)y * (size_t)width + i / n_channels] =
                (uint8_t)((sum[i] + total / 2) / total);
    }
out:
    free(column);
    free(sum);
    return status;
}
