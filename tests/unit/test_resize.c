#include "worker/data/folders/resize.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 1 << 14 };

/* A picture with values that tell pixels and channels apart. */
static nas_picture_t make(int height, int width, int channels)
{
    const size_t n = (size_t)height * (size_t)width * (size_t)channels;
    nas_picture_t picture = {
        .height = height, .width = width, .channels = channels, .pixel = malloc(n)};
    cr_assert_not_null(picture.pixel);
    for (size_t i = 0; i < n; i++) picture.pixel[i] = (uint8_t)(37 * i + i * i / 11 + i / 256);
    return picture;
}

static int at(const nas_picture_t *picture, int y, int x, int c)
{
    return picture->pixel[(y * picture->width + x) * picture->channels + c];
}

static void resize(const nas_picture_t *picture, int height, int width, uint8_t *values)
{
    nas_error_t err = {0};
    cr_assert_leq(height * width * picture->channels, MOST_VALUES);
    memset(values, 0xa5, MOST_VALUES);
    cr_assert_eq(nas_resize(picture, height, width, values, &err), NAS_OK, "%s", err.text);
}

Test(resize, an_equal_size_changes_nothing_but_the_order)
{
    static uint8_t values[MOST_VALUES];
    for (int channels = 1; channels <= 3; channels += 2) {
        nas_picture_t picture = make(7, 10, channels);
        resize(&picture, 7, 10, values);
        for (int c = 0; c < channels; c++)
            for (int y = 0; y < 7; y++)
                for (int x = 0; x < 10; x++)
                    cr_assert_eq(values[(c * 7 + y) * 10 + x], at(&picture, y, x, c));
        nas_picture_fini(&picture);
    }
}

/* The mean over a box of pixels, halves rounded up. */
static int box_mean(const nas_picture_t *picture, const int first[2], const int size[2], int c)
{
    int sum = 0;
    for (int y = 0; y < size[0]; y++)
        for (int x = 0; x < size[1]; x++) sum += at(picture, first[0] + y, first[1] + x, c);
    const int n = size[0] * size[1];
    return (2 * sum + n) / (2 * n);
}

Test(resize, whole_factors_are_means_over_boxes)
{
    static uint8_t values[MOST_VALUES];
    nas_picture_t picture = make(24, 40, 3);
    for (int factor = 1; factor <= 8; factor *= 2) {
        const int height = 24 / factor, width = 40 / factor, size[2] = {factor, factor};
        resize(&picture, height, width, values);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                    cr_assert_eq(values[(c * height + y) * width + x],
                                 box_mean(&picture, (int[]){y * factor, x * factor}, size, c));
    }
    nas_picture_fini(&picture);
}

/* Every pixel as n x m equal ones. */
static nas_picture_t magnify(const nas_picture_t *picture, int n, int m)
{
    nas_picture_t large = make(picture->height * n, picture->width * m, picture->channels);
    uint8_t *to = large.pixel;
    for (int y = 0; y < large.height; y++)
        for (int x = 0; x < large.width; x++)
            for (int c = 0; c < large.channels; c++) *to++ = (uint8_t)at(picture, y / n, x / m, c);
    return large;
}

/* On a grid that both sizes divide, any factor is a whole one. */
Test(resize, other_factors_weigh_pixels_by_their_area)
{
    static const int sizes[][2] = {{1, 1}, {2, 3}, {4, 6}, {6, 9}, {8, 12}, {10, 15}, {14, 21}};
    static uint8_t values[MOST_VALUES];
    nas_picture_t picture = make(14, 21, 3);
    for (size_t i = 1; i < sizeof sizes / sizeof *sizes; i++) {
        const int height = sizes[i][0], width = sizes[i][1];
        nas_picture_t large = magnify(&picture, height, width);
        resize(&picture, height, width, values);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                    cr_assert_eq(values[(c * height + y) * width + x],
                                 box_mean(&large, (int[]){y * 14, x * 21}, (int[]){14, 21}, c));
        nas_picture_fini(&large);
    }
    nas_picture_fini(&picture);
}

/* The value at a place between the centres of pixels, in float64. */
static double interpolated(const nas_picture_t *picture, double y, double x, int c)
{
    const double bottom = picture->height - 1, right = picture->width - 1;
    y = fmin(fmax(y, 0), bottom);
    x = fmin(fmax(x, 0), right);
    const int y0 = (int)y, x0 = (int)x;
    const int y1 = (int)fmin(y0 + 1, bottom), x1 = (int)fmin(x0 + 1, right);
    const double v = y - y0, u = x - x0;
    return (1 - v) * ((1 - u) * at(picture, y0, x0, c) + u * at(picture, y0, x1, c)) +
           v * ((1 - u) * at(picture, y1, x0, c) + u * at(picture, y1, x1, c));
}

Test(resize, larger_sizes_interpolate_between_centres)
{
    static uint8_t values[MOST_VALUES];
    for (int height = 4; height <= 48; height += 4) {
        const int width = height / 4 * 7;
        nas_picture_t picture = make(4, 7, 3);
        resize(&picture, height, width, values);
        const double step = 4.0 / height;
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++) {
                    const double exact =
                        interpolated(&picture, (y + 0.5) * step - 0.5, (x + 0.5) * step - 0.5, c);
                    cr_assert_leq(fabs(values[(c * height + y) * width + x] - exact), 0.5 + 1e-9);
                }
        nas_picture_fini(&picture);
    }
}

Test(resize, known_values_of_interpolation)
{
    static uint8_t values[MOST_VALUES];
    uint8_t pixel[] = {0, 100, 0, 100};
    const nas_picture_t picture = {.height = 2, .width = 2, .channels = 1, .pixel = pixel};
    resize(&picture, 4, 4, values);
    for (int y = 0; y < 4; y++) cr_assert_arr_eq(values + 4 * y, ((uint8_t[]){0, 25, 75, 100}), 4);
}

Test(resize, a_constant_picture_stays_constant)
{
    static const int sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {5, 7}, {16, 16}, {33, 64}, {64, 33}};
    static uint8_t values[MOST_VALUES];
    for (int level = 0; level <= 255; level += 51)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
                const int height = sizes[k][0], width = sizes[k][1];
                nas_picture_t picture = make(sizes[i][0], sizes[i][1], 1);
                memset(picture.pixel, level, (size_t)(picture.height * picture.width));
                resize(&picture, height, width, values);
                for (int j = 0; j < height * width; j++) cr_assert_eq(values[j], level);
                cr_assert_eq(values[height * width], 0xa5, "nothing is written behind the result");
                nas_picture_fini(&picture);
            }
}

/* What is cut off has no part in the result: painting it over changes nothing. used: the first row
 * and column, and how many. */
static void assert_cut(const int from[2], const int to[2], const int used[4])
{
    static uint8_t whole[MOST_VALUES], painted[MOST_VALUES], inside[MOST_VALUES];
    nas_picture_t picture = make(from[0], from[1], 1);
    nas_picture_t centre = make(used[2], used[3], 1);
    resize(&picture, to[0], to[1], whole);
    for (int y = 0; y < from[0]; y++)
        for (int x = 0; x < from[1]; x++) {
            const int v = y - used[0], u = x - used[1];
            uint8_t *pixel = &picture.pixel[y * from[1] + x];
            if (0 <= v && v < used[2] && 0 <= u && u < used[3])
                centre.pixel[v * used[3] + u] = *pixel;
            else
                *pixel = (uint8_t) ~*pixel;
        }
    resize(&picture, to[0], to[1], painted);
    resize(&centre, to[0], to[1], inside);
    cr_assert_arr_eq(whole, painted, (size_t)(to[0] * to[1]));
    cr_assert_arr_eq(whole, inside, (size_t)(to[0] * to[1]));
    nas_picture_fini(&picture);
    nas_picture_fini(&centre);
}

Test(resize, the_centre_is_cut_to_the_proportions_of_the_result)
{
    static const struct {
        int from[2], to[2], used[4];
    } cut[] = {
        {{4, 6}, {2, 2}, {0, 1, 4, 4}},
        {{6, 4}, {2, 2}, {1, 0, 4, 4}},
        {{4, 7}, {2, 2}, {0, 1, 4, 4}}, /* an odd pixel more goes from the right */
        {{30, 40}, {16, 16}, {0, 5, 30, 30}},
        {{3, 9}, {6, 6}, {0, 3, 3, 3}}, /* to more pixels, too */
        {{10, 10}, {2, 4}, {2, 0, 5, 10}},
        {{10, 10}, {4, 2}, {0, 2, 10, 5}},
        {{5, 100}, {3, 7}, {0, 44, 5, 12}}, /* 5 x 11 2/3 */
        {{1, 50}, {50, 1}, {0, 24, 1, 1}},  /* never less than a pixel */
        {{8, 8}, {4, 4}, {0, 0, 8, 8}},
    };
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++)
        assert_cut(cut[i].from, cut[i].to, cut[i].used);
}
