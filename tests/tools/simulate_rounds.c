/* Prints the tables of docs/scaling.md: `simulate_rounds` after a change of the rounds. */
#include "tests/tools/rounds_simulation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_SEEDS = 10 };

/* One line of the tables. */
typedef struct line {
    int copies;
    int n_ranks;
    bool speeds_known;
} line_t;

static const line_t LINES[] = {{1, 2, false},   {1, 16, false},   {1, 64, false},
                               {1, 256, false}, {1, 1024, false}, {1, 4096, false},
                               {1, 4096, true}, {4, 4096, false}, {16, 4096, false}};

enum { N_LINES = sizeof LINES / sizeof LINES[0] };

/* Means over the seeds, and the worst idle share. */
static nas_status_t play(const line_t *line, nas_simulation_t *mean, double *worst,
                         nas_error_t *err)
{
    nas_simulation_options_t options = {.n_ranks = line->n_ranks,
                                        .target_s = 45.0,
                                        .cost_error = 0.1,
                                        .meeting_s = 0.005,
                                        .speeds_known = line->speeds_known};
    double *cost = nas_simulation_costs(line->copies, &options.n);
    if (!cost) return nas_error_nomem(err, "costs");
    options.cost = cost;
    *mean = (nas_simulation_t){0};
    *worst = 0.0;
    nas_status_t status = NAS_OK;
    for (int seed = 0; seed < N_SEEDS && !status; seed++) {
        nas_simulation_t one = {0};
        options.seed = (uint64_t)seed;
        status = nas_simulate_rounds(&options, &one, err);
        mean->n_rounds += one.n_rounds;
        mean->seconds += one.seconds / N_SEEDS;
        mean->longest_s = fmax(mean->longest_s, one.longest_s);
        mean->ideal_s += one.ideal_s / N_SEEDS;
        mean->idle += one.idle / N_SEEDS;
        mean->idle_first += one.idle_first / N_SEEDS;
        mean->idle_between += one.idle_between / N_SEEDS;
        mean->idle_last += one.idle_last / N_SEEDS;
        mean->idle_meeting += one.idle_meeting / N_SEEDS;
        *worst = fmax(*worst, one.idle);
    }
    free(cost);
    return status;
}

int main(void)
{
    (void)puts(
        "| ranks | cells | a rank | rounds | longest | seconds | ideal | idle | worst | first "
        "| between | last | meetings |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (int i = 0; i < N_LINES; i++) {
        nas_error_t err = {0};
        nas_simulation_t mean;
        double worst;
        if (play(&LINES[i], &mean, &worst, &err)) {
            (void)fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        const int n = 15625 * LINES[i].copies;
        (void)printf("| %d%s | %d | %.1f | %.1f | %.1f | %.2f | %.2f | %.1f %% | %.1f %% | %.1f %% "
                     "| %.1f %% | %.1f %% | %.1f %% |\n",
                     LINES[i].n_ranks, LINES[i].speeds_known ? ", speeds known" : "", n,
                     (double)n / LINES[i].n_ranks, (double)mean.n_rounds / N_SEEDS, mean.longest_s,
                     mean.seconds, mean.ideal_s, 100 * mean.idle, 100 * worst,
                     100 * mean.idle_first, 100 * mean.idle_between, 100 * mean.idle_last,
                     100 * mean.idle_meeting);
    }
    return fflush(stdout) ? 1 : 0;
}
