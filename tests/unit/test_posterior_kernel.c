#include "common/base/isa.h"
#include "tests/unit/posterior_case.h"

#include <criterion/criterion.h>

enum { MEMORY = 1 << 30, MAX_ARCH = 1100 };

/* Pools around the borders of tiles (16 rows) and of blocks (1024 rows). */
static const struct {
    int64_t n_arch, n_metric;
    int n_position;
} CASES[] = {{1, 3, 4},   {2, 1, 0},   {15, 13, 6}, {16, 0, 6},    {17, 2, 1},  {33, 13, 0},
             {100, 0, 4}, {300, 1, 3}, {511, 9, 5}, {1025, 13, 6}, {1100, 6, 0}};

enum { N_CASES = sizeof CASES / sizeof *CASES };

static nas_comm_t *self(void)
{
    nas_error_t err = {0};
    nas_comm_t *comm = NULL;
    cr_assert_eq(nas_comm_self(&comm, &err), NAS_OK);
    return comm;
}

static posterior_case_t case_number(int i)
{
    return case_create(CASES[i].n_arch, CASES[i].n_metric, CASES[i].n_position);
}

/* ------------------------------------------------------------------------- same bits */

static void run(const posterior_case_t *pool, nas_isa_t isa, int64_t memory, case_trace_t *trace)
{
    nas_comm_t *comm = self();
    nas_posterior_t *posterior = case_posterior(pool, comm, memory);
    nas_posterior_use(posterior, isa);
    case_search(posterior, comm, pool->n_arch, CASE_POINTS, trace);
    nas_posterior_destroy(posterior);
    nas_comm_destroy(comm);
}

Test(posterior_kernel, every_instruction_set_and_no_memory_give_the_bits_of_plain)
{
    for (int i = 0; i < N_CASES; i++) {
        posterior_case_t pool = case_number(i);
        case_trace_t plain = {0};
        run(&pool, NAS_ISA_PLAIN, MEMORY, &plain);
        cr_assert(plain.points.n == CASE_POINTS || pool.n_arch < 100);
        for (nas_isa_t isa = 0; isa < NAS_ISA_COUNT; isa++) {
            if (!nas_isa_available(isa)) continue;
            for (int64_t memory = 0; memory <= MEMORY; memory += MEMORY) {
                case_trace_t other = {0};
                run(&pool, isa, memory, &other);
                cr_assert_eq(memcmp(&plain, &other, sizeof plain), 0, "%s, pool %d, memory %d",
                             nas_isa_name(isa), i, (int)memory);
            }
        }
        case_destroy(&pool);
    }
}

/* As where a search goes on after a restart. */
Test(posterior_kernel, points_appended_at_once_are_as_one_by_one)
{
    for (int i = 4; i < N_CASES; i++) {
        for (int64_t memory = 0; memory <= MEMORY; memory += MEMORY) {
            posterior_case_t pool = case_number(i);
            nas_comm_t *comm = self();
            nas_posterior_t *posterior = case_posterior(&pool, comm, memory);
            case_trace_t whole = {0}, later = {0};
            run(&pool, nas_isa_best(), memory, &whole);
            for (int64_t p = 0; p < whole.points.n - 3; p++)
                case_append(posterior, whole.points.arch[p], &later.points);
            case_search(posterior, comm, pool.n_arch, whole.points.n, &later);
            cr_assert_eq(memcmp(&whole.points, &later.points, sizeof whole.points), 0);
            for (int64_t p = whole.points.n - 3; p < whole.points.n; p++)
                cr_assert_eq(memcmp(&whole.pick[p], &later.pick[p], sizeof *whole.pick), 0);
            nas_posterior_destroy(posterior);
            nas_comm_destroy(comm);
            case_destroy(&pool);
        }
    }
}

/* As where repeats follow one another, or a group goes on with another one's. */
Test(posterior_kernel, what_is_kept_is_as_if_the_rest_had_never_been)
{
    const int64_t kept[] = {37, 33, 32, 31, 16, 5, 0};
    for (int64_t memory = 0; memory <= MEMORY; memory += MEMORY) {
        posterior_case_t pool = case_number(8);
        nas_comm_t *comm = self();
        nas_posterior_t *posterior = case_posterior(&pool, comm, memory);
        case_trace_t whole = {0};
        case_search(posterior, comm, pool.n_arch, CASE_POINTS, &whole);
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
            case_trace_t again = whole, other = whole;
            nas_posterior_keep(posterior, kept[k]);
            other.points.n = again.points.n = kept[k];
            while (other.points.n < CASE_POINTS) {
                case_append(posterior, (other.points.n * 31 + 1) % pool.n_arch, &other.points);
                (void)case_improve(posterior, comm, &other.points, 0.5);
            }
            nas_posterior_keep(posterior, kept[k]);
            case_search(posterior, comm, pool.n_arch, CASE_POINTS, &again);
            cr_assert_eq(memcmp(&whole, &again, sizeof whole), 0, "%d kept", (int)kept[k]);
        }
        nas_posterior_destroy(posterior);
        nas_comm_destroy(comm);
        case_destroy(&pool);
    }
}

/* --------------------------------------------------------------------------- the formulas */

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

static bool is_admitted(const case_points_t *points, double hidden, int64_t arch)
{
    for (int64_t i = 0; i < points->n; i++)
        if (points->arch[i] == arch) return false;
    return !nas_posterior_hides(3, hidden, arch);
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

/* ----------------------------------------------------------------------------- invariances */

static void assert_same_search(const posterior_case_t *a, const posterior_case_t *b)
{
    case_trace_t of_a = {0}, of_b = {0};
    run(a, nas_isa_best(), MEMORY, &of_a);
    run(b, nas_isa_best(), MEMORY, &of_b);
    memset(of_a.correlation, 0, sizeof of_a.correlation); /* metrics may have other numbers */
    memset(of_b.correlation, 0, sizeof of_b.correlation);
    cr_assert_eq(memcmp(&of_a, &of_b, sizeof of_a), 0);
}

Test(posterior_kernel, rising_transforms_of_metrics_change_no_bit)
{
    posterior_case_t plain = case_create(300, 13, 5), bent = case_create(300, 13, 5);
    for (int64_t i = 0; i < 13 * 300; i++) {
        const double x = plain.value[i];
        bent.value[i] = i / 300 % 3 == 0 ? exp(x) : i / 300 % 3 == 1 ? x * x * x - 1e3 : 1e8 * x;
    }
    assert_same_search(&plain, &bent);
    case_destroy(&plain);
    case_destroy(&bent);
}

/* Metrics 6 (constant) and 7 (a single value) are not kept, and position 3 is not compared. */
Test(posterior_kernel, what_says_nothing_changes_no_bit)
{
    posterior_case_t plain = case_create(300, 8, 4), least = case_create(300, 8, 4);
    least.n_metric = 6;
    least.n_position = 3;
    for (int64_t i = 0; i < 300; i++) memmove(least.code + 3 * i, least.code + 4 * i, 3);
    assert_same_search(&plain, &least);
    case_destroy(&plain);
    case_destroy(&least);
}

/* Every architecture has a twin behind it, which is taken only after it. */
Test(posterior_kernel, ties_go_to_the_lower_index)
{
    posterior_case_t pool = case_create(100, 13, 6);
    nas_comm_t *comm = self();
    for (int64_t i = 0; i < 50; i++) {
        for (int64_t m = 0; m < 13; m++)
            pool.value[m * 100 + i + 50] = pool.value[m * 100 + i] = (double)((i * (m + 7)) % 31);
        memcpy(pool.code + 6 * (i + 50), pool.code + 6 * i, 6);
    }
    nas_posterior_t *posterior = case_posterior(&pool, comm, MEMORY);
    case_points_t points = {0};
    while (points.n < CASE_POINTS) {
        const nas_posterior_pick_t pick = case_improve(posterior, comm, &points, 0);
        cr_assert(pick.arch < 50 || !is_admitted(&points, 0, pick.arch - 50));
        case_append(posterior, pick.arch, &points);
    }
    nas_posterior_destroy(posterior);
    nas_comm_destroy(comm);
    case_destroy(&pool);
}

/* --------------------------------------------------------------------------- admission */

Test(posterior_kernel, hiding_depends_on_seed_and_architecture_alone)
{
    int64_t n = 0, n_both = 0;
    for (int64_t i = 0; i < 100000; i++) {
        const bool hides = nas_posterior_hides(7, 0.1, i);
        cr_assert_not(nas_posterior_hides(7, 0, i));
        cr_assert(nas_posterior_hides(7, 0.9, i) || !hides);
        n += hides;
        n_both += hides && nas_posterior_hides(8, 0.1, i);
    }
    cr_assert(9700 < n && n < 10300, "%d of 100000", (int)n);
    cr_assert(900 < n_both && n_both < 1100, "%d of 100000", (int)n_both);
}

Test(posterior_kernel, where_nothing_is_admitted_there_is_no_pick)
{
    posterior_case_t pool = case_create(7, 2, 2);
    nas_comm_t *comm = self();
    nas_posterior_t *posterior = case_posterior(&pool, comm, MEMORY);
    case_points_t points = {0};
    for (int64_t i = 0; i < 7; i++) case_append(posterior, i, &points);
    cr_assert_eq(case_improve(posterior, comm, &points, 0).arch, -1);
    nas_posterior_destroy(posterior);
    nas_comm_destroy(comm);
    case_destroy(&pool);
}

/* ----------------------------------------------------------------------------- being stopped */

typedef struct stop {
    int n_asked;
    int flag;
    bool waits; /* until the next question */
} stop_t;

static bool stops(void *context, double share)
{
    stop_t *stop = context;
    cr_assert(share > 0 && share < 1);
    stop->n_asked++;
    stop->flag = !stop->waits;
    return stop->flag;
}

/* Positions alone, of a pool in which the first point may be any. */
static nas_posterior_t *coded(nas_comm_t *comm, int64_t n_arch, int64_t max_points, int64_t memory,
                              const nas_interrupt_t *interrupt)
{
    nas_error_t err = {0};
    nas_posterior_t *posterior = NULL;
    const nas_posterior_options_t options = {.n_arch = n_arch,
                                             .n_position = 2,
                                             .max_points = max_points,
                                             .memory_bytes = memory,
                                             .interrupt = interrupt};
    uint8_t *code = malloc((size_t)(2 * n_arch));
    cr_assert_not_null(code);
    for (int64_t i = 0; i < 2 * n_arch; i++) code[i] = (uint8_t)(i * 7919 % 97 % 60);
    cr_assert_eq(nas_posterior_create(comm, &options, &posterior, &err), NAS_OK);
    nas_posterior_load_codes(posterior, 0, n_arch, code);
    nas_posterior_settle(posterior);
    free(code);
    return posterior;
}

/* Appended at once, n points come to more than a slab, or to long rows of L. The first questions
 * that are asked meanwhile stop it, once; what is appended after that is as if none had. */
static void check_stopped_append(int64_t n_arch, int64_t n, int64_t memory)
{
    nas_comm_t *comm = self();
    nas_error_t err = {0};
    stop_t stop = {0};
    int n_stopped = 0;
    double mean[2], *row = calloc(2 * (size_t)n, sizeof *row);
    const nas_interrupt_t interrupt = {stops, &stop};
    nas_posterior_t *whole = coded(comm, n_arch, n, 1 << 28, NULL);
    nas_posterior_t *stopped = coded(comm, n_arch, n, memory, &interrupt);
    cr_assert_not_null(row);
    for (int64_t i = 0; i < n; i++) {
        const int64_t arch = i * 7 % n_arch;
        nas_status_t status = nas_posterior_append(stopped, arch, &mean[0], row, &err);
        if (status == NAS_ESTOP) {
            cr_assert_eq(nas_posterior_points(stopped), i);
            cr_assert_eq(stop.n_asked, 1);
            n_stopped++;
            stop.waits = true;
            status = nas_posterior_append(stopped, arch, &mean[0], row, &err);
        }
        cr_assert_eq(status, NAS_OK);
        cr_assert_eq(nas_posterior_append(whole, arch, &mean[1], row + n, &err), NAS_OK);
        cr_assert_eq(memcmp(row, row + n, (size_t)(i + 1) * sizeof *row), 0, "point %d", (int)i);
        cr_assert(mean[0] == mean[1]);
    }
    cr_assert_eq(n_stopped, 1);
    nas_posterior_destroy(whole);
    nas_posterior_destroy(stopped);
    nas_comm_destroy(comm);
    free(row);
}

Test(posterior_kernel, appending_many_points_is_interrupted)
{
    check_stopped_append(9000, 80, 1 << 28); /* while 16 rows are made */
    check_stopped_append(840, 800, 0);       /* while those of one tile are */
}

/* Where rows are made again each time a sweep takes long. Each is stopped at its first question,
 * and nothing of it stays. */
Test(posterior_kernel, a_sweep_is_interrupted)
{
    enum { N = 9000, T = 250 };
    nas_error_t err = {0};
    nas_comm_t *comm = self();
    stop_t stop = {0};
    static double z[T];
    double correlation = 0;
    const nas_interrupt_t interrupt = {stops, &stop};
    nas_posterior_t *posterior = coded(comm, N, T, 0, &interrupt);
    for (int64_t i = 0; i < T; i++)
        cr_assert_eq(nas_posterior_append(posterior, i, NULL, NULL, &err), NAS_OK);
    nas_posterior_pick_t pick;
    nas_posterior_learned_t learned = {0, 0, &correlation};
    const nas_posterior_query_t query = {z, 1.0, 0, 0};
    nas_posterior_improve(posterior, &query, &stop.flag, &pick);
    cr_assert(stop.n_asked == 1 && stop.flag == 1);
    cr_assert_eq(nas_posterior_learned(posterior, &query, 0, &stop.flag, &learned, &err), NAS_OK);
    cr_assert_eq(stop.n_asked, 2);
    nas_posterior_destroy(posterior);
    nas_comm_destroy(comm);
}

/* ------------------------------------------------------------------------------- memory */

Test(posterior_kernel, lines_fit_or_do_not)
{
    bool fits = true;
    const double lines = 4.0 * 1e6 * 96;
    nas_posterior_options_t options = {
        .n_arch = 1000000, .n_metric = 13, .n_position = 6, .max_points = 96};
    const double least = nas_posterior_bytes(&options, 1000000, &fits);
    cr_assert_not(fits);
    options.memory_bytes = INT64_MAX;
    const double most = nas_posterior_bytes(&options, 1000000, &fits);
    cr_assert(fits);
    cr_assert(fabs(most - least - lines) < 1e-3 * lines);
    cr_assert(least >= 1e6 * (4 * 13 + 6) && least < 1e6 * (4 * 13 + 6 + 9));
    options.memory_bytes = (int64_t)most;
    cr_assert(nas_posterior_bytes(&options, 1000000, &fits) == most && fits);
    options.memory_bytes--;
    cr_assert(nas_posterior_bytes(&options, 1000000, &fits) == least && !fits);
}
