/* Sections: which fields there are, what applies where. Lists are short, so that all is found by
 * walking through them. */
#include "common/job/job_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row that stands for another section's has no text. */
static bool is_row(const nas_job_field_t *field)
{
    return field->doc != NULL;
}

static size_t count_rows(const nas_job_section_t *section)
{
    size_t n = 0;
    for (size_t i = 0; i < section->n_fields; i++) n += is_row(&section->fields[i]);
    return n;
}

size_t nas_job_field_count(const nas_job_sections_t *sections)
{
    size_t n = 0;
    for (size_t s = 0; s < sections->n; s++) n += count_rows(sections->at[s]);
    return n;
}

static const nas_job_field_t *row_at(const nas_job_section_t *section, size_t i)
{
    const nas_job_field_t *field = section->fields;
    for (; !is_row(field) || i-- > 0; field++) continue;
    return field;
}

const nas_job_field_t *nas_job_field_at(const nas_job_sections_t *sections, size_t i)
{
    size_t s = 0;
    for (; i >= count_rows(sections->at[s]); s++) i -= count_rows(sections->at[s]);
    return row_at(sections->at[s], i);
}

ptrdiff_t nas_job_field_find(const nas_job_sections_t *sections, const char *key)
{
    ptrdiff_t place = 0;
    for (size_t s = 0; s < sections->n; s++) {
        const nas_job_section_t *section = sections->at[s];
        for (size_t i = 0; i < section->n_fields; i++) {
            if (!is_row(&section->fields[i])) continue;
            if (strcmp(section->fields[i].key, key) == 0) return place;
            place++;
        }
    }
    return -1;
}

size_t nas_job_section_of(const nas_job_sections_t *sections, const nas_job_field_t *field)
{
    for (size_t s = 0; s < sections->n; s++)
        for (size_t i = 0; i < sections->at[s]->n_fields; i++)
            if (&sections->at[s]->fields[i] == field) return s;
    nas_assert_failed(__FILE__, __LINE__, "that every field is of a section");
}

/* ---- Values ---- */

void *nas_job_member(nas_job_t *job, size_t offset)
{
    return (char *)job + offset;
}

void *nas_job_value(nas_job_t *job, const nas_job_field_t *field)
{
    if (!field->own) return nas_job_member(job, field->offset);
    return (char *)job->origin->values[nas_job_section_of(job->sections, field)] + field->offset;
}

const void *nas_job_value_const(const nas_job_t *job, const nas_job_field_t *field)
{
    if (!field->own) return (const char *)job + field->offset;
    const size_t section = nas_job_section_of(job->sections, field);
    return (const char *)job->origin->values[section] + field->offset;
}

/* ---- Names and what they bring with them ---- */

const char *nas_job_choice_name(const nas_job_field_t *field, size_t choice)
{
    return field->names ? field->names[choice] : field->name(choice);
}

bool nas_job_choice_fits(const nas_job_field_t *field, size_t choice, unsigned choices)
{
    return (field->traits ? field->traits(choice) : 1u << choice) & choices;
}

static const nas_job_field_t *choice_field(const nas_job_sections_t *sections, const char *key)
{
    const ptrdiff_t i = nas_job_field_find(sections, key);
    NAS_ASSERT(i >= 0);
    const nas_job_field_t *field = nas_job_field_at(sections, (size_t)i);
    NAS_ASSERT(field->type == NAS_JOB_ENUM);
    return field;
}

bool nas_job_has(const nas_job_t *job, const char *key, unsigned traits)
{
    const nas_job_field_t *field = choice_field(job->sections, key);
    const int *choice = nas_job_value_const(job, field);
    return nas_job_choice_fits(field, (size_t)*choice, traits);
}

void nas_job_names_with(const nas_job_t *job, const char *key, unsigned traits,
                        char text[NAS_JOB_NAMES_SIZE])
{
    const nas_job_field_t *field = choice_field(job->sections, key);
    const char *name = NULL;
    text[0] = '\0';
    for (size_t i = 0; (name = nas_job_choice_name(field, i)); i++) {
        const size_t length = strlen(text);
        if (nas_job_choice_fits(field, i, traits))
            (void)snprintf(text + length, NAS_JOB_NAMES_SIZE - length, "%s%s", length ? ", " : "",
                           name);
    }
}

const char *nas_job_choice_of(const nas_job_t *job, const char *key)
{
    const nas_job_field_t *field = choice_field(job->sections, key);
    const int *choice = nas_job_value_const(job, field);
    return nas_job_choice_name(field, (size_t)*choice);
}

bool nas_job_names(const nas_job_t *job, const char *key)
{
    const ptrdiff_t field = nas_job_field_find(job->sections, key);
    NAS_ASSERT(field >= 0);
    return job->origin->value[field] != NULL;
}

bool nas_job_set_choice(nas_job_t *job, const char *key, const char *name)
{
    NAS_ASSERT(!nas_job_names(job, key));
    const nas_job_field_t *field = choice_field(job->sections, key);
    const char *known = NULL;
    for (size_t i = 0; (known = nas_job_choice_name(field, i)); i++) {
        if (strcmp(known, name) != 0) continue;
        *(int *)nas_job_value(job, field) = (int)i;
        return true;
    }
    return false;
}

/* ---- What applies ---- */

static bool lists(const nas_job_section_t *section, const nas_job_field_t *field)
{
    for (size_t i = 0; i < section->n_fields; i++)
        if (strcmp(section->fields[i].key, field->key) == 0) return true;
    return false;
}

bool nas_job_applies_with(const nas_job_sections_t *sections, const nas_job_field_t *field,
                          const char *name)
{
    for (size_t s = 0; s < sections->n; s++) {
        const nas_job_section_t *section = sections->at[s];
        if (section->key && strcmp(section->name, name) == 0 && lists(section, field)) return true;
    }
    return false;
}

static bool holds(const nas_job_t *job, const nas_job_condition_t *condition)
{
    if (!nas_job_has(job, condition->key, condition->choices))
        return condition->instead && holds(job, condition->instead);
    return !condition->also || holds(job, condition->also);
}

static bool own_condition_holds(const nas_job_t *job, const nas_job_field_t *field)
{
    return !field->condition || holds(job, field->condition);
}

/* The key that the section of a field depends on; NULL: none. */
static const char *section_key(const nas_job_t *job, const nas_job_field_t *field)
{
    return job->sections->at[nas_job_section_of(job->sections, field)]->key;
}

bool nas_job_condition_holds(const nas_job_t *job, const nas_job_field_t *field)
{
    const char *key = section_key(job, field);
    return own_condition_holds(job, field) &&
           (!key || nas_job_applies_with(job->sections, field, nas_job_choice_of(job, key)));
}

/* The part of a condition that makes it hold or fail. */
static const nas_job_condition_t *deciding_part(const nas_job_t *job,
                                                const nas_job_condition_t *part)
{
    if (nas_job_has(job, part->key, part->choices))
        return part->also && !holds(job, part->also) ? part->also : part;
    return part->instead && holds(job, part->instead) ? part->instead : part;
}

const char *nas_job_condition_key(const nas_job_t *job, const nas_job_field_t *field)
{
    const bool by_section = own_condition_holds(job, field) && !nas_job_condition_holds(job, field);
    if (!field->condition || by_section) return section_key(job, field);
    return deciding_part(job, field->condition)->key;
}

bool nas_job_applies(const nas_job_t *job, const nas_job_field_t *field)
{
    if (field->search_only && job->purpose != NAS_JOB_SEARCH) return false;
    return nas_job_condition_holds(job, field);
}

/* ---- Groups, and keys that are not known ---- */

size_t nas_job_field_group(const nas_job_field_t *field)
{
    const char *dot = strchr(field->key, '.');
    return dot ? (size_t)(dot - field->key) : 0;
}

bool nas_job_same_group(const nas_job_field_t *a, const nas_job_field_t *b)
{
    const size_t length = nas_job_field_group(a);
    return length == nas_job_field_group(b) && strncmp(a->key, b->key, length) == 0;
}

bool nas_job_is_group(const nas_job_sections_t *sections, const char *name)
{
    for (size_t i = 0; i < nas_job_field_count(sections); i++) {
        const nas_job_field_t *field = nas_job_field_at(sections, i);
        const size_t length = nas_job_field_group(field);
        if (length && strlen(name) == length && strncmp(field->key, name, length) == 0) return true;
    }
    return false;
}

static const char *last_part(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot ? dot + 1 : key;
}

/* All key paths, then the groups. parts: the last part of every key path. */
static nas_status_t known_keys(const nas_job_sections_t *sections, nas_strings_t *known,
                               nas_strings_t *parts, nas_error_t *err)
{
    const size_t n = nas_job_field_count(sections);
    nas_status_t status = NAS_OK;
    for (size_t i = 0; !status && i < n; i++) {
        const char *name = nas_job_field_at(sections, i)->key, *part = last_part(name);
        status = nas_strings_add(known, name, strlen(name), err);
        if (!status) status = nas_strings_add(parts, part, strlen(part), err);
    }
    for (size_t i = 0; !status && i < n; i++) {
        const nas_job_field_t *field = nas_job_field_at(sections, i);
        const size_t length = nas_job_field_group(field);
        if (length) status = nas_strings_add(known, field->key, length, err);
    }
    return status;
}

nas_status_t nas_job_field_nearest(const nas_job_sections_t *sections, const char *key,
                                   char **nearest_p, nas_error_t *err)
{
    nas_strings_t known = {0}, parts = {0};
    nas_status_t status = known_keys(sections, &known, &parts, err);
    if (status) goto out;

    const char *nearest = nas_strings_nearest(&known, key);
    const char *part = nearest ? NULL : nas_strings_nearest(&parts, last_part(key));
    if (part) nearest = nas_job_field_at(sections, (size_t)nas_strings_find(&parts, part))->key;
    *nearest_p = nearest ? nas_string_copy(nearest, err) : NULL;
    if (nearest && !*nearest_p) status = NAS_ENOMEM;
out:
    nas_strings_fini(&known);
    nas_strings_fini(&parts);
    return status;
}

/* ---- Own values ---- */

nas_status_t nas_job_values_create(const nas_job_sections_t *sections, void ***values_p,
                                   nas_error_t *err)
{
    void **values = calloc(sections->n + 1, sizeof *values);
    bool has_all = values != NULL;
    for (size_t s = 0; has_all && s < sections->n; s++) {
        if (sections->at[s]->n_bytes == 0) continue;
        values[s] = calloc(1, sections->at[s]->n_bytes);
        has_all = values[s] != NULL;
    }
    if (!has_all) {
        nas_job_values_destroy(sections, values);
        return nas_error_nomem(err, "the job");
    }
    *values_p = values;
    return NAS_OK;
}

void nas_job_values_destroy(const nas_job_sections_t *sections, void **values)
{
    for (size_t s = 0; values && s < sections->n; s++) free(values[s]);
    free(values);
}

const void *nas_job_values(const nas_job_t *job, const nas_job_section_t *section)
{
    for (size_t s = 0; s < job->sections->n; s++)
        if (job->sections->at[s] == section) return job->origin->values[s];
    nas_assert_failed(__FILE__, __LINE__, "that the job was read with the section");
}
