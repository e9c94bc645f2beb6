/* Columns of a table, sorted by their values and by what people call them. */
#include "common/io/csv.h"
#include "common/io/field.h"
#include "common/io/table.h"
#include "common/job/job.h"
#include "common/space/encoding.h"
#include "coordinator/commands/init_job.h"
#include "worker/engine/metrics/metric.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Characters of a field that are shown. */
enum { SHOWN = 40 };

/* Encodings that a column's texts are tried in: kinds of nas_encoding_kind_t below this. */
enum { N_FORMS = NAS_ENCODING_DIGITS + 1 };

/* What is known of a column. */
typedef struct column {
    char *name; /* owned */
    int64_t n_number;
    int64_t n_text;
    int64_t text_line; /* of the first text, and that */
    char *text;        /* owned; NULL: none */
    double least, most;
    nas_strings_t missing; /* spellings of a missing value */
    int n_position
        [N_FORMS]; /* that its texts have in each encoding; 0: no text yet, -1: not of it */
} column_t;

typedef struct columns {
    column_t *at;
    size_t n;
    int64_t n_rows;
} columns_t;

static void columns_fini(columns_t *columns)
{
    for (size_t c = 0; c < columns->n; c++) {
        free(columns->at[c].name);
        free(columns->at[c].text);
        nas_strings_fini(&columns->at[c].missing);
    }
    free(columns->at);
    *columns = (columns_t){0};
}

static nas_status_t take_header(columns_t *columns, const nas_csv_row_t *row, nas_error_t *err)
{
    columns->at = calloc(row->n_field, sizeof *columns->at);
    if (!columns->at) return nas_error_nomem(err, "the table's columns");
    for (; columns->n < row->n_field; columns->n++) {
        column_t *column = &columns->at[columns->n];
        *column = (column_t){.name = nas_string_copy(row->field[columns->n], err),
                             .least = INFINITY,
                             .most = -INFINITY};
        if (!column->name) return NAS_ENOMEM;
    }
    return NAS_OK;
}

/* Whether all its texts are positions, equally many. */
static void take_form(column_t *column, const char *text)
{
    uint8_t code[NAS_ENCODING_MAX_POSITIONS];
    nas_error_t ignored = {0};
    for (int kind = NAS_ENCODING_NONE + 1; kind < N_FORMS; kind++) {
        int n = 0, *known = &column->n_position[kind];
        if (*known < 0) continue;
        const bool has_form = !nas_encode((nas_encoding_kind_t)kind, text, code, &n, &ignored);
        *known = has_form && (*known == 0 || *known == n) ? n : -1;
    }
}

static nas_status_t take_field(column_t *column, const char *text, int64_t line, nas_error_t *err)
{
    double x = 0;
    take_form(column, text);
    if (nas_field_number(text, &x)) {
        column->n_number++;
        if (!isfinite(x)) return NAS_OK;
        if (x < column->least) column->least = x;
        if (x > column->most) column->most = x;
        return NAS_OK;
    }
    if (nas_field_is_missing(&column->missing, text)) return NAS_OK;
    if (nas_field_looks_missing(text))
        return nas_strings_add(&column->missing, text, strlen(text), err);
    if (column->n_text++ > 0) return NAS_OK;
    column->text_line = line;
    column->text = nas_string_copy(text, err);
    return column->text ? NAS_OK : NAS_ENOMEM;
}

static nas_status_t take_row(columns_t *columns, const nas_csv_row_t *row, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t c = 0; !status && c < columns->n && c < row->n_field; c++)
        status = take_field(&columns->at[c], row->field[c], row->line, err);
    columns->n_rows++;
    return status;
}

static nas_status_t read_columns(const char *path, columns_t *columns, nas_error_t *err)
{
    nas_csv_t *csv = NULL;
    nas_csv_row_t row = {0};
    nas_status_t status = nas_csv_open(path, &csv, err);
    if (!status) status = nas_csv_next_filled(csv, &row, err);
    if (!status && row.n_field > 0) status = take_header(columns, &row, err);
    const char *separator = columns->n == 1 ? nas_table_separator(columns->at[0].name) : NULL;
    if (!status && separator)
        status = nas_error_set(
            err, NAS_EINPUT,
            "%s: %s separate the fields here; save the table as CSV with commas, and numbers with a decimal point",
            path, separator);
    while (!status && row.n_field > 0) {
        status = nas_csv_next_filled(csv, &row, err);
        if (!status && row.n_field > 0) status = take_row(columns, &row, err);
    }
    nas_csv_close(csv);
    if (!status && columns->n_rows == 0)
        status = nas_error_set(
            err, NAS_EINPUT, "%s: a header and rows below it were expected, as in docs/job-file.md",
            path);
    return status;
}

/* ------------------------------------------------------------------------------ what they mean */

bool nas_init_has(const char *text, const char *part)
{
    const size_t n = strlen(part);
    for (; *text; text++)
        if (strncasecmp(text, part, n) == 0) return true;
    return false;
}

/* Whether one of the words, a list that ends with NULL, is part of the name, in any case. */
static bool has_word(const char *name, const char *const *words)
{
    for (; *words; words++)
        if (nas_init_has(name, *words)) return true;
    return false;
}

static bool is_named(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcasecmp(name, *names) == 0) return true;
    return false;
}

static const char *const arch_names[] = {"arch",     "architecture", "arch_str", "architectures",
                                         "cell",     "config",       "network",  "model",
                                         "genotype", "encoding",     "name",     "id",
                                         "index",    "uid",          NULL};
static const char *const cost_words[] = {"cost", "second", "hours", "time", "latency", NULL};
static const char *const score_words[] = {"acc", "score", "reward", "auc",  "f1", "iou",
                                          "map", "bleu",  "psnr",   "dice", NULL};
static const char *const loss_words[] = {"loss", "err", "perplexity", "ppl", "rmse", "mae", NULL};
static const char *const later_words[] = {"test", "train", NULL};
static const char *const bookkeeping[] = {"rank", "epoch", "seed", "step", "image", "run", NULL};
/* Metrics of the field by the names that tables have, besides those of this program. */
static const char *const metric_names[] = {"jacov",   "naswot",   "zen",           "zico",
                                           "epe_nas", "epe",      "grad_conflict", "meco",
                                           "swap",    "n_params", "macs",          NULL};

static bool is_metric(const char *name)
{
    return nas_metric_find(name) || is_named(name, metric_names);
}

/* A column that can stand in a job: of numbers that differ, with a name that a job can hold. */
static bool is_useful(const column_t *column)
{
    return column->n_number > 0 && column->n_text == 0 && column->least < column->most &&
           *column->name && nas_job_can_hold(column->name);
}

static const column_t *find_arch(const columns_t *columns)
{
    for (const char *const *name = arch_names; *name; name++)
        for (size_t c = 0; c < columns->n; c++)
            if (strcasecmp(columns->at[c].name, *name) == 0) return &columns->at[c];
    for (size_t c = 0; c < columns->n; c++)
        if (columns->at[c].n_text > 0 && *columns->at[c].name) return &columns->at[c];
    return &columns->at[0];
}

/* How much a name promises to be what a search is for; 0: nothing. Validation comes before test. */
static int promise(const char *name)
{
    static const char *const validation[] = {"val", "dev", NULL};
    const bool scores = has_word(name, score_words), loses = has_word(name, loss_words);
    if (is_metric(name) || has_word(name, cost_words) || has_word(name, bookkeeping)) return 0;
    if (!scores && !loses) return 0;
    const int kind = scores ? 10 : 0;
    if (has_word(name, validation)) return kind + 5;
    return kind + (has_word(name, later_words) ? 2 : 4);
}

static const column_t *guess_objective(const columns_t *columns, const column_t *arch)
{
    const column_t *best = NULL;
    for (size_t c = 0; c < columns->n; c++) {
        const column_t *column = &columns->at[c];
        if (column == arch || !is_useful(column) || promise(column->name) == 0) continue;
        if (!best || promise(column->name) > promise(best->name)) best = column;
    }
    return best;
}

static nas_status_t find_objective(const char *path, const char *name, const columns_t *columns,
                                   const column_t **found, nas_error_t *err)
{
    for (size_t c = 0; c < columns->n && !*found; c++)
        if (strcmp(columns->at[c].name, name) == 0) *found = &columns->at[c];
    if (!*found)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: there is no column '%s', which --objective names", path, name);
    const column_t *column = *found;
    char hint[NAS_FIELD_HINT_SIZE];
    if (column->n_number > 0 && column->n_text == 0) return NAS_OK;
    if (column->n_text == 0)
        return nas_error_set(err, NAS_EINPUT,
                             "%s: column '%s', which --objective names, is not of numbers", path,
                             name);
    nas_field_hint(column->text, NULL, hint);
    return nas_error_set(err, NAS_EINPUT,
                         "%s:%lld: column '%s', which --objective names: '%.*s' is not a number%s",
                         path, (long long)column->text_line, name, SHOWN, column->text, hint);
}

static const char *encoding_of(const column_t *arch)
{
    for (int kind = NAS_ENCODING_NONE + 1; kind < N_FORMS; kind++)
        if (arch->n_position[kind] > 0) return nas_encoding_name((size_t)kind);
    return NULL;
}

static nas_status_t add(nas_strings_t *list, const char *text, nas_error_t *err)
{
    return nas_strings_find(list, text) >= 0 ? NAS_OK
                                             : nas_strings_add(list, text, strlen(text), err);
}

static nas_status_t add_missing(nas_init_table_t *table, const column_t *column, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < column->missing.n; i++)
        status = add(&table->missing, column->missing.at[i], err);
    return status;
}

static nas_status_t add_metric(nas_init_table_t *table, const column_t *column, nas_error_t *err)
{
    const double wide = 1e6;
    nas_status_t status = add(&table->metrics, column->name, err);
    if (!status && column->least > 0 && column->most / column->least > wide)
        status = add(&table->wide, column->name, err);
    return status ? status : add_missing(table, column, err);
}

/* Say of a column why it is in no list; texts of the user stay in
 * one line.
 */
static nas_status_t leave_out(nas_init_table_t *table, const column_t *column, const char *why,
                              nas_error_t *err)
{
    char *line =
        column->n_text > 0
            ? nas_string_format(err, "%.*s, line %lld: '%.*s' is no number", SHOWN, column->name,
                                (long long)column->text_line, SHOWN, column->text)
            : nas_string_format(err, "%.*s: %s", SHOWN, column->name, why);
    char *plain = line ? nas_string_escape(line, err) : NULL;
    free(line);
    if (!plain) return NAS_ENOMEM;
    const nas_status_t status = nas_strings_add(&table->left_out, plain, strlen(plain), err);
    free(plain);
    return status;
}

/* Of a column that is not useful. What has neither name nor values is no column. */
static nas_status_t leave_out_useless(nas_init_table_t *table, const column_t *column,
                                      nas_error_t *err)
{
    if (!*column->name && column->n_text + column->n_number == 0) return NAS_OK;
    const char *why = !*column->name                     ? "a column without a name"
                      : !nas_job_can_hold(column->name)  ? "a name that a job cannot hold"
                      : column->n_number == 0            ? "no values"
                      : !(column->least <= column->most) ? "no finite number"
                                                         : "the same in every row";
    const nas_status_t status = leave_out(table, column, why, err);
    if (status || table->spoilt || column->n_text == 0 || promise(column->name) == 0) return status;
    table->spoilt = nas_string_copy(table->left_out.at[table->left_out.n - 1], err);
    return table->spoilt ? NAS_OK : NAS_ENOMEM;
}

/* Sort one column in. known_only: only metrics that have a known name count. */
static nas_status_t sort_in(nas_init_table_t *table, const column_t *column, bool known_only,
                            nas_error_t *err)
{
    const char *name = column->name;
    nas_status_t status = NAS_OK;
    if (is_metric(name)) return add_metric(table, column, err);
    if (has_word(name, cost_words)) {
        if (table->cost) return leave_out(table, column, "another one is the cost", err);
        table->cost = nas_string_copy(name, err);
        status = table->cost ? NAS_OK : NAS_ENOMEM;
    } else if (promise(name) > 0) {
        status = add(&table->report, name, err);
    } else if (!known_only && !has_word(name, bookkeeping)) {
        return add_metric(table, column, err);
    } else {
        return leave_out(table, column, "no metric by its name", err);
    }
    return status ? status : add_missing(table, column, err);
}

static nas_status_t sort_columns(const columns_t *columns, const column_t *arch,
                                 const column_t *objective, nas_init_table_t *table,
                                 nas_error_t *err)
{
    bool any_known = false;
    nas_status_t status = NAS_OK;
    for (size_t c = 0; c < columns->n; c++)
        any_known |= is_useful(&columns->at[c]) && is_metric(columns->at[c].name);
    table->n_rows = columns->n_rows;
    table->arch = nas_string_copy(arch->name, err);
    table->encoding = encoding_of(arch);
    if (objective) table->objective = nas_string_copy(objective->name, err);
    if (!table->arch || (objective && !table->objective)) return NAS_ENOMEM;
    if (objective) {
        table->minimise =
            has_word(objective->name, loss_words) && !has_word(objective->name, score_words);
        status = add_missing(table, objective, err);
    }
    for (size_t c = 0; !status && c < columns->n; c++) {
        const column_t *column = &columns->at[c];
        if (column == arch || column == objective) continue;
        status = is_useful(column) ? sort_in(table, column, any_known, err)
                                   : leave_out_useless(table, column, err);
    }
    return status;
}

nas_status_t nas_init_table_read(const char *path, const char *objective, nas_init_table_t *table,
                                 nas_error_t *err)
{
    columns_t columns = {0};
    const column_t *found = NULL;
    nas_status_t status = read_columns(path, &columns, err);
    const column_t *arch = status ? NULL : find_arch(&columns);
    if (!status && objective) status = find_objective(path, objective, &columns, &found, err);
    if (!status && !objective) found = guess_objective(&columns, arch);
    table->guessed = !objective && found;
    if (!status) status = sort_columns(&columns, arch, found, table, err);
    columns_fini(&columns);
    return status;
}

void nas_init_table_fini(nas_init_table_t *table)
{
    free(table->arch);
    free(table->objective);
    free(table->cost);
    nas_strings_fini(&table->metrics);
    nas_strings_fini(&table->wide);
    nas_strings_fini(&table->report);
    nas_strings_fini(&table->missing);
    nas_strings_fini(&table->left_out);
    free(table->spoilt);
    *table = (nas_init_table_t){0};
}
