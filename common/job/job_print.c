/* A resolved job as YAML text, and the identities made from it. */
#include "common/job/job_internal.h"
#include "common/space/subset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Which of the fields that apply to print. */
typedef bool (*selection_t)(const nas_job_t *job, const nas_job_field_t *field);

/* A text to be read again, or one that stands for what is computed: paths do not, the number of
 * files does. */
typedef enum style { READABLE = 0, IDENTITY } style_t;

static bool every_field(const nas_job_t *job, const nas_job_field_t *field)
{
    (void)job;
    (void)field;
    return true;
}

static bool affects_values(const nas_job_t *job, const nas_job_field_t *field)
{
    (void)job;
    return field->affects & NAS_JOB_AFFECTS_VALUES;
}

static bool affects_values_but_budget(const nas_job_t *job, const nas_job_field_t *field)
{
    return affects_values(job, field) && strcmp(field->key, "search.budget") != 0;
}

static bool affects_objective(const nas_job_t *job, const nas_job_field_t *field)
{
    return field->affects & NAS_JOB_AFFECTS_OBJECTIVE ||
           (field->affects & NAS_JOB_AFFECTS_NETWORKS &&
            nas_job_has(job, "objective.kind", NAS_OBJECTIVE_ON_IMAGES));
}

static bool affects_scores(const nas_job_t *job, const nas_job_field_t *field)
{
    (void)job;
    return field->affects & NAS_JOB_AFFECTS_SCORES;
}

/* Whether every YAML reader takes the text, unquoted, for this very string. */
static bool is_plain_word(const char *text)
{
    static const char letters[] =
        "_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./-";
    static const char *const reserved[] = {"true", "false", "yes", "no",  "on",
                                           "off",  "y",     "n",   "null"};
    const bool number_like = strchr("0123456789.-", text[0]);
    if (number_like || text[strspn(text, letters)]) return false;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcasecmp(text, reserved[i]) == 0) return false;
    return true;
}

/* In double quotes, each character of `doubled` twice. */
static void write_quoted(FILE *out, const char *text, char doubled)
{
    (void)fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') (void)fputc('\\', out);
        if (*text == doubled) (void)fputc(*text, out);
        (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

static void write_string(FILE *out, const char *text)
{
    if (is_plain_word(text))
        (void)fputs(text, out);
    else
        write_quoted(out, text, '\0');
}

/* As a reader of job files takes it back for the same path. */
static void write_expanded(FILE *out, const char *path)
{
    if (strchr(path, '$'))
        write_quoted(out, path, '$');
    else
        write_string(out, path);
}

bool nas_job_can_hold(const char *text)
{
    char *valid = nas_string_utf8(text, NULL);
    const bool can = valid && strcmp(valid, text) == 0 && nas_job_is_printable(text, strlen(text));
    free(valid);
    return can;
}

void nas_job_write_text(FILE *out, const char *text)
{
    write_string(out, text);
}

void nas_job_write_path(FILE *out, const char *path)
{
    char *from_here = path[0] == '~' ? nas_string_format(NULL, "./%s", path) : NULL;
    write_expanded(out, from_here ? from_here : path);
    free(from_here);
}

/* Absolute, so that the text means the same in every folder; a working directory that was removed
 * has no name, and the path stays as it is. */
static void write_path(FILE *out, const char *path)
{
    char *folder = path[0] == '/' ? NULL : getcwd(NULL, 0);
    char *absolute = folder ? nas_string_format(NULL, "%s/%s", folder, path) : NULL;
    write_expanded(out, absolute ? absolute : path);
    free(absolute);
    free(folder);
}

/* Whole numbers in full, others with the fewest digits that read back as the same number. */
static void write_float(FILE *out, double value)
{
    enum { ENOUGH_DIGITS = 17 };
    char text[32];
    if (value == floor(value)) {
        (void)fprintf(out, "%.0f", value);
        return;
    }
    for (int digits = 1; digits <= ENOUGH_DIGITS; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    (void)fputs(text, out);
}

static void write_strings(FILE *out, const nas_strings_t *list)
{
    (void)fputc('[', out);
    for (size_t i = 0; i < list->n; i++) {
        if (i) (void)fputs(", ", out);
        write_string(out, list->at[i]);
    }
    (void)fputc(']', out);
}

/* The program is a path, though one that PATH may complete. */
static void write_arguments(FILE *out, const nas_strings_t *list)
{
    (void)fputc('[', out);
    for (size_t i = 0; i < list->n; i++) {
        if (i) (void)fputs(", ", out);
        (i == 0 ? write_expanded : write_string)(out, list->at[i]);
    }
    (void)fputc(']', out);
}

static void write_choices(FILE *out, const nas_job_t *job, const nas_job_field_t *field)
{
    const nas_strings_t *keys = nas_job_value_const(job, field);
    const int *choices = *(int *const *)((const char *)job + field->value_offset);
    (void)fputc('{', out);
    for (size_t i = 0; i < keys->n; i++) {
        if (i) (void)fputs(", ", out);
        write_string(out, keys->at[i]);
        (void)fprintf(out, ": %s", nas_job_choice_name(field, (size_t)choices[i]));
    }
    (void)fputc('}', out);
}

static void write_paths(FILE *out, const nas_strings_t *list, style_t style)
{
    if (style == IDENTITY) {
        (void)fprintf(out, "%zu", list->n);
        return;
    }
    (void)fputc('[', out);
    for (size_t i = 0; i < list->n; i++) {
        if (i) (void)fputs(", ", out);
        write_path(out, list->at[i]);
    }
    (void)fputc(']', out);
}

static void write_floats(FILE *out, const nas_job_numbers_t *list)
{
    (void)fputc('[', out);
    for (size_t i = 0; i < list->n; i++) {
        if (i) (void)fputs(", ", out);
        write_float(out, list->at[i]);
    }
    (void)fputc(']', out);
}

static void write_subset(FILE *out, const nas_job_subset_t *subset, style_t style)
{
    if (subset->kind == NAS_SUBSET_SAMPLE) {
        (void)fprintf(out, "{sample: %lld}", (long long)subset->n);
    } else if (subset->kind == NAS_SUBSET_FILE && style == READABLE) {
        (void)fputs("{file: ", out);
        write_path(out, subset->file);
        (void)fputc('}', out);
    } else {
        (void)fputs(nas_job_subset_names[subset->kind], out);
    }
}

static void write_value(FILE *out, const nas_job_t *job, const nas_job_field_t *field,
                        style_t style)
{
    const void *value = nas_job_value_const(job, field);
    switch (field->type) {
    case NAS_JOB_STRING:
    case NAS_JOB_IDENTIFIER:
        write_string(out, *(char *const *)value);
        break;
    case NAS_JOB_OPTIONAL:
        write_string(out, *(char *const *)value ? *(char *const *)value : "");
        break;
    case NAS_JOB_INPUT_PATH:
    case NAS_JOB_OUTPUT_PATH:
        write_path(out, *(char *const *)value);
        break;
    case NAS_JOB_INPUT_PATHS:
        write_paths(out, value, style);
        break;
    case NAS_JOB_INT:
        (void)fprintf(out, "%lld", (long long)*(const int64_t *)value);
        break;
    case NAS_JOB_FLOAT:
        write_float(out, *(const double *)value);
        break;
    case NAS_JOB_FLOATS:
        write_floats(out, value);
        break;
    case NAS_JOB_BOOL:
        (void)fputs(*(const bool *)value ? "true" : "false", out);
        break;
    case NAS_JOB_ENUM:
        (void)fputs(nas_job_choice_name(field, (size_t) * (const int *)value), out);
        break;
    case NAS_JOB_STRINGS:
        write_strings(out, value);
        break;
    case NAS_JOB_ARGUMENTS:
        write_arguments(out, value);
        break;
    case NAS_JOB_CHOICES:
        write_choices(out, job, field);
        break;
    case NAS_JOB_SUBSET:
        write_subset(out, value, style);
        break;
    }
}

static bool is_lacking(const nas_job_t *job, const nas_job_field_t *field)
{
    const void *value = nas_job_value_const(job, field);
    if (!field->may_lack) return false;
    return field->type == NAS_JOB_ARGUMENTS ? ((const nas_strings_t *)value)->n == 0
                                            : !*(char *const *)value;
}

/* What runs of before had without saying so. */
static bool is_unsaid(const nas_job_t *job, const nas_job_field_t *field, style_t style)
{
    if (!field->is_later || style != IDENTITY) return false;
    const int *choice = nas_job_value_const(job, field);
    return strcmp(nas_job_choice_name(field, (size_t)*choice), field->initial) == 0;
}

static void write_fields(FILE *out, const nas_job_t *job, selection_t selected)
{
    const style_t style = selected == every_field ? READABLE : IDENTITY;
    const nas_job_field_t *last = NULL;
    for (size_t i = 0; i < nas_job_field_count(job->sections); i++) {
        const nas_job_field_t *field = nas_job_field_at(job->sections, i);
        if (!selected(job, field) || !nas_job_applies(job, field) || is_lacking(job, field) ||
            is_unsaid(job, field, style))
            continue;
        const int group = (int)nas_job_field_group(field);
        if (group && !(last && nas_job_same_group(last, field)))
            (void)fprintf(out, "%.*s:\n", group, field->key);
        (void)fprintf(out, "%s%s: ", group ? "  " : "", field->key + (group ? group + 1 : 0));
        write_value(out, job, field, style);
        (void)fputc('\n', out);
        last = field;
    }
}

/* The caller frees *text_p. */
static nas_status_t print(const nas_job_t *job, selection_t selected, char **text_p,
                          nas_error_t *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return nas_error_nomem(err, "the job's text");
    write_fields(out, job, selected);
    if (fclose(out) != 0) {
        free(text);
        return nas_error_nomem(err, "the job's text");
    }
    *text_p = text;
    return NAS_OK;
}

nas_status_t nas_job_print(const nas_job_t *job, bool values_only, char **text_p, nas_error_t *err)
{
    return print(job, values_only ? affects_values : every_field, text_p, err);
}

const char *nas_job_text_value(const char *text, const char *key, size_t *length)
{
    const char *dot = strchr(key, '.');
    const size_t n_group = dot ? (size_t)(dot - key) : 0;
    const char *name = dot ? dot + 1 : key;
    const size_t n_name = strlen(name), indent = n_group ? 2 : 0;
    bool is_inside = n_group == 0;
    for (const char *line = text; *line; line += *line == '\n') {
        const size_t n = strcspn(line, "\n");
        const bool is_top = line[0] != ' ';
        if (n_group && is_top) is_inside = n == n_group + 1 && strncmp(line, key, n_group) == 0;
        if (is_inside && is_top == (n_group == 0) && n > indent + n_name &&
            strncmp(line + indent, name, n_name) == 0 &&
            strncmp(line + indent + n_name, ": ", 2) == 0) {
            const size_t begin = indent + n_name + strlen(": ");
            *length = n - begin;
            return line + begin;
        }
        line += n;
    }
    return NULL;
}

static bool is_same(const char *text, const char *other, const char *key)
{
    size_t n = 0, n_other = 0;
    const char *value = nas_job_text_value(text, key, &n);
    const char *there = nas_job_text_value(other, key, &n_other);
    return value && there ? n == n_other && memcmp(value, there, n) == 0 : value == there;
}

/* Whether a key that came later stands in one text alone, with its default. */
static bool only_says_default(const nas_job_field_t *field, const char *text, const char *other)
{
    size_t n = 0;
    const char *value = nas_job_text_value(text, field->key, &n);
    const char *there = nas_job_text_value(other, field->key, &n);
    const char *said = value ? value : there;
    return field->is_later && said && !(value && there) && n == strlen(field->initial) &&
           memcmp(said, field->initial, n) == 0;
}

/* Whether a key stands in one text alone because the key on which it counts differs. */
static bool only_follows(const nas_job_field_t *field, const char *text, const char *other)
{
    size_t n = 0;
    const bool is_tolerant = field->condition && field->condition->tolerant;
    if (!is_tolerant || is_same(text, other, field->condition->key)) return false;
    return !nas_job_text_value(text, field->key, &n) || !nas_job_text_value(other, field->key, &n);
}

nas_status_t nas_job_text_differences(const nas_job_sections_t *sections, const char *text,
                                      const char *other, nas_strings_t *keys, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < nas_job_field_count(sections); i++) {
        const nas_job_field_t *field = nas_job_field_at(sections, i);
        const bool is_input =
            field->type == NAS_JOB_INPUT_PATH || field->type == NAS_JOB_INPUT_PATHS;
        if (is_same(text, other, field->key) || only_follows(field, text, other) ||
            only_says_default(field, text, other) || !(is_input || field->affects))
            continue;
        status = nas_strings_add(keys, field->key, strlen(field->key), err);
    }
    return status;
}

static nas_status_t hash_fields(const nas_job_t *job, selection_t selected,
                                const nas_job_content_t *content, nas_digest_t *hash,
                                nas_error_t *err)
{
    char *text = NULL;
    nas_hasher_t *hasher = NULL;
    nas_status_t status = print(job, selected, &text, err);
    if (!status) status = nas_hasher_create(&hasher, err);
    if (!status) {
        nas_hasher_update(hasher, text, strlen(text) + 1);
        for (size_t i = 0; i < content->n; i++)
            nas_hasher_update(hasher, content->file[i].byte, sizeof content->file[i].byte);
        *hash = nas_hasher_finish(hasher);
    }
    nas_hasher_destroy(hasher);
    free(text);
    return status;
}

nas_status_t nas_job_hash(const nas_job_t *job, const nas_job_content_t *content,
                          nas_digest_t *hash, nas_error_t *err)
{
    return hash_fields(job, affects_values, content, hash, err);
}

nas_status_t nas_job_hash_without_budget(const nas_job_t *job, const nas_job_content_t *content,
                                         nas_digest_t *hash, nas_error_t *err)
{
    return hash_fields(job, affects_values_but_budget, content, hash, err);
}

nas_status_t nas_job_objective_hash(const nas_job_t *job, const nas_job_content_t *content,
                                    nas_digest_t *hash, nas_error_t *err)
{
    return hash_fields(job, affects_objective, content, hash, err);
}

nas_status_t nas_job_score_hash(const nas_job_t *job, const nas_job_content_t *content,
                                nas_digest_t *hash, nas_error_t *err)
{
    return hash_fields(job, affects_scores, content, hash, err);
}
