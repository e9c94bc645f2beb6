#include "coordinator/search/bo/minimise.h"

#include <cblas.h>
#include <math.h>
#include <nlopt.h>
#include <stdlib.h>
#include <string.h>

struct nas_minimiser {
    nlopt_opt opt;
    int64_t d;
    double low, high;
    nas_function_t function; /* of the minimisation under way, as are the fields below */
    void *context;
    double scale; /* of value and gradient; 0: not yet chosen */
    double best_value;
    double *best; /* [d] */
    double *x;    /* [d] NLopt's own */
};

static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Largest coordinate of the step from x along the negative gradient, clipped to the box. */
static double projected_gradient(const nas_minimiser_t *minimiser, const double *x,
                                 const double *gradient)
{
    double largest = 0.0;
    for (int64_t i = 0; i < minimiser->d; i++) {
        const double step = clip(x[i] - gradient[i], minimiser->low, minimiser->high) - x[i];
        if (fabs(step) > largest) largest = fabs(step);
    }
    return largest;
}

/* NLopt returns its last point and has no tolerance for the gradient: both are looked after here.
 * Its first step is the negative gradient, however long, which would leap from any hill to a bound:
 * the function is scaled so that the step has at most length 1, as in L-BFGS-B. */
static double evaluate(unsigned d, const double *x, double *gradient, void *data)
{
    const double gradient_tolerance = 1e-5;
    nas_minimiser_t *minimiser = data;
    const double value = minimiser->function(d, x, gradient, minimiser->context);
    if (minimiser->scale == 0.0) {
        const double norm = cblas_dnrm2((int)d, gradient, 1);
        minimiser->scale = norm > 1.0 ? 1.0 / norm : 1.0;
    }
    if (value < minimiser->best_value) {
        minimiser->best_value = value;
        memcpy(minimiser->best, x, d * sizeof *x);
        if (projected_gradient(minimiser, x, gradient) <= gradient_tolerance) {
            (void)nlopt_force_stop(minimiser->opt);
        }
    }
    for (unsigned i = 0; i < d; i++) gradient[i] *= minimiser->scale;
    return value * minimiser->scale;
}

nas_status_t nas_minimiser_create(int64_t d, double low, double high, nas_minimiser_t **minimiser_p,
                                  nas_error_t *err)
{
    NAS_ASSERT(d > 0 && low < high);
    const double relative_decrease = 2.2e-9;
    const int max_evaluations = 1000;
    const unsigned n_corrections = 10; /* by default NLopt allocates megabytes a minimisation */

    nas_minimiser_t *minimiser = calloc(1, sizeof *minimiser);
    if (!minimiser) return nas_error_nomem(err, "minimiser");
    minimiser->d = d;
    minimiser->low = low;
    minimiser->high = high;
    minimiser->opt = nlopt_create(NLOPT_LD_LBFGS, (unsigned)d);
    minimiser->best = calloc((size_t)d, sizeof *minimiser->best);
    minimiser->x = calloc((size_t)d, sizeof *minimiser->x);
    if (!minimiser->opt || !minimiser->best || !minimiser->x ||
        nlopt_set_lower_bounds1(minimiser->opt, low) != NLOPT_SUCCESS ||
        nlopt_set_upper_bounds1(minimiser->opt, high) != NLOPT_SUCCESS ||
        nlopt_set_ftol_rel(minimiser->opt, relative_decrease) != NLOPT_SUCCESS ||
        nlopt_set_maxeval(minimiser->opt, max_evaluations) != NLOPT_SUCCESS ||
        nlopt_set_vector_storage(minimiser->opt, n_corrections) != NLOPT_SUCCESS ||
        nlopt_set_min_objective(minimiser->opt, evaluate, minimiser) != NLOPT_SUCCESS) {
        nas_minimiser_destroy(minimiser);
        return nas_error_nomem(err, "minimiser");
    }
    *minimiser_p = minimiser;
    return NAS_OK;
}

double nas_minimise(nas_minimiser_t *minimiser, nas_function_t function, void *context, double *x)
{
    minimiser->function = function;
    minimiser->context = context;
    minimiser->scale = 0.0;
    minimiser->best_value = HUGE_VAL;
    for (int64_t i = 0; i < minimiser->d; i++) {
        minimiser->x[i] = clip(x[i], minimiser->low, minimiser->high);
        minimiser->best[i] = minimiser->x[i];
    }
    double last_value;
    /* Whatever ended it, the best point counts. */
    (void)nlopt_optimize(minimiser->opt, minimiser->x, &last_value);
    memcpy(x, minimiser->best, (size_t)minimiser->d * sizeof *x);
    return minimiser->best_value;
}

void nas_minimiser_stop(nas_minimiser_t *minimiser)
{
    (void)nlopt_force_stop(minimiser->opt);
}

void nas_minimiser_destroy(nas_minimiser_t *minimiser)
{
    if (!minimiser) return;
    nlopt_destroy(minimiser->opt);
    free(minimiser->best);
    free(minimiser->x);
    free(minimiser);
}
