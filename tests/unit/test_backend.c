#define WITH_GPUS 1
#include "backend_tensors.h"

BACKEND_TEST(backend, tensors_keep_their_values)
{
    for (int s = 0; s < N_SHAPES; s++) {
        fixture_t f = setup(*index);
        const tensor_t tensor = random_tensor(&f, SHAPES[s]);
        const double *found = stored(&f, SHAPES[s], tensor.data);
        cr_assert_eq(memcmp(found, tensor.values, n_elements(SHAPES[s]) * sizeof *found), 0);
        teardown(&f);
    }
}

/* Mean and mean square deviation of a channel, from the definition. */
static void expected_moments(const placed_t *x, nas_shape_t shape, int c, double moments[2])
{
    const double n_values = (double)shape.n * shape.h * shape.w;
    moments[0] = 0;
    moments[1] = 0;
    for (int power = 1; power <= 2; power++) {
        double sum = 0;
        for (size_t i = 0; i < n_elements(shape); i++) {
            const element_t e = element(shape, i);
            if (e.c == c) sum += pow(value_at(x, e) - moments[0], power);
        }
        moments[power - 1] = sum / n_values;
    }
}

BACKEND_TEST(backend, moments_equal_their_definition)
{
    for (int s = 0; s < N_SHAPES; s++) {
        fixture_t f = setup(*index);
        placed_t x = place(&f, SHAPES[s]);
        for (size_t i = 0; i < n_elements(x.tensor.shape); i += 2) x.tensor.values[i] += 3.0;
        f.backend->load(x.tensor.shape, x.tensor.values, x.tensor.data);
        double *mean = take_doubles(&f, (size_t)SHAPES[s].c);
        double *variance = take_doubles(&f, (size_t)SHAPES[s].c);
        f.backend->moments(SHAPES[s], range(&x), mean, variance);
        for (int c = 0; c < SHAPES[s].c; c++) {
            double expected[2];
            expected_moments(&x, SHAPES[s], c, expected);
            check_sum(&f, mean[c], expected[0], 4.0, "mean");
            check_sum(&f, variance[c], expected[1], 4.0, "variance");
        }
        teardown(&f);
    }
}

/* b NULL: the sum of a. */
static void check_image_dots(fixture_t *f, nas_shape_t shape, const placed_t *a, const placed_t *b)
{
    const size_t n_sums = (size_t)shape.n * (size_t)shape.c;
    double *found = take_doubles(f, n_sums);
    f->backend->image_dots(shape, range(a), b ? range(b) : (nas_channels_t){0}, found);
    double *expected = take_zeros(f, n_sums);
    for (size_t i = 0; i < n_elements(shape); i++) {
        const element_t e = element(shape, i);
        expected[e.n * shape.c + e.c] += value_at(a, e) * (b ? value_at(b, e) : 1.0);
    }
    for (size_t i = 0; i < n_sums; i++)
        check_sum(f, found[i], expected[i], (double)shape.h * shape.w, "image dot");
}

BACKEND_TEST(backend, image_dots_equal_their_definition)
{
    for (int s = 0; s < N_SHAPES; s++) {
        fixture_t f = setup(*index);
        const placed_t a = place(&f, SHAPES[s]);
        const placed_t b = place(&f, SHAPES[s]);
        check_image_dots(&f, SHAPES[s], &a, &b);
        check_image_dots(&f, SHAPES[s], &a, NULL);
        teardown(&f);
    }
}

/* The largest value is put at every channel in turn, of either sign, outside the range too. */
BACKEND_TEST(backend, max_abs_is_the_largest_of_the_range)
{
    fixture_t f = setup(*index);
    const nas_shape_t shape = {2, 3 * BLOCK, 3, 3};
    double *values = take_random(&f, n_elements(shape));
    const tensor_t tensor = take_tensor(&f, shape, values);
    const nas_shape_t part = {shape.n, BLOCK, shape.h, shape.w};
    for (int c = 0; c < shape.c; c++) {
        const size_t largest = position(shape, (element_t){c % 2, c, c % 3, 2});
        const double before = values[largest];
        values[largest] = c % 2 == 0 ? -5.0 : 5.0;
        f.backend->load(shape, values, tensor.data);
        cr_assert_eq(f.backend->max_abs(shape, channels(&tensor, 0)), 5.0, "channel %d", c);
        for (int first = 0; first < shape.c; first += BLOCK) {
            const bool is_within = c >= first && c < first + BLOCK;
            cr_assert_eq(f.backend->max_abs(part, channels(&tensor, first)) == 5.0, is_within,
                         "channel %d, range from %d", c, first);
        }
        values[largest] = before;
    }
    teardown(&f);
}

/* Values that are > 0 in both images a and b, by their definition. */
static int count_common(const placed_t *x, nas_shape_t shape, int a, int b)
{
    int count = 0;
    for (size_t i = 0; i < n_elements(shape); i++) {
        element_t e = element(shape, i);
        if (e.n != a || !(value_at(x, e) > 0)) continue;
        e.n = b;
        count += value_at(x, e) > 0;
    }
    return count;
}

static int count_common_bits(const uint64_t *a, const uint64_t *b, size_t words)
{
    int count = 0;
    for (size_t i = 0; i < words; i++) {
        for (uint64_t both = a[i] & b[i]; both != 0; both &= both - 1) count++;
    }
    return count;
}

/* Bits count what two images have in common: that holds for any order of the bits, if padded
 * channels have none. GPUs count as they read (test_gpu_sums.c). */
BACKEND_TEST(backend, signs_have_one_bit_a_value)
{
    for (int s = 0; s < N_SHAPES; s++) {
        fixture_t f = setup(*index);
        if (!f.backend->signs) criterion_skip_test("%s has no bits of signs", f.backend->name);
        const nas_shape_t shape = SHAPES[s];
        const placed_t x = place(&f, shape);
        const size_t words = f.backend->sign_words(shape);
        cr_assert_eq(words, (n_elements(shape) / (size_t)shape.n + 63) / 64);
        uint64_t *bits = take(&f, (size_t)shape.n * words * sizeof *bits);
        f.backend->signs(shape, range(&x), bits);
        for (int a = 0; a < shape.n; a++) {
            for (int b = 0; b < shape.n; b++)
                cr_assert_eq(
                    count_common_bits(bits + (size_t)a * words, bits + (size_t)b * words, words),
                    count_common(&x, shape, a, b), "%s %s, shape %d, images %d and %d",
                    f.backend->name, f.isa, s, a, b);
        }
        teardown(&f);
    }
}
