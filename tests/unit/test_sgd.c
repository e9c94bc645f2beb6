#include "common/base/rng.h"
#include "worker/objectives/train/sgd.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 77, N_STEPS = 6 }; /* N: no multiple of a vector */

typedef struct vectors {
    double p[N];
    double v[N];
    double g[N];
} vectors_t;

/* torch.nn.utils.clip_grad_norm_ and torch.optim.SGD, one value at a time. */
static void transcription(const nas_recipe_t *recipe, double rate, bool first, vectors_t *x)
{
    double squares = 0;
    for (int i = 0; i < N; i++) squares += x->g[i] * x->g[i];
    const double coefficient = recipe->clip / (sqrt(squares) + 1e-6);
    for (int i = 0; i < N; i++) {
        double g = recipe->clip > 0 && coefficient < 1 ? coefficient * x->g[i] : x->g[i];
        if (recipe->weight_decay != 0) g += recipe->weight_decay * x->p[i];
        if (recipe->momentum != 0) {
            x->v[i] = first ? g : recipe->momentum * x->v[i] + g;
            g = recipe->nesterov ? g + recipe->momentum * x->v[i] : x->v[i];
        }
        x->p[i] -= rate * g;
    }
}

static void assert_near(const double *found, const double *expected, const char *what, int number)
{
    for (int i = 0; i < N; i++)
        cr_assert_float_eq(found[i], expected[i], 1e-14 * (1 + fabs(expected[i])),
                           "combination %d, %s %d: %.17g, expected %.17g", number, what, i,
                           found[i], expected[i]);
}

/* All combinations of momentum, Nesterov, decay and clipping (none; one that bites; one that does
 * not), from a velocity of rubbish that the first step must not see. */
Test(sgd, steps_equal_their_definition)
{
    static const double clips[] = {0, 1, 1000};
    for (int number = 0; number < 8 * 3; number++) {
        const nas_recipe_t recipe = {.momentum = number & 1 ? 0.9 : 0,
                                     .nesterov = (number & 2) != 0 && (number & 1) != 0,
                                     .weight_decay = number & 4 ? 0.03 : 0,
                                     .clip = clips[number / 8]};
        vectors_t found, expected;
        nas_rng_t rng;
        nas_rng_init(&rng, 3, NAS_STREAM_BENCH, (uint64_t)number);
        for (int i = 0; i < N; i++) {
            found.p[i] = nas_rng_normal(&rng);
            found.v[i] = 1e6;
        }
        expected = found;
        for (int step = 0; step < N_STEPS; step++) {
            const double rate = 0.1 / (1 + step);
            for (int i = 0; i < N; i++) found.g[i] = expected.g[i] = nas_rng_normal(&rng);
            nas_sgd_step(&recipe, rate, step == 0,
                         &(nas_sgd_values_t){N, found.p, found.v, found.g});
            transcription(&recipe, rate, step == 0, &expected);
            assert_near(found.p, expected.p, "parameter", number);
            if (recipe.momentum > 0) assert_near(found.v, expected.v, "velocity", number);
        }
    }
}

/* On k p^2 / 2 every step without momentum takes p times 1 - rate k; with weight decay k grows by
 * it. */
Test(sgd, a_quadratic_falls_as_its_closed_form_says)
{
    const nas_recipe_t recipe = {.weight_decay = 0.5};
    const double rate = 0.1, k = 2.5;
    double p = 3, v = 0;
    for (int step = 0; step < 20; step++) {
        double g = k * p;
        nas_sgd_step(&recipe, rate, step == 0, &(nas_sgd_values_t){1, &p, &v, &g});
        cr_assert_float_eq(p, 3 * pow(1 - rate * (k + 0.5), step + 1), 1e-14);
    }
}

/* With momentum m, p at step n solves p(n+1) = (1 + m - rate k) p(n) - m p(n-1): at m = 1/4 and
 * rate k = 1/4 both roots are 1/2, so that p(n) = (1 + n a) / 2^n with p(1) = 3/4, a = 1/2. */
Test(sgd, momentum_follows_its_recurrence)
{
    const nas_recipe_t recipe = {.momentum = 0.25};
    double p = 1, v = 0;
    for (int step = 0; step < 20; step++) {
        double g = p;
        nas_sgd_step(&recipe, 0.25, step == 0, &(nas_sgd_values_t){1, &p, &v, &g});
        cr_assert_float_eq(p, ldexp(1 + 0.5 * (step + 1), -(step + 1)), 1e-15);
    }
}

/* The gradient as it was used has the norm that was asked for, and its direction. */
Test(sgd, clipping_keeps_the_direction)
{
    const nas_recipe_t recipe = {.clip = 2};
    double p[N] = {0}, v[N] = {0}, g[N], squares = 0;
    for (int i = 0; i < N; i++) g[i] = i + 1;
    nas_sgd_step(&recipe, 1, true, &(nas_sgd_values_t){N, p, v, g});
    for (int i = 0; i < N; i++) squares += p[i] * p[i];
    cr_assert_float_eq(sqrt(squares), 2, 1e-6);
    for (int i = 0; i < N; i++) cr_assert_float_eq(p[i] / p[0], i + 1, 1e-12);
}

Test(sgd, the_rate_falls_from_all_to_nothing)
{
    nas_recipe_t recipe = {.rate = 0.3, .cosine = true};
    double before = 0.3 + DBL_EPSILON;
    cr_assert_eq(nas_sgd_rate(&recipe, 0, 40), 0.3);
    cr_assert_float_eq(nas_sgd_rate(&recipe, 10, 40), 0.3 * 0.5 * (1 + sqrt(0.5)), 1e-15);
    cr_assert_float_eq(nas_sgd_rate(&recipe, 20, 40), 0.15, 1e-15);
    cr_assert_float_eq(nas_sgd_rate(&recipe, 40, 40), 0, 1e-15);
    for (int64_t step = 0; step < 40; step++) {
        const double rate = nas_sgd_rate(&recipe, step, 40);
        cr_assert(rate > 0 && rate < before);
        before = rate;
    }
    recipe.cosine = false;
    cr_assert_eq(nas_sgd_rate(&recipe, 0, 40), 0.3);
    cr_assert_eq(nas_sgd_rate(&recipe, 39, 40), 0.3);
}
