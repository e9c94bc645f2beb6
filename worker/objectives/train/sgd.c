#include "worker/objectives/train/sgd.h"

#include "worker/engine/metrics/portable.h"

#include <math.h>
#include <string.h>

/* Sums are over this many interleaved parts, whatever the vectors of the processor hold. */
enum { LANES = 8 };

static double rate_at(const nas_recipe_t *recipe, int64_t step, int64_t n_steps,
                      double (*cosine)(double))
{
    const double pi = 3.14159265358979323846;
    if (!recipe->cosine) return recipe->rate;
    return recipe->rate * 0.5 * (1 + cosine(pi * (double)step / (double)n_steps));
}

double nas_sgd_rate(const nas_recipe_t *recipe, int64_t step, int64_t n_steps)
{
    return rate_at(recipe, step, n_steps, cos);
}

double nas_sgd_portable_rate(const nas_recipe_t *recipe, int64_t step, int64_t n_steps)
{
    return rate_at(recipe, step, n_steps, nas_portable_cos);
}

static double sum_of_squares(int64_t n, const double *x)
{
    const int64_t n_whole = n / LANES * LANES;
    double lane[LANES] = {0}, sum = 0;
    for (int64_t i = 0; i < n_whole; i += LANES)
        for (int k = 0; k < LANES; k++) lane[k] += x[i + k] * x[i + k];
    for (int k = 0; k < LANES; k++) sum += lane[k];
    for (int64_t i = n_whole; i < n; i++) sum += x[i] * x[i];
    return sum;
}

/* As torch.nn.utils.clip_grad_norm_. */
static void clip_norm(double most, int64_t n, double *gradient)
{
    const double coefficient = most / (sqrt(sum_of_squares(n, gradient)) + 1e-6);
    if (!(coefficient < 1)) return;
    for (int64_t i = 0; i < n; i++) gradient[i] *= coefficient;
}

void nas_sgd_step(const nas_recipe_t *recipe, double rate, bool first,
                  const nas_sgd_values_t *values)
{
    const double decay = recipe->weight_decay, momentum = recipe->momentum;
    const int64_t n = values->n;
    double *restrict p = values->parameter, *restrict v = values->velocity;
    const double *restrict g = values->gradient;
    if (recipe->clip > 0) clip_norm(recipe->clip, n, values->gradient);
    if (first) memset(v, 0, (size_t)n * sizeof *v);
    if (recipe->nesterov) {
        for (int64_t i = 0; i < n; i++) {
            const double decayed = g[i] + decay * p[i];
            v[i] = momentum * v[i] + decayed;
            p[i] -= rate * (decayed + momentum * v[i]);
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        v[i] = momentum * v[i] + (g[i] + decay * p[i]);
        p[i] -= rate * v[i];
    }
}
