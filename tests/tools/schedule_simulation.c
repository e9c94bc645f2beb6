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

double *nas_simulation_costs(int copies, int64_t *n)
{
    const double costliest_s = 2.0;
    const double fixed_part = 0.05;
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

static void world_fini(world_t *world)
{
    nas_schedule_destroy(world->schedule);
    free(world->item);
    free(world->report);
    free(world->true_cost);
    free(world->speed);
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
    };
    if (!world->speed || !world->true_cost || !world->report || !world->item)
        return nas_error_nomem(err, "the simulated ranks");
    const nas_schedule_options_t schedule = {
        .n = options->n, .n_ranks = options->n_ranks, .target_s = options->target_s};
    nas_status_t status = nas_schedule_create(&schedule, &world->schedule, err);
    if (status) return status;
    nas_rng_t rng;
    nas_rng_init(&rng, options->seed, NAS_STREAM_BENCH, 0);
    for (size_t r = 0; r < n_ranks; r++) world->speed[r] = nas_rng_between(&rng, 1.0, 4.0);
    for (int64_t i = 0; i < options->n; i++)
        world->true_cost[i] = options->cost[i] * exp(options->cost_error * nas_rng_normal(&rng));
    if (options->speeds_known) tell_speeds(world, options->n_ranks);
    return NAS_OK;
}

static double play_rank(world_t *world, int rank)
{
    nas_schedule_report_t *report = &world->report[rank];
    *report = (nas_schedule_report_t){0};
    int64_t n;
    const nas_schedule_item_t *list = nas_schedule_list(world->schedule, rank, &n);
    for (int64_t k = 0; k < n; k++) {
        if (!nas_schedule_may_start(world->schedule, rank, k, report->seconds)) break;
        report->n_done++;
        report->cost += list[k].cost;
        report->seconds += world->true_cost[list[k].index] / world->speed[rank];
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

static double sum(const double *x, int64_t n)
{
    double total = 0.0;
    for (int64_t i = 0; i < n; i++) total += x[i];
    return total;
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
