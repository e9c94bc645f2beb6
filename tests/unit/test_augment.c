#include "worker/data/memory.h"
#include "worker/objectives/train/augment.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { N = 40, C = 2, H = 6, W = 5, PLANE = H * W, VALUES = C * PLANE };

/* Images whose values all differ from one another, from 0 and from black, after normalisation too.
 */
static nas_dataset_t make_dataset(nas_pixel_t pixel)
{
    nas_dataset_t dataset = {.n_classes = 2, .mean = {-0.25, 0.5}, .std = {0.5, 2}};
    nas_images_t images = {.pixel = pixel, .n = N, .c = C, .h = H, .w = W};
    cr_assert_eq(nas_images_allocate(&images, NULL), NAS_OK);
    for (int i = 0; i < N; i++) {
        images.labels[i] = i % 2;
        for (int k = 0; k < VALUES; k++) {
            if (pixel == NAS_PIXEL_U8)
                ((uint8_t *)images.data)[i * VALUES + k] = (uint8_t)(1 + i + 3 * k);
            else
                ((float *)images.data)[i * VALUES + k] = (float)(1 + k + VALUES * i);
        }
    }
    cr_assert_eq(nas_memory_source(&images, dataset.mean, dataset.std, &dataset.train, NULL),
                 NAS_OK);
    return dataset;
}

typedef struct images {
    float at[N][C][H][W];
} images_t;

/* All images by one recipe. */
static images_t *augmented(const nas_dataset_t *dataset, const nas_recipe_t *recipe, uint64_t seed,
                           int64_t epoch)
{
    int64_t index[N];
    images_t *images = calloc(1, sizeof *images);
    cr_assert_not_null(images);
    for (int i = 0; i < N; i++) index[i] = i;
    const nas_augment_options_t options = {dataset, recipe, seed, epoch};
    nas_augment(&options, index, N, &images->at[0][0][0][0]);
    return images;
}

static images_t *normalised(const nas_dataset_t *dataset)
{
    int64_t index[N];
    images_t *images = calloc(1, sizeof *images);
    cr_assert_not_null(images);
    for (int i = 0; i < N; i++) index[i] = i;
    nas_source_read(&dataset->train, index, N, &images->at[0][0][0][0]);
    return images;
}

static bool same_bytes(const void *a, const void *b, size_t n)
{
    return memcmp(a, b, n) == 0;
}

static bool alike(const images_t *a, const images_t *b)
{
    return same_bytes(a, b, sizeof *a);
}

static bool alike_at(const images_t *a, const images_t *b, int image)
{
    return same_bytes(a->at[image], b->at[image], sizeof a->at[image]);
}

Test(augment, nothing_asked_for_is_normalisation)
{
    const nas_recipe_t recipe = {0};
    for (nas_pixel_t pixel = NAS_PIXEL_U8; pixel <= NAS_PIXEL_F32; pixel++) {
        nas_dataset_t dataset = make_dataset(pixel);
        images_t *found = augmented(&dataset, &recipe, 1, 2), *expected = normalised(&dataset);
        cr_assert(alike(found, expected));
        free(found);
        free(expected);
        nas_dataset_fini(&dataset);
    }
}

Test(augment, an_image_depends_on_seed_epoch_and_number_alone)
{
    static const int64_t index[] = {31, 4, 4, 0};
    const nas_recipe_t recipe = {.flip = true, .crop = 3, .cutout = 3};
    nas_dataset_t dataset = make_dataset(NAS_PIXEL_U8);
    images_t *all = augmented(&dataset, &recipe, 1, 2), *same = augmented(&dataset, &recipe, 1, 2);
    images_t *seed = augmented(&dataset, &recipe, 2, 2),
             *epoch = augmented(&dataset, &recipe, 1, 3);
    float some[4][C][H][W];
    nas_augment(&(nas_augment_options_t){&dataset, &recipe, 1, 2}, index, 4, &some[0][0][0][0]);
    for (int i = 0; i < 4; i++) cr_assert(same_bytes(some[i], all->at[index[i]], sizeof some[i]));
    cr_assert(alike(all, same));
    cr_assert(!alike(all, seed) && !alike(all, epoch));
    free(all);
    free(same);
    free(seed);
    free(epoch);
    nas_dataset_fini(&dataset);
}

/* A pixel of a window `down` and `right` of an image that stands on black. */
static float shifted(const nas_dataset_t *dataset, float image[C][H][W], const int at[3], int down,
                     int right)
{
    const int y = at[1] + down, x = at[2] + right;
    if (y >= 0 && y < H && x >= 0 && x < W) return image[at[0]][y][x];
    return (float)((0 - dataset->mean[at[0]]) / dataset->std[at[0]]);
}

static bool is_window(const nas_dataset_t *dataset, float found[C][H][W], float image[C][H][W],
                      int down, int right)
{
    for (int c = 0; c < C; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const int at[3] = {c, y, x};
                if (found[c][y][x] != shifted(dataset, image, at, down, right)) return false;
            }
    return true;
}

/* Each offset is expected 400 times of 40 images in 250 epochs with a standard deviation of 19.6.
 */
Test(augment, a_crop_is_a_window_shifted_uniformly)
{
    enum { CROP = 2, SIDE = 2 * CROP + 1, N_EPOCHS = 250 };
    const nas_recipe_t recipe = {.crop = CROP};
    for (nas_pixel_t pixel = NAS_PIXEL_U8; pixel <= NAS_PIXEL_F32; pixel++) {
        nas_dataset_t dataset = make_dataset(pixel);
        images_t *plain = normalised(&dataset);
        int n_seen[SIDE * SIDE] = {0};
        for (int epoch = 0; epoch < N_EPOCHS; epoch++) {
            images_t *found = augmented(&dataset, &recipe, 9, epoch);
            for (int i = 0; i < N; i++) {
                int n_fits = 0;
                for (int k = 0; k < SIDE * SIDE; k++) {
                    const bool fits = is_window(&dataset, found->at[i], plain->at[i],
                                                k / SIDE - CROP, k % SIDE - CROP);
                    n_fits += fits;
                    n_seen[k] += fits;
                }
                cr_assert_eq(n_fits, 1);
            }
            free(found);
        }
        for (int k = 0; k < SIDE * SIDE; k++)
            cr_assert(abs(n_seen[k] - 400) < 5 * 20, "offset %d came %d times", k, n_seen[k]);
        free(plain);
        nas_dataset_fini(&dataset);
    }
}

/* Even where hardly anything of the image is left. */
Test(augment, a_crop_may_leave_the_image)
{
    enum { CROP = 9, SIDE = 2 * CROP + 1 };
    const nas_recipe_t recipe = {.crop = CROP};
    nas_dataset_t dataset = make_dataset(NAS_PIXEL_F32);
    images_t *plain = normalised(&dataset), *found = augmented(&dataset, &recipe, 9, 0);
    for (int i = 0; i < N; i++) {
        bool fits = false;
        for (int k = 0; k < SIDE * SIDE; k++)
            fits |=
                is_window(&dataset, found->at[i], plain->at[i], k / SIDE - CROP, k % SIDE - CROP);
        cr_assert(fits);
    }
    free(plain);
    free(found);
    nas_dataset_fini(&dataset);
}

static void mirror(float image[C][H][W])
{
    for (int c = 0; c < C; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W / 2; x++) {
                const float left = image[c][y][x];
                image[c][y][x] = image[c][y][W - 1 - x];
                image[c][y][W - 1 - x] = left;
            }
}

/* An image is itself or its mirror image, which mirrored again is itself: half of 4,000, with a
 * standard deviation of 31.6. */
Test(augment, half_of_the_images_are_mirrored)
{
    const nas_recipe_t recipe = {.flip = true};
    nas_dataset_t dataset = make_dataset(NAS_PIXEL_U8);
    images_t *plain = normalised(&dataset);
    int n_mirrored = 0;
    for (int epoch = 0; epoch < 100; epoch++) {
        images_t *found = augmented(&dataset, &recipe, 9, epoch);
        for (int i = 0; i < N; i++) {
            if (alike_at(found, plain, i)) continue;
            mirror(found->at[i]);
            n_mirrored++;
            cr_assert(alike_at(found, plain, i));
        }
        free(found);
    }
    cr_assert(abs(n_mirrored - 2000) < 5 * 32, "%d of 4000", n_mirrored);
    free(plain);
    nas_dataset_fini(&dataset);
}

/* How often each pixel is covered by a square of this side whose centre is uniform, in units of
 * centres. */
static int n_covering(int y, int x, int side)
{
    int n = 0;
    for (int cy = 0; cy < H; cy++)
        for (int cx = 0; cx < W; cx++) {
            const int top = cy - side / 2, left = cx - side / 2;
            n += y >= top && y < top + side && x >= left && x < left + side;
        }
    return n;
}

/* Exactly one square is 0, the rest is as it was; where it lies is uniform: the pixel that is blank
 * most often is expected 1,200 times of 4,000 with a standard deviation of 29. */
Test(augment, cutout_blanks_a_square_cut_at_the_edges)
{
    for (int side = 1; side <= 4; side++) {
        const nas_recipe_t recipe = {.cutout = side};
        nas_dataset_t dataset = make_dataset(NAS_PIXEL_F32);
        images_t *plain = normalised(&dataset);
        int n_blank[H][W] = {{0}};
        for (int epoch = 0; epoch < 100; epoch++) {
            images_t *found = augmented(&dataset, &recipe, 9, epoch);
            for (int i = 0; i < N; i++) {
                int top = H, bottom = 0, left = W, right = 0, area = 0;
                for (int k = 0; k < VALUES; k++) {
                    const int c = k / PLANE, y = k / W % H, x = k % W;
                    const float value = found->at[i][c][y][x];
                    const bool blank = value == 0;
                    cr_assert(blank || value == plain->at[i][c][y][x]);
                    cr_assert_eq(blank, found->at[i][0][y][x] == 0, "alike in all channels");
                    if (!blank || c > 0) continue;
                    top = y < top ? y : top;
                    bottom = y >= bottom ? y + 1 : bottom;
                    left = x < left ? x : left;
                    right = x >= right ? x + 1 : right;
                    area++;
                    n_blank[y][x]++;
                }
                cr_assert_eq(area, (bottom - top) * (right - left), "a full rectangle");
                cr_assert(bottom - top == side || ((top == 0 || bottom == H) && area > 0));
                cr_assert(right - left == side || ((left == 0 || right == W) && area > 0));
                cr_assert(bottom - top <= side && right - left <= side);
            }
            free(found);
        }
        for (int k = 0; k < PLANE; k++) {
            const int expected = 100 * N * n_covering(k / W, k % W, side) / PLANE;
            cr_assert(abs(n_blank[k / W][k % W] - expected) < 5 * 32, "side %d, pixel %d", side, k);
        }
        free(plain);
        nas_dataset_fini(&dataset);
    }
}

/* Each switch by itself does what it does beside the others: crop, then mirror, then blank. */
Test(augment, changes_come_in_their_order)
{
    const nas_recipe_t all = {.flip = true, .crop = 2, .cutout = 3};
    const nas_recipe_t crop = {.crop = 2}, flip = {.flip = true}, cutout = {.cutout = 3};
    nas_dataset_t dataset = make_dataset(NAS_PIXEL_U8);
    images_t *plain = normalised(&dataset), *found = augmented(&dataset, &all, 4, 1);
    images_t *cropped = augmented(&dataset, &crop, 4, 1);
    images_t *flipped = augmented(&dataset, &flip, 4, 1);
    images_t *blanked = augmented(&dataset, &cutout, 4, 1);
    for (int i = 0; i < N; i++) {
        if (!alike_at(flipped, plain, i)) mirror(cropped->at[i]);
        for (int k = 0; k < VALUES; k++) {
            const int c = k / PLANE, y = k / W % H, x = k % W;
            const bool blank = blanked->at[i][c][y][x] != plain->at[i][c][y][x];
            cr_assert_eq(found->at[i][c][y][x], blank ? 0 : cropped->at[i][c][y][x]);
        }
    }
    free(plain);
    free(found);
    free(cropped);
    free(flipped);
    free(blanked);
    nas_dataset_fini(&dataset);
}
