/* The ledger on rank 0: who gets which repeat, candidates of a round, what is counted. */
#include "coordinator/search/ledger.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_ARCH = 3000 };

typedef struct fixture {
    nas_state_t state;
    nas_names_t *names;
    nas_ledger_t *ledger;
} fixture_t;

static fixture_t setup(int64_t n_repeat)
{
    fixture_t f = {.state = {.budget = N_ARCH, .n_arch = N_ARCH}};
    int64_t duplicate = 0, first = 0;
    cr_assert_eq(nas_names_create(&f.names, NULL), NAS_OK);
    for (int i = 0; i < N_ARCH; i++) {
        char name[16];
        const int n = snprintf(name, sizeof name, "a%d", i);
        cr_assert_eq(nas_names_add(f.names, name, (size_t)n, NULL), NAS_OK);
    }
    cr_assert_eq(nas_names_index(f.names, &duplicate, &first, NULL), NAS_OK);
    cr_assert_eq(nas_state_make_repeats(&f.state, n_repeat, 5, NULL), NAS_OK);
    return f;
}

static void open_ledger_on(fixture_t *f, int64_t n_groups, const nas_state_t *reuse)
{
    const nas_ledger_options_t options = {
        .state = &f->state, .names = f->names, .reuse = reuse, .n_groups = n_groups};
    cr_assert_eq(nas_ledger_create(&options, &f->ledger, NULL), NAS_OK);
}

static void open_ledger(fixture_t *f, int64_t n_groups)
{
    open_ledger_on(f, n_groups, NULL);
}

static void teardown(fixture_t *f)
{
    nas_ledger_destroy(f->ledger);
    nas_names_destroy(f->names);
    nas_state_fini(&f->state);
}

/* What a group hears to this step. */
static nas_reply_t record(fixture_t *f, int64_t group, const nas_step_t *step)
{
    nas_reply_t reply;
    nas_error_t err = {0};
    cr_assert_eq(nas_ledger_record(f->ledger, group, step, &reply, &err), NAS_OK, "%s", err.text);
    return reply;
}

static nas_step_t step_of(int64_t repeat, int64_t *arch, int64_t n)
{
    static int64_t phase[N_ARCH]; /* all of them NAS_PHASE_EXPLORE */
    cr_assert_leq(n, N_ARCH);
    return (nas_step_t){.repeat = repeat, .proposed = {.arch = arch, .phase = phase, .n = n}};
}

/* The value of an architecture, by which outcomes are told apart. */
static void judge_all(fixture_t *f)
{
    int64_t n = 0;
    const nas_candidate_t *candidate = nas_ledger_candidates(f->ledger, &n);
    for (int64_t i = 0; i < n; i++) {
        const nas_outcome_t outcome = {
            .value = {(double)candidate[i].arch + 1e-3 * (double)candidate[i].seed}, .cost = 1.0};
        nas_ledger_evaluated(f->ledger, i, &outcome, 0);
    }
}

Test(ledger, groups_get_the_lowest_repeat_that_is_free)
{
    fixture_t f = setup(5);
    f.state.repeat[0].complete = f.state.repeat[2].complete = true;
    open_ledger(&f, 2);
    const nas_step_t idle = {.repeat = -1};
    cr_assert_eq(nas_ledger_repeats_complete(f.ledger), 2);
    cr_assert_eq(record(&f, 0, &idle).repeat, 1);
    cr_assert_eq(record(&f, 1, &idle).repeat, 3);
    cr_assert_eq(record(&f, 1, &(nas_step_t){.repeat = 3, .done = true}).repeat, 4);
    cr_assert_eq(record(&f, 0, &(nas_step_t){.repeat = 1, .done = true}).kind, NAS_REPLY_IDLE);
    cr_assert_not(nas_ledger_complete(f.ledger));
    cr_assert_eq(record(&f, 1, &(nas_step_t){.repeat = 4, .done = true}).kind, NAS_REPLY_IDLE);
    cr_assert(nas_ledger_complete(f.ledger));
    cr_assert_eq(nas_ledger_repeats_complete(f.ledger), 5);
    teardown(&f);
}

/* Two groups propose the same architectures, some of them twice, in several rounds. */
Test(ledger, candidates_are_each_repeats_own_and_asked_for_once)
{
    enum { N = 500 };
    static int64_t arch[2 * N];
    fixture_t f = setup(2);
    const nas_step_t idle = {.repeat = -1};
    open_ledger(&f, 2);
    for (int64_t g = 0; g < 2; g++) cr_assert_eq(record(&f, g, &idle).repeat, g);
    for (int64_t round = 0; round < 3; round++) {
        int64_t n = 0;
        for (int64_t i = 0; i < 2 * N; i++) arch[i] = (i % N + round * N / 2) * 2;
        const nas_step_t step[] = {step_of(0, arch, 2 * N), step_of(1, arch, 2 * N)};
        nas_ledger_begin_round(f.ledger);
        for (int g = 0; g < 2; g++)
            cr_assert_eq(nas_ledger_collect(f.ledger, &step[g], NULL), NAS_OK);
        (void)nas_ledger_candidates(f.ledger, &n);
        cr_assert_eq(n, round == 0 ? 2 * N : N, "%d candidates", (int)n);
        judge_all(&f);
        for (int64_t g = 0; g < 2; g++) {
            const nas_reply_t reply = record(&f, g, &step[g]);
            cr_assert_eq(reply.n, 2 * N);
            for (int64_t i = 0; i < 2 * N; i++)
                cr_assert(reply.result[i].target ==
                          (double)arch[i] + 1e-3 * (double)f.state.repeat[g].seed);
        }
        cr_assert_eq(nas_ledger_count(f.ledger), 2 * (N + round * N / 2));
    }
    cr_assert_eq(f.state.repeat[0].n_observation, 3 * 2 * N);
    cr_assert_eq(f.state.repeat[1].n_evaluation, 2 * N);
    teardown(&f);
}

/* ------------------------------------------------------------------- evaluations made before */

static nas_evaluation_t made(int64_t arch, char *name, uint64_t seed, double value)
{
    static double none;
    return (nas_evaluation_t){.arch = arch,
                              .name = name,
                              .value = {value},
                              .cost = 7,
                              .columns = &none,
                              .seed = seed,
                              .rank = 3,
                              .status = isnan(value) ? NAS_EVAL_FAILED : NAS_EVAL_OK,
                              .reason = isnan(value) ? name : NULL};
}

/* Record one step of repeat 0 with these architectures; returns how many were judged for it. */
static int64_t record_step(fixture_t *f, int64_t *arch, int64_t n)
{
    int64_t n_judged = 0;
    const nas_step_t step = step_of(0, arch, n);
    nas_ledger_begin_round(f->ledger);
    cr_assert_eq(nas_ledger_collect(f->ledger, &step, NULL), NAS_OK);
    (void)nas_ledger_candidates(f->ledger, &n_judged);
    judge_all(f);
    (void)record(f, 0, &step);
    return n_judged;
}

Test(ledger, known_results_are_recorded_without_work)
{
    fixture_t f = setup(2);
    const nas_evaluation_t known = made(8, (char[]){"a8"}, 5, 0.5),
                           of_another_repeat = made(9, (char[]){"a9"}, 6, 0.25);
    cr_assert_eq(nas_state_add_known(&f.state, 0, &known, NULL), NAS_OK);
    cr_assert_eq(nas_state_add_known(&f.state, 1, &of_another_repeat, NULL), NAS_OK);
    open_ledger(&f, 1);
    (void)record(&f, 0, &(nas_step_t){.repeat = -1});
    cr_assert_eq(record_step(&f, (int64_t[]){8, 9, 8}, 3), 1);
    const nas_evaluation_t *evaluation = f.state.repeat[0].evaluation;
    cr_assert_eq(f.state.repeat[0].n_evaluation, 2);
    cr_assert(evaluation[0].arch == 8 && evaluation[0].value[0] == 0.5 && evaluation[0].cost == 7);
    cr_assert(evaluation[0].rank == 3 && !evaluation[0].reused);
    cr_assert(evaluation[1].arch == 9 && evaluation[1].value[0] > 9);
    cr_assert_eq(nas_ledger_count(f.ledger), 2);
    cr_assert_eq(nas_ledger_reused(f.ledger), 0);
    teardown(&f);
}

Test(ledger, another_runs_failures_are_not_taken_over_and_its_known_results_are)
{
    fixture_t f = setup(1);
    nas_state_t old = {.n_arch = 3};
    const nas_evaluation_t good = made(0, (char[]){"a1"}, 5, 0.5),
                           bad = made(1, (char[]){"a2"}, 5, (double)NAN),
                           known = made(2, (char[]){"a3"}, 5, 0.25);
    cr_assert_eq(nas_state_make_repeats(&old, 1, 5, NULL), NAS_OK);
    cr_assert_eq(nas_state_add_evaluation(&old, 0, &good, NULL), NAS_OK);
    cr_assert_eq(nas_state_add_evaluation(&old, 0, &bad, NULL), NAS_OK);
    cr_assert_eq(nas_state_add_known(&old, 0, &known, NULL), NAS_OK);
    open_ledger_on(&f, 1, &old);
    (void)record(&f, 0, &(nas_step_t){.repeat = -1});
    cr_assert_eq(record_step(&f, (int64_t[]){1, 2, 3}, 3), 1);
    const nas_evaluation_t *evaluation = f.state.repeat[0].evaluation;
    cr_assert(evaluation[0].value[0] == 0.5 && evaluation[0].reused);
    cr_assert(evaluation[1].value[0] > 2 && !evaluation[1].reused);
    cr_assert(evaluation[2].value[0] == 0.25 && evaluation[2].reused);
    cr_assert_eq(nas_ledger_reused(f.ledger), 2);
    nas_state_fini(&old);
    teardown(&f);
}

/* Half of what is explored is known already: of 100 observations, 50 lead to new architectures, and
 * the greedy phase has 50 to go, so that 150 are to be expected. */
Test(ledger, the_share_of_observations_expects_what_was_seen_so_far)
{
    fixture_t f = setup(1);
    f.state.budget = 100;
    open_ledger(&f, 1);
    cr_assert_eq(record(&f, 0, &(nas_step_t){.repeat = -1}).repeat, 0);
    cr_assert(nas_ledger_observed_share(f.ledger) == 0);
    for (int64_t i = 0; i < 30; i++) {
        int64_t arch = i / 2;
        const nas_step_t step = step_of(0, &arch, 1);
        nas_ledger_begin_round(f.ledger);
        cr_assert_eq(nas_ledger_collect(f.ledger, &step, NULL), NAS_OK);
        judge_all(&f);
        (void)record(&f, 0, &step);
    }
    cr_assert_eq(nas_ledger_count(f.ledger), 15);
    cr_assert_eq(nas_ledger_observed(f.ledger), 30);
    cr_assert_float_eq(nas_ledger_observed_share(f.ledger), 30.0 / 150.0, 1e-12);
    nas_ledger_destroy(f.ledger);
    open_ledger(&f, 1);
    cr_assert_float_eq(nas_ledger_observed_share(f.ledger), 30.0 / 150.0, 1e-12, "as resumed");
    teardown(&f);
}
