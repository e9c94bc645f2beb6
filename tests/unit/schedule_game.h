/* Rounds that are played out: what the tests of schedules share. */
#ifndef NAS_TESTS_UNIT_SCHEDULE_GAME_H
#define NAS_TESTS_UNIT_SCHEDULE_GAME_H

#include "common/base/rng.h"
#include "worker/schedule/schedule.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ITEMS = 400, MAX_RANKS = 64 };

/* A pool and ranks to play rounds with: rank r does speed[r] units of cost a second. */
typedef struct game {
    double cost[MAX_ITEMS];
    bool done[MAX_ITEMS];
    double speed[MAX_RANKS];
    int64_t n; /* items, of which some may be done */
    nas_schedule_options_t options;
} game_t;

/* What was played. */
typedef struct played {
    int times[MAX_ITEMS];       /* each item was done */
    int64_t of_rank[MAX_RANKS]; /* items that each rank did */
    int n_rounds;
    double longest_s; /* round but the first */
    double first_s;
} played_t;

static inline void set_up(game_t *game, int64_t n, int n_ranks, uint64_t seed)
{
    nas_rng_t rng;
    nas_rng_init(&rng, seed, NAS_STREAM_BENCH, 0);
    memset(game, 0, sizeof *game);
    for (int64_t i = 0; i < n; i++) game->cost[i] = nas_rng_between(&rng, 0.1, 2.0);
    for (int r = 0; r < n_ranks; r++) game->speed[r] = nas_rng_between(&rng, 1.0, 4.0);
    game->n = n;
    game->options = (nas_schedule_options_t){.n_ranks = n_ranks, .target_s = 45.0};
}

/* All that is not done, in one go. */
static inline nas_schedule_t *start(const game_t *game)
{
    nas_error_t err = {0};
    nas_schedule_t *schedule = NULL;
    nas_schedule_item_t item[MAX_ITEMS];
    nas_schedule_options_t options = game->options;
    for (int64_t i = 0; i < game->n; i++)
        if (!game->done[i]) item[options.n++] = (nas_schedule_item_t){i, 3 * i, game->cost[i]};
    cr_assert_eq(nas_schedule_create(&options, &schedule, &err), NAS_OK, "%s", err.text);
    cr_assert_eq(nas_schedule_room(schedule), options.n);
    nas_schedule_add(schedule, item, options.n);
    cr_assert_eq(nas_schedule_room(schedule), 0);
    return schedule;
}

static inline bool has_packs(const game_t *game)
{
    for (int r = 0; game->options.width && r < game->options.n_ranks; r++)
        if (game->options.width[r] > 1) return true;
    return false;
}

/* The costliest come first; where there are packs, those of a class, which is an eighth of a
 * doubling, by their index. */
static inline void check_order(const game_t *game, const nas_schedule_item_t *a,
                               const nas_schedule_item_t *b)
{
    if (!has_packs(game)) cr_assert(b->cost <= a->cost);
    cr_assert_leq(b->cost, 1.125 * a->cost);
    cr_assert(b->cost <= a->cost || b->index > a->index);
}

/* One rank's round; an item takes its cost, at least 1e-6. */
static inline nas_schedule_report_t work(const game_t *game, const nas_schedule_t *schedule,
                                         int rank, played_t *played)
{
    nas_schedule_report_t report = {0};
    int64_t n, k = 0;
    const nas_schedule_item_t *list = nas_schedule_list(schedule, rank, &n);
    while (k < n && nas_schedule_may_start(schedule, rank, k, report.seconds)) {
        const int64_t end = k + nas_schedule_pack(schedule, rank, k);
        cr_assert(end > k && end <= n);
        for (; k < end; k++) {
            if (k > 0) check_order(game, &list[k - 1], &list[k]);
            cr_assert_eq(list[k].payload, 3 * list[k].index);
            report.n_done++;
            report.cost += list[k].cost;
            report.seconds += fmax(game->cost[list[k].index], 1e-6) / game->speed[rank];
            played->times[list[k].index]++;
            played->of_rank[rank]++;
        }
    }
    return report;
}

static inline double play_round(const game_t *game, nas_schedule_t *schedule, played_t *played)
{
    nas_schedule_report_t report[MAX_RANKS];
    double longest_s = 0.0;
    const int64_t n_left = nas_schedule_left(schedule);
    for (int r = 0; r < game->options.n_ranks; r++) {
        report[r] = work(game, schedule, r, played);
        longest_s = fmax(longest_s, report[r].seconds);
    }
    nas_schedule_record(schedule, report);
    cr_assert_lt(nas_schedule_left(schedule), n_left, "every round gets on");
    return longest_s;
}

/* Play to the end: every item that was not done is done once. */
static inline played_t play(const game_t *game)
{
    played_t played = {0};
    nas_schedule_t *schedule = start(game);
    while (nas_schedule_next(schedule)) {
        const double seconds = play_round(game, schedule, &played);
        if (played.n_rounds++ == 0)
            played.first_s = seconds;
        else
            played.longest_s = fmax(played.longest_s, seconds);
    }
    cr_assert_eq(nas_schedule_left(schedule), 0);
    nas_schedule_destroy(schedule);
    for (int64_t i = 0; i < game->n; i++)
        cr_assert_eq(played.times[i], game->done[i] ? 0 : 1, "item %d", (int)i);
    return played;
}

/* Speeds as if measured: a report of one second's work before the first round. */
static inline void tell_speeds(const game_t *game, nas_schedule_t *schedule)
{
    nas_schedule_report_t report[MAX_RANKS];
    for (int r = 0; r < game->options.n_ranks; r++)
        report[r] = (nas_schedule_report_t){.cost = game->speed[r], .seconds = 1.0};
    nas_schedule_record(schedule, report);
}

#endif
