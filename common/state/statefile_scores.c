/* The groups /metrics and /pool of a state file. */
#include "common/state/statefile_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- writing */

static nas_status_t write_pool(hid_t file, const nas_scores_t *scores, nas_error_t *err)
{
    hid_t pool = H5I_INVALID_HID;
    nas_status_t status = nas_h5_group_create(file, "pool", &pool, err);
    if (!status) status = nas_h5_write_names(pool, "arch", &scores->arch, err);
    nas_h5_group_close(pool);
    return status;
}

/* int16 wherever that will do, for what a large pool takes while it is saved. */
static nas_h5_type_t type_of_ranks(const nas_scores_t *scores)
{
    for (int64_t i = 0; i < scores->n; i++)
        if (scores->rank[i] > INT16_MAX) return NAS_H5_I32;
    return NAS_H5_I16;
}

static nas_status_t write_rows(hid_t metrics, const nas_state_t *state, nas_error_t *err)
{
    const nas_scores_t *scores = &state->scores;
    const int64_t n = scores->n, n_metric = (int64_t)state->metrics.n;
    const nas_h5_array_t values = {NAS_H5_F64, 2, {n, n_metric}, scores->value};
    const nas_h5_array_t status_of = {NAS_H5_U8, 1, {n}, scores->status};
    const nas_h5_array_t seconds = {NAS_H5_F32, 1, {n}, scores->seconds};
    const nas_h5_array_t rank = {type_of_ranks(scores), 1, {n}, scores->rank};
    nas_status_t status =
        nas_h5_write_attribute(metrics, "hash", NAS_H5_DIGEST, &scores->hash, err);
    if (!status)
        status = nas_h5_write_attribute(metrics, "measurement", NAS_H5_DIGEST, &scores->measurement,
                                        err);
    if (!status) status = nas_h5_write_array(metrics, "values", &values, err);
    if (!status) status = nas_h5_write_array(metrics, "status", &status_of, err);
    if (!status) status = nas_h5_write_array(metrics, "seconds", &seconds, err);
    if (!status) status = nas_h5_write_array(metrics, "rank", &rank, err);
    return status;
}

static nas_status_t write_constant(hid_t metrics, const nas_state_t *state, nas_error_t *err)
{
    const nas_h5_array_t constant = {
        NAS_H5_I32, 1, {(int64_t)state->metrics.n}, state->metric_is_constant};
    return nas_h5_write_array(metrics, "constant", &constant, err);
}

nas_status_t nas_statefile_write_scores(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    hid_t metrics = H5I_INVALID_HID;
    nas_status_t status = nas_h5_group_create(file, "metrics", &metrics, err);
    if (!status) status = nas_statefile_write_names(metrics, "names", &state->metrics, err);
    if (!status && state->metric_is_constant) status = write_constant(metrics, state, err);
    if (!status && state->scores.n > 0) status = write_rows(metrics, state, err);
    nas_h5_group_close(metrics);
    if (!status && state->scores.n > 0) status = write_pool(file, &state->scores, err);
    return status;
}

/* ------------------------------------------------------------------------------------- reading */

static nas_status_t read_pool(hid_t file, nas_scores_t *scores, nas_error_t *err)
{
    hid_t pool = H5I_INVALID_HID;
    nas_h5_texts_t arch = {0};
    nas_status_t status = nas_h5_group_open(file, "pool", &pool, err);
    if (!status) status = nas_h5_read_texts(pool, "arch", -1, &arch, err);
    nas_h5_group_close(pool);
    if (status) return status;
    scores->arch_text = arch.data;
    scores->arch = nas_name_source_of_text(arch.data, arch.width, arch.n);
    return NAS_OK;
}

static nas_status_t check_rows(nas_scores_t *scores, nas_error_t *err)
{
    for (int64_t i = 0; i < scores->n; i++) {
        const uint8_t status = scores->status[i];
        const char *wrong = NULL;
        if (status > NAS_SCORE_UNFIT)
            wrong = "status";
        else if (!(scores->seconds[i] >= 0) || !isfinite(scores->seconds[i]))
            wrong = "seconds";
        else if (status == NAS_SCORE_PENDING ? scores->rank[i] != -1 : scores->rank[i] < 0)
            wrong = "rank";
        if (wrong)
            return nas_error_set(err, NAS_EINPUT,
                                 "the scores of architecture %lld have an impossible %s",
                                 (long long)i, wrong);
        scores->n_done += status != NAS_SCORE_PENDING;
    }
    return NAS_OK;
}

/* The status of each, an int32 in files of version 2; what no status is stays none. */
static nas_status_t read_status(hid_t metrics, nas_scores_t *scores, int64_t n, nas_error_t *err)
{
    nas_h5_array_t stored = {.type = NAS_H5_I32, .rank = 1, .size = {n}};
    if (!nas_h5_is(metrics, "status", NAS_H5_I32)) stored.type = NAS_H5_U8;
    const nas_status_t status = nas_h5_read_array(metrics, "status", &stored, err);
    scores->status = stored.data;
    if (status || stored.type == NAS_H5_U8) return status;
    for (int64_t i = 0; i < n; i++) { /* in place: what is read lies behind what is written */
        int32_t wide;
        memcpy(&wide, (const char *)stored.data + (size_t)i * sizeof wide, sizeof wide);
        const bool fits = wide >= 0 && wide <= NAS_SCORE_UNFIT;
        scores->status[i] = fits ? (uint8_t)wide : UINT8_MAX;
    }
    return NAS_OK;
}

/* The seconds of each, float64 in files of version 2. */
static nas_status_t read_seconds(hid_t metrics, nas_scores_t *scores, int64_t n, nas_error_t *err)
{
    nas_h5_array_t stored = {.type = NAS_H5_F64, .rank = 1, .size = {n}};
    if (!nas_h5_is(metrics, "seconds", NAS_H5_F64)) stored.type = NAS_H5_F32;
    const nas_status_t status = nas_h5_read_array(metrics, "seconds", &stored, err);
    scores->seconds = stored.data;
    if (status || stored.type == NAS_H5_F32) return status;
    for (int64_t i = 0; i < n; i++) {
        double wide;
        memcpy(&wide, (const char *)stored.data + (size_t)i * sizeof wide, sizeof wide);
        const float seconds = (float)wide;
        memcpy((char *)stored.data + (size_t)i * sizeof seconds, &seconds, sizeof seconds);
    }
    return NAS_OK;
}

static nas_status_t read_rows(hid_t metrics, nas_state_t *state, nas_error_t *err)
{
    nas_scores_t *scores = &state->scores;
    const int64_t n = scores->arch.n, n_metric = (int64_t)state->metrics.n;
    nas_h5_array_t values = {.type = NAS_H5_F64, .rank = 2, .size = {n, n_metric}};
    nas_h5_array_t rank = {.type = NAS_H5_I32, .rank = 1, .size = {n}};
    if (!nas_h5_is(metrics, "rank", NAS_H5_I32)) rank.type = NAS_H5_I16;
    nas_status_t status = nas_h5_read_attribute(metrics, "hash", NAS_H5_DIGEST, &scores->hash, err);
    if (!status && nas_h5_has_attribute(metrics, "measurement"))
        status =
            nas_h5_read_attribute(metrics, "measurement", NAS_H5_DIGEST, &scores->measurement, err);
    if (!status) status = nas_h5_read_array(metrics, "values", &values, err);
    if (!status) status = read_status(metrics, scores, n, err);
    if (!status) status = read_seconds(metrics, scores, n, err);
    if (!status) status = nas_h5_read_array(metrics, "rank", &rank, err);
    scores->value = values.data;
    scores->rank = rank.data;
    if (status) return status;
    scores->n = n;
    return check_rows(scores, err);
}

static nas_status_t read_constant(hid_t metrics, nas_state_t *state, nas_error_t *err)
{
    nas_h5_array_t constant = {.type = NAS_H5_I32, .rank = 1, .size = {(int64_t)state->metrics.n}};
    const nas_status_t status = nas_h5_read_array(metrics, "constant", &constant, err);
    state->metric_is_constant = constant.data;
    return status;
}

nas_status_t nas_statefile_read_scores(hid_t file, nas_state_t *state, nas_error_t *err)
{
    hid_t metrics = H5I_INVALID_HID;
    nas_status_t status = nas_h5_group_open(file, "metrics", &metrics, err);
    if (!status) status = nas_statefile_read_names(metrics, "names", &state->metrics, err);
    if (!status && nas_h5_has(metrics, "constant")) status = read_constant(metrics, state, err);
    if (!status && nas_h5_has(metrics, "values")) {
        status = read_pool(file, &state->scores, err);
        if (!status) status = read_rows(metrics, state, err);
        if (!status && state->scores.n != state->n_arch)
            status =
                nas_error_set(err, NAS_EINPUT, "%lld architectures were scored of a pool of %lld",
                              (long long)state->scores.n, (long long)state->n_arch);
    }
    nas_h5_group_close(metrics);
    return status;
}
