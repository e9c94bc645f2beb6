/* The posterior at any number of ranks: every number of a search is the one that a process alone
 * finds, bit for bit. */
#include "check.h"
#include "tests/unit/posterior_case.h"

/* memory: of every second rank; the others have none. */
static void check_search(nas_comm_t *world, int64_t n_arch, int64_t n_metric, int n_position)
{
    nas_error_t err = {0};
    nas_comm_t *self = NULL;
    static case_trace_t alone, shared;
    const int64_t memory = nas_comm_rank(world) % 2 == 0 ? 1 << 28 : 0;
    CHECK(nas_comm_self(&self, &err) == NAS_OK);
    posterior_case_t pool = case_create(n_arch, n_metric, n_position);
    nas_posterior_t *of_one = case_posterior(&pool, self, 1 << 28);
    nas_posterior_t *of_all = case_posterior(&pool, world, memory);
    CHECK(nas_posterior_metrics(of_all) == nas_posterior_metrics(of_one));
    CHECK(nas_posterior_positions(of_all) == nas_posterior_positions(of_one));
    alone = shared = (case_trace_t){0};
    case_search(of_one, self, n_arch, CASE_POINTS, &alone);
    case_search(of_all, world, n_arch, CASE_POINTS, &shared);
    nas_comm_bcast(world, 0, shared.correlation, sizeof shared.correlation); /* the leader's */
    CHECK(memcmp(&alone, &shared, sizeof alone) == 0);
    CHECK(alone.points.n == CASE_POINTS || n_arch < 100);
    nas_posterior_destroy(of_one);
    nas_posterior_destroy(of_all);
    nas_comm_destroy(self);
    case_destroy(&pool);
}

/* Twins stand on different ranks. */
static void check_ties(nas_comm_t *world)
{
    enum { N = 90, HALF = N / 2, M = 3 };
    posterior_case_t pool = case_create(N, M, 0);
    case_points_t points = {0};
    for (int64_t i = 0; i < HALF; i++)
        for (int64_t m = 0; m < M; m++)
            pool.value[m * N + i] = pool.value[m * N + i + HALF] = (double)((i * (7 + 4 * m)) % 41);
    nas_posterior_t *posterior = case_posterior(&pool, world, 1 << 28);
    while (points.n < CASE_POINTS) {
        const nas_posterior_pick_t pick = case_improve(posterior, world, &points, 0);
        bool is_second = false;
        for (int64_t i = 0; i < points.n; i++) is_second |= points.arch[i] == pick.arch - HALF;
        CHECK(0 <= pick.arch && (pick.arch < HALF || is_second));
        case_append(posterior, pick.arch, &points);
    }
    nas_posterior_destroy(posterior);
    case_destroy(&pool);
}

/* Any rank may be the one that is asked to stop; the leader hears of it. */
static void check_flag(nas_comm_t *world)
{
    posterior_case_t pool = case_create(50, 2, 2);
    case_points_t points = {0};
    double correlation[CASE_METRICS];
    nas_error_t err = {0};
    nas_posterior_pick_t pick;
    nas_posterior_learned_t learned = {0, 0, correlation};
    nas_posterior_t *posterior = case_posterior(&pool, world, 0);
    case_append(posterior, 20, &points);
    const nas_posterior_query_t query = case_query(&points, 0);
    for (int who = 0; who < nas_comm_size(world); who++) {
        int flag = nas_comm_rank(world) == who ? 2 : 0;
        nas_posterior_improve(posterior, &query, &flag, &pick);
        CHECK(flag == 2 || nas_comm_rank(world) != 0);
        flag = nas_comm_rank(world) == who ? 1 : 0;
        CHECK(nas_posterior_learned(posterior, &query, 3, &flag, &learned, &err) == NAS_OK);
        CHECK(flag == 1 || nas_comm_rank(world) != 0);
    }
    nas_posterior_destroy(posterior);
    case_destroy(&pool);
}

/* What the search found is appended at once: whoever keeps rows makes them in between. */
static void check_resume(nas_comm_t *world, int64_t n_arch)
{
    static case_trace_t whole, later;
    posterior_case_t pool = case_create(n_arch, 9, 6);
    const int64_t memory = nas_comm_rank(world) % 2 == 0 ? 1 << 28 : 0;
    nas_posterior_t *first = case_posterior(&pool, world, 1 << 28);
    nas_posterior_t *second = case_posterior(&pool, world, memory);
    whole = later = (case_trace_t){0};
    case_search(first, world, n_arch, CASE_POINTS, &whole);
    for (int64_t i = 0; i < CASE_POINTS - 1; i++)
        case_append(second, whole.points.arch[i], &later.points);
    case_search(second, world, n_arch, CASE_POINTS, &later);
    CHECK(memcmp(&whole.points, &later.points, sizeof whole.points) == 0);
    nas_posterior_destroy(first);
    nas_posterior_destroy(second);
    case_destroy(&pool);
}

typedef struct stop {
    bool stops;
    int n_asked;
} stop_t;

static bool asked(void *context, double share)
{
    stop_t *stop = context;
    (void)share;
    stop->n_asked++;
    return stop->stops;
}

/* One rank is interrupted while it makes rows: no rank has the point, or waits for one. */
static void check_stop(nas_comm_t *world, int who)
{
    enum { T = 60 };
    const int64_t n_arch = INT64_C(9000) * nas_comm_size(world);
    const bool is_it = nas_comm_rank(world) == who;
    nas_error_t err = {0};
    stop_t stop = {.stops = is_it};
    const nas_interrupt_t interrupt = {asked, &stop};
    nas_posterior_t *posterior = NULL;
    int64_t first = 0, n = 0, n_stopped = 0;
    double mean = 0, row[T];
    const nas_posterior_options_t options = {.n_arch = n_arch,
                                             .n_position = 1,
                                             .max_points = T,
                                             .memory_bytes = 1 << 28,
                                             .interrupt = &interrupt};
    CHECK(nas_posterior_create(world, &options, &posterior, &err) == NAS_OK);
    nas_posterior_shard(posterior, &first, &n);
    uint8_t *code = malloc((size_t)n);
    CHECK(code);
    for (int64_t i = 0; i < n; i++) code[i] = (uint8_t)((first + i) % 200);
    nas_posterior_load_codes(posterior, 0, n, code);
    nas_posterior_settle(posterior);
    for (int64_t i = 0; i < T; i++) {
        nas_status_t status = nas_posterior_append(posterior, i * 401 % n_arch, &mean, row, &err);
        if (status == NAS_ESTOP) {
            CHECK(nas_posterior_points(posterior) == i);
            CHECK(!is_it || stop.n_asked == 1);
            n_stopped++;
            stop.stops = false;
            status = nas_posterior_append(posterior, i * 401 % n_arch, &mean, row, &err);
        }
        CHECK(status == NAS_OK && nas_posterior_points(posterior) == i + 1);
    }
    CHECK(n_stopped == 1);
    nas_posterior_destroy(posterior);
    free(code);
}

static void body(nas_comm_t *world)
{
    check_search(world, 1, 2, 2);
    check_search(world, 2, 13, 0);
    check_search(world, 3, 0, 5); /* fewer rows than ranks */
    check_search(world, 61, 13, 6);
    check_search(world, 700, 9, 6);
    check_search(world, 1500, 0, 6);
    check_search(world, 2300, 13, 0);
    check_ties(world);
    check_flag(world);
    check_resume(world, 700);
    for (int who = 0; who < nas_comm_size(world); who++) check_stop(world, who);
}

int main(void)
{
    return run_mpi_test(body);
}
