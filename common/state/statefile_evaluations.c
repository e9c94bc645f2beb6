/* The groups /evaluations and /known of a state file: a row an evaluation, the repeats one after
 * the other. */
#include "common/state/statefile_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- writing */

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

/* Numbers that a row has n of. */
typedef struct numbers {
    const char *name;
    size_t n;
    const double *(*of)(const nas_evaluation_t *evaluation);
} numbers_t;

static const double *values_of(const nas_evaluation_t *evaluation)
{
    return evaluation->value;
}

static const double *columns_of(const nas_evaluation_t *evaluation)
{
    return evaluation->columns;
}

static nas_status_t write_numbers(hid_t group, const rows_t *rows, const numbers_t *numbers,
                                  nas_error_t *err)
{
    const size_t n = numbers->n;
    double *data = malloc(((size_t)rows->n * n + 1) * sizeof *data);
    if (!data) return nas_error_nomem(err, "the evaluations");
    for (int64_t i = 0; i < rows->n && n > 0; i++)
        memcpy(data + (size_t)i * n, numbers->of(rows->evaluation[i]), n * sizeof *data);
    const nas_h5_array_t array = {NAS_H5_F64, 2, {rows->n, (int64_t)n}, data};
    const nas_status_t status = nas_h5_write_array(group, numbers->name, &array, err);
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

static nas_status_t write_rows(hid_t group, const rows_t *rows, nas_error_t *err)
{
    const nas_statefile_fields_t fields = nas_statefile_evaluation();
    const nas_state_t *state = rows->state;
    const nas_h5_array_t repeat = {NAS_H5_I64, 1, {rows->n}, rows->repeat};
    const numbers_t values = {"value", (size_t)state->n_goals, values_of};
    const numbers_t columns = {"columns", state->report_columns.n, columns_of};
    nas_status_t status = nas_h5_write_array(group, "repeat", &repeat, err);
    for (size_t i = 0; i < fields.n && !status; i++)
        status = nas_statefile_write_member(group, &fields.at[i],
                                            (const void *const *)rows->evaluation, rows->n, err);
    if (!status) status = write_texts(group, rows, err);
    if (!status) status = write_numbers(group, rows, &values, err);
    if (!status) status = write_numbers(group, rows, &columns, err);
    for (int c = 0; c < NAS_CURVE_COLUMNS && state->n_epochs > 0 && !status; c++)
        status = write_curve(group, rows, c, err);
    return status;
}

static nas_status_t write_group(hid_t file, const nas_state_t *state, bool known, nas_error_t *err)
{
    hid_t group = H5I_INVALID_HID;
    rows_t rows = {0};
    nas_status_t status = rows_init(state, known, &rows, err);
    if (!status) status = nas_h5_group_create(file, known ? "known" : "evaluations", &group, err);
    if (!status) status = write_rows(group, &rows, err);
    nas_h5_group_close(group);
    rows_fini(&rows);
    return status;
}

nas_status_t nas_statefile_write_evaluations(hid_t file, const nas_state_t *state, nas_error_t *err)
{
    const nas_status_t status = write_group(file, state, false, err);
    if (status || count_rows(state, true) == 0) return status;
    return write_group(file, state, true, err);
}

/* ------------------------------------------------------------------------------------- reading */

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
    else if (!nas_statefile_is_phase(state, evaluation->phase))
        wrong = "phase";
    else if (evaluation->rank < 0)
        wrong = "rank";
    if (!wrong) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT, "an evaluation of architecture %lld has an impossible %s",
                         (long long)evaluation->arch, wrong);
}

/* A group as it lies in the file, one array per field. */
typedef struct ledger {
    nas_h5_array_t repeat;
    nas_h5_array_t field[NAS_STATEFILE_MAX_FIELDS];
    nas_h5_array_t value;
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
    free(ledger->value.data);
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

/* The number of rows is that of `repeat`; every other dataset must have as many. Before version 3
 * there was one value, in a dataset of rank 1. */
static nas_status_t ledger_read(hid_t group, const nas_state_t *state, uint64_t version,
                                ledger_t *ledger, nas_error_t *err)
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
    ledger->value = (nas_h5_array_t){
        .type = NAS_H5_F64, .rank = version < 3 ? 1 : 2, .size = {n, state->n_goals}};
    ledger->columns = (nas_h5_array_t){.type = NAS_H5_F64, .rank = 2, .size = {n, n_report}};
    if (!status) status = nas_h5_read_array(group, "value", &ledger->value, err);
    if (!status) status = nas_h5_read_array(group, "columns", &ledger->columns, err);
    if (!status) status = nas_h5_read_texts(group, "name", n, &ledger->name, err);
    if (!status) status = nas_h5_read_texts(group, "reason", n, &ledger->reason, err);
    return status ? status : ledger_read_curves(group, state->n_epochs, ledger, err);
}

/* Row i, with its texts and numbers borrowed from the ledger. */
static nas_evaluation_t ledger_row(const ledger_t *ledger, int64_t i)
{
    const nas_statefile_fields_t fields = nas_statefile_evaluation();
    const int64_t n_goals = ledger->value.size[1], n_epochs = ledger->curve[0].size[1];
    char *reason = ledger->reason.data + (size_t)i * ledger->reason.width;
    nas_evaluation_t row = {.name = ledger->name.data + (size_t)i * ledger->name.width,
                            .reason = *reason ? reason : NULL,
                            .curve = ledger->row_curve};
    memcpy(row.value, (const double *)ledger->value.data + i * n_goals,
           (size_t)n_goals * sizeof *row.value);
    row.columns = (double *)ledger->columns.data + i * ledger->columns.size[1];
    for (int64_t k = 0; ledger->row_curve && k < n_epochs; k++)
        for (int c = 0; c < NAS_CURVE_COLUMNS; c++)
            ledger->row_curve[k * NAS_CURVE_COLUMNS + c] =
                ((const double *)ledger->curve[c].data)[i * n_epochs + k];
    for (size_t f = 0; f < fields.n; f++)
        nas_statefile_read_member(&fields.at[f], &ledger->field[f], i, &row);
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

static nas_status_t read_group(hid_t file, uint64_t version, bool known, nas_state_t *state,
                               nas_error_t *err)
{
    hid_t group = H5I_INVALID_HID;
    ledger_t ledger = {0};
    nas_status_t status = nas_h5_group_open(file, known ? "known" : "evaluations", &group, err);
    if (status) return status;
    status = ledger_read(group, state, version, &ledger, err);
    for (int64_t i = 0; i < ledger.repeat.size[0] && !status; i++) {
        const int64_t repeat = ((const int64_t *)ledger.repeat.data)[i];
        const nas_evaluation_t row = ledger_row(&ledger, i);
        status = add_row(state, repeat, &row, known, err);
    }
    ledger_fini(&ledger);
    nas_h5_group_close(group);
    return status;
}

nas_status_t nas_statefile_read_evaluations(hid_t file, uint64_t version, nas_state_t *state,
                                            nas_error_t *err)
{
    const nas_status_t status = read_group(file, version, false, state, err);
    if (status || !nas_h5_has(file, "known")) return status;
    return read_group(file, version, true, state, err);
}
