#include "worker/objectives/train/augment.h"

#include "common/base/rng.h"

#include <string.h>

/* What is done to one image. Everything is drawn, wanted or not, so that one switch of the recipe
 * leaves the others' draws alone. */
typedef struct change {
    int64_t down; /* rows that the window lies below the image's top; may be negative */
    int64_t right;
    bool mirrored;
    int64_t row; /* first of the square */
    int64_t column;
} change_t;

static change_t draw_change(const nas_augment_options_t *options, int64_t image)
{
    const nas_image_source_t *images = &options->dataset->train;
    const nas_recipe_t *recipe = options->recipe;
    const uint64_t n_offsets = 2 * (uint64_t)recipe->crop + 1;
    change_t change;
    nas_rng_t rng;
    nas_rng_init(&rng, options->seed, NAS_STREAM_AUGMENT,
                 (uint64_t)options->epoch << 32 | (uint64_t)image);
    change.down = (int64_t)nas_rng_below(&rng, n_offsets) - recipe->crop;
    change.right = (int64_t)nas_rng_below(&rng, n_offsets) - recipe->crop;
    change.mirrored = nas_rng_below(&rng, 2) == 1 && recipe->flip;
    change.row = (int64_t)nas_rng_below(&rng, (uint64_t)images->h) - recipe->cutout / 2;
    change.column = (int64_t)nas_rng_below(&rng, (uint64_t)images->w) - recipe->cutout / 2;
    return change;
}

static void fill(float *value, int64_t n, float with)
{
    for (int64_t i = 0; i < n; i++) value[i] = with;
}

/* A row, out of one of the same plane: w pixels from its column `right` on, black outside. */
static void move_row(float *to, const float *from, int64_t w, int64_t right, float black)
{
    const int64_t n = w - (right < 0 ? -right : right);
    if (n <= 0) {
        fill(to, w, black);
    } else if (right < 0) {
        memmove(to - right, from, (size_t)n * sizeof *to);
        fill(to, -right, black);
    } else {
        memmove(to, from + right, (size_t)n * sizeof *to);
        fill(to + n, right, black);
    }
}

/* In place: each row is read before it is written over. */
static void crop_plane(const nas_image_source_t *images, const change_t *change, float black,
                       float *plane)
{
    const int64_t h = images->h, w = images->w;
    for (int64_t i = 0; i < h; i++) {
        const int64_t y = change->down < 0 ? h - 1 - i : i, source = y + change->down;
        if (source < 0 || source >= h)
            fill(plane + y * w, w, black);
        else
            move_row(plane + y * w, plane + source * w, w, change->right, black);
    }
}

static void mirror_plane(const nas_image_source_t *images, float *plane)
{
    const int w = images->w;
    for (int y = 0; y < images->h; y++) {
        float *row = plane + (size_t)y * (size_t)w;
        for (int x = 0; x < w / 2; x++) {
            const float left = row[x];
            row[x] = row[w - 1 - x];
            row[w - 1 - x] = left;
        }
    }
}

/* Cut [first, first + side) at the edges of [0, n). */
static void cut(int64_t *first, int64_t side, int64_t n, int64_t *end)
{
    *end = *first + side < n ? *first + side : n;
    if (*first < 0) *first = 0;
}

static void blank_square(const nas_image_source_t *images, const nas_recipe_t *recipe,
                         const change_t *change, float *plane)
{
    int64_t top = change->row, left = change->column, bottom, right;
    cut(&top, recipe->cutout, images->h, &bottom);
    cut(&left, recipe->cutout, images->w, &right);
    for (int64_t y = top; y < bottom; y++) fill(plane + y * images->w + left, right - left, 0);
}

/* Cropping and mirroring move values about, so that they may come after normalisation: black is
 * moved in as it looks there. */
void nas_augment(const nas_augment_options_t *options, const int64_t *index, int64_t n,
                 float *values)
{
    const nas_dataset_t *dataset = options->dataset;
    const nas_recipe_t *recipe = options->recipe;
    const nas_image_source_t *images = &dataset->train;
    const size_t n_pixels = (size_t)images->h * (size_t)images->w;
    float *plane = values;
    nas_source_read(images, index, n, values);
    for (int64_t i = 0; i < n; i++) {
        const change_t change = draw_change(options, index[i]);
        for (int c = 0; c < images->c; c++, plane += n_pixels) {
            const float black = (float)((0 - dataset->mean[c]) / dataset->std[c]);
            if (recipe->crop > 0) crop_plane(images, &change, black, plane);
            if (change.mirrored) mirror_plane(images, plane);
            if (recipe->cutout > 0) blank_square(images, recipe, &change, plane);
        }
    }
}
