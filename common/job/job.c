/* Job files, from text to a resolved job:
 *
 *   1. the file and every --set become trees of located values;
 *   2. their keys are looked up in the sections, a later tree winning over an earlier one;
 *   3. every field is set from its value or its default, in the order of the sections;
 *   4. fields that do not apply or are missing are refused, and paths resolved;
 *   5. fields are checked against each other, by the sections.
 *
 * The trees live as long as the job, so that errors found later still know where a field was
 * written.
 */
#include "common/job/job.h"

#include "common/io/file.h"
#include "common/job/job_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_SIZE = 1 << 20 };

static nas_job_place_t place_of(const nas_job_t *job, size_t field)
{
    const nas_job_node_t *value = job->origin->value[field];
    const nas_job_place_t initial = {.source = NAS_JOB_DEFAULT, .name = job->origin->names.at[0]};
    return value ? value->place : initial;
}

nas_status_t nas_job_error(const nas_job_t *job, const char *key, nas_error_t *err,
                           const char *format, ...)
{
    const ptrdiff_t field = nas_job_field_find(job->sections, key);
    NAS_ASSERT(field >= 0);
    const nas_job_place_t place = place_of(job, (size_t)field);
    char text[NAS_ERROR_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return nas_job_error_at(&place, key, err, "%s", text);
}

static void origin_destroy(const nas_job_sections_t *sections, struct nas_job_origin *origin)
{
    if (!origin) return;
    nas_job_values_destroy(sections, origin->values);
    for (size_t i = 0; origin->tree && i < origin->names.n; i++)
        nas_job_node_fini(&origin->tree[i]);
    free(origin->tree);
    free(origin->value);
    nas_strings_fini(&origin->names);
    free(origin);
}

void nas_job_destroy(nas_job_t *job)
{
    if (!job) return;
    for (size_t i = 0; job->origin && i < nas_job_field_count(job->sections); i++)
        nas_job_value_fini(job, nas_job_field_at(job->sections, i));
    origin_destroy(job->sections, job->origin);
    free(job->folder);
    free(job);
}

/* ---- From trees to one value a field ---- */

static nas_status_t unknown_key(const nas_job_sections_t *sections, const nas_job_place_t *place,
                                const char *key, nas_error_t *err)
{
    char *nearest = NULL;
    nas_status_t status = nas_job_field_nearest(sections, key, &nearest, err);
    if (status) return status;
    if (nearest)
        status = nas_job_error_at(place, key, err, "unknown key; did you mean %s?", nearest);
    else
        status = nas_job_error_at(place, key, err, "unknown key; docs/job-file.md lists them all");
    free(nearest);
    return status;
}

static nas_status_t collect(nas_job_t *job, const char *path, const nas_job_node_t *node,
                            nas_error_t *err);

static nas_status_t collect_entry(nas_job_t *job, const char *path, const nas_job_node_t *entry,
                                  nas_error_t *err)
{
    if (strchr(entry->key, '.'))
        return nas_job_error_at(
            &entry->key_place, entry->key, err,
            "keys nest in a file, as in search: {budget: 20}; dots are for --set");
    char *key = nas_string_format(err, "%s%s%s", path, *path ? "." : "", entry->key);
    if (!key) return NAS_ENOMEM;
    const nas_status_t status = collect(job, key, entry, err);
    free(key);
    return status;
}

/* Note the fields that stand in the value of `path`, which is a field, a group, or "" for the whole
 * job. */
static nas_status_t collect(nas_job_t *job, const char *path, const nas_job_node_t *node,
                            nas_error_t *err)
{
    const ptrdiff_t field = nas_job_field_find(job->sections, path);
    nas_status_t status = NAS_OK;
    if (field >= 0) {
        job->origin->value[field] = node;
        return NAS_OK;
    }
    if (*path && !nas_job_is_group(job->sections, path))
        return unknown_key(job->sections, node->key ? &node->key_place : &node->place, path, err);
    if (node->kind != NAS_JOB_MAP)
        return nas_job_error_at(&node->place, *path ? path : NULL, err,
                                "expected a mapping of keys to values, such as %s",
                                *path ? "{key: value}" : "name: study");
    for (size_t i = 0; !status && i < node->n; i++)
        status = collect_entry(job, path, &node->at[i], err);
    return status;
}

static nas_status_t origin_create(const nas_job_sections_t *sections, size_t n_tree,
                                  struct nas_job_origin **origin_p, nas_error_t *err)
{
    struct nas_job_origin *origin = calloc(1, sizeof *origin);
    if (!origin) return nas_error_nomem(err, "the job");
    origin->tree = calloc(n_tree, sizeof *origin->tree);
    origin->value = calloc(nas_job_field_count(sections), sizeof *origin->value);
    nas_status_t status = nas_job_values_create(sections, &origin->values, err);
    if (!status && (!origin->tree || !origin->value)) status = nas_error_nomem(err, "the job");
    if (status)
        origin_destroy(sections, origin);
    else
        *origin_p = origin;
    return status;
}

static nas_status_t read_text(nas_job_t *job, const char *text, size_t size, nas_error_t *err)
{
    struct nas_job_origin *origin = job->origin;
    const nas_job_place_t start = {.source = NAS_JOB_FILE, .name = origin->names.at[0]};
    const nas_status_t status = nas_job_parse(text, size, &start, &origin->tree[0], err);
    return status ? status : collect(job, "", &origin->tree[0], err);
}

static nas_status_t read_file(nas_job_t *job, const nas_job_source_t *source, nas_error_t *err)
{
    char *text = NULL;
    size_t size = 0;
    nas_strings_t *names = &job->origin->names;
    nas_status_t status = nas_strings_add(names, source->path, strlen(source->path), err);
    if (status) return status;
    if (source->text) return read_text(job, source->text, strlen(source->text), err);
    status = nas_file_read(source->path, MAX_FILE_SIZE, &text, &size, err);
    if (!status) status = read_text(job, text, size, err);
    free(text);
    return status;
}

/* Apply one "key.path=value". */
static nas_status_t read_override(nas_job_t *job, const char *set, nas_error_t *err)
{
    struct nas_job_origin *origin = job->origin;
    const char *equals = strchr(set, '=');
    if (!equals || equals == set)
        return nas_error_set(err, NAS_EINPUT,
                             "--set %.100s: expected key.path=value, such as search.budget=20",
                             set);
    nas_status_t status = nas_strings_add(&origin->names, set, (size_t)(equals - set), err);
    if (status) return status;
    const size_t i = origin->names.n - 1;
    const nas_job_place_t start = {.source = NAS_JOB_SET, .name = origin->names.at[i]};
    status = nas_job_parse(equals + 1, strlen(equals + 1), &start, &origin->tree[i], err);
    return status ? status : collect(job, start.name, &origin->tree[i], err);
}

/* ---- One field after the other ---- */

/* Set a field from its value, or its default where it has one as YAML. */
static nas_status_t set_field(nas_job_t *job, size_t i, nas_error_t *err)
{
    const nas_job_field_t *field = nas_job_field_at(job->sections, i);
    const nas_job_node_t *value = job->origin->value[i];
    if (value) return nas_job_value_set(job, field, value, err);
    if (!field->initial || field->type == NAS_JOB_OUTPUT_PATH) return NAS_OK;
    const nas_job_place_t start = place_of(job, i);
    nas_job_node_t node = {0};
    nas_status_t status = nas_job_parse(field->initial, strlen(field->initial), &start, &node, err);
    if (!status) status = nas_job_value_set(job, field, &node, err);
    nas_job_node_fini(&node);
    return status;
}

/* Whether a job that is read to search computes metrics and says nothing of a search: it may be
 * meant for scoring. */
static bool only_scores(const nas_job_t *job)
{
    if (job->purpose != NAS_JOB_SEARCH || job->metrics.source != NAS_SOURCE_COMPUTE) return false;
    for (size_t i = 0; i < nas_job_field_count(job->sections); i++) {
        const char *key = nas_job_field_at(job->sections, i)->key;
        const bool searches =
            strncmp(key, "objective.", 10) == 0 || strncmp(key, "search.", 7) == 0;
        if (searches && job->origin->value[i]) return false;
    }
    return true;
}

static nas_status_t missing_key(const nas_job_t *job, const nas_job_field_t *field,
                                nas_error_t *err)
{
    char expected[NAS_JOB_EXPECTED_SIZE], with[NAS_JOB_EXPECTED_SIZE] = "";
    const char *key = nas_job_condition_key(job, field);
    nas_job_field_expected(field, expected);
    if (key) (void)snprintf(with, sizeof with, " with %s %s", key, nas_job_choice_of(job, key));
    return nas_error_set(
        err, NAS_EINPUT, "%s: %s: this key is required%s; expected %s%s", job->origin->names.at[0],
        field->key, with, expected,
        field->search_only && only_scores(job)
            ? "; a job for metrics alone is for robotnas score and robotnas check --score"
            : "");
}

/* Once all fields are set: whether the field may and must be there, and its paths. */
static nas_status_t settle_field(nas_job_t *job, size_t i, nas_error_t *err)
{
    const nas_job_field_t *field = nas_job_field_at(job->sections, i);
    const nas_job_node_t *value = job->origin->value[i];
    const char *key = nas_job_condition_key(job, field);
    const bool is_tolerant = field->condition && field->condition->tolerant;
    if (value && !is_tolerant && !nas_job_condition_holds(job, field))
        return nas_job_error_at(&value->place, field->key, err,
                                "has no meaning with %s %s; remove it", key,
                                nas_job_choice_of(job, key));
    if (!nas_job_applies(job, field)) return NAS_OK;
    if (value) return nas_job_resolve_paths(job, field, value, err);
    if (!field->initial && !field->may_lack) return missing_key(job, field, err);
    if (field->type != NAS_JOB_OUTPUT_PATH) return NAS_OK;
    char **path = nas_job_value(job, field);
    *path = nas_string_format(err, "%s.h5", job->name);
    return *path ? NAS_OK : NAS_ENOMEM;
}

/* A section of another kind of objective than the job's has nothing to say. */
static nas_status_t check_section(const nas_job_t *job, const nas_job_section_t *section,
                                  nas_error_t *err)
{
    if (!section->check) return NAS_OK;
    if (section->key && job->purpose != NAS_JOB_SEARCH) return NAS_OK;
    if (section->key && strcmp(nas_job_choice_of(job, section->key), section->name) != 0)
        return NAS_OK;
    return section->check(job, err);
}

static nas_status_t read_trees(nas_job_t *job, const nas_job_source_t *source, nas_error_t *err)
{
    nas_status_t status = read_file(job, source, err);
    for (size_t i = 0; !status && i < source->n_set; i++)
        status = read_override(job, source->set[i], err);
    return status;
}

/* The folder that holds path; the caller frees it. */
static char *folder_of(const char *path, nas_error_t *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return nas_string_copy(".", err);
    return nas_string_format(err, "%.*s", (int)(slash == path ? 1 : slash - path), path);
}

nas_status_t nas_job_read(const nas_job_source_t *source, nas_job_t **job_p, nas_error_t *err)
{
    nas_job_t *job = calloc(1, sizeof *job);
    if (!job) return nas_error_nomem(err, "the job");
    job->purpose = source->purpose;
    job->sections = source->sections;
    job->folder = folder_of(source->path, err);
    nas_status_t status = job->folder ? NAS_OK : NAS_ENOMEM;
    if (!status) status = origin_create(job->sections, 1 + source->n_set, &job->origin, err);
    if (!status) status = read_trees(job, source, err);
    for (size_t i = 0; !status && i < nas_job_field_count(job->sections); i++)
        status = set_field(job, i, err);
    for (size_t i = 0; !status && i < nas_job_field_count(job->sections); i++)
        status = settle_field(job, i, err);
    for (size_t i = 0; !status && i < job->sections->n; i++)
        status = check_section(job, job->sections->at[i], err);
    if (status)
        nas_job_destroy(job);
    else
        *job_p = job;
    return status;
}

nas_transform_t nas_job_transform(const nas_job_t *job, const char *name)
{
    const ptrdiff_t i = nas_strings_find(&job->metrics.transform_of, name);
    return i < 0 ? NAS_TRANSFORM_NONE : (nas_transform_t)job->metrics.transform[i];
}
