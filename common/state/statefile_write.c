/* Writing state files.
 *
 * The image is built in memory and written in one go by nas_file_replace, so that the disk sees
 * either all or nothing of it and every failure of the disk is reported by that module. The file
 * that it replaces becomes path.prev, but only if it is whole: a damaged one must never push out
 * the good one before it.
 */
#include "common/io/file.h"
#include "common/state/statefile.h"
#include "common/state/statefile_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nas_status_t write_fields(hid_t at, nas_statefile_fields_t fields, const void *object,
                                 nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < fields.n && !status; i++) {
        const nas_statefile_field_t *field = &fields.at[i];
        status = nas_h5_write_attribute(at, field->name, field->type,
                                        (const char *)object + field->offset, err);
    }
    return status;
}

static nas_status_t write_root(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    const int64_t version = NAS_STATEFILE_VERSION;
    const char *job = state->job_text ? state->job_text : "";
    nas_status_t status = nas_h5_write_attribute(file, "format_version", NAS_H5_I64, &version, err);
    if (!status) status = write_fields(file, nas_statefile_root(), state, err);
    if (!status) status = write_fields(file, nas_statefile_root_optional(), state, err);
    if (!status) status = nas_h5_write_texts(file, "job", &job, 1, err);
    return status;
}

/* Evaluations, or known results, of all repeats, one after the other. */
typedef struct rows {
    const nas_state_t *state;
    const nas_evaluation_t **evaluation; /* [n] borrowed */
    int64_t *repeat;                     /* [n] */
    int64_t n;
} rows_t;

static void rows_fini(rows_t *rows)
{
    free(rows->evaluation);
    free(rows->repeat);
}

static int64_t count_rows(const nas_state_t *state, bool known)
{
    int64_t n = 0;
    for (int64_t r = 0; r < state->n_repeat; r++)
        n += known ? state->repeat[r].n_known : state->repeat[r].n_evaluation;
    return n;
}

static nas_status_t rows_init(const nas_state_t *state, bool known, rows_t *rows, nas_error_t *err)
{
    const size_t n = (size_t)count_rows(state, known);
    *rows = (rows_t){.state = state,
                     .evaluation = calloc(n + 1, sizeof *rows->evaluation),
                     .repeat = calloc(n + 1, sizeof *rows->repeat)};
    if (!rows->evaluation || !rows->repeat) return nas_error_nomem(err, "the evaluations");
    for (int64_t r = 0; r < state->n_repeat; r++) {
        const nas_repeat_t *repeat = &state->repeat[r];
        const nas_evaluation_t *from = known ? repeat->known : repeat->evaluation;
        const int64_t n_from = known ? repeat->n_known : repeat->n_evaluation;
        for (int64_t i = 0; i < n_from; i++, rows->n++) {
            rows->evaluation[rows->n] = &from[i];
            rows->repeat[rows->n] = r;
        }
    }
    return NAS_OK;
}

static nas_status_t write_field(hid_t group, const rows_t *rows, const nas_statefile_field_t *field,
                                nas_error_t *err)
{
    const size_t size = nas_h5_size(field->type);
    char *data = malloc((size_t)rows->n * size + 1);
    if (!data) return nas_error_nomem(err, "the evaluations");
    for (int64_t i = 0; i < rows->n; i++)
        memcpy(data + (size_t)i * size, (const char *)rows->evaluation[i] + field->offset, size);
    const nas_status_t status = nas_h5_write_array(
        group, field->name, &(nas_h5_array_t){field->type, 1, {rows->n}, data}, err);
    free(data);
    return status;
}

static nas_status_t write_columns(hid_t group, const rows_t *rows, nas_error_t *err)
{
    const size_t n_column = rows->state->report_columns.n;
    double *data = malloc(((size_t)rows->n * n_column + 1) * sizeof *data);
    if (!data) return nas_error_nomem(err, "the evaluations");
    for (int64_t i = 0; i < rows->n && n_column > 0; i++)
        memcpy(data + (size_t)i * n_column, rows->evaluation[i]->columns, n_column * sizeof *data);
    const nas_h5_array_t array = {NAS_H5_F64, 2, {rows->n, (int64_t)n_column}, data};
    const nas_status_t status = nas_h5_write_array(group, "columns", &array, err);
    free(data);
    return status;
}

/* One column of all curves, NaN where an evaluation has none. */
static nas_status_t write_curve(hid_t group, const rows_t *rows, int column, nas_error_t *err)
{
    const size_t n_epochs = (size_t)rows->state->n_epochs;
    double *data = malloc(((size_t)rows->n * n_epochs + 1) * sizeof *data);
    if (!data) return nas_error_nomem(err, "the evaluations");
    for (size_t i = 0; i < (size_t)rows->n; i++) {
        const double *curve = rows->evaluation[i]->curve;
        for (size_t k = 0; k < n_epochs; k++)
            data[i * n_epochs + k] =
                curve ? curve[k * NAS_CURVE_COLUMNS + (size_t)column] : (double)NAN;
    }
    const nas_h5_array_t array = {NAS_H5_F64, 2, {rows->n, (int64_t)n_epochs}, data};
    const nas_status_t status = nas_h5_write_array(group, nas_statefile_curve(column), &array, err);
    free(data);
    return status;
}

static nas_status_t write_texts(hid_t group, const rows_t *rows, nas_error_t *err)
{
    const char **text = malloc(((size_t)rows->n + 1) * sizeof *text);
    if (!text) return nas_error_nomem(err, "the evaluations");
    for (int64_t i = 0; i < rows->n; i++) text[i] = rows->evaluation[i]->name;
    nas_status_t status = nas_h5_write_texts(group, "name", text, rows->n, err);
    for (int64_t i = 0; i < rows->n; i++)
        text[i] = rows->evaluation[i]->reason ? rows->evaluation[i]->reason : "";
    if (!status) status = nas_h5_write_texts(group, "reason", text, rows->n, err);
    free(text);
    return status;
}

static nas_status_t write_evaluations(hid_t file, const nas_state_t *state, bool known,
                                      nas_error_t *err)
{
    const nas_statefile_fields_t fields = nas_statefile_evaluation();
    hid_t group = H5I_INVALID_HID;
    rows_t rows = {0};
    nas_status_t status = rows_init(state, known, &rows, err);
    if (!status) status = nas_h5_group_create(file, known ? "known" : "evaluations", &group, err);
    if (status) goto out;
    status = nas_h5_write_array(group, "repeat",
                                &(nas_h5_array_t){NAS_H5_I64, 1, {rows.n}, rows.repeat}, err);
    for (size_t i = 0; i < fields.n && !status; i++)
        status = write_field(group, &rows, &fields.at[i], err);
    if (!status) status = write_texts(group, &rows, err);
    if (!status) status = write_columns(group, &rows, err);
    for (int c = 0; c < NAS_CURVE_COLUMNS && state->n_epochs > 0 && !status; c++)
        status = write_curve(group, &rows, c, err);
out:
    nas_h5_group_close(group);
    rows_fini(&rows);
    return status;
}

static nas_status_t write_observations(hid_t group, const nas_repeat_t *repeat, int64_t n_metric,
                                       nas_error_t *err)
{
    const int64_t n = repeat->n_observation;
    nas_status_t status = NAS_OK;
    int64_t *arch = malloc(((size_t)n + 1) * sizeof *arch);
    int32_t *phase = malloc(((size_t)n + 1) * sizeof *phase);
    if (!arch || !phase) {
        status = nas_error_nomem(err, "the observations");
        goto out;
    }
    for (int64_t i = 0; i < n; i++) {
        arch[i] = repeat->observation[i].arch;
        phase[i] = repeat->observation[i].phase;
    }
    const nas_h5_array_t weights = {NAS_H5_F64, 2, {n, n_metric}, repeat->weights};
    status = nas_h5_write_array(group, "arch", &(nas_h5_array_t){NAS_H5_I64, 1, {n}, arch}, err);
    if (!status)
        status =
            nas_h5_write_array(group, "phase", &(nas_h5_array_t){NAS_H5_I32, 1, {n}, phase}, err);
    if (!status) status = nas_h5_write_array(group, "weights", &weights, err);
out:
    free(arch);
    free(phase);
    return status;
}

static nas_status_t write_repeat(hid_t search, const nas_state_t *state, int64_t index,
                                 nas_error_t *err)
{
    const nas_repeat_t *repeat = &state->repeat[index];
    const int64_t n_metric = (int64_t)state->metrics.n;
    char name[NAS_STATEFILE_REPEAT_NAME_SIZE];
    hid_t group = H5I_INVALID_HID;
    (void)snprintf(name, sizeof name, "%lld", (long long)index);
    nas_status_t status = nas_h5_group_create(search, name, &group, err);
    if (status) return status;
    status = write_fields(group, nas_statefile_repeat(), repeat, err);
    if (!status) status = write_observations(group, repeat, n_metric, err);
    if (!status && repeat->best_weights) {
        const nas_h5_array_t best = {NAS_H5_F64, 1, {n_metric}, repeat->best_weights};
        status = nas_h5_write_array(group, "best_weights", &best, err);
    }
    nas_h5_group_close(group);
    return status;
}

static nas_status_t write_search(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    hid_t search = H5I_INVALID_HID;
    nas_status_t status = nas_h5_group_create(file, "search", &search, err);
    if (status) return status;
    for (int64_t r = 0; r < state->n_repeat && !status; r++)
        status = write_repeat(search, state, r, err);
    nas_h5_group_close(search);
    return status;
}

static nas_status_t write_events(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    const int64_t n = state->n_event;
    hid_t group = H5I_INVALID_HID;
    nas_status_t status = NAS_OK;
    double *time_s = malloc(((size_t)n + 1) * sizeof *time_s);
    const char **text = malloc(((size_t)n + 1) * sizeof *text);
    if (!time_s || !text) {
        status = nas_error_nomem(err, "the events");
        goto out;
    }
    for (int64_t i = 0; i < n; i++) {
        time_s[i] = state->event[i].time_s;
        text[i] = state->event[i].text;
    }
    status = nas_h5_group_create(file, "events", &group, err);
    if (!status)
        status =
            nas_h5_write_array(group, "time", &(nas_h5_array_t){NAS_H5_F64, 1, {n}, time_s}, err);
    if (!status) status = nas_h5_write_texts(group, "text", text, n, err);
out:
    nas_h5_group_close(group);
    free(time_s);
    free(text);
    return status;
}

static nas_status_t write_lists(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < NAS_STATEFILE_LISTS && !status; i++) {
        const nas_strings_t *list =
            (const void *)((const char *)state + nas_statefile_lists[i].offset);
        if (list->n > 0)
            status = nas_statefile_write_names(file, nas_statefile_lists[i].name, list, err);
    }
    return status;
}

/* The whole file but for its user block. */
static nas_status_t build_image(const nas_state_t *state, char **image_p, size_t *size,
                                nas_error_t *err)
{
    hid_t file = H5I_INVALID_HID;
    nas_status_t status = nas_h5_create(&file, err);
    if (status) return status;
    status = write_root(file, state, err);
    if (!status) status = nas_statefile_write_scores(file, state, err);
    if (!status)
        status = nas_statefile_write_names(file, "report_columns", &state->report_columns, err);
    if (!status) status = write_lists(file, state, err);
    if (!status) status = write_evaluations(file, state, false, err);
    if (!status && count_rows(state, true) > 0) status = write_evaluations(file, state, true, err);
    if (!status) status = write_search(file, state, err);
    if (!status) status = write_events(file, state, err);
    if (!status) status = nas_h5_image(file, image_p, size, err);
    nas_h5_close(file);
    return status;
}

/* Whether what stands at path is worth keeping as the previous file. */
static bool is_whole(const char *path)
{
    nas_checksummed_image_t image = {0};
    const bool whole =
        nas_checksummed_load(&nas_statefile_kind, path, &image, NULL) == NAS_OK || image.newer;
    free(image.data);
    return whole;
}

nas_status_t nas_statefile_write(const char *path, const nas_state_t *state, size_t *n_bytes,
                                 nas_error_t *err)
{
    char *image = NULL;
    size_t size = 0;
    nas_status_t status = build_image(state, &image, &size, err);
    if (!status) status = nas_checksummed_fill(&nas_statefile_kind, image, size, err);
    if (status) goto out;
    status = nas_file_replace(path, &(nas_span_t){image, size}, 1, is_whole(path), err);
    if (!status && n_bytes) *n_bytes = size;
out:
    free(image);
    return status;
}
