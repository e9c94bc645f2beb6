#include "common/base/isa.h"
#include "posterior_pools.h"

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
