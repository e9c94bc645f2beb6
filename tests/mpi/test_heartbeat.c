/* The heartbeat at any number of ranks: a request to stop reaches everybody, whoever received it and
 * whatever the others do meanwhile; and the end comes, whatever is under way. */
#include "check.h"
#include "common/base/clock.h"
#include "common/comm/heartbeat.h"
#include "common/io/stop.h"

#include <math.h>
#include <signal.h>
#include <time.h>

static const double PATIENCE_S = 30.0;

static void nobody_is_silent(void *context, const char *line)
{
    (void)context;
    nas_comm_abort(line);
}

static nas_heartbeat_t *begin_watched(nas_comm_t *world, int (*watch)(void *context, double share),
                                      void *context)
{
    nas_error_t err = {0};
    nas_heartbeat_t *heartbeat = NULL;
    const nas_heartbeat_options_t options = {.silence_s = 2 * PATIENCE_S,
                                             .silent = nobody_is_silent,
                                             .watch = watch,
                                             .context = context};
    CHECK(nas_heartbeat_begin(world, &options, &heartbeat, &err) == NAS_OK);
    return heartbeat;
}

static nas_heartbeat_t *begin(nas_comm_t *world)
{
    return begin_watched(world, NULL, NULL);
}

static void nap(void)
{
    const struct timespec moment = {.tv_nsec = 1000 * 1000};
    (void)nanosleep(&moment, NULL);
}

/* Poll until some rank's request to stop is known; returns it. */
static int poll_until_stop(nas_heartbeat_t *heartbeat, int mine)
{
    const double end_s = nas_clock_monotonic_s() + PATIENCE_S;
    for (;;) {
        const int stop = nas_heartbeat_poll(heartbeat, mine, 0.5);
        if (stop) return stop;
        CHECK(nas_clock_monotonic_s() < end_s);
        nap();
    }
}

/* A heartbeat after others knows nothing of them. */
static void expect_no_stop(nas_comm_t *world)
{
    nas_heartbeat_t *heartbeat = begin(world);
    double any = 0;
    for (int i = 0; i < 20; i++) {
        if (nas_heartbeat_poll(heartbeat, 0, 0)) any = 1;
        nas_comm_max(world, &any, 1);
    }
    CHECK(any == 0);
    nas_heartbeat_end(heartbeat);
}

/* ---------------------------------------------------------------------------------------- stops */

static void test_stop_reaches_all(nas_comm_t *world)
{
    for (int asked = 0; asked < nas_comm_size(world); asked++) {
        nas_heartbeat_t *heartbeat = begin(world);
        const int mine = nas_comm_rank(world) == asked ? SIGTERM : 0;
        CHECK(poll_until_stop(heartbeat, mine) == SIGTERM);
        CHECK(nas_heartbeat_poll(heartbeat, 0, 1) == SIGTERM); /* it stays */
        nas_heartbeat_end(heartbeat);
    }
    expect_no_stop(world);
}

/* All ranks are asked, each in a way of its own; a rank knows at least its own. */
static void test_all_stop_at_once(nas_comm_t *world)
{
    nas_heartbeat_t *heartbeat = begin(world);
    const int mine = 1 + nas_comm_rank(world);
    const int first = poll_until_stop(heartbeat, mine);
    CHECK(first >= mine && first <= nas_comm_size(world));
    CHECK(nas_heartbeat_poll(heartbeat, 0, 1) >= first);
    nas_heartbeat_end(heartbeat);
    expect_no_stop(world);
}

/* The others wait in a collective that rank 0 enters once it knows of the request; then they know
 * of it, too. */
static void test_stop_while_waiting(nas_comm_t *world, int asked)
{
    nas_heartbeat_t *heartbeat = begin(world);
    int known = 0;
    if (nas_comm_rank(world) == asked) (void)nas_heartbeat_poll(heartbeat, SIGUSR1, 0.5);
    if (nas_comm_rank(world) == 0) known = poll_until_stop(heartbeat, 0);
    nas_comm_bcast(world, 0, &known, sizeof known);
    CHECK(known == SIGUSR1);
    CHECK(poll_until_stop(heartbeat, 0) == SIGUSR1);
    nas_heartbeat_end(heartbeat);
}

static int ask_at_second_look(void *context, double share)
{
    int *n_looks = context;
    CHECK(share == 0.5);
    return ++*n_looks == 2 ? SIGINT : 0;
}

/* Rank 0 has it from elsewhere. */
static void test_watched_stop(nas_comm_t *world)
{
    int n_looks = 0;
    nas_heartbeat_t *heartbeat = begin_watched(world, ask_at_second_look, &n_looks);
    CHECK(poll_until_stop(heartbeat, 0) == SIGINT);
    CHECK(n_looks == (nas_comm_rank(world) == 0 ? 2 : 0));
    nas_heartbeat_end(heartbeat);
    expect_no_stop(world);
}

/* The signal comes where the rank makes no more polls of its own, being on its way into a
 * collective. The process keeps it for good: the last test. */
static void test_signal_while_waiting(nas_comm_t *world)
{
    nas_heartbeat_t *heartbeat = begin(world);
    int known = 0;
    nas_stop_install();
    if (nas_comm_rank(world) == nas_comm_size(world) - 1) CHECK(raise(SIGUSR1) == 0);
    if (nas_comm_rank(world) == 0)
        known = poll_until_stop(heartbeat, nas_comm_size(world) == 1 ? nas_stop_signal() : 0);
    nas_comm_bcast(world, 0, &known, sizeof known);
    CHECK(known == SIGUSR1);
    nas_heartbeat_end(heartbeat);
}

/* -------------------------------------------------------------------------------------- the end */

static void test_begin_end(nas_comm_t *world)
{
    for (int round = 0; round < 100; round++) {
        nas_heartbeat_t *heartbeat = begin(world);
        /* some ranks say more than others, and some nothing */
        for (int i = 0; i < (round + nas_comm_rank(world)) % 3; i++)
            CHECK(nas_heartbeat_poll(heartbeat, 0, 0.1 * i) == 0);
        nas_heartbeat_end(heartbeat);
    }
    nas_heartbeat_end(NULL);
}

static void test_stop_in_last_moment(nas_comm_t *world)
{
    const int rank = nas_comm_rank(world), size = nas_comm_size(world);
    for (int round = 0; round < 100; round++) {
        nas_heartbeat_t *heartbeat = begin(world);
        /* one rank, then all; the others are at their end already, or still poll */
        const bool is_asked = round % (size + 1) == size || round % (size + 1) == rank;
        if (is_asked) CHECK(nas_heartbeat_poll(heartbeat, SIGINT, 1) == SIGINT);
        for (int i = 0; i < (rank + round) % 5; i++) (void)nas_heartbeat_poll(heartbeat, 0, 1);
        nas_heartbeat_end(heartbeat);
    }
    expect_no_stop(world);
}

/* A rank comes to the end long after the others. */
static void test_late_rank(nas_comm_t *world)
{
    for (int late = 0; late < nas_comm_size(world); late++) {
        nas_heartbeat_t *heartbeat = begin(world);
        const int n = nas_comm_rank(world) == late ? 100 : 0;
        for (int i = 0; i < n; i++) {
            (void)nas_heartbeat_poll(heartbeat, i == n / 2 ? SIGTERM : 0, 0);
            nap();
        }
        nas_heartbeat_end(heartbeat);
    }
    expect_no_stop(world);
}

/* --------------------------------------------------------------------------------------- shares */

/* Rank 0 waits until it has heard all shares; the others report theirs from where they wait. Sums
 * of quarters are exact. */
static void expect_mean_share(nas_comm_t *world, nas_heartbeat_t *heartbeat, double mine,
                              double mean)
{
    char done = 0;
    const double end_s = nas_clock_monotonic_s() + PATIENCE_S;
    (void)nas_heartbeat_poll(heartbeat, 0, mine);
    if (nas_comm_rank(world) != 0) CHECK(nas_heartbeat_share(heartbeat) == mine);
    while (nas_comm_rank(world) == 0 && nas_heartbeat_share(heartbeat) != mean) {
        CHECK(nas_clock_monotonic_s() < end_s);
        (void)nas_heartbeat_poll(heartbeat, 0, mine);
        nap();
    }
    nas_comm_bcast(world, 0, &done, sizeof done);
}

static void test_share(nas_comm_t *world)
{
    const int rank = nas_comm_rank(world), size = nas_comm_size(world);
    double mean = 0;
    nas_heartbeat_t *heartbeat = begin(world);
    CHECK(nas_heartbeat_share(heartbeat) == 0);
    for (int r = 0; r < size; r++) mean += 0.25 * r / size;
    expect_mean_share(world, heartbeat, 0.25 * rank, mean);
    expect_mean_share(world, heartbeat, 0.75, 0.75);
    nas_heartbeat_end(heartbeat);

    /* who has no work does not count */
    heartbeat = begin(world);
    const bool has_work = rank > 0 || size == 1;
    (void)nas_heartbeat_poll(heartbeat, 0, has_work ? 0.5 : (double)NAN);
    double own = nas_heartbeat_share(heartbeat);
    CHECK(rank == 0 || own == 0.5);
    expect_mean_share(world, heartbeat, has_work ? 0.5 : (double)NAN, 0.5);
    nas_heartbeat_end(heartbeat);
}

/* A process alone needs no messages. */
static void test_self(void)
{
    nas_comm_t *self = NULL;
    nas_error_t err = {0};
    CHECK(nas_comm_self(&self, &err) == NAS_OK);
    test_stop_reaches_all(self);
    test_begin_end(self);
    test_share(self);
    nas_comm_destroy(self);
}

static void all_tests(nas_comm_t *world)
{
    test_begin_end(world);
    test_stop_reaches_all(world);
    test_all_stop_at_once(world);
    for (int asked = 0; asked < nas_comm_size(world); asked++)
        test_stop_while_waiting(world, asked);
    test_watched_stop(world);
    test_stop_in_last_moment(world);
    test_late_rank(world);
    test_share(world);
    test_self();
    test_signal_while_waiting(world);
}

int main(void)
{
    return run_mpi_test(all_tests);
}
