/* Ranks that take several items at once, on GPUs. */
#include "tests/unit/schedule_game.h"

Test(schedule_packs, packs_take_every_item_exactly_once)
{
    static const int width[MAX_RANKS] = {0, 8, 1, 32, 0, 3}; /* and none of the others */
    for (int n = 0; n <= 400; n += 57)
        for (int n_ranks = 2; n_ranks <= MAX_RANKS; n_ranks += 9) {
            game_t game;
            set_up(&game, n, n_ranks, (uint64_t)n);
            game.options.width = width;
            const played_t played = play(&game);
            for (int r = 0; r < n_ranks; r++) cr_assert(width[r] > 0 || played.of_rank[r] == 0);
        }
}

Test(schedule_packs, learning_takes_a_pack_of_the_cheapest)
{
    static const int width[] = {16, 0, 4, 1};
    game_t game;
    set_up(&game, 100, 4, 4);
    game.options.width = width;
    nas_schedule_t *schedule = start(&game);
    cr_assert(nas_schedule_next(schedule));
    double dearest = 0.0;
    for (int r = 0; r < 4; r++) {
        int64_t n;
        const nas_schedule_item_t *list = nas_schedule_list(schedule, r, &n);
        cr_assert_eq(n, width[r]);
        for (int64_t k = 0; k < n; k++) dearest = fmax(dearest, list[k].cost);
    }
    int n_cheaper = 0;
    for (int i = 0; i < 100; i++) n_cheaper += game.cost[i] < dearest / 1.125;
    cr_assert_lt(n_cheaper, 21);
    nas_schedule_destroy(schedule);
}

Test(schedule_packs, a_pack_is_started_as_a_whole_or_not_at_all)
{
    static const int width[] = {8, 8};
    game_t game;
    set_up(&game, 400, 2, 15);
    game.options.width = width;
    nas_schedule_t *schedule = start(&game);
    tell_speeds(&game, schedule);
    cr_assert(nas_schedule_next(schedule));
    int64_t n;
    const nas_schedule_item_t *list = nas_schedule_list(schedule, 0, &n);
    double pack_s = 0.0;
    cr_assert_eq(nas_schedule_pack(schedule, 0, 0), 8);
    for (int k = 0; k < 8; k++) pack_s += list[k].cost / game.speed[0];
    cr_assert_float_eq(nas_schedule_pack_s(schedule, 0, 0), pack_s, 1e-12);
    cr_assert(nas_schedule_may_start(schedule, 0, 0, 45.0 - 1.01 * pack_s));
    cr_assert_not(nas_schedule_may_start(schedule, 0, 0, 45.0 - 0.99 * pack_s));
    cr_assert_eq(nas_schedule_pack(schedule, 0, n - 3), 3);
    nas_schedule_destroy(schedule);
}

/* Then others wait no longer, and a stop is soon heard of. */
Test(schedule_packs, packs_of_a_slow_rank_take_a_quarter_of_the_target)
{
    static const int width[] = {64, 64};
    game_t game;
    set_up(&game, 400, 2, 16);
    game.options.width = width;
    game.options.target_s = 10.0;
    nas_schedule_t *schedule = start(&game);
    tell_speeds(&game, schedule);
    cr_assert(nas_schedule_next(schedule));
    for (int r = 0; r < 2; r++) {
        const int64_t n = nas_schedule_pack(schedule, r, 0);
        cr_assert(n > 0 && n < 64);
        cr_assert_leq(nas_schedule_pack_s(schedule, r, 0), 2.5);
        cr_assert_gt(nas_schedule_pack_s(schedule, r, 0), 2.5 - 2.0 / game.speed[r]);
    }
    nas_schedule_destroy(schedule);
    cr_assert_leq(play(&game).longest_s, 10.0 + 1e-9);
    game.speed[1] = 1e-3; /* where one takes more than that, it is one at a time */
    (void)play(&game);
}
