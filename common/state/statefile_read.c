/* Reading state files: of a file that was verified as bytes, the type, shape and range of every
 * value are checked.
 *
 * Where path is damaged or missing, path.prev is read instead, and the caller gets a notice to
 * print. A file of a newer version is left alone: falling back to the file before it would silently
 * undo what the newer program did.
 */
#include "common/io/file.h"
#include "common/state/statefile.h"
#include "common/state/statefile_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static nas_status_t read_fields(hid_t at, nas_statefile_fields_t fields, void *object,
                                nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < fields.n && !status; i++) {
        const nas_statefile_field_t *field = &fields.at[i];
        status = nas_h5_read_attribute(at, field->name, field->type, (char *)object + field->offset,
                                       err);
    }
    return status;
}

static nas_status_t read_optional(hid_t at, nas_statefile_fields_t fields, void *object,
                                  nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < fields.n && !status; i++)
        if (nas_h5_has_attribute(at, fields.at[i].name))
            status = read_fields(at, (nas_statefile_fields_t){&fields.at[i], 1}, object, err);
    return status;
}

static nas_status_t read_root(hid_t file, nas_state_t *state, nas_error_t *err)
{
    nas_h5_texts_t job = {0};
    state->n_goals = 1;
    nas_status_t status = read_fields(file, nas_statefile_root(), state, err);
    if (!status) status = read_optional(file, nas_statefile_root_optional(), state, err);
    if (!status) status = nas_h5_read_texts(file, "job", 1, &job, err);
    if (status) return status;
    state->job_text = job.data;
    if (state->generation < 0)
        return nas_error_set(err, NAS_EINPUT, "generation %lld is negative",
                             (long long)state->generation);
    if (state->budget < 0 || state->n_arch < 0 || state->n_epochs < 0)
        return nas_error_set(
            err, NAS_EINPUT, "budget %lld, n_arch %lld or n_epochs %lld is negative",
            (long long)state->budget, (long long)state->n_arch, (long long)state->n_epochs);
    return NAS_OK;
}

static bool is_phase(int32_t phase)
{
    return phase == NAS_PHASE_EXPLORE || phase == NAS_PHASE_EXPLOIT;
}

/* Whether the values are those of an evaluation that succeeded, or of one that did not. */
static bool are_values(const double *value, int64_t n_goals, bool ok)
{
    for (int64_t g = 0; g < n_goals; g++)
        if (ok ? !isfinite(value[g]) : !isnan(value[g])) return false;
    return true;
}

static nas_status_t check_evaluation(const nas_state_t *state, int64_t repeat,
                                     const nas_evaluation_t *evaluation, nas_error_t *err)
{
    const bool ok = evaluation->status == NAS_EVAL_OK;
    const char *wrong = NULL;
    if (repeat < 0 || repeat >= state->n_repeat)
        wrong = "repeat";
    else if (evaluation->arch < 0 || evaluation->arch >= state->n_arch)
        wrong = "arch";
    else if (evaluation->status < NAS_EVAL_OK || evaluation->status > NAS_EVAL_FAILED)
        wrong = "status";
    else if (!are_values(evaluation->value, state->n_goals, ok))
        wrong = "value";
    else if (isinf(evaluation->cost))
        wrong = "cost";
    else if (evaluation->pool_rank < 0 || evaluation->pool_rank > state->n_arch)
        wrong = "pool_rank";
    else if (!is_phase(evaluation->phase))
        wrong = "phase";
    else if (evaluation->rank < 0)
        wrong = "rank";
    if (!wrong) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT, "an evaluation of architecture %lld has an impossible %s",
                         (long long)evaluation->arch, wrong);
}

/* /evaluations as it lies in the file, one array per field. */
typedef struct ledger {
    nas_h5_array_t repeat;
    nas_h5_array_t field[NAS_STATEFILE_MAX_FIELDS];
    nas_h5_array_t columns;
    nas_h5_array_t curve[NAS_CURVE_COLUMNS];
    nas_h5_texts_t name;
    nas_h5_texts_t reason;
    double *row_curve; /* [n_epochs x NAS_CURVE_COLUMNS] of the row being read; NULL: no curves */
} ledger_t;

static void ledger_fini(ledger_t *ledger)
{
    for (size_t i = 0; i < NAS_STATEFILE_MAX_FIELDS; i++) free(ledger->field[i].data);
    free(ledger->repeat.data);
    free(ledger->columns.data);
    for (int c = 0; c < NAS_CURVE_COLUMNS; c++) free(ledger->curve[c].data);
    free(ledger->name.data);
    free(ledger->reason.data);
    free(ledger->row_curve);
}

static nas_status_t ledger_read_curves(hid_t group, int64_t n_epochs, ledger_t *ledger,
                                       nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    if (n_epochs == 0) return NAS_OK;
    for (int c = 0; c < NAS_CURVE_COLUMNS && !status; c++) {
        ledger->curve[c] = (nas_h5_array_t){
            .type = NAS_H5_F64, .rank = 2, .size = {ledger->repeat.size[0], n_epochs}};
        status = nas_h5_read_array(group, nas_statefile_curve(c), &ledger->curve[c], err);
    }
    if (status || ledger->repeat.size[0] == 0) return status;
    ledger->row_curve = malloc((size_t)n_epochs * NAS_CURVE_COLUMNS * sizeof(double));
    return ledger->row_curve ? NAS_OK : nas_error_nomem(err, "the evaluations");
}

/* The number of rows is that of `repeat`; every other dataset must have as many. */
static nas_status_t ledger_read(hid_t group, const nas_state_t *state, ledger_t *ledger,
                                nas_error_t *err)
{
    const int64_t n_report = (int64_t)state->report_columns.n;
    const nas_statefile_fields_t fields = nas_statefile_evaluation();
    NAS_ASSERT(fields.n <= NAS_STATEFILE_MAX_FIELDS);
    ledger->repeat = (nas_h5_array_t){.type = NAS_H5_I64, .rank = 1, .size = {-1}};
    nas_status_t status = nas_h5_read_array(group, "repeat", &ledger->repeat, err);
    if (status) return status;
    const int64_t n = ledger->repeat.size[0];
    for (size_t i = 0; i < fields.n && !status; i++) {
        ledger->field[i] = (nas_h5_array_t){.type = fields.at[i].type, .rank = 1, .size = {n}};
        status = nas_h5_read_array(group, fields.at[i].name, &ledger->field[i], err);
    }
    ledger->columns = (nas_h5_array_t){.type = NAS_H5_F64, .rank = 2, .size = {n, n_report}};
    if (!status) status = nas_h5_read_array(group, "columns", &ledger->columns, err);
    if (!status) status = nas_h5_read_texts(group, "name", n, &ledger->name, err);
    if (!status) status = nas_h5_read_texts(group, "reason", n, &ledger->reason, err);
    return status ? status : ledger_read_curves(group, state->n_epochs, ledger, err);
}

/* Row i, with its texts and numbers borrowed from the ledger. */
static nas_evaluation_t ledger_row(const ledger_t *ledger, int64_t i)
{
    const nas_statefile_fields_t fields = nas_statefile_evaluation();
    char *reason = ledger->reason.data + (size_t)i * ledger->reason.width;
    nas_evaluation_t row = {.name = ledger->name.data + (size_t)i * ledger->name.width,
                            .reason = *reason ? reason : NULL,
                            .curve = ledger->row_curve};
    row.columns = (double *)ledger->columns.data + i * ledger->columns.size[1];
    const int64_t n_epochs = ledger->curve[0].size[1];
    for (int64_t k = 0; ledger->row_curve && k < n_epochs; k++)
        for (int c = 0; c < NAS_CURVE_COLUMNS; c++)
            ledger->row_curve[k * NAS_CURVE_COLUMNS + c] =
                ((const double *)ledger->curve[c].data)[i * n_epochs + k];
    for (size_t f = 0; f < fields.n; f++) {
        const size_t size = nas_h5_size(fields.at[f].type);
        memcpy((char *)&row + fields.at[f].offset,
               (const char *)ledger->field[f].data + (size_t)i * size, size);
    }
    return row;
}

/* Into the state: an evaluation, or a known result. */
static nas_status_t add_row(nas_state_t *state, int64_t repeat, const nas_evaluation_t *row,
                            bool known, nas_error_t *err)
{
    const nas_status_t status = check_evaluation(state, repeat, row, err);
    if (status) return status;
    if (!known) return nas_state_add_evaluation(state, repeat, row, err);
    if (row->status == NAS_EVAL_OK) return nas_state_add_known(state, repeat, row, err);
    return nas_error_set(err, NAS_EINPUT, "a known result of architecture %lld is none",
                         (long long)row->arch);
}

static nas_status_t read_evaluations(hid_t file, nas_state_t *state, bool known, nas_error_t *err)
{
    hid_t group = H5I_INVALID_HID;
    ledger_t ledger = {0};
    nas_status_t status = nas_h5_group_open(file, known ? "known" : "evaluations", &group, err);
    if (status) return status;
    status = ledger_read(group, state, &ledger, err);
    for (int64_t i = 0; i < ledger.repeat.size[0] && !status; i++) {
        const int64_t repeat = ((const int64_t *)ledger.repeat.data)[i];
        const nas_evaluation_t row = ledger_row(&ledger, i);
        status = add_row(state, repeat, &row, known, err);
    }
    ledger_fini(&ledger);
    nas_h5_group_close(group);
    return status;
}

/* Whether n numbers are weights of metrics. */
static bool are_weights(const double *weight, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(weight[i]) <= 1)) return false;
    return true;
}

static nas_status_t read_observations(hid_t group, nas_state_t *state, int64_t repeat,
                                      nas_error_t *err)
{
    const int64_t n_metric = (int64_t)state->metrics.n;
    nas_h5_array_t arch = {.type = NAS_H5_I64, .rank = 1, .size = {-1}};
    nas_h5_array_t phase = {.type = NAS_H5_I32, .rank = 1};
    nas_h5_array_t weights = {.type = NAS_H5_F64, .rank = 2};
    nas_status_t status = nas_h5_read_array(group, "arch", &arch, err);
    if (status) return status;
    const int64_t n = arch.size[0];
    phase.size[0] = weights.size[0] = n;
    weights.size[1] = n_metric;
    status = nas_h5_read_array(group, "phase", &phase, err);
    if (!status) status = nas_h5_read_array(group, "weights", &weights, err);
    for (int64_t i = 0; i < n && !status; i++) {
        const nas_observation_t observation = {((const int64_t *)arch.data)[i],
                                               ((const int32_t *)phase.data)[i]};
        const double *row = (const double *)weights.data + i * n_metric;
        if (observation.arch < 0 || observation.arch >= state->n_arch ||
            !is_phase(observation.phase))
            status = nas_error_set(
                err, NAS_EINPUT, "observation %lld has an impossible arch or phase", (long long)i);
        else if (!are_weights(row, n_metric))
            status = nas_error_set(err, NAS_EINPUT, "observation %lld has impossible weights",
                                   (long long)i);
        else
            status = nas_state_add_observation(state, repeat, observation, row, err);
    }
    free(arch.data);
    free(phase.data);
    free(weights.data);
    return status;
}

/* The weights that were best, and how good they are, where that is known. */
static nas_status_t read_best(hid_t group, const nas_state_t *state, nas_repeat_t *repeat,
                              nas_error_t *err)
{
    const int64_t n_metric = (int64_t)state->metrics.n;
    nas_h5_array_t best = {.type = NAS_H5_F64, .rank = 1, .size = {n_metric}};
    const double precision = repeat->precision_at_t;
    if (!isnan(precision) && !(precision >= 0 && precision <= 1))
        return nas_error_set(err, NAS_EINPUT, "a repeat has an impossible precision_at_t");
    if (!nas_h5_has(group, "best_weights")) return NAS_OK;
    const nas_status_t status = nas_h5_read_array(group, "best_weights", &best, err);
    if (status) return status;
    repeat->best_weights = best.data;
    if (are_weights(best.data, n_metric)) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT, "a repeat has impossible best_weights");
}

static nas_status_t read_repeat(hid_t search, nas_state_t *state, int64_t index, nas_error_t *err)
{
    nas_repeat_t *repeat = &state->repeat[index];
    char name[NAS_STATEFILE_REPEAT_NAME_SIZE];
    hid_t group = H5I_INVALID_HID;
    (void)snprintf(name, sizeof name, "%lld", (long long)index);
    nas_status_t status = nas_h5_group_open(search, name, &group, err);
    if (status) return status;
    status = read_fields(group, nas_statefile_repeat(), repeat, err);
    if (!status) status = read_observations(group, state, index, err);
    if (!status) status = read_best(group, state, repeat, err);
    nas_h5_group_close(group);
    return status;
}

static nas_status_t read_search(hid_t file, nas_state_t *state, nas_error_t *err)
{
    hid_t search = H5I_INVALID_HID;
    nas_status_t status = nas_h5_group_open(file, "search", &search, err);
    if (status) return status;
    status = nas_state_make_repeats(state, nas_h5_count(search), 0, err);
    for (int64_t r = 0; r < state->n_repeat && !status; r++)
        status = read_repeat(search, state, r, err);
    nas_h5_group_close(search);
    return status;
}

static nas_status_t read_events(hid_t file, nas_state_t *state, nas_error_t *err)
{
    hid_t group = H5I_INVALID_HID;
    nas_h5_texts_t text = {0};
    nas_h5_array_t time_s = {.type = NAS_H5_F64, .rank = 1};
    nas_status_t status = nas_h5_group_open(file, "events", &group, err);
    if (status) return status;
    status = nas_h5_read_texts(group, "text", -1, &text, err);
    time_s.size[0] = text.n;
    if (!status) status = nas_h5_read_array(group, "time", &time_s, err);
    for (int64_t i = 0; i < text.n && !status; i++) {
        status = nas_state_add_event(state, err, "%s", text.data + (size_t)i * text.width);
        if (!status) state->event[i].time_s = ((const double *)time_s.data)[i];
    }
    free(text.data);
    free(time_s.data);
    nas_h5_group_close(group);
    return status;
}

static nas_status_t read_lists(hid_t file, nas_state_t *state, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < NAS_STATEFILE_LISTS && !status; i++) {
        nas_strings_t *list = (void *)((char *)state + nas_statefile_lists[i].offset);
        if (nas_h5_has(file, nas_statefile_lists[i].name))
            status = nas_statefile_read_names(file, nas_statefile_lists[i].name, list, err);
    }
    return status;
}

/* The order matters: later parts are checked against earlier ones. */
static nas_status_t read_content(hid_t file, nas_state_t *state, nas_error_t *err)
{
    nas_status_t status = read_root(file, state, err);
    if (!status) status = nas_statefile_read_scores(file, state, err);
    if (!status)
        status = nas_statefile_read_names(file, "report_columns", &state->report_columns, err);
    if (!status) status = read_lists(file, state, err);
    if (!status) status = read_search(file, state, err);
    if (!status) status = read_evaluations(file, state, false, err);
    if (!status && nas_h5_has(file, "known")) status = read_evaluations(file, state, true, err);
    if (!status) status = read_events(file, state, err);
    return status;
}

/* newer [out] as in nas_checksummed_image_t. */
static nas_status_t read_file(const char *path, nas_state_t *state, bool *newer, nas_error_t *err)
{
    nas_checksummed_image_t image = {0};
    nas_state_t read = {0};
    nas_error_t reason = {0};
    hid_t file = H5I_INVALID_HID;
    nas_status_t status = nas_checksummed_load(&nas_statefile_kind, path, &image, err);
    *newer = image.newer;
    if (status) return status;
    status = nas_h5_open(image.data, image.size, &file, &reason);
    if (!status) status = read_content(file, &read, &reason);
    nas_h5_close(file);
    free(image.data);
    if (status) {
        nas_state_fini(&read);
        return nas_error_set(err, status, "%s: inconsistent state file: %s", path, reason.text);
    }
    *state = read;
    return NAS_OK;
}

nas_status_t nas_statefile_read_one(const char *path, nas_state_t *state, nas_error_t *err)
{
    bool newer = false;
    return read_file(path, state, &newer, err);
}

/* Whether there is a file that can be opened: what is wrong with it is its content. */
static bool is_readable(const char *path)
{
    int fd = -1;
    int64_t size = 0;
    if (nas_file_open(path, &fd, &size, NULL)) return false;
    (void)close(fd);
    return true;
}

/* Whether a file is a text that is not called as a state file is: a job in place of its run. */
static bool is_job(const char *at)
{
    char data[256];
    int fd = -1;
    int64_t size = 0;
    size_t n = 0;
    const size_t length = strlen(at);
    const bool is_named = length > 3 && strcmp(at + length - 3, ".h5") == 0;
    if (is_named || nas_file_open(at, &fd, &size, NULL)) return false;
    bool is_text = !nas_file_read_next(fd, at, data, sizeof data, &n, NULL) && n > 0;
    (void)close(fd);
    for (size_t i = 0; i < n && is_text; i++)
        is_text = (unsigned char)data[i] >= ' ' || (data[i] && strchr("\t\r\n", data[i]));
    return is_text;
}

/* path was refused for `reason`: try the file before it, beside `at`, where a link leads to. */
static nas_status_t read_previous(const char *at, nas_state_t *state, const nas_error_t *reason,
                                  nas_error_t *err)
{
    nas_error_t second = {0};
    const char *const remedy =
        nas_statefile_check_own(at, &second)
            ? "restore a copy, or move it away and start the run anew"
            : "restore a copy, or let the run that writes it start anew with --fresh";
    char *prev = nas_file_sibling(at, ".prev", err);
    if (!prev) return NAS_ENOMEM;
    nas_status_t status = nas_statefile_read_one(prev, state, &second);
    if (status && nas_file_exists(prev))
        status = nas_error_set(err, status, "%s; the file before it is no help: %s; %s",
                               reason->text, second.text, remedy);
    else if (status && is_readable(at))
        status = nas_error_set(
            err, status, "%s; %s", reason->text,
            is_job(at) ? "a job's run is at its output (robotnas check JOB.yaml prints it)"
                       : remedy);
    else if (status)
        status = nas_error_set(err, status, "%s", reason->text);
    free(prev);
    return status;
}

nas_status_t nas_statefile_read(const char *path, nas_state_t *state, nas_error_t *notice,
                                nas_error_t *err)
{
    bool newer = false;
    nas_error_t reason = {0};
    notice->text[0] = '\0';
    nas_status_t status = read_file(path, state, &newer, &reason);
    if (!status) return NAS_OK;
    if (newer || status == NAS_ENOMEM) return nas_error_set(err, status, "%s", reason.text);
    char *at = nas_file_locate(path, err);
    if (!at) return NAS_ENOMEM;
    status = read_previous(at, state, &reason, err);
    if (!status)
        (void)nas_error_set(notice, NAS_OK, "%s; going on from the file before it, %s.prev",
                            reason.text, at);
    free(at);
    return status;
}
