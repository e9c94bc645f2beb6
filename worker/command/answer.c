#include "worker/command/answer.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------ finding the line */

static nas_status_t append(nas_answer_t *answer, const char *data, size_t n_bytes, nas_error_t *err)
{
    const size_t room = NAS_ANSWER_SIZE - answer->n_bytes;
    const size_t n = n_bytes < room ? n_bytes : room;
    answer->too_long |= n_bytes > room;
    if (answer->n_bytes + n > answer->capacity) {
        const size_t needed = answer->n_bytes + n, doubled = 2 * answer->capacity;
        const size_t capacity = needed > doubled ? needed : doubled;
        char *line = realloc(answer->line, capacity);
        if (!line) return nas_error_nomem(err, "a trainer's answer");
        answer->line = line;
        answer->capacity = capacity;
    }
    if (n > 0) memcpy(answer->line + answer->n_bytes, data, n);
    answer->n_bytes += n;
    return NAS_OK;
}

nas_status_t nas_answer_feed(nas_answer_t *answer, const char *data, size_t n_bytes,
                             nas_error_t *err)
{
    while (n_bytes > 0) {
        if (answer->place == NAS_ANSWER_BETWEEN) {
            if (*data == '{') answer->n_lines++;
            answer->place =
                *data == '{' && answer->n_lines == 1 ? NAS_ANSWER_WITHIN : NAS_ANSWER_ELSEWHERE;
        }
        const char *newline = memchr(data, '\n', n_bytes);
        const size_t length = newline ? (size_t)(newline - data) : n_bytes;
        if (answer->place == NAS_ANSWER_WITHIN) {
            const nas_status_t status = append(answer, data, length, err);
            if (status) return status;
        }
        if (newline) answer->place = NAS_ANSWER_BETWEEN;
        data += length + (newline != NULL);
        n_bytes -= length + (newline != NULL);
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
    if (!read_number(json_object_get(root, "score"), &outcome->value)) {
        nas_outcome_fail(outcome, "its answer has no finite number as score");
        return;
    }
    if (!read_cost(root, outcome) || !read_columns(root, columns, outcome))
        forget_columns(outcome, columns->n);
}

/* jansson refuses NaN, infinities, numbers beyond a double, NULs and more than 2,048 levels. As
 * reals, integers of any length are numbers. */
static void read_line(const nas_answer_t *answer, const nas_strings_t *columns,
                      nas_outcome_t *outcome)
{
    json_error_t reason;
    json_t *root = json_loadb(answer->line, answer->n_bytes,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &reason);
    if (root)
        read_root(root, columns, outcome);
    else
        nas_outcome_fail(outcome, "its answer is not JSON: %s", reason.text);
    json_decref(root);
}

nas_status_t nas_answer_read(const nas_answer_t *answer, const nas_strings_t *columns,
                             nas_outcome_t *outcome, nas_error_t *err)
{
    nas_outcome_t found = {.status = NAS_EVAL_OK, .value = NAN, .cost = NAN};
    if (columns->n > 0) {
        found.columns = malloc(columns->n * sizeof *found.columns);
        if (!found.columns) return nas_error_nomem(err, "a trainer's columns");
        forget_columns(&found, columns->n);
    }
    if (answer->n_lines == 0)
        nas_outcome_fail(&found, "no answer: no line of its output begins with '{'");
    else if (answer->n_lines > 1)
        nas_outcome_fail(&found, "answered %lld times", (long long)answer->n_lines);
    else if (answer->too_long)
        nas_outcome_fail(&found, "its answer is longer than %d bytes", NAS_ANSWER_SIZE);
    else
        read_line(answer, columns, &found);
    *outcome = found;
    return NAS_OK;
}

void nas_answer_fini(nas_answer_t *answer)
{
    free(answer->line);
    *answer = (nas_answer_t){0};
}
