#include "tests/tools/schedule_simulation.h"

#include "common/base/rng.h"
#include "worker/engine/graph/cost.h"
#include "worker/schedule/schedule.h"

#include <math.h>
#include <stdlib.h>

typedef struct world {
    double *speed;     /* [n_ranks] */
    double *true_cost; /* [n] */
    nas_schedule_report_t *report;
    nas_schedule_t *schedule;
    nas_schedule_item_t *item; /* on their way into the schedule */
    const double *cost;        /* [n] predicted; borrowed */
    int64_t n_added;
    int *width;     /* [n_ranks] */
    double alone_s; /* of a pack */
} world_t;

/* Seconds of all ranks together. */
typedef struct times {
    double round_s; /* as long as its last rank */
    double work;
    double waiting;
} times_t;

static double live_flops(nas_arch_t *arch, int64_t index)
{
    const nas_network_t network = {
        .image_channels = 3, .height = 32, .width = 32, .channels = 16, .cells = 5, .classes = 10};
    nas_cost_t cost, live;
    nas_arch_set(arch, index);
    NAS_ASSERT(nas_arch_cost(arch, &network, &cost, &live, NULL) == NAS_OK);
    return (double)live.flops;
}

static double sum(const double *x, int64_t n)
{
    double total = 0.0;
    for (int64_t i = 0; i < n; i++) total += x[i];
    return total;
}

double *nas_simulation_costs(int copies, double fixed_part, int64_t *n)
{
    const double costliest_s = 2.0;
    nas_arch_t arch;
    if (nas_arch_init(&arch, nas_space_with_networks(), NULL)) return NULL;
    const int64_t n_cells = arch.space->count;
    double *cost = malloc((size_t)(n_cells * copies) * sizeof *cost);
    NAS_ASSERT(cost);
    double most = 0.0;
    for (int64_t i = 0; i < n_cells; i++) most = fmax(most, cost[i] = live_flops(&arch, i));
    nas_arch_fini(&arch);
    for (int64_t i = 0; i < n_cells; i++)
        cost[i] = costliest_s * (cost[i] / most + fixed_part) / (1.0 + fixed_part);
    for (int64_t i = n_cells; i < n_cells * copies; i++) cost[i] = cost[i - n_cells];
    *n = n_cells * copies;
    return cost;
}

void nas_simulation_set_mean(double *cost, int64_t n, double mean_s)
{
    const double factor = mean_s * (double)n / sum(cost, n);
    for (int64_t i = 0; i < n; i++) cost[i] *= factor;
}

static void world_fini(world_t *world)
{
    nas_schedule_destroy(world->schedule);
    free(world->item);
    free(world->report);
    free(world->true_cost);
    free(world->speed);
    free(world->width);
}

/* Speeds become known by a report of one second's work, before there is a round. */
static void tell_speeds(world_t *world, int n_ranks)
{
    for (int rank = 0; rank < n_ranks; rank++)
        world->report[rank] = (nas_schedule_report_t){.cost = world->speed[rank], .seconds = 1.0};
    nas_schedule_record(world->schedule, world->report);
}

/* Fill the window, in the pool's order. */
static void add_items(world_t *world)
{
    const int64_t n = nas_schedule_room(world->schedule);
    for (int64_t i = 0; i < n; i++) {
        const int64_t index = world->n_added + i;
        world->item[i] = (nas_schedule_item_t){.index = index, .cost = world->cost[index]};
    }
    nas_schedule_add(world->schedule, world->item, n);
    world->n_added += n;
}

static nas_status_t world_init(world_t *world, const nas_simulation_options_t *options,
                               nas_error_t *err)
{
    const size_t n_ranks = (size_t)options->n_ranks;
    *world = (world_t){
        .speed = malloc(n_ranks * sizeof *world->speed),
        .true_cost = malloc((size_t)options->n * sizeof *world->true_cost),
        .report = calloc(n_ranks, sizeof *world->report),
        .item = malloc((size_t)options->n * sizeof *world->item),
        .cost = options->cost,
        .width = malloc(n_ranks * sizeof *world->width),
        .alone_s = options->pack_alone_s,
    };
    if (!world->speed || !world->true_cost || !world->report || !world->item || !world->width)
        return nas_error_nomem(err, "the simulated ranks");
    for (size_t r = 0; r < n_ranks; r++) world->width[r] = options->width;
    const nas_schedule_options_t schedule = {.n = options->n,
                                             .n_ranks = options->n_ranks,
                                             .width = world->width,
                                             .target_s = options->target_s};
    nas_status_t status = nas_schedule_create(&schedule, &world->schedule, err);
    if (status) return status;
    nas_rng_t rng;
    nas_rng_init(&rng, options->seed, NAS_STREAM_BENCH, 0);
    for (size_t r = 0; r < n_ranks; r++)
        world->speed[r] = nas_rng_between(&rng, 1.0, options->fastest);
    for (int64_t i = 0; i < options->n; i++)
        world->true_cost[i] = options->cost[i] * exp(options->cost_error * nas_rng_normal(&rng));
    if (options->speeds_known) tell_speeds(world, options->n_ranks);
    return NAS_OK;
}

/* Seconds of the pack at k of a list, which is in the report then. */
static void play_pack(world_t *world, int rank, int64_t k)
{
    nas_schedule_report_t *report = &world->report[rank];
    int64_t n;
    const nas_schedule_item_t *list = nas_schedule_list(world->schedule, rank, &n);
    const int64_t n_pack = nas_schedule_pack(world->schedule, rank, k);
    double seconds = 0.0;
    for (int64_t i = k; i < k + n_pack; i++) {
        seconds += world->true_cost[list[i].index] / world->speed[rank];
        report->cost += list[i].cost;
    }
    seconds = fmax(seconds, world->alone_s / world->speed[rank]);
    report->n_done += n_pack;
    report->seconds += seconds;
}

/* Of a rank that is wide, a pack is under way while it is asked whether the next one may begin, as
 * it is in score.c. */
static double play_rank(world_t *world, int rank)
{
    nas_schedule_report_t *report = &world->report[rank];
    double ready_s = 0.0; /* when the rank will be through, as far as it knows */
    int64_t n;
    *report = (nas_schedule_report_t){0};
    (void)nas_schedule_list(world->schedule, rank, &n);
    while (report->n_done < n) {
        const int64_t k = report->n_done;
        const double begin_s = report->seconds;
        if (!nas_schedule_may_start(world->schedule, rank, k, ready_s)) break;
        play_pack(world, rank, k);
        ready_s = report->seconds;
        if (world->width[rank] > 1)
            ready_s = begin_s + nas_schedule_pack_s(world->schedule, rank, k);
    }
    return report->seconds;
}

static times_t play_round(world_t *world, int n_ranks)
{
    times_t times = {0};
    for (int rank = 0; rank < n_ranks; rank++) {
        const double seconds = play_rank(world, rank);
        times.work += seconds;
        times.round_s = fmax(times.round_s, seconds);
    }
    times.waiting = n_ranks * times.round_s - times.work;
    nas_schedule_record(world->schedule, world->report);
    return times;
}

nas_status_t nas_simulate_schedule(const nas_simulation_options_t *options,
                                   nas_simulation_t *result, nas_error_t *err)
{
    world_t world;
    nas_status_t status = world_init(&world, options, err);
    if (status) goto out;
    nas_simulation_t sim = {0};
    double work = 0.0;
    while (add_items(&world), nas_schedule_next(world.schedule)) {
        const times_t times = play_round(&world, options->n_ranks);
        const bool is_last = nas_schedule_left(world.schedule) == 0;
        double *idle = is_last        ? &sim.idle_last
                       : sim.n_rounds ? &sim.idle_between
                                      : &sim.idle_first;
        *idle += times.waiting;
        work += times.work;
        sim.seconds += times.round_s + options->meeting_s;
        sim.longest_s = fmax(sim.longest_s, times.round_s);
        sim.n_rounds++;
    }
    const double all = options->n_ranks * sim.seconds;
    sim.idle = 1.0 - work / all;
    sim.idle_first /= all;
    sim.idle_between /= all;
    sim.idle_last /= all;
    sim.idle_meeting = sim.n_rounds * options->meeting_s / sim.seconds;
    sim.ideal_s = sum(world.true_cost, options->n) / sum(world.speed, options->n_ranks);
    *result = sim;
out:
    world_fini(&world);
    return status;
}
