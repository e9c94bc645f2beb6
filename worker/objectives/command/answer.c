#include "worker/objectives/command/answer.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As reals, integers of any length are numbers. jansson refuses NaN, infinities, numbers beyond a
 * double, NULs and more than 2,048 levels. */
static json_t *parse(const nas_answer_line_t *line, json_error_t *reason)
{
    return json_loadb(line->at, line->n_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL,
                      reason);
}

/* ------------------------------------------------------------------------ finding the line */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Whether a text has "score": in it. */
static bool names_a_score(const char *text, size_t n_bytes)
{
    static const char key[] = "\"score\"";
    const size_t n_key = sizeof key - 1;
    const char *const end = text + n_bytes;
    while ((size_t)(end - text) > n_key) {
        const bool found = memcmp(text, key, n_key) == 0;
        text += found ? n_key : 1;
        while (found && text < end && is_blank(*text)) text++;
        if (found && text < end && *text == ':') return true;
    }
    return false;
}

static bool is_answer(const nas_answer_line_t *line)
{
    json_t *root = parse(line, NULL);
    const bool is =
        root ? json_object_get(root, "score") != NULL : names_a_score(line->at, line->n_bytes);
    json_decref(root);
    return is;
}

static nas_status_t append(nas_answer_line_t *line, const char *data, size_t n_bytes,
                           nas_error_t *err)
{
    const size_t room = NAS_ANSWER_SIZE - line->n_bytes;
    const size_t n = n_bytes < room ? n_bytes : room;
    line->too_long |= n_bytes > room;
    if (line->n_bytes + n > line->capacity) {
        const size_t needed = line->n_bytes + n, doubled = 2 * line->capacity;
        const size_t capacity = needed > doubled ? needed : doubled;
        char *at = realloc(line->at, capacity);
        if (!at) return nas_error_nomem(err, "a trainer's answer");
        line->at = at;
        line->capacity = capacity;
    }
    if (n > 0) memcpy(line->at + line->n_bytes, data, n);
    line->n_bytes += n;
    return NAS_OK;
}

static void begin_line(nas_answer_t *answer, char first)
{
    const bool brace = first == '{';
    answer->n_lines++;
    answer->place = brace ? NAS_ANSWER_WITHIN : NAS_ANSWER_ELSEWHERE;
    answer->reading.n_bytes = 0;
    answer->reading.too_long = false;
    if (brace || !answer->seen_brace) answer->n_seen = 0;
    answer->seen_brace |= brace;
}

static nas_status_t go_on(nas_answer_t *answer, const char *data, size_t n_bytes, nas_error_t *err)
{
    if (answer->place == NAS_ANSWER_WITHIN || !answer->seen_brace) {
        const size_t room = sizeof answer->seen - 1 - answer->n_seen;
        const size_t n = n_bytes < room ? n_bytes : room;
        memcpy(answer->seen + answer->n_seen, data, n);
        answer->n_seen += n;
    }
    return answer->place == NAS_ANSWER_WITHIN ? append(&answer->reading, data, n_bytes, err)
                                              : NAS_OK;
}

/* What it names is the answer, until another one comes. */
void nas_answer_end(nas_answer_t *answer)
{
    if (answer->place == NAS_ANSWER_WITHIN && is_answer(&answer->reading)) {
        const nas_answer_line_t before = answer->line;
        answer->line = answer->reading;
        answer->reading = before;
    }
    answer->place = NAS_ANSWER_BETWEEN;
}

static bool ends_line(char c)
{
    return c == '\n' || c == '\r';
}

/* Whether the text says score in UTF-16 of either order; no other character in it is its first. */
static void look_for_wide(nas_answer_t *answer, const char *data, size_t n_bytes)
{
    static const char key[] = {'s', 0, 'c', 0, 'o', 0, 'r', 0, 'e'};
    for (size_t i = 0; i < n_bytes && !answer->is_wide; i++) {
        if (data[i] != key[answer->n_wide]) answer->n_wide = 0;
        answer->n_wide += data[i] == key[answer->n_wide];
        answer->is_wide = answer->n_wide == sizeof key;
    }
}

/* Between lines: whether the next byte is of a byte order mark, which some programs write before
 * all that they print, or before each line. What only began as one begins a line. */
static nas_status_t skip_mark(nas_answer_t *answer, char next, bool *skips, nas_error_t *err)
{
    static const char mark[] = {'\xef', '\xbb', '\xbf'};
    const size_t n = answer->n_mark;
    *skips = next == mark[n];
    answer->n_mark = *skips ? (n + 1) % sizeof mark : 0;
    if (*skips || n == 0) return NAS_OK;
    begin_line(answer, mark[0]);
    return go_on(answer, mark, n, err);
}

nas_status_t nas_answer_feed(nas_answer_t *answer, const char *data, size_t n_bytes,
                             nas_error_t *err)
{
    const char *const end = data + n_bytes;
    look_for_wide(answer, data, n_bytes);
    while (data < end) {
        bool skips = false;
        nas_status_t status = NAS_OK;
        if (answer->place == NAS_ANSWER_BETWEEN) status = skip_mark(answer, *data, &skips, err);
        if (status) return status;
        if (answer->place == NAS_ANSWER_BETWEEN) {
            if (skips || is_blank(*data) || ends_line(*data)) {
                data++;
                continue;
            }
            begin_line(answer, *data);
        }
        const char *stop = data;
        while (stop < end && !ends_line(*stop)) stop++;
        status = go_on(answer, data, (size_t)(stop - data), err);
        if (status) return status;
        if (stop < end) nas_answer_end(answer);
        data = stop;
    }
    return NAS_OK;
}

/* ------------------------------------------------------------------------ reading the line */

static bool read_number(const json_t *json, double *number)
{
    if (!json_is_number(json) || !isfinite(json_number_value(json))) return false;
    *number = json_number_value(json);
    return true;
}

static bool read_cost(const json_t *root, nas_outcome_t *outcome)
{
    const json_t *cost = json_object_get(root, "cost");
    if (!cost || json_is_null(cost)) return true;
    if (read_number(cost, &outcome->cost) && outcome->cost >= 0) return true;
    nas_outcome_fail(outcome, "its answer's cost is no finite number >= 0");
    return false;
}

static bool read_columns(const json_t *root, const nas_strings_t *columns, nas_outcome_t *outcome)
{
    const json_t *object = json_object_get(root, "columns");
    if (!object || json_is_null(object)) return true;
    if (!json_is_object(object)) {
        nas_outcome_fail(outcome, "its answer's columns are no JSON object");
        return false;
    }
    for (size_t i = 0; i < columns->n; i++) {
        const json_t *value = json_object_get(object, columns->at[i]);
        if (!value || json_is_null(value) || read_number(value, &outcome->columns[i])) continue;
        nas_outcome_fail(outcome, "its answer's column '%s' is no finite number", columns->at[i]);
        return false;
    }
    return true;
}

/* The columns of a failure, and those that an answer does not have. */
static void forget_columns(nas_outcome_t *outcome, size_t n)
{
    for (size_t i = 0; i < n; i++) outcome->columns[i] = NAN;
}

static void read_root(const json_t *root, const nas_strings_t *columns, nas_outcome_t *outcome)
{
    if (!read_number(json_object_get(root, "score"), &outcome->value[0])) {
        nas_outcome_fail(outcome, "its answer has no finite number as score");
        return;
    }
    if (!read_cost(root, outcome) || !read_columns(root, columns, outcome))
        forget_columns(outcome, columns->n);
}

static void read_line(const nas_answer_line_t *line, const nas_strings_t *columns,
                      nas_outcome_t *outcome)
{
    json_error_t reason;
    json_t *root = parse(line, &reason);
    if (root)
        read_root(root, columns, outcome);
    else
        nas_outcome_fail(outcome, "its answer is not JSON: %s", reason.text);
    json_decref(root);
}

static void report_none(const nas_answer_t *answer, nas_outcome_t *outcome)
{
    if (answer->n_lines == 0) {
        nas_outcome_fail(outcome, "no answer: it printed nothing on standard output");
        return;
    }
    if (answer->is_wide) {
        nas_outcome_fail(
            outcome,
            "no answer: what it printed is UTF-16, a NUL beside each character; let it print UTF-8");
        return;
    }
    nas_outcome_fail(
        outcome, "no answer: no line with \"score\" among %lld line%s, the last%s: %.*s",
        (long long)answer->n_lines, answer->n_lines == 1 ? "" : "s",
        answer->seen_brace ? " that begins with '{'" : "", (int)answer->n_seen, answer->seen);
}

nas_status_t nas_answer_read(const nas_answer_t *answer, const nas_strings_t *columns,
                             nas_outcome_t *outcome, nas_error_t *err)
{
    nas_outcome_t found = {.status = NAS_EVAL_OK, .value = {NAN}, .cost = NAN};
    if (columns->n > 0) {
        found.columns = malloc(columns->n * sizeof *found.columns);
        if (!found.columns) return nas_error_nomem(err, "a trainer's columns");
        forget_columns(&found, columns->n);
    }
    if (answer->line.n_bytes == 0)
        report_none(answer, &found);
    else if (answer->line.too_long)
        nas_outcome_fail(&found, "its answer is longer than %d bytes", NAS_ANSWER_SIZE);
    else
        read_line(&answer->line, columns, &found);
    *outcome = found;
    return NAS_OK;
}

void nas_answer_fini(nas_answer_t *answer)
{
    free(answer->line.at);
    free(answer->reading.at);
    *answer = (nas_answer_t){0};
}
