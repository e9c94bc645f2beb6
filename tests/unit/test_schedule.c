#include "tests/tools/schedule_simulation.h"
#include "tests/unit/schedule_game.h"

Test(schedule, every_item_is_done_exactly_once)
{
    static const int n_items[] = {0, 1, 7, 63, 64, 65, 400};
    static const int n_ranks[] = {1, 2, 5, 64};
    for (size_t i = 0; i < sizeof n_items / sizeof *n_items; i++)
        for (size_t r = 0; r < sizeof n_ranks / sizeof *n_ranks; r++) {
            game_t game;
            set_up(&game, n_items[i], n_ranks[r], i);
            (void)play(&game);
        }
}

Test(schedule, what_is_done_already_is_left_out)
{
    game_t game;
    set_up(&game, 400, 5, 1);
    for (int i = 0; i < 400; i += 3) game.done[i] = true;
    (void)play(&game);
    memset(game.done, true, sizeof game.done);
    cr_assert_eq(play(&game).n_rounds, 0);
}

Test(schedule, all_ranks_know_the_same_lists)
{
    game_t game;
    set_up(&game, 400, 8, 2);
    nas_schedule_t *schedule[8];
    for (int r = 0; r < 8; r++) schedule[r] = start(&game);
    while (nas_schedule_next(schedule[0])) {
        played_t played = {0};
        nas_schedule_report_t report[8];
        for (int r = 1; r < 8; r++) cr_assert(nas_schedule_next(schedule[r]));
        for (int r = 0; r < 8; r++) {
            int64_t n, n_own;
            const nas_schedule_item_t *list = nas_schedule_list(schedule[0], r, &n);
            const nas_schedule_item_t *own = nas_schedule_list(schedule[r], r, &n_own);
            cr_assert_eq(n, n_own);
            for (int64_t k = 0; k < n; k++) cr_assert_eq(list[k].index, own[k].index);
            report[r] = work(&game, schedule[r], r, &played);
        }
        for (int r = 0; r < 8; r++) nas_schedule_record(schedule[r], report);
    }
    for (int r = 0; r < 8; r++) {
        cr_assert_eq(nas_schedule_left(schedule[r]), 0);
        nas_schedule_destroy(schedule[r]);
    }
}

Test(schedule, a_dedicated_coordinator_gets_nothing)
{
    game_t game;
    set_up(&game, 200, 4, 3);
    game.options.width = (const int[]){0, 1, 1, 1};
    const played_t played = play(&game);
    cr_assert_eq(played.of_rank[0], 0);
    for (int r = 1; r < 4; r++) cr_assert_gt(played.of_rank[r], 0);
}

Test(schedule, ranks_without_width_get_nothing)
{
    static const int width[] = {0, 1, 0, 0, 1, 0};
    game_t game;
    set_up(&game, 200, 6, 3);
    game.options.width = width;
    const played_t played = play(&game);
    for (int r = 0; r < 6; r++) cr_assert_eq(played.of_rank[r] > 0, width[r] > 0, "rank %d", r);
}

Test(schedule, learning_takes_one_of_the_cheapest_items_a_rank)
{
    game_t game;
    set_up(&game, 100, 10, 4);
    nas_schedule_t *schedule = start(&game);
    cr_assert(isnan(nas_schedule_left_s(schedule)) && isnan(nas_schedule_speed(schedule, 0)));
    cr_assert(nas_schedule_next(schedule));
    double dearest = 0.0;
    for (int r = 0; r < 10; r++) {
        int64_t n;
        const nas_schedule_item_t *list = nas_schedule_list(schedule, r, &n);
        cr_assert_eq(n, 1);
        dearest = fmax(dearest, list[0].cost);
    }
    int n_cheaper = 0;
    for (int i = 0; i < 100; i++) n_cheaper += game.cost[i] < dearest;
    cr_assert_eq(n_cheaper, 9);
    nas_schedule_destroy(schedule);
}

Test(schedule, more_ranks_than_items_need_one_round)
{
    game_t game;
    set_up(&game, 10, 64, 5);
    cr_assert_eq(play(&game).n_rounds, 1);
}

Test(schedule, speeds_are_cost_over_seconds_and_the_median_where_nothing_was_done)
{
    game_t game;
    set_up(&game, 100, 4, 6);
    nas_schedule_t *schedule = start(&game);
    const nas_schedule_report_t report[4] = {{0, 6.0, 2.0}, {0, 5.0, 1.0}, {0}, {0, 4.0, 4.0}};
    nas_schedule_record(schedule, report);
    cr_assert_eq(nas_schedule_speed(schedule, 0), 3.0);
    cr_assert_eq(nas_schedule_speed(schedule, 1), 5.0);
    cr_assert_eq(nas_schedule_speed(schedule, 2), 3.0);
    cr_assert_eq(nas_schedule_speed(schedule, 3), 1.0);
    double cost = 0.0;
    for (int i = 0; i < 100; i++) cost += game.cost[i];
    cr_assert_float_eq(nas_schedule_left_s(schedule), cost / 12.0, 1e-12);
    nas_schedule_destroy(schedule);
}

Test(schedule, a_rank_that_changes_its_speed_is_believed_soon)
{
    game_t game;
    set_up(&game, 100, 1, 7);
    nas_schedule_t *schedule = start(&game);
    for (int i = 0; i < 20; i++)
        nas_schedule_record(schedule, &(nas_schedule_report_t){.cost = 4.0, .seconds = 1.0});
    for (int i = 0; i < 5; i++)
        nas_schedule_record(schedule, &(nas_schedule_report_t){.cost = 1.0, .seconds = 1.0});
    cr_assert_float_eq(nas_schedule_speed(schedule, 0), 1.0, 0.1);
    nas_schedule_destroy(schedule);
}

Test(schedule, nothing_measured_means_learning_again)
{
    game_t game;
    set_up(&game, 30, 3, 8);
    nas_schedule_t *schedule = start(&game);
    const nas_schedule_report_t all_failed[3] = {{.n_done = 1}, {.n_done = 1}, {.n_done = 1}};
    for (int left = 30; left > 0; left -= 3) {
        cr_assert(nas_schedule_next(schedule));
        cr_assert_eq(nas_schedule_left(schedule), left);
        nas_schedule_record(schedule, all_failed);
    }
    cr_assert_not(nas_schedule_next(schedule));
    nas_schedule_destroy(schedule);
}

Test(schedule, no_round_is_longer_than_the_target)
{
    game_t game;
    set_up(&game, 400, 3, 9);
    game.options.target_s = 10.0;
    const played_t played = play(&game);
    cr_assert_gt(played.n_rounds, 4);
    cr_assert_leq(played.longest_s, 10.0 + 1e-9);
}

Test(schedule, a_target_shorter_than_any_item_still_comes_to_an_end)
{
    game_t game;
    set_up(&game, 40, 3, 10);
    game.options.target_s = 1e-3;
    (void)play(&game);
}

Test(schedule, a_rank_that_slows_down_gives_items_back)
{
    game_t game;
    set_up(&game, 400, 4, 11);
    nas_schedule_t *schedule = start(&game);
    tell_speeds(&game, schedule);
    cr_assert(nas_schedule_next(schedule));
    const double planned_s = 0.9 * nas_schedule_left_s(schedule);
    game.speed[2] /= 5.0;
    played_t played = {0};
    cr_assert_lt(play_round(&game, schedule, &played), planned_s + 2.0 / game.speed[2]);
    while (nas_schedule_next(schedule)) (void)play_round(&game, schedule, &played);
    for (int i = 0; i < 400; i++) cr_assert_eq(played.times[i], 1);
    nas_schedule_destroy(schedule);
}

Test(schedule, a_rank_a_hundred_times_slower_holds_nobody_up_after_the_first_round)
{
    game_t game;
    set_up(&game, 400, 8, 12);
    double cost = 0.0, speed = 0.0;
    game.speed[3] = 0.01;
    for (int i = 0; i < 400; i++) cost += game.cost[i];
    for (int r = 0; r < 8; r++) speed += game.speed[r];
    const played_t played = play(&game);
    cr_assert_eq(played.of_rank[3], 1, "%d", (int)played.of_rank[3]);
    cr_assert_leq(played.longest_s, cost / speed);
}

Test(schedule, items_without_a_cost_are_shared_evenly)
{
    game_t game;
    set_up(&game, 400, 4, 13);
    memset(game.cost, 0, sizeof game.cost);
    for (int r = 0; r < 4; r++) game.speed[r] = 1.0;
    const played_t played = play(&game);
    for (int r = 0; r < 4; r++) cr_assert_eq(played.of_rank[r], 100);
    game.cost[17] = 1.0;
    (void)play(&game);
}

/* The shortest time of all 3^n assignments to ranks of these speeds. */
static double shortest_s(const double *cost, int n, const double *speed, const double *load)
{
    if (n == 0) return fmax(fmax(load[0] / speed[0], load[1] / speed[1]), load[2] / speed[2]);
    double shortest = INFINITY;
    for (int r = 0; r < 3; r++) {
        double more[3] = {load[0], load[1], load[2]};
        more[r] += cost[n - 1];
        shortest = fmin(shortest, shortest_s(cost, n - 1, speed, more));
    }
    return shortest;
}

Test(schedule, lists_keep_the_bound_of_longest_processing_time_first)
{
    const double bound = 2.0 - 2.0 / 4.0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        game_t game;
        set_up(&game, 8, 3, seed);
        nas_schedule_t *schedule = start(&game);
        tell_speeds(&game, schedule);
        cr_assert(nas_schedule_next(schedule));
        double longest_s = 0.0;
        int64_t n_listed = 0;
        for (int r = 0; r < 3; r++) {
            int64_t n;
            const nas_schedule_item_t *list = nas_schedule_list(schedule, r, &n);
            double load = 0.0;
            for (int64_t k = 0; k < n; k++) load += list[k].cost;
            longest_s = fmax(longest_s, load / game.speed[r]);
            n_listed += n;
        }
        cr_assert_eq(n_listed, 8);
        const double best_s = shortest_s(game.cost, 8, game.speed, (double[3]){0});
        cr_assert_leq(longest_s, bound * best_s, "seed %d", (int)seed);
        nas_schedule_destroy(schedule);
    }
}

/* The pool of docs/scaling.md, `copies` times over, where simulate_schedule plays ten seeds. */
static nas_simulation_t simulate_copies(int copies, int n_ranks, bool speeds_known, uint64_t seed)
{
    nas_simulation_options_t options = {.n_ranks = n_ranks,
                                        .fastest = 4.0,
                                        .width = 1,
                                        .target_s = 45.0,
                                        .cost_error = 0.1,
                                        .meeting_s = 0.005,
                                        .speeds_known = speeds_known,
                                        .seed = seed};
    nas_simulation_t result = {0};
    double *cost = nas_simulation_costs(copies, 0.05, &options.n);
    cr_assert_not_null(cost);
    options.cost = cost;
    cr_assert_eq(nas_simulate_schedule(&options, &result, NULL), NAS_OK);
    free(cost);
    return result;
}

static nas_simulation_t simulate(int n_ranks, bool speeds_known, uint64_t seed)
{
    return simulate_copies(1, n_ranks, speeds_known, seed);
}

Test(schedule, at_256_ranks_at_most_5_percent_are_idle)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        const nas_simulation_t result = simulate(256, false, seed);
        cr_assert_leq(result.idle, 0.05, "seed %d: %g", (int)seed, result.idle);
        cr_assert_float_eq(result.idle, 1.0 - result.ideal_s / result.seconds, 0.01);
        cr_assert_float_eq(
            result.idle,
            result.idle_first + result.idle_between + result.idle_last + result.idle_meeting, 1e-9);
    }
}

/* As simulate_schedule has it: 280 architectures/s a GPU assumed. */
Test(schedule, at_8_gpus_at_most_2_percent_are_idle)
{
    nas_simulation_options_t options = {.n_ranks = 8,
                                        .fastest = 1.05,
                                        .width = 32,
                                        .pack_alone_s = 0.012,
                                        .target_s = 45.0,
                                        .cost_error = 0.1,
                                        .meeting_s = 0.005};
    nas_simulation_t result = {0};
    double *cost = nas_simulation_costs(1, 0.2, &options.n);
    cr_assert_not_null(cost);
    nas_simulation_set_mean(cost, options.n, 1.0 / 280);
    options.cost = cost;
    cr_assert_eq(nas_simulate_schedule(&options, &result, NULL), NAS_OK);
    cr_assert_leq(result.idle, 0.02, "%g", result.idle);
    free(cost);
}

Test(schedule, a_killed_job_loses_less_than_a_minute)
{
    for (int n_ranks = 1; n_ranks <= 64; n_ranks *= 8)
        cr_assert_lt(simulate(n_ranks, false, 0).longest_s, 48.0);
}

Test(schedule, known_speeds_spare_the_learning)
{
    const nas_simulation_t known = simulate(4096, true, 0);
    const nas_simulation_t unknown = simulate(4096, false, 0);
    cr_assert_lt(known.n_rounds, unknown.n_rounds);
    cr_assert_lt(known.seconds, unknown.seconds);
}

/* Items come in as others are done; whatever the pool's size, no more than a window is held. */
Test(schedule, a_pool_beyond_the_window_comes_in_as_others_are_done)
{
    enum { N = 200000, N_RANKS = 4, WINDOW = 65536 };
    const nas_schedule_options_t options = {.n = N, .n_ranks = N_RANKS, .target_s = 45.0};
    nas_schedule_item_t *item = calloc(WINDOW, sizeof *item);
    unsigned char *times = calloc(N, 1);
    nas_schedule_t *schedule = NULL;
    int64_t n_added = 0;
    cr_assert(item && times);
    cr_assert_eq(nas_schedule_create(&options, &schedule, NULL), NAS_OK);
    cr_assert_eq(nas_schedule_left(schedule), N);
    for (;;) {
        const int64_t room = nas_schedule_room(schedule);
        cr_assert_leq(room, WINDOW);
        for (int64_t i = 0; i < room; i++)
            item[i] = (nas_schedule_item_t){.index = n_added + i, .cost = (double)(i % 97)};
        nas_schedule_add(schedule, item, room);
        n_added += room;
        if (!nas_schedule_next(schedule)) break;
        nas_schedule_report_t report[N_RANKS] = {0};
        for (int r = 0; r < N_RANKS; r++) {
            int64_t n;
            const nas_schedule_item_t *list = nas_schedule_list(schedule, r, &n);
            cr_assert_leq(n, WINDOW);
            for (int64_t k = 0; k < n; k++) {
                if (!nas_schedule_may_start(schedule, r, k, report[r].seconds)) break;
                report[r].n_done++;
                report[r].cost += list[k].cost;
                report[r].seconds += list[k].cost * 1e-6;
                times[list[k].index]++;
            }
        }
        nas_schedule_record(schedule, report);
    }
    cr_assert_eq(nas_schedule_left(schedule), 0);
    for (int64_t i = 0; i < N; i++) cr_assert_eq(times[i], 1, "item %d", (int)i);
    nas_schedule_destroy(schedule);
    free(times);
    free(item);
}

Test(schedule, a_window_costs_no_balance)
{
    cr_assert_leq(simulate_copies(32, 256, false, 0).idle, 0.01);
}
