/* Located YAML values to fields of a job. A field's row says which type a value must have: a
 * plain 10 is a number for seed and a text for name, so that nobody has to quote a column called 10
 * or no. */
#include "common/job/job_internal.h"
#include "common/space/subset.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_IDENTIFIER = 100 };

const char *const nas_job_subset_names[] = {"all", "unique", "equivalent", "sample", "file", NULL};

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0) return true;
    return false;
}

static bool is_null(const nas_job_node_t *node)
{
    static const char *const words[] = {"", "~", "null", NULL};
    return node->kind == NAS_JOB_SCALAR && node->plain && is_one_of(node->text, words);
}

/* Length of a prefix of text, at most limit bytes, that cuts no character in two. */
static size_t prefix_length(const char *text, size_t limit)
{
    size_t length = strlen(text);
    if (length <= limit) return length;
    for (length = limit; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;) length--;
    return length;
}

/* "expected ..., found ..." */
static nas_status_t unexpected(const nas_job_field_t *field, const nas_job_node_t *node,
                               const char *expected, nas_error_t *err)
{
    enum { SHOWN = 40 };
    static const char *const kinds[] = {"nothing", "a list", "a mapping"};
    if (node->kind != NAS_JOB_SCALAR || is_null(node))
        return nas_job_error_at(&node->place, field->key, err, "expected %s, found %s", expected,
                                kinds[node->kind]);
    const int shown = (int)prefix_length(node->text, SHOWN);
    const char *quote = node->plain ? "" : "\"", *rest = node->text[shown] ? "..." : "";
    return nas_job_error_at(&node->place, field->key, err, "expected %s, found %s%.*s%s%s",
                            expected, quote, shown, node->text, rest, quote);
}

static nas_status_t wrong(const nas_job_field_t *field, const nas_job_node_t *node,
                          nas_error_t *err)
{
    char expected[NAS_JOB_EXPECTED_SIZE];
    nas_job_field_expected(field, expected);
    return unexpected(field, node, expected, err);
}

static bool is_text(const nas_job_node_t *node)
{
    return node->kind == NAS_JOB_SCALAR && !is_null(node);
}

/* Written without quotes, as numbers and truth values are. */
static bool is_plain(const nas_job_node_t *node)
{
    return is_text(node) && node->plain;
}

static bool is_identifier(const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    const size_t length = strlen(text);
    return length > 0 && length <= MAX_IDENTIFIER && strspn(text, letters) == length &&
           text[0] != '.' && text[0] != '-';
}

/* Python's word for nothing, which YAML does not know. */
static bool is_none(const nas_job_node_t *node)
{
    return node->plain && strcmp(node->text, "None") == 0;
}

static nas_status_t set_string(void *value, const nas_job_field_t *field,
                               const nas_job_node_t *node, nas_error_t *err)
{
    char **text = value;
    if (!is_text(node)) return wrong(field, node, err);
    if (field->type == NAS_JOB_OPTIONAL && is_none(node)) return wrong(field, node, err);
    if (field->type == NAS_JOB_OPTIONAL && !node->text[0]) return NAS_OK;
    if (!node->text[0]) return wrong(field, node, err);
    if (field->type == NAS_JOB_IDENTIFIER && !is_identifier(node->text))
        return wrong(field, node, err);
    *text = nas_string_copy(node->text, err);
    return *text ? NAS_OK : NAS_ENOMEM;
}

/* Decimal digits with an optional sign, nothing else: YAML's octal 010 and 1_000 are read
 * differently elsewhere. */
static bool parse_int(const char *text, int64_t *value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    const size_t n = strspn(digits, "0123456789");
    if (n == 0 || digits[n] || (n > 1 && digits[0] == '0')) return false;
    errno = 0;
    *value = strtoll(text, NULL, 10);
    return errno == 0;
}

static nas_status_t read_int(const nas_job_field_t *field, const nas_job_node_t *node,
                             int64_t *value, nas_error_t *err)
{
    int64_t number = 0;
    if (!is_plain(node) || !parse_int(node->text, &number) || number < (int64_t)field->least ||
        number > (int64_t)field->most)
        return wrong(field, node, err);
    *value = number;
    return NAS_OK;
}

static nas_status_t set_int(void *value, const nas_job_field_t *field, const nas_job_node_t *node,
                            nas_error_t *err)
{
    return read_int(field, node, value, err);
}

static nas_status_t read_float(const nas_job_field_t *field, const nas_job_node_t *node,
                               double *value, nas_error_t *err)
{
    if (!is_plain(node) || node->text[strspn(node->text, "+-.0123456789eE")])
        return wrong(field, node, err);
    char *end = NULL;
    const double number = strtod(node->text, &end);
    if (end == node->text || *end || !isfinite(number) || number < field->least ||
        number > field->most)
        return wrong(field, node, err);
    *value = number;
    return NAS_OK;
}

static nas_status_t set_float(void *value, const nas_job_field_t *field, const nas_job_node_t *node,
                              nas_error_t *err)
{
    return read_float(field, node, value, err);
}

static nas_status_t set_floats(void *value, const nas_job_field_t *field,
                               const nas_job_node_t *node, nas_error_t *err)
{
    nas_job_numbers_t *list = value;
    nas_status_t status = NAS_OK;
    if (node->kind != NAS_JOB_LIST) return wrong(field, node, err);
    if (node->n == 0) return NAS_OK;
    list->at = calloc(node->n, sizeof *list->at);
    if (!list->at) return nas_error_nomem(err, "the job");
    const nas_job_field_t number = {
        .key = field->key, .type = NAS_JOB_FLOAT, .least = field->least, .most = field->most};
    for (; !status && list->n < node->n; list->n++)
        status = read_float(&number, &node->at[list->n], &list->at[list->n], err);
    return status;
}

static nas_status_t set_bool(void *value, const nas_job_field_t *field, const nas_job_node_t *node,
                             nas_error_t *err)
{
    static const char *const yes[] = {"true", "yes", "on", NULL}, *const no[] = {"false", "no",
                                                                                 "off", NULL};
    if (!is_plain(node) || (!is_one_of(node->text, yes) && !is_one_of(node->text, no)))
        return wrong(field, node, err);
    *(bool *)value = is_one_of(node->text, yes);
    return NAS_OK;
}

static int choice_of(const nas_job_field_t *field, const nas_job_node_t *node)
{
    const char *name = NULL;
    for (int i = 0; is_text(node) && (name = nas_job_choice_name(field, (size_t)i)); i++)
        if (strcmp(name, node->text) == 0) return i;
    return -1;
}

/* The choice that may have been meant, borrowed, or NULL. To three letters, too much is near. */
static const char *nearest_choice(const nas_job_field_t *field, const nas_job_node_t *node)
{
    enum { LEAST_LENGTH = 4 };
    nas_strings_t names = {0};
    const char *name = NULL, *nearest = NULL;
    if (!is_text(node) || strlen(node->text) < LEAST_LENGTH) return NULL;
    for (size_t i = 0; (name = nas_job_choice_name(field, i)); i++)
        if (nas_strings_add(&names, name, strlen(name), NULL)) break;
    nearest = nas_strings_nearest(&names, node->text);
    if (nearest) nearest = nas_job_choice_name(field, (size_t)nas_strings_find(&names, nearest));
    nas_strings_fini(&names);
    return nearest;
}

static nas_status_t wrong_choice(const nas_job_field_t *field, const nas_job_node_t *node,
                                 nas_error_t *err)
{
    char expected[NAS_JOB_EXPECTED_SIZE];
    const char *nearest = nearest_choice(field, node);
    if (!nearest) return wrong(field, node, err);
    nas_job_field_expected(field, expected);
    return nas_job_error_at(&node->place, field->key, err,
                            "expected %s, found %.40s; did you mean %s?", expected, node->text,
                            nearest);
}

static nas_status_t set_enum(void *value, const nas_job_field_t *field, const nas_job_node_t *node,
                             nas_error_t *err)
{
    const int choice = choice_of(field, node);
    if (choice < 0) return wrong_choice(field, node, err);
    *(int *)value = choice;
    return NAS_OK;
}

static nas_status_t add_distinct(const nas_job_field_t *field, const nas_job_node_t *node,
                                 nas_strings_t *list, nas_error_t *err)
{
    if (!is_text(node) || !node->text[0]) return unexpected(field, node, "a text in the list", err);
    if (nas_strings_find(list, node->text) >= 0)
        return nas_job_error_at(&node->place, field->key, err,
                                "%.80s is there twice; keep one of them", node->text);
    return nas_strings_add(list, node->text, strlen(node->text), err);
}

/* An argument of a program may be empty and may come again. */
static nas_status_t add_argument(const nas_job_field_t *field, const nas_job_node_t *node,
                                 nas_strings_t *list, nas_error_t *err)
{
    if (!is_text(node)) return unexpected(field, node, "a text in the list", err);
    return nas_strings_add(list, node->text, strlen(node->text), err);
}

static nas_status_t set_arguments(void *value, const nas_job_field_t *field,
                                  const nas_job_node_t *node, nas_error_t *err)
{
    nas_strings_t *list = value;
    nas_status_t status = NAS_OK;
    if (node->kind != NAS_JOB_LIST || node->n == 0) return wrong(field, node, err);
    for (size_t i = 0; !status && i < node->n; i++)
        status = add_argument(field, &node->at[i], list, err);
    return status;
}

static nas_status_t set_strings(void *value, const nas_job_field_t *field,
                                const nas_job_node_t *node, nas_error_t *err)
{
    nas_strings_t *list = value;
    nas_status_t status = NAS_OK;
    if (node->kind != NAS_JOB_LIST) return wrong(field, node, err);
    for (size_t i = 0; !status && i < node->n; i++)
        status = add_distinct(field, &node->at[i], list, err);
    return status;
}

/* The key of an entry must be in the list that the field refers to. */
static nas_status_t check_allowed(const nas_strings_t *allowed, const nas_job_field_t *field,
                                  const nas_job_node_t *entry, nas_error_t *err)
{
    if (nas_strings_find(allowed, entry->key) >= 0) return NAS_OK;
    const char *nearest = nas_strings_nearest(allowed, entry->key);
    if (nearest)
        return nas_job_error_at(&entry->key_place, field->key, err,
                                "%.80s is not in metrics.names; did you mean %s?", entry->key,
                                nearest);
    return nas_job_error_at(&entry->key_place, field->key, err,
                            "%.80s is not in metrics.names; add it there first", entry->key);
}

static nas_status_t check_entry(const nas_strings_t *allowed, const nas_job_field_t *field,
                                const nas_job_node_t *entry, nas_error_t *err)
{
    const nas_job_field_t choice = {.key = field->key, .type = NAS_JOB_ENUM, .names = field->names};
    const nas_status_t status = check_allowed(allowed, field, entry, err);
    if (status || choice_of(field, entry) >= 0) return status;
    return wrong(&choice, entry, err);
}

/* The choice for a key, the first where the map has no entry. */
static int find_choice(const nas_job_field_t *field, const nas_job_node_t *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->at[i].key, key) == 0) return choice_of(field, &map->at[i]);
    return 0;
}

/* Kept in the order of the allowed keys and without those that take the first choice anyhow, so
 * that equal jobs are equal however they were written. */
static nas_status_t set_choices(nas_job_t *job, const nas_job_field_t *field,
                                const nas_job_node_t *node, nas_error_t *err)
{
    const nas_strings_t *allowed = nas_job_member(job, field->allowed_offset);
    nas_strings_t *keys = nas_job_value(job, field);
    int **choices = nas_job_member(job, field->value_offset);
    nas_status_t status = NAS_OK;
    if (node->kind != NAS_JOB_MAP) return wrong(field, node, err);
    for (size_t i = 0; !status && i < node->n; i++)
        status = check_entry(allowed, field, &node->at[i], err);
    if (status || node->n == 0) return status;
    *choices = calloc(node->n, sizeof **choices);
    if (!*choices) return nas_error_nomem(err, "the job");
    for (size_t i = 0; !status && i < allowed->n; i++) {
        const int choice = find_choice(field, node, allowed->at[i]);
        if (choice == 0) continue;
        (*choices)[keys->n] = choice;
        status = nas_strings_add(keys, allowed->at[i], strlen(allowed->at[i]), err);
    }
    return status;
}

/* A word, or `{sample: N}`, or `{file: PATH}`. */
static nas_status_t set_subset(void *value, const nas_job_field_t *field,
                               const nas_job_node_t *node, nas_error_t *err)
{
    nas_job_subset_t *subset = value;
    const bool is_map = node->kind == NAS_JOB_MAP && node->n == 1;
    const nas_job_node_t *entry = is_map ? &node->at[0] : node;
    const char *word = is_map ? entry->key : node->text;
    if (!is_map && !is_text(node)) return wrong(field, node, err);
    int kind = 0;
    while (nas_job_subset_names[kind] && strcmp(nas_job_subset_names[kind], word) != 0) kind++;
    const bool needs_map = kind == NAS_SUBSET_SAMPLE || kind == NAS_SUBSET_FILE;
    if (!nas_job_subset_names[kind] || is_map != needs_map) return wrong(field, node, err);

    subset->kind = kind;
    if (kind == NAS_SUBSET_SAMPLE) {
        const nas_job_field_t number = {
            .key = field->key, .type = NAS_JOB_INT, .least = field->least, .most = field->most};
        return read_int(&number, entry, &subset->n, err);
    }
    if (kind == NAS_SUBSET_FILE) {
        const nas_job_field_t path = {.key = field->key, .type = NAS_JOB_INPUT_PATH};
        return set_string(&subset->file, &path, entry, err);
    }
    return NAS_OK;
}

nas_status_t nas_job_value_set(nas_job_t *job, const nas_job_field_t *field,
                               const nas_job_node_t *node, nas_error_t *err)
{
    void *value = nas_job_value(job, field);
    switch (field->type) {
    case NAS_JOB_STRING:
    case NAS_JOB_OPTIONAL:
    case NAS_JOB_IDENTIFIER:
    case NAS_JOB_INPUT_PATH:
    case NAS_JOB_OUTPUT_PATH:
        return set_string(value, field, node, err);
    case NAS_JOB_INT:
        return set_int(value, field, node, err);
    case NAS_JOB_FLOAT:
        return set_float(value, field, node, err);
    case NAS_JOB_FLOATS:
        return set_floats(value, field, node, err);
    case NAS_JOB_BOOL:
        return set_bool(value, field, node, err);
    case NAS_JOB_ENUM:
        return set_enum(value, field, node, err);
    case NAS_JOB_INPUT_PATHS:
    case NAS_JOB_STRINGS:
        return set_strings(value, field, node, err);
    case NAS_JOB_ARGUMENTS:
        return set_arguments(value, field, node, err);
    case NAS_JOB_CHOICES:
        return set_choices(job, field, node, err);
    case NAS_JOB_SUBSET:
        return set_subset(value, field, node, err);
    }
    return NAS_OK;
}

void nas_job_value_fini(nas_job_t *job, const nas_job_field_t *field)
{
    void *value = nas_job_value(job, field);
    switch (field->type) {
    case NAS_JOB_STRING:
    case NAS_JOB_OPTIONAL:
    case NAS_JOB_IDENTIFIER:
    case NAS_JOB_INPUT_PATH:
    case NAS_JOB_OUTPUT_PATH:
        free(*(char **)value);
        break;
    case NAS_JOB_INPUT_PATHS:
    case NAS_JOB_STRINGS:
    case NAS_JOB_ARGUMENTS:
        nas_strings_fini(value);
        break;
    case NAS_JOB_FLOATS:
        free(((nas_job_numbers_t *)value)->at);
        break;
    case NAS_JOB_SUBSET:
        free(((nas_job_subset_t *)value)->file);
        break;
    case NAS_JOB_CHOICES:
        nas_strings_fini(value);
        free(*(int **)nas_job_member(job, field->value_offset));
        break;
    case NAS_JOB_INT:
    case NAS_JOB_FLOAT:
    case NAS_JOB_BOOL:
    case NAS_JOB_ENUM:
        break;
    }
}
