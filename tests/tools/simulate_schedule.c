/* Prints the tables of docs/scaling.md: `simulate_schedule`, and `simulate_schedule gpu`, after a
 * change of the rounds. */
#include "tests/tools/schedule_simulation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_SEEDS = 10 };

/* One line of a table. */
typedef struct line {
    int copies;
    int n_ranks;
    bool speeds_known;
    double cost_error;
    const char *note;
} line_t;

static const line_t CORES[] = {
    {1, 2, false, 0.1, ""},
    {1, 16, false, 0.1, ""},
    {1, 64, false, 0.1, ""},
    {1, 256, false, 0.1, ""},
    {1, 1024, false, 0.1, ""},
    {1, 4096, false, 0.1, ""},
    {4, 4096, false, 0.1, ""},
    {16, 4096, false, 0.1, ""},
    {64, 256, false, 0.1, ""},
    {64, 4096, false, 0.1, ""},
    {1, 4096, false, 0.0, ", costs known"},
    {1, 4096, true, 0.1, ", speeds known"},
    {1, 4096, true, 0.0, ", both known"},
};

static const line_t GPUS[] = {
    {1, 8, false, 0.1, ""},     {1, 16, false, 0.1, ""},   {1, 64, false, 0.1, ""},
    {1, 256, false, 0.1, ""},   {1, 1024, false, 0.1, ""}, {64, 8, false, 0.1, ""},
    {64, 16, false, 0.1, ""},   {64, 64, false, 0.1, ""},  {64, 256, false, 0.1, ""},
    {64, 1024, false, 0.1, ""},
};

/* A table: its lines, and what its ranks are like. */
typedef struct table {
    const line_t *line;
    size_t n_lines;
    double fixed_part; /* of costs */
    double mean_s;     /* of an item; 0: as the costs have it */
    nas_simulation_options_t ranks;
} table_t;

static const table_t OF_CORES = {.line = CORES,
                                 .n_lines = sizeof CORES / sizeof *CORES,
                                 .fixed_part = 0.05,
                                 .ranks = {.fastest = 4.0, .width = 1}};

/* Assumed, not measured: 280 architectures/s in packs of 32, and no pack below 12 ms. GPUs of a kind
 * differ by 5 % at most. */
static const table_t OF_GPUS = {.line = GPUS,
                                .n_lines = sizeof GPUS / sizeof *GPUS,
                                .fixed_part = 0.2,
                                .mean_s = 1.0 / 280,
                                .ranks = {.fastest = 1.05, .width = 32, .pack_alone_s = 0.012}};

/* What a line shows: means over the seeds, but for the longest round and the worst idle share. */
typedef struct summary {
    nas_simulation_t mean;
    double schedule;
    double worst;
} summary_t;

static void add(summary_t *summary, const nas_simulation_t *one)
{
    nas_simulation_t *mean = &summary->mean;
    summary->schedule += (double)one->n_rounds / N_SEEDS;
    summary->worst = fmax(summary->worst, one->idle);
    mean->longest_s = fmax(mean->longest_s, one->longest_s);
    mean->seconds += one->seconds / N_SEEDS;
    mean->ideal_s += one->ideal_s / N_SEEDS;
    mean->idle += one->idle / N_SEEDS;
    mean->idle_first += one->idle_first / N_SEEDS;
    mean->idle_between += one->idle_between / N_SEEDS;
    mean->idle_last += one->idle_last / N_SEEDS;
    mean->idle_meeting += one->idle_meeting / N_SEEDS;
}

static nas_status_t play(const table_t *table, const line_t *line, summary_t *summary,
                         nas_error_t *err)
{
    nas_simulation_options_t options = table->ranks;
    options.n_ranks = line->n_ranks;
    options.target_s = 45.0;
    options.cost_error = line->cost_error;
    options.meeting_s = 0.005;
    options.speeds_known = line->speeds_known;
    double *cost = nas_simulation_costs(line->copies, table->fixed_part, &options.n);
    if (!cost) return nas_error_nomem(err, "costs");
    if (table->mean_s > 0) nas_simulation_set_mean(cost, options.n, table->mean_s);
    options.cost = cost;
    nas_status_t status = NAS_OK;
    for (int seed = 0; seed < N_SEEDS && !status; seed++) {
        nas_simulation_t one = {0};
        options.seed = (uint64_t)seed;
        status = nas_simulate_schedule(&options, &one, err);
        add(summary, &one);
    }
    free(cost);
    return status;
}

static void print(const line_t *line, const summary_t *summary)
{
    const nas_simulation_t *mean = &summary->mean;
    const double n = 15625.0 * line->copies;
    (void)printf("| %d%s | %.0f | %.1f | %.1f | %.1f | %.2f | %.2f |", line->n_ranks, line->note, n,
                 n / line->n_ranks, summary->schedule, mean->longest_s, mean->seconds,
                 mean->ideal_s);
    (void)printf(" %.1f %% | %.1f %% | %.1f | %.1f | %.1f | %.1f |\n", 100 * mean->idle,
                 100 * summary->worst, 100 * mean->idle_first, 100 * mean->idle_between,
                 100 * mean->idle_last, 100 * mean->idle_meeting);
}

int main(int argc, char **argv)
{
    const table_t *table = argc > 1 && strcmp(argv[1], "gpu") == 0 ? &OF_GPUS : &OF_CORES;
    (void)puts("| ranks | cells | a rank | rounds | longest | seconds | ideal | idle | worst "
               "| first | between | last | meetings |\n"
               "|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (size_t i = 0; i < table->n_lines; i++) {
        nas_error_t err = {0};
        summary_t summary = {0};
        if (play(table, &table->line[i], &summary, &err)) {
            (void)fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        print(&table->line[i], &summary);
    }
    return fflush(stdout) ? 1 : 0;
}
