/* How long a large state takes: large_state FILE REPEATS EVALUATIONS makes up a run of so many
 * repeats with so many evaluations and observations each, 6 metrics and 3 report columns, and says
 * how many seconds it takes to save it (twice: the second time a file is there), to open it and to
 * report it. FILE stays. docs/reliability.md has the numbers. */
#include "common/base/clock.h"
#include "common/state/statefile.h"
#include "coordinator/report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N_METRICS = 6, N_COLUMNS = 3 };

typedef nas_status_t (*step_t)(nas_state_t *state, const char *path, nas_error_t *err);

/* ------------------------------------------------------------------------------------ the state */

static nas_status_t add_names(nas_strings_t *list, const char *prefix, int n, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (int i = 0; i < n && !status; i++) {
        char name[32];
        const int length = snprintf(name, sizeof name, "%s%d", prefix, i);
        status = nas_strings_add(list, name, (size_t)length, err);
    }
    return status;
}

/* Evaluation i of repeat r; architectures of a repeat come in no order. */
static nas_status_t add_evaluation(nas_state_t *state, int64_t r, int64_t i, nas_error_t *err)
{
    char name[] =
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|";
    double columns[N_COLUMNS] = {1.0 / (double)(i + 1), 2.0 / (double)(i + 1),
                                 3.0 / (double)(i + 1)};
    const double weights[N_METRICS] = {0.5, -0.25, 1.0 / (double)(i + 1), 0.125, -1, 1};
    const int64_t arch = i * INT64_C(7919) % state->budget + r % 2 * state->budget;
    const nas_evaluation_t evaluation = {.arch = arch,
                                         .name = name,
                                         .value = {90 + 1.0 / (double)(arch + 1)},
                                         .cost = 100,
                                         .columns = columns,
                                         .seed = state->repeat[r].seed};
    const nas_observation_t observation = {.arch = arch};
    const nas_status_t status = nas_state_add_evaluation(state, r, &evaluation, err);
    return status ? status : nas_state_add_observation(state, r, observation, weights, err);
}

static nas_status_t make_state(nas_state_t *state, int64_t n_repeat, int64_t n, nas_error_t *err)
{
    *state = (nas_state_t){.n_goals = 1, .budget = n, .n_arch = 2 * n, .has_weights = true};
    nas_status_t status = add_names(&state->metrics, "metric", N_METRICS, err);
    if (!status) status = add_names(&state->report_columns, "column", N_COLUMNS, err);
    if (!status) status = nas_state_make_repeats(state, n_repeat, 0, err);
    for (int64_t r = 0; r < n_repeat && !status; r++) {
        for (int64_t i = 0; i < n && !status; i++) status = add_evaluation(state, r, i, err);
        state->repeat[r].complete = true;
    }
    state->complete = true;
    return status;
}

/* ------------------------------------------------------------------------------------ the steps */

static nas_status_t save(nas_state_t *state, const char *path, nas_error_t *err)
{
    static nas_file_identity_t last;
    return nas_statefile_write(path, state, &last, err);
}

static nas_status_t open_again(nas_state_t *state, const char *path, nas_error_t *err)
{
    nas_error_t notice;
    nas_state_fini(state);
    return nas_statefile_read(path, state, &notice, err);
}

/* A report to nowhere. */
static nas_status_t report(nas_state_t *state, const char *path, bool json, nas_error_t *err)
{
    FILE *out = fopen("/dev/null", "w");
    if (!out) return nas_error_set(err, NAS_EIO, "/dev/null cannot be opened");
    const nas_status_t status =
        json ? nas_report_json(state, NULL, out, err) : nas_report_text(state, path, out, err);
    (void)fclose(out);
    return status;
}

static nas_status_t report_json(nas_state_t *state, const char *path, nas_error_t *err)
{
    return report(state, path, true, err);
}

static nas_status_t report_text(nas_state_t *state, const char *path, nas_error_t *err)
{
    return report(state, path, false, err);
}

static const struct {
    const char *name;
    step_t step;
} steps[] = {{"save", save},
             {"save again", save},
             {"open", open_again},
             {"report --json", report_json},
             {"report", report_text}};

int main(int argc, char **argv)
{
    const int64_t n_repeat = argc == 4 ? strtoll(argv[2], NULL, 10) : 0;
    const int64_t n = argc == 4 ? strtoll(argv[3], NULL, 10) : 0;
    nas_state_t state = {0};
    nas_error_t err = {0};
    if (n_repeat < 1 || n < 1) {
        (void)fprintf(stderr, "usage: large_state FILE REPEATS EVALUATIONS\n");
        return 2;
    }
    nas_status_t status = make_state(&state, n_repeat, n, &err);
    for (size_t i = 0; i < sizeof steps / sizeof *steps && !status; i++) {
        const double begin_s = nas_clock_monotonic_s(), used = (double)clock();
        status = steps[i].step(&state, argv[1], &err);
        (void)printf("%-14s %7.2f s, of a processor %7.2f s\n", steps[i].name,
                     nas_clock_monotonic_s() - begin_s, ((double)clock() - used) / CLOCKS_PER_SEC);
    }
    nas_state_fini(&state);
    if (status) (void)fprintf(stderr, "large_state: %s\n", err.text);
    return status ? 1 : 0;
}
