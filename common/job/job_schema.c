/* The fields as a JSON Schema, for editors: types, ranges and names of every key, what is required
 * and what has no meaning where. It holds for whoever searches; what the sections check of a job as
 * a whole is not in it. */
#include "common/job/job_internal.h"
#include "common/space/subset.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whatever jansson has no memory for is NULL, and it passes NULL on until the end. */

static json_t *text_of(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

/* The key decides the type: a text may be written as 10 or no. */
static json_t *text_schema(size_t least)
{
    json_t *text = json_pack("{s:[sss]}", "type", "string", "number", "boolean");
    if (least) (void)json_object_set_new(text, "minLength", json_integer((json_int_t)least));
    return text;
}

static json_t *names_schema(const nas_job_field_t *field)
{
    json_t *names = json_array();
    const char *name = NULL;
    for (size_t i = 0; (name = nas_job_choice_name(field, i)); i++)
        (void)json_array_append_new(names, json_string(name));
    return json_pack("{s:o}", "enum", names);
}

/* A number as short as it can be: 10, not 10.0. */
static json_t *number(double value)
{
    return value == (double)(json_int_t)value ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *number_schema(const nas_job_field_t *field, const char *type)
{
    return json_pack("{s:s, s:o, s:o}", "type", type, "minimum", number(field->least), "maximum",
                     number(field->most));
}

static json_t *list_schema(json_t *items, size_t least, bool is_distinct)
{
    json_t *list = json_pack("{s:s, s:o}", "type", "array", "items", items);
    if (least) (void)json_object_set_new(list, "minItems", json_integer((json_int_t)least));
    if (is_distinct) (void)json_object_set_new(list, "uniqueItems", json_true());
    return list;
}

static json_t *subset_schema(const nas_job_field_t *field)
{
    json_t *words = json_array();
    for (int kind = 0; nas_job_subset_names[kind]; kind++)
        if (kind != NAS_SUBSET_SAMPLE && kind != NAS_SUBSET_FILE)
            (void)json_array_append_new(words, json_string(nas_job_subset_names[kind]));
    return json_pack("{s:[{s:o}, {s:s, s:{s:o}, s:[s], s:b}, {s:s, s:{s:o}, s:[s], s:b}]}", "anyOf",
                     "enum", words, "type", "object", "properties", "sample",
                     number_schema(field, "integer"), "required", "sample", "additionalProperties",
                     0, "type", "object", "properties", "file", text_schema(1), "required", "file",
                     "additionalProperties", 0);
}

static json_t *value_schema(const nas_job_field_t *field)
{
    switch (field->type) {
    case NAS_JOB_STRING:
    case NAS_JOB_INPUT_PATH:
    case NAS_JOB_OUTPUT_PATH:
        return text_schema(1);
    case NAS_JOB_OPTIONAL:
        return text_schema(0);
    case NAS_JOB_IDENTIFIER:
        return json_pack("{s:[sss], s:s, s:i}", "type", "string", "number", "boolean", "pattern",
                         "^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$", "minimum", 0);
    case NAS_JOB_INT:
        return number_schema(field, "integer");
    case NAS_JOB_FLOAT:
        return number_schema(field, "number");
    case NAS_JOB_FLOATS:
        return list_schema(number_schema(field, "number"), 0, false);
    case NAS_JOB_BOOL:
        return text_of("boolean");
    case NAS_JOB_ENUM:
        return names_schema(field);
    case NAS_JOB_INPUT_PATHS:
    case NAS_JOB_STRINGS:
        return list_schema(text_schema(1), 0, true);
    case NAS_JOB_ARGUMENTS:
        return list_schema(text_schema(0), 1, false);
    case NAS_JOB_CHOICES:
        return json_pack("{s:s, s:o}", "type", "object", "additionalProperties",
                         names_schema(field));
    case NAS_JOB_SUBSET:
        return subset_schema(field);
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------ conditions */

/* Holds where the key's value is as `value` says; where there is none, as absence_holds says. */
static json_t *key_schema(const char *key, json_t *value, bool absence_holds)
{
    const char *dot = strchr(key, '.'), *name = dot ? dot + 1 : key;
    json_t *schema = json_pack("{s:{s:o}}", "properties", name, value);
    if (!absence_holds) (void)json_object_set_new(schema, "required", json_pack("[s]", name));
    if (!dot) return schema;
    const int length = (int)(dot - key);
    json_t *whole = json_pack("{s:{s#:o}}", "properties", key, length, schema);
    if (!absence_holds)
        (void)json_object_set_new(whole, "required", json_pack("[s#]", key, length));
    return whole;
}

/* Holds where an ENUM field takes one of these names, by default too. */
static json_t *one_of_schema(const nas_job_field_t *field, json_t *names)
{
    bool has_default = false;
    for (size_t i = 0; field->initial && i < json_array_size(names); i++)
        has_default |= strcmp(json_string_value(json_array_get(names, i)), field->initial) == 0;
    return key_schema(field->key, json_pack("{s:o}", "enum", names), has_default);
}

static const nas_job_field_t *field_of(const nas_job_sections_t *sections, const char *key)
{
    return nas_job_field_at(sections, (size_t)nas_job_field_find(sections, key));
}

static json_t *condition_schema(const nas_job_sections_t *sections, const nas_job_condition_t *part)
{
    const nas_job_field_t *field = field_of(sections, part->key);
    json_t *names = json_array();
    const char *name = NULL;
    for (size_t i = 0; (name = nas_job_choice_name(field, i)); i++)
        if (nas_job_choice_fits(field, i, part->choices))
            (void)json_array_append_new(names, json_string(name));
    json_t *own = one_of_schema(field, names);
    if (!part->also && !part->instead) return own;
    return json_pack("{s:o, s:o, s:o}", "if", own, "then",
                     part->also ? condition_schema(sections, part->also) : json_true(), "else",
                     part->instead ? condition_schema(sections, part->instead) : json_false());
}

/* Holds where the section of a field applies. */
static json_t *section_schema(const nas_job_sections_t *sections, const nas_job_field_t *field,
                              const char *key)
{
    const nas_job_field_t *choice = field_of(sections, key);
    json_t *names = json_array();
    const char *name = NULL;
    for (size_t i = 0; (name = nas_job_choice_name(choice, i)); i++)
        if (nas_job_applies_with(sections, field, name))
            (void)json_array_append_new(names, json_string(name));
    return one_of_schema(choice, names);
}

/* Holds where a field has an effect; true: it always does. */
static json_t *applies_schema(const nas_job_sections_t *sections, const nas_job_field_t *field)
{
    const char *key = sections->at[nas_job_section_of(sections, field)]->key;
    json_t *own = field->condition ? condition_schema(sections, field->condition) : json_true();
    return key ? json_pack("{s:[oo]}", "allOf", own, section_schema(sections, field, key)) : own;
}

/* What a job with some key of a search has, and one for metrics alone lacks. */
static json_t *searches_schema(void)
{
    return json_pack("{s:[{s:[s]}, {s:[s]}]}", "anyOf", "required", "objective", "required",
                     "search");
}

/* Whether a field must, or must not be there, as a rule for the whole job; NULL: neither. */
static json_t *rule_schema(const nas_job_sections_t *sections, const nas_job_field_t *field)
{
    const bool is_tolerant = field->condition && field->condition->tolerant;
    const bool is_required = !field->initial && !field->may_lack;
    json_t *applies = applies_schema(sections, field);
    if (json_is_true(applies) && !is_required) {
        json_decref(applies);
        return NULL;
    }
    json_t *rule = json_pack("{s:o}", "if", applies);
    if (!is_tolerant)
        (void)json_object_set_new(rule, "else", key_schema(field->key, json_false(), true));
    if (!is_required) return rule;
    json_t *there = key_schema(field->key, json_true(), false);
    if (field->search_only) there = json_pack("{s:o, s:o}", "if", searches_schema(), "then", there);
    (void)json_object_set_new(rule, "then", there);
    return rule;
}

/* ------------------------------------------------------------------------------------------ all */

/* As YAML that is JSON, too, or a word. */
static json_t *default_of(const char *initial)
{
    json_t *value = json_loads(initial, JSON_DECODE_ANY, NULL);
    return value ? value : json_string(initial);
}

static json_t *field_schema(const nas_job_sections_t *sections, const nas_job_field_t *field)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    nas_job_write_meaning(sections, field, out);
    json_t *schema = fclose(out) == 0 ? value_schema(field) : NULL;
    if (schema) (void)json_object_set_new(schema, "description", json_string(text));
    if (schema && field->initial && field->type != NAS_JOB_OUTPUT_PATH)
        (void)json_object_set_new(schema, "default", default_of(field->initial));
    free(text);
    return schema;
}

/* The properties of the object that a key's last part stands in. */
static json_t *home_of(json_t *properties, const nas_job_field_t *field)
{
    const int length = (int)nas_job_field_group(field);
    if (length == 0) return properties;
    json_t *fresh = json_pack("{s#:{s:s, s:b, s:{}}}", field->key, length, "type", "object",
                              "additionalProperties", 0, "properties");
    (void)json_object_update_missing(properties, fresh);
    json_t *group = json_object_get(properties, json_object_iter_key(json_object_iter(fresh)));
    json_decref(fresh);
    return json_object_get(group, "properties");
}

static bool add_field(const nas_job_sections_t *sections, const nas_job_field_t *field,
                      json_t *properties, json_t *rules)
{
    const size_t length = nas_job_field_group(field);
    json_t *schema = field_schema(sections, field), *home = home_of(properties, field);
    if (json_object_set_new(home, field->key + (length ? length + 1 : 0), schema)) return false;
    json_t *rule = rule_schema(sections, field);
    return !rule || json_array_append_new(rules, rule) == 0;
}

nas_status_t nas_job_write_schema(const nas_job_sections_t *sections, FILE *out, nas_error_t *err)
{
    json_t *properties = json_object(), *rules = json_array();
    bool is_whole = properties && rules;
    for (size_t i = 0; is_whole && i < nas_job_field_count(sections); i++)
        is_whole = add_field(sections, nas_job_field_at(sections, i), properties, rules);
    json_t *schema =
        json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "$schema",
                  "http://json-schema.org/draft-07/schema#", "title", "A job of robotnas", "type",
                  "object", "additionalProperties", 0, "properties", properties, "allOf", rules);
    nas_status_t status =
        is_whole && schema ? NAS_OK : nas_error_nomem(err, "the schema of the job file");
    if (!status && (json_dumpf(schema, out, JSON_INDENT(1)) || fputc('\n', out) == EOF))
        status = nas_error_set(err, NAS_EIO, "the output cannot be written");
    json_decref(schema);
    return status;
}
