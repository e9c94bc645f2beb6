/* The groups /repeats and /observations of a state file: a row a repeat, and a row an observation,
 * the repeats one after the other. Before version 3 each repeat had a group of its own. */
#include "common/state/statefile_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- writing */

/* The best weights of all repeats, NaN where they are not known, and whether they are. */
static nas_status_t write_best(hid_t group, const nas_state_t *state, nas_error_t *err)
{
    const size_t n = (size_t)state->n_repeat, n_metric = state->metrics.n;
    nas_status_t status = NAS_OK;
    double *weights = malloc((n * n_metric + 1) * sizeof *weights);
    bool *known = malloc(n + 1);
    if (!weights || !known) {
        status = nas_error_nomem(err, "the repeats");
        goto out;
    }
    for (size_t r = 0; r < n; r++) {
        const double *best = state->repeat[r].best_weights;
        known[r] = best != NULL;
        for (size_t m = 0; m < n_metric; m++)
            weights[r * n_metric + m] = best ? best[m] : (double)NAN;
    }
    const nas_h5_array_t known_of = {NAS_H5_BOOL, 1, {state->n_repeat}, known};
    const nas_h5_array_t best = {NAS_H5_F64, 2, {state->n_repeat, (int64_t)n_metric}, weights};
    status = nas_h5_write_array(group, "has_best_weights", &known_of, err);
    if (!status) status = nas_h5_write_array(group, "best_weights", &best, err);
out:
    free(weights);
    free(known);
    return status;
}

static bool has_posterior(const nas_state_t *state)
{
    int64_t r = 0;
    while (r < state->n_repeat && isnan(state->repeat[r].posterior_mean)) r++;
    return r < state->n_repeat;
}

static nas_status_t write_fields(hid_t group, nas_statefile_fields_t fields,
                                 const nas_state_t *state, nas_error_t *err)
{
    const void **repeat = malloc(((size_t)state->n_repeat + 1) * sizeof *repeat);
    if (!repeat) return nas_error_nomem(err, "the repeats");
    for (int64_t r = 0; r < state->n_repeat; r++) repeat[r] = &state->repeat[r];
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < fields.n && !status; i++)
        status = nas_statefile_write_member(group, &fields.at[i], repeat, state->n_repeat, err);
    free(repeat);
    return status;
}

static nas_status_t write_repeats(hid_t group, const nas_state_t *state, nas_error_t *err)
{
    nas_status_t status = write_fields(group, nas_statefile_repeat(), state, err);
    if (!status) status = write_best(group, state, err);
    if (status || !has_posterior(state)) return status;
    return write_fields(group, nas_statefile_posterior(), state, err);
}

/* Weights of a row of /observations, which a file without repeats has none of. */
static size_t weights_of_row(const nas_state_t *state)
{
    return state->n_repeat > 0 ? nas_state_weights(state) : state->metrics.n;
}

/* Observations of all repeats, one after the other; owned. */
typedef struct rows {
    int64_t *repeat;
    int64_t *arch;
    int32_t *phase;
    double *weights;
    int64_t n;
} rows_t;

static void rows_fini(rows_t *rows)
{
    free(rows->repeat);
    free(rows->arch);
    free(rows->phase);
    free(rows->weights);
}

static void add_repeat(rows_t *rows, const nas_state_t *state, int64_t r)
{
    const nas_repeat_t *repeat = &state->repeat[r];
    const size_t n_weight = weights_of_row(state),
                 n_weights = (size_t)repeat->n_observation * n_weight;
    if (n_weights > 0)
        memcpy(rows->weights + (size_t)rows->n * n_weight, repeat->weights,
               n_weights * sizeof *rows->weights);
    for (int64_t i = 0; i < repeat->n_observation; i++, rows->n++) {
        rows->repeat[rows->n] = r;
        rows->arch[rows->n] = repeat->observation[i].arch;
        rows->phase[rows->n] = repeat->observation[i].phase;
    }
}

static nas_status_t rows_init(const nas_state_t *state, rows_t *rows, nas_error_t *err)
{
    size_t n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++) n += (size_t)state->repeat[r].n_observation;
    *rows = (rows_t){.repeat = malloc((n + 1) * sizeof *rows->repeat),
                     .arch = malloc((n + 1) * sizeof *rows->arch),
                     .phase = malloc((n + 1) * sizeof *rows->phase),
                     .weights = malloc((n * weights_of_row(state) + 1) * sizeof *rows->weights)};
    if (!rows->repeat || !rows->arch || !rows->phase || !rows->weights)
        return nas_error_nomem(err, "the observations");
    for (int64_t r = 0; r < state->n_repeat; r++) add_repeat(rows, state, r);
    return NAS_OK;
}

static nas_status_t write_observations(hid_t group, const nas_state_t *state, nas_error_t *err)
{
    rows_t rows = {0};
    nas_status_t status = rows_init(state, &rows, err);
    const nas_h5_array_t repeat = {NAS_H5_I64, 1, {rows.n}, rows.repeat};
    const nas_h5_array_t arch = {NAS_H5_I64, 1, {rows.n}, rows.arch};
    const nas_h5_array_t phase = {NAS_H5_I32, 1, {rows.n}, rows.phase};
    const nas_h5_array_t weights = {
        NAS_H5_F64, 2, {rows.n, (int64_t)weights_of_row(state)}, rows.weights};
    if (!status) status = nas_h5_write_array(group, "repeat", &repeat, err);
    if (!status) status = nas_h5_write_array(group, "arch", &arch, err);
    if (!status) status = nas_h5_write_array(group, "phase", &phase, err);
    if (!status) status = nas_h5_write_array(group, "weights", &weights, err);
    rows_fini(&rows);
    return status;
}

nas_status_t nas_statefile_write_repeats(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    hid_t repeats = H5I_INVALID_HID, observations = H5I_INVALID_HID;
    nas_status_t status = nas_h5_group_create(file, "repeats", &repeats, err);
    if (!status) status = write_repeats(repeats, state, err);
    if (!status) status = nas_h5_group_create(file, "observations", &observations, err);
    if (!status) status = write_observations(observations, state, err);
    nas_h5_group_close(repeats);
    nas_h5_group_close(observations);
    return status;
}

/* ------------------------------------------------------------------------------------- reading */

/* Whether n numbers are weights of metrics. */
static bool are_weights(const double *weight, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(weight[i]) <= 1)) return false;
    return true;
}

/* A mean and a standard deviation, or neither. */
static bool is_posterior(double mean, double std)
{
    return isnan(mean) ? isnan(std) : isfinite(mean) && isfinite(std) && std >= 0;
}

/* What is known of a repeat but its observations; best: NULL while unknown. */
static nas_status_t take_repeat(const nas_state_t *state, nas_repeat_t *repeat, const double *best,
                                nas_error_t *err)
{
    const size_t n_metric = state->metrics.n;
    const double precision = repeat->precision_at_t;
    if (!isnan(precision) && !(precision >= 0 && precision <= 1))
        return nas_error_set(err, NAS_EINPUT, "a repeat has an impossible precision_at_t");
    if (!is_posterior(repeat->posterior_mean, repeat->posterior_std))
        return nas_error_set(err, NAS_EINPUT, "a repeat has an impossible posterior");
    if (!best) return NAS_OK;
    if (!are_weights(best, (int64_t)n_metric))
        return nas_error_set(err, NAS_EINPUT, "a repeat has impossible best_weights");
    repeat->best_weights = malloc((n_metric + 1) * sizeof *repeat->best_weights);
    if (!repeat->best_weights) return nas_error_nomem(err, "the best weights");
    memcpy(repeat->best_weights, best, n_metric * sizeof *best);
    return NAS_OK;
}

static nas_status_t read_best(hid_t group, nas_state_t *state, nas_error_t *err)
{
    const int64_t n = state->n_repeat, n_metric = (int64_t)state->metrics.n;
    nas_h5_array_t known = {.type = NAS_H5_BOOL, .rank = 1, .size = {n}};
    nas_h5_array_t best = {.type = NAS_H5_F64, .rank = 2, .size = {n, n_metric}};
    nas_status_t status = nas_h5_read_array(group, "has_best_weights", &known, err);
    if (!status) status = nas_h5_read_array(group, "best_weights", &best, err);
    for (int64_t r = 0; r < n && !status; r++) {
        const double *row = (const double *)best.data + r * n_metric;
        const bool is_known = ((const bool *)known.data)[r];
        status = take_repeat(state, &state->repeat[r], is_known ? row : NULL, err);
    }
    free(known.data);
    free(best.data);
    return status;
}

/* n: their number, or -1 where it is that of the first field. */
static nas_status_t read_fields(hid_t group, nas_statefile_fields_t fields, int64_t n,
                                nas_state_t *state, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < fields.n && !status; i++) {
        nas_h5_array_t member = {.type = fields.at[i].type, .rank = 1, .size = {n}};
        status = nas_h5_read_array(group, fields.at[i].name, &member, err);
        if (!status && n < 0) status = nas_state_make_repeats(state, member.size[0], 0, err);
        n = state->n_repeat;
        for (int64_t r = 0; r < n && !status; r++)
            nas_statefile_read_member(&fields.at[i], &member, r, &state->repeat[r]);
        free(member.data);
    }
    return status;
}

/* The number of repeats is that of their seeds. */
static nas_status_t read_repeats(hid_t group, nas_state_t *state, nas_error_t *err)
{
    const nas_statefile_fields_t posterior = nas_statefile_posterior();
    nas_status_t status = read_fields(group, nas_statefile_repeat(), -1, state, err);
    if (!status && nas_h5_has(group, posterior.at[0].name))
        status = read_fields(group, posterior, state->n_repeat, state, err);
    return status ? status : read_best(group, state, err);
}

/* A row of observations, or of those of one repeat. */
static nas_status_t add_observation(nas_state_t *state, int64_t repeat,
                                    nas_observation_t observation, const double *weights,
                                    nas_error_t *err)
{
    if (repeat < 0 || repeat >= state->n_repeat)
        return nas_error_set(err, NAS_EINPUT, "an observation has an impossible repeat");
    const long long i = (long long)state->repeat[repeat].n_observation;
    if (observation.arch < 0 || observation.arch >= state->n_arch ||
        !nas_statefile_is_phase(state, observation.phase))
        return nas_error_set(err, NAS_EINPUT, "observation %lld has an impossible arch or phase",
                             i);
    if (!are_weights(weights, (int64_t)nas_state_weights(state)))
        return nas_error_set(err, NAS_EINPUT, "observation %lld has impossible weights", i);
    return nas_state_add_observation(state, repeat, observation, weights, err);
}

/* Those of all repeats or, where one is given, of that one, which the rows do not name; -1: all. */
static nas_status_t read_observations(hid_t group, int64_t of_repeat, nas_state_t *state,
                                      nas_error_t *err)
{
    const int64_t n_weight = (int64_t)weights_of_row(state);
    nas_h5_array_t repeat = {.type = NAS_H5_I64, .rank = 1};
    nas_h5_array_t arch = {.type = NAS_H5_I64, .rank = 1, .size = {-1}};
    nas_h5_array_t phase = {.type = NAS_H5_I32, .rank = 1};
    nas_h5_array_t weights = {.type = NAS_H5_F64, .rank = 2, .size = {0, n_weight}};
    nas_status_t status = nas_h5_read_array(group, "arch", &arch, err);
    if (status) return status;
    const int64_t n = repeat.size[0] = phase.size[0] = weights.size[0] = arch.size[0];
    if (of_repeat < 0) status = nas_h5_read_array(group, "repeat", &repeat, err);
    if (!status) status = nas_h5_read_array(group, "phase", &phase, err);
    if (!status) status = nas_h5_read_array(group, "weights", &weights, err);
    for (int64_t i = 0; i < n && !status; i++) {
        const nas_observation_t observation = {((const int64_t *)arch.data)[i],
                                               ((const int32_t *)phase.data)[i]};
        const int64_t r = of_repeat < 0 ? ((const int64_t *)repeat.data)[i] : of_repeat;
        const double *row = (const double *)weights.data + i * n_weight;
        status = add_observation(state, r, observation, row, err);
    }
    free(repeat.data);
    free(arch.data);
    free(phase.data);
    free(weights.data);
    return status;
}

static nas_status_t read_groups(hid_t file, nas_state_t *state, nas_error_t *err)
{
    hid_t repeats = H5I_INVALID_HID, observations = H5I_INVALID_HID;
    nas_status_t status = nas_h5_group_open(file, "repeats", &repeats, err);
    if (!status) status = read_repeats(repeats, state, err);
    if (!status) status = nas_h5_group_open(file, "observations", &observations, err);
    if (!status) status = read_observations(observations, -1, state, err);
    nas_h5_group_close(repeats);
    nas_h5_group_close(observations);
    return status;
}

/* ----------------------------------------------------------------------------------- version 2 */

static nas_status_t read_best_of_2(hid_t group, const nas_state_t *state, nas_repeat_t *repeat,
                                   nas_error_t *err)
{
    nas_h5_array_t best = {.type = NAS_H5_F64, .rank = 1, .size = {(int64_t)state->metrics.n}};
    nas_status_t status = NAS_OK;
    if (nas_h5_has(group, "best_weights"))
        status = nas_h5_read_array(group, "best_weights", &best, err);
    if (!status) status = take_repeat(state, repeat, best.data, err);
    free(best.data);
    return status;
}

static nas_status_t read_repeat_of_2(hid_t search, nas_state_t *state, int64_t index,
                                     nas_error_t *err)
{
    char name[24];
    hid_t group = H5I_INVALID_HID;
    (void)snprintf(name, sizeof name, "%lld", (long long)index);
    nas_status_t status = nas_h5_group_open(search, name, &group, err);
    if (status) return status;
    status = nas_statefile_read_fields(group, nas_statefile_repeat(), &state->repeat[index], err);
    if (!status) status = read_observations(group, index, state, err);
    if (!status) status = read_best_of_2(group, state, &state->repeat[index], err);
    nas_h5_group_close(group);
    return status;
}

static nas_status_t read_search_of_2(hid_t file, nas_state_t *state, nas_error_t *err)
{
    hid_t search = H5I_INVALID_HID;
    nas_status_t status = nas_h5_group_open(file, "search", &search, err);
    if (status) return status;
    status = nas_state_make_repeats(state, nas_h5_count(search), 0, err);
    for (int64_t r = 0; r < state->n_repeat && !status; r++)
        status = read_repeat_of_2(search, state, r, err);
    nas_h5_group_close(search);
    return status;
}

nas_status_t nas_statefile_read_repeats(hid_t file, uint64_t version, nas_state_t *state,
                                        nas_error_t *err)
{
    return version < 3 ? read_search_of_2(file, state, err) : read_groups(file, state, err);
}
