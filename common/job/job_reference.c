/* What fields take, in words, and the reference page docs/job-file.md: what the sections' owner
 * says before, then every field. */
#include "common/job/job_internal.h"

#include <stdio.h>

/* "first, second, third" */
static void join(const nas_job_field_t *field, char *text, size_t size)
{
    const char *name = NULL;
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; length < size && (name = nas_job_choice_name(field, i)); i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "", name);
}

static const char *number_phrase(nas_job_type_t type)
{
    if (type == NAS_JOB_FLOATS) return "a list of numbers";
    return type == NAS_JOB_INT ? "an integer" : "a number";
}

void nas_job_field_expected(const nas_job_field_t *field, char text[NAS_JOB_EXPECTED_SIZE])
{
    char names[96] = "";
    if (field->names || field->name) join(field, names, sizeof names);
    const char *phrase = "";
    switch (field->type) {
    case NAS_JOB_STRING:
        phrase = "a text";
        break;
    case NAS_JOB_OPTIONAL:
        phrase = "a text, or \"\" for none";
        break;
    case NAS_JOB_IDENTIFIER:
        phrase = "a name of letters, digits, '.', '_' and '-', at most 100";
        break;
    case NAS_JOB_INPUT_PATH:
    case NAS_JOB_OUTPUT_PATH:
        phrase = "a path";
        break;
    case NAS_JOB_INPUT_PATHS:
        phrase = "a list of paths, such as [a.bin, b.bin]";
        break;
    case NAS_JOB_SUBSET:
        phrase = "all, unique, equivalent, {sample: N} or {file: PATH}";
        break;
    case NAS_JOB_BOOL:
        phrase = "true or false";
        break;
    case NAS_JOB_STRINGS:
        phrase = "a list of texts, such as [a, b]";
        break;
    case NAS_JOB_ARGUMENTS:
        phrase = "a list of a program and its arguments, such as [./train, \"{arch}\"]";
        break;
    case NAS_JOB_INT:
    case NAS_JOB_FLOAT:
    case NAS_JOB_FLOATS:
        (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, "%s from %.16g to %.16g",
                       number_phrase(field->type), field->least, field->most);
        return;
    case NAS_JOB_ENUM:
        (void)snprintf(text, NAS_JOB_EXPECTED_SIZE,
                       nas_job_choice_name(field, 1) ? "one of %s" : "%s", names);
        return;
    case NAS_JOB_CHOICES:
        (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, "a mapping of names to one of %s", names);
        return;
    }
    (void)snprintf(text, NAS_JOB_EXPECTED_SIZE, "%s", phrase);
}

static const char *resume_rule(const nas_job_field_t *field)
{
    if (field->type == NAS_JOB_INPUT_PATH || field->type == NAS_JOB_INPUT_PATHS)
        return "same content";
    return field->affects & NAS_JOB_AFFECTS_VALUES ? "fixed" : "free";
}

static void write_default(FILE *out, const nas_job_field_t *field)
{
    if (!field->initial && !field->may_lack)
        (void)fputs(field->search_only ? "required to search" : "required", out);
    else if (!field->initial || !*field->initial)
        (void)fputs("none", out);
    else
        (void)fprintf(out, "`%s`", field->initial);
}

/* "first, second": the choices of a field that fit. */
static void write_choices(FILE *out, const nas_job_field_t *field, unsigned choices)
{
    const char *name = NULL, *comma = "";
    for (size_t i = 0; (name = nas_job_choice_name(field, i)); i++) {
        if (!nas_job_choice_fits(field, i, choices)) continue;
        (void)fprintf(out, "%s%s", comma, name);
        comma = ", ";
    }
}

static void write_part(FILE *out, const nas_job_sections_t *sections,
                       const nas_job_condition_t *part)
{
    const ptrdiff_t other = nas_job_field_find(sections, part->key);
    (void)fprintf(out, "`%s` ", part->key);
    write_choices(out, nas_job_field_at(sections, (size_t)other), part->choices);
    if (part->also) (void)fputs(" and ", out);
    if (part->instead) (void)fputs(" or ", out);
    if (part->also) write_part(out, sections, part->also);
    if (part->instead) write_part(out, sections, part->instead);
}

/* The names with which a field of a section with a key applies. */
static void write_section(FILE *out, const nas_job_sections_t *sections,
                          const nas_job_field_t *field, const char *key)
{
    const ptrdiff_t other = nas_job_field_find(sections, key);
    const nas_job_field_t *names = nas_job_field_at(sections, (size_t)other);
    const char *name = NULL, *comma = "";
    (void)fprintf(out, "`%s` ", key);
    for (size_t i = 0; (name = nas_job_choice_name(names, i)); i++) {
        if (!nas_job_applies_with(sections, field, name)) continue;
        (void)fprintf(out, "%s%s", comma, name);
        comma = ", ";
    }
}

/* Where the field applies; nothing where it always does. */
static void write_condition(FILE *out, const nas_job_sections_t *sections,
                            const nas_job_field_t *field)
{
    const nas_job_condition_t *condition = field->condition;
    const char *key = sections->at[nas_job_section_of(sections, field)]->key;
    if (!condition && !key) return;
    (void)fputs(condition && condition->tolerant ? "Counts with " : "Only with ", out);
    if (condition) write_part(out, sections, condition);
    if (condition && key) (void)fputs(" and ", out);
    if (key) write_section(out, sections, field, key);
    (void)fputs(". ", out);
}

void nas_job_write_meaning(const nas_job_sections_t *sections, const nas_job_field_t *field,
                           FILE *out)
{
    write_condition(out, sections, field);
    (void)fputs(field->doc, out);
}

static void write_row(FILE *out, const nas_job_sections_t *sections, const nas_job_field_t *field)
{
    char expected[NAS_JOB_EXPECTED_SIZE];
    nas_job_field_expected(field, expected);
    (void)fprintf(out, "| `%s` | %s | ", field->key, expected);
    write_default(out, field);
    (void)fprintf(out, " | %s | ", resume_rule(field));
    nas_job_write_meaning(sections, field, out);
    (void)fputs(" |\n", out);
}

static void write_heading(FILE *out, const nas_job_field_t *field)
{
    const size_t length = nas_job_field_group(field);
    if (length)
        (void)fprintf(out, "\n## `%.*s`\n\n", (int)length, field->key);
    else
        (void)fputs("\n## Top level\n\n", out);
    (void)fputs("| Key | Takes | Default | On resume | Meaning |\n|---|---|---|---|---|\n", out);
}

void nas_job_write_reference(const nas_job_sections_t *sections, FILE *out)
{
    const nas_job_field_t *last = NULL;
    for (const char *const *text = sections->preface; *text; text++) (void)fputs(*text, out);
    for (size_t i = 0; i < nas_job_field_count(sections); i++) {
        const nas_job_field_t *field = nas_job_field_at(sections, i);
        if (!last || !nas_job_same_group(field, last)) write_heading(out, field);
        write_row(out, sections, field);
        last = field;
    }
}
