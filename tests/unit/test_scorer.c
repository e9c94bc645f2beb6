/* Packs of architectures: what is found of each is what is found of it alone, whatever happens to
 * the others. */
#include "common/base/rng.h"
#include "tests/tools/pack_engine.h"
#include "worker/engine/host/backends.h"
#include "worker/engine/host/host.h"
#include "worker/engine/scorer.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4, N_ARCH = 20, WIDTH = 8, N_METRICS = 11 };
enum { N_TASKS = 8 }; /* of an architecture: of all kinds of runs */

static const nas_network_t TINY = {3, 8, 8, 4, 1, 5, NAS_CONVENTION_SCORE};
static const char *const NAMES[N_METRICS] = {
    "snip", "jacob_cov", "nwot",    "log_synflow", "swap", "zico", "az_expressivity",
    "zen",  "ntk",       "l2_norm", "params"};

typedef struct fixture {
    float images[BATCH * 3 * 8 * 8];
    int32_t labels[BATCH];
    const nas_metric_t *metric[N_METRICS];
    nas_networks_t *networks;
    nas_pack_engine_t *pack;
    nas_scorer_t *scorer;
    double alone[N_ARCH][N_METRICS]; /* by the host's engine */
    double value[N_ARCH][N_METRICS];
    nas_scorer_result_t result[N_ARCH];
} fixture_t;

static fixture_t f;

static int64_t number(int i)
{
    return (int64_t)i * 761 % 15625;
}

static nas_scorer_t *make_scorer(nas_engine_t *engine, int n_metric)
{
    nas_scorer_t *scorer = NULL;
    const nas_scorer_options_t options = {.engine = engine,
                                          .networks = f.networks,
                                          .network = TINY,
                                          .metric = f.metric,
                                          .n_metric = n_metric,
                                          .batch = BATCH,
                                          .images = f.images,
                                          .labels = f.labels,
                                          .seed = 3};
    cr_assert_eq(nas_scorer_create(&options, &scorer, NULL), NAS_OK);
    return scorer;
}

static nas_engine_t *make_host(void)
{
    nas_engine_t *host = NULL;
    cr_assert_eq(nas_host_engine_create(nas_backend_ref(), NULL, &host, NULL), NAS_OK);
    return host;
}

static void score_alone(void)
{
    nas_engine_t *host = make_host();
    nas_scorer_t *scorer = make_scorer(host, N_METRICS);
    for (int i = 0; i < N_ARCH; i++)
        cr_assert_eq(nas_scorer_score(scorer, number(i), f.alone[i], NULL), NAS_OK);
    nas_scorer_destroy(scorer);
    nas_engine_destroy(host);
}

static void set_up(void)
{
    nas_rng_t rng;
    nas_rng_init(&rng, 1, NAS_STREAM_BENCH, 0);
    for (size_t i = 0; i < sizeof f.images / sizeof *f.images; i++)
        f.images[i] = (float)nas_rng_normal(&rng);
    for (int i = 0; i < BATCH; i++) f.labels[i] = i % TINY.classes;
    for (int m = 0; m < N_METRICS; m++) f.metric[m] = nas_metric_find(NAMES[m]);
    cr_assert_eq(
        nas_networks_of_space(nas_space_with_networks(), NAS_WEIGHTS_BY_NAME, &f.networks, NULL),
        NAS_OK);
    score_alone();
    f.pack = nas_pack_engine_create(make_host());
    cr_assert_not_null(f.pack);
    f.scorer = make_scorer(&f.pack->engine, N_METRICS);
}

static void tear_down(void)
{
    nas_scorer_destroy(f.scorer);
    nas_engine_destroy(&f.pack->engine);
    nas_networks_destroy(f.networks);
}

TestSuite(scorer, .init = set_up, .fini = tear_down);

static void start(int first, int n)
{
    for (int i = first; i < first + n; i++) nas_scorer_add(f.scorer, number(i));
    nas_scorer_start(f.scorer);
}

static nas_status_t finish(int first, int n, nas_error_t *err)
{
    double *value[WIDTH];
    for (int i = 0; i < n; i++) value[i] = f.value[first + i];
    return nas_scorer_finish(f.scorer, value, f.result + first, err);
}

/* All of them, in packs of n, of which the next is made while one is under way. */
static nas_status_t score_all(int n, nas_error_t *err)
{
    memset(f.value, 0, sizeof f.value);
    start(0, n);
    for (int first = 0; first < N_ARCH; first += n) {
        const int behind = first + n, left = N_ARCH - behind;
        if (left > 0) start(behind, left < n ? left : n);
        const nas_status_t status = finish(first, behind > N_ARCH ? N_ARCH - first : n, err);
        if (status) return status;
    }
    return NAS_OK;
}

static void check_values(int i)
{
    cr_assert_eq(f.result[i].status, NAS_OK, "%d: %s", i, f.result[i].err.text);
    for (int m = 0; m < N_METRICS; m++) {
        const double value = f.value[i][m], alone = f.alone[i][m];
        cr_assert(value == alone || (isnan(value) && isnan(alone)), "%d, %s: %.17g, alone %.17g", i,
                  NAMES[m], value, alone);
    }
}

static void check_all(void)
{
    for (int i = 0; i < N_ARCH; i++) check_values(i);
}

static int place_of(const char *name)
{
    int m = 0;
    while (m < N_METRICS - 1 && strcmp(NAMES[m], name) != 0) m++;
    return m;
}

/* Several of these cells have a convolution of a node that nothing leads to. */
Test(scorer, zen_is_finite_wherever_there_is_a_path)
{
    const int zen = place_of("zen"), of_path = place_of("jacob_cov");
    for (int i = 0; i < N_ARCH; i++)
        cr_assert_eq(!isfinite(f.alone[i][zen]), isnan(f.alone[i][of_path]), "%d: %g, %g", i,
                     f.alone[i][zen], f.alone[i][of_path]);
}

Test(scorer, company_changes_nothing)
{
    for (int n = 1; n <= WIDTH; n++) {
        cr_assert_eq(score_all(n, NULL), NAS_OK);
        check_all();
    }
    cr_assert_gt(nas_scorer_bytes(f.scorer), 0);
}

/* Without programs there is nothing for the engine to do. */
Test(scorer, formulas_need_no_engine)
{
    nas_scorer_destroy(f.scorer);
    f.metric[0] = nas_metric_find("params");
    f.scorer = make_scorer(&f.pack->engine, 1);
    cr_assert_eq(score_all(WIDTH, NULL), NAS_OK);
    cr_assert_eq(f.pack->n_starts, 0);
    for (int i = 0; i < N_ARCH; i++) cr_assert_eq(f.value[i][0], f.alone[i][N_METRICS - 1]);
}

Test(scorer, parameters_that_the_engine_draws_are_the_same)
{
    f.pack->engine.draws = true;
    cr_assert_eq(score_all(WIDTH, NULL), NAS_OK);
    check_all();
}

Test(scorer, portable_values_are_those_of_the_host_but_for_roundings)
{
    f.pack->engine.is_portable = true;
    cr_assert_eq(score_all(WIDTH, NULL), NAS_OK);
    for (int i = 0; i < N_ARCH; i++)
        for (int m = 0; m < N_METRICS; m++) {
            const double value = f.value[i][m], alone = f.alone[i][m];
            cr_assert(isfinite(value) == isfinite(alone));
            cr_assert(!isfinite(value) || fabs(value - alone) <= 1e-9 * fabs(alone));
        }
}

/* A pack for which there is no memory is carried out in halves. */
Test(scorer, packs_are_halved_as_long_as_there_is_no_memory)
{
    for (int most = N_TASKS; most <= N_TASKS * WIDTH; most += N_TASKS / 2) {
        f.pack->most_tasks = most;
        cr_assert_eq(score_all(WIDTH, NULL), NAS_OK);
        check_all();
    }
}

Test(scorer, what_does_not_fit_alone_fails_alone)
{
    int n_failed = 0;
    f.pack->most_tasks = N_TASKS - 1;
    cr_assert_eq(score_all(WIDTH, NULL), NAS_OK);
    for (int i = 0; i < N_ARCH; i++) cr_assert_eq(f.result[i].status, NAS_ENOMEM);
    f.pack->most_tasks = 0;
    f.pack->most_bytes = 80000;
    cr_assert_eq(score_all(WIDTH, NULL), NAS_OK);
    for (int i = 0; i < N_ARCH; i++) {
        if (f.result[i].status == NAS_OK) {
            check_values(i);
            continue;
        }
        cr_assert_eq(f.result[i].status, NAS_ENOMEM);
        cr_assert_str_eq(f.result[i].err.text, "it does not fit the device");
        n_failed++;
    }
    cr_assert(n_failed > 0 && n_failed < N_ARCH, "%d", n_failed);
}

/* Wherever the device is lost, all that is under way ends with its words. */
Test(scorer, a_lost_device_is_an_error_of_the_engine)
{
    for (int n_left = 0; n_left < 2 * 3; n_left++) {
        nas_error_t err = {0};
        f.pack->n_starts_left = n_left / 2;
        f.pack->is_lost_at_start = n_left % 2;
        cr_assert_eq(score_all(WIDTH, &err), NAS_EIO);
        cr_assert_str_eq(err.text, "the device is lost");
        nas_scorer_destroy(f.scorer); /* with what was behind it */
        f.scorer = make_scorer(&f.pack->engine, N_METRICS);
    }
    f.pack->n_starts_left = -1;
    cr_assert_eq(score_all(WIDTH, NULL), NAS_OK);
    check_all();
}

Test(scorer, packs_under_way_can_be_given_up)
{
    start(0, WIDTH);
    start(WIDTH, WIDTH);
    nas_scorer_destroy(f.scorer);
    f.scorer = make_scorer(&f.pack->engine, N_METRICS);
    cr_assert_eq(score_all(WIDTH, NULL), NAS_OK);
    check_all();
}
