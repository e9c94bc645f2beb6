/* A posterior against its formulas, carried out in float64 by the textbook. */
#include "posterior_pools.h"

/* All in float64, as they are written down: features, and the process on some points. */
typedef struct reference {
    int64_t n_arch, n_kept;
    int n_position; /* with a choice */
    const posterior_case_t *pool;
    double x[CASE_METRICS][MAX_ARCH];
    int64_t column[CASE_METRICS];
    double b[MAX_ARCH];
    double L[CASE_POINTS][CASE_POINTS], z[CASE_POINTS];
    double mean[MAX_ARCH], std[MAX_ARCH];
} reference_t;

/* The average rank, quadratic. */
static double place_of(const double *value, int64_t n, int64_t i)
{
    double place = 1.0;
    for (int64_t j = 0; j < n; j++) {
        if (value[j] < value[i]) place += 1.0;
        if (j != i && value[j] == value[i]) place += 0.5;
    }
    return place;
}

static void standardise(reference_t *reference, int64_t metric)
{
    const int64_t n = reference->n_arch;
    const double *raw = reference->pool->value + metric * n;
    double value[MAX_ARCH], *x = reference->x[reference->n_kept], mean = 0, variance = 0;
    int64_t n_finite = 0;
    for (int64_t i = 0; i < n; i++) {
        value[i] = isfinite(raw[i]) ? raw[i] : NAN;
        n_finite += isfinite(raw[i]);
    }
    for (int64_t i = 0; i < n; i++) {
        x[i] = isnan(value[i]) ? NAN : (place_of(value, n, i) - 0.5) / (double)n_finite - 0.5;
        mean += isnan(x[i]) ? 0 : x[i] / (double)n_finite;
    }
    for (int64_t i = 0; i < n; i++)
        variance += isnan(x[i]) ? 0 : (x[i] - mean) * (x[i] - mean) / (double)n_finite;
    if (n_finite < 2 || variance <= 1e-12) return;
    for (int64_t i = 0; i < n; i++) x[i] = isnan(x[i]) ? 0 : (x[i] - mean) / sqrt(variance);
    reference->column[reference->n_kept++] = metric;
}

static void set_up(reference_t *reference, const posterior_case_t *pool)
{
    *reference = (reference_t){.n_arch = pool->n_arch, .pool = pool};
    double square = 0;
    for (int64_t m = 0; m < pool->n_metric; m++) standardise(reference, m);
    for (int64_t i = 0; i < pool->n_arch; i++) {
        for (int64_t m = 0; m < reference->n_kept; m++)
            reference->b[i] += reference->x[m][i] / (double)reference->n_kept;
        square += reference->b[i] * reference->b[i] / (double)pool->n_arch;
    }
    for (int64_t i = 0; i < pool->n_arch; i++)
        reference->b[i] = square > 0 ? reference->b[i] / sqrt(square) : 0;
    for (int p = 0; p < pool->n_position; p++) {
        bool differs = false;
        for (int64_t i = 1; i < pool->n_arch; i++)
            differs |= pool->code[i * pool->n_position + p] != pool->code[p];
        reference->n_position += differs;
    }
}

static double prior_of(const reference_t *reference, int64_t i)
{
    return 0.3 * reference->b[i] - 0.1 * reference->b[i] * reference->b[i];
}

static double kernel_of(const reference_t *reference, int64_t i, int64_t l)
{
    const posterior_case_t *pool = reference->pool;
    const double M = (double)reference->n_kept, P = reference->n_position;
    double k = 1.0, square = 0, dot = 0, h = 0;
    for (int64_t m = 0; m < reference->n_kept; m++) {
        const double *x = reference->x[m];
        square += (x[i] - x[l]) * (x[i] - x[l]) / M;
        dot += x[i] * x[l] / M;
    }
    const double u = sqrt(5.0 * square);
    if (M > 0) k += (1.0 + u + u * u / 3.0) * exp(-u) + 0.1 * dot;
    for (int p = 0; p < pool->n_position; p++)
        h += pool->code[i * pool->n_position + p] != pool->code[l * pool->n_position + p];
    if (P > 0) k += 0.25 * exp(-h / (0.5 * P)) + 0.1 * (1.0 - h / P);
    return k;
}

/* Textbook Cholesky, then every architecture by forward substitution. */
static void condition(reference_t *reference, const case_points_t *points)
{
    double(*L)[CASE_POINTS] = reference->L;
    for (int64_t i = 0; i < points->n; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double sum = kernel_of(reference, points->arch[i], points->arch[j]);
            if (i == j) sum += 0.1001;
            for (int64_t k = 0; k < j; k++) sum -= L[i][k] * L[j][k];
            L[i][j] = i == j ? sqrt(sum) : sum / L[j][j];
        }
        double rest = points->t[i] - prior_of(reference, points->arch[i]);
        for (int64_t k = 0; k < i; k++) rest -= L[i][k] * reference->z[k];
        reference->z[i] = rest / L[i][i];
    }
    for (int64_t c = 0; c < reference->n_arch; c++) {
        double v[CASE_POINTS], mean = prior_of(reference, c), rest = kernel_of(reference, c, c);
        for (int64_t i = 0; i < points->n; i++) {
            v[i] = kernel_of(reference, points->arch[i], c);
            for (int64_t k = 0; k < i; k++) v[i] -= L[i][k] * v[k];
            v[i] /= L[i][i];
            mean += v[i] * reference->z[i];
            rest -= v[i] * v[i];
        }
        reference->mean[c] = mean;
        reference->std[c] = sqrt(rest);
    }
}

static double improvement_of(const reference_t *reference, int64_t c, double incumbent)
{
    const double w = (reference->mean[c] - incumbent) / reference->std[c];
    const double density = exp(-0.5 * w * w) / sqrt(2.0 * acos(-1.0));
    if (w <= -6) return -1e-9 * w * w * reference->std[c];
    return reference->std[c] * (w * 0.5 * erfc(-w / sqrt(2.0)) + density);
}

/* The pick is the best by the formulas, up to rounding. */
static void check_pick(const reference_t *reference, const case_points_t *points, double hidden,
                       nas_posterior_pick_t pick)
{
    const double incumbent = case_query(points, 0).incumbent;
    double best = -INFINITY;
    for (int64_t c = 0; c < reference->n_arch; c++)
        if (is_admitted(points, hidden, c))
            best = fmax(best, improvement_of(reference, c, incumbent));
    cr_assert(is_admitted(points, hidden, pick.arch));
    cr_assert_float_eq(pick.mean, reference->mean[pick.arch], 1e-5);
    cr_assert_float_eq(pick.improvement, best, 1e-5);
    cr_assert_float_eq(improvement_of(reference, pick.arch, incumbent), best, 1e-5);
}

static void check_points(const reference_t *reference, const case_points_t *points)
{
    for (int64_t i = 0; i < points->n; i++) {
        cr_assert_float_eq(points->mean[i], prior_of(reference, points->arch[i]), 1e-6);
        for (int64_t j = 0; j <= i; j++)
            cr_assert_float_eq(points->L[i][j], reference->L[i][j], 1e-5);
    }
}

static double correlation_of(const reference_t *reference, int64_t metric)
{
    const double n = (double)reference->n_arch, *x = reference->x[metric];
    double mean = 0, mean_x = 0, square = 0, square_x = 0, product = 0;
    for (int64_t i = 0; i < reference->n_arch; i++) {
        mean += reference->mean[i] / n;
        mean_x += x[i] / n;
    }
    for (int64_t i = 0; i < reference->n_arch; i++) {
        square += (reference->mean[i] - mean) * (reference->mean[i] - mean);
        square_x += (x[i] - mean_x) * (x[i] - mean_x);
        product += (reference->mean[i] - mean) * (x[i] - mean_x);
    }
    return product / sqrt(square * square_x);
}

static void check_learned(const reference_t *reference, nas_posterior_t *posterior,
                          nas_comm_t *comm, const case_points_t *points)
{
    double found[CASE_METRICS], expected[CASE_METRICS] = {0};
    for (int64_t m = 0; m < reference->n_kept; m++)
        expected[reference->column[m]] = correlation_of(reference, m);
    for (int64_t c = 0; c < reference->n_arch; c += 1 + reference->n_arch / 40) {
        const nas_posterior_learned_t learned = case_learned(posterior, comm, points, c, found);
        cr_assert_float_eq(learned.mean, reference->mean[c], 1e-5);
        cr_assert_float_eq(learned.std, reference->std[c], 1e-5);
    }
    for (int64_t m = 0; m < reference->pool->n_metric; m++)
        cr_assert_float_eq(found[m], expected[m], 1e-5);
}

Test(posterior_kernel, a_sweep_equals_the_formulas)
{
    static reference_t reference;
    for (int i = 1; i < N_CASES; i++) {
        posterior_case_t pool = case_number(i);
        nas_comm_t *comm = self();
        nas_posterior_t *posterior = case_posterior(&pool, comm, MEMORY);
        case_trace_t trace = {0};
        set_up(&reference, &pool);
        cr_assert_eq(nas_posterior_metrics(posterior), reference.n_kept);
        cr_assert_eq(nas_posterior_positions(posterior), reference.n_position);
        for (int64_t n = 1; n < CASE_POINTS && n + 3 < pool.n_arch; n += 9) {
            const double hidden = pool.n_arch < 100 || n > 20 ? 0.0 : 0.3;
            case_search(posterior, comm, pool.n_arch, n, &trace);
            condition(&reference, &trace.points);
            check_points(&reference, &trace.points);
            check_pick(&reference, &trace.points, hidden,
                       case_improve(posterior, comm, &trace.points, hidden));
            check_learned(&reference, posterior, comm, &trace.points);
        }
        nas_posterior_destroy(posterior);
        nas_comm_destroy(comm);
        case_destroy(&pool);
    }
}

Test(posterior_kernel, the_first_pick_has_the_highest_mean_feature)
{
    static reference_t reference;
    const case_points_t none = {0};
    for (int i = 1; i < N_CASES; i++) {
        posterior_case_t pool = case_number(i);
        nas_comm_t *comm = self();
        nas_posterior_t *posterior = case_posterior(&pool, comm, MEMORY);
        const nas_posterior_pick_t pick = case_improve(posterior, comm, &none, 0);
        int64_t best = 0;
        set_up(&reference, &pool);
        for (int64_t c = 1; c < pool.n_arch; c++)
            if (reference.b[c] > reference.b[best] + 1e-12) best = c;
        cr_assert_eq(pick.arch, best, "pool %d: %d instead of %d", i, (int)pick.arch, (int)best);
        cr_assert_float_eq(pick.improvement, reference.b[best], 1e-6);
        cr_assert_float_eq(pick.mean, prior_of(&reference, best), 1e-6);
        nas_posterior_destroy(posterior);
        nas_comm_destroy(comm);
        case_destroy(&pool);
    }
}
