/* Prints the table of docs/scaling.md: `simulate_schedule` after a change of the rounds. */
#include "tests/tools/schedule_simulation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_SEEDS = 10 };

/* One line of the table. */
typedef struct line {
    int copies;
    int n_ranks;
    bool speeds_known;
    double cost_error;
    const char *note;
} line_t;

static const line_t LINES[] = {
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

enum { N_LINES = sizeof LINES / sizeof LINES[0] };

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

static nas_status_t play(const line_t *line, summary_t *summary, nas_error_t *err)
{
    nas_simulation_options_t options = {.n_ranks = line->n_ranks,
                                        .target_s = 45.0,
                                        .cost_error = line->cost_error,
                                        .meeting_s = 0.005,
                                        .speeds_known = line->speeds_known};
    double *cost = nas_simulation_costs(line->copies, &options.n);
    if (!cost) return nas_error_nomem(err, "costs");
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

int main(void)
{
    (void)puts("| ranks | cells | a rank | rounds | longest | seconds | ideal | idle | worst "
               "| first | between | last | meetings |\n"
               "|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (int i = 0; i < N_LINES; i++) {
        nas_error_t err = {0};
        summary_t summary = {0};
        if (play(&LINES[i], &summary, &err)) {
            (void)fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        print(&LINES[i], &summary);
    }
    return fflush(stdout) ? 1 : 0;
}
