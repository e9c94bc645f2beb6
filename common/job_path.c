/* Input paths: variables, and what they are relative to. */
#include "common/job_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What --set takes for a field in place of a path that cannot be resolved. */
static const char *form_of(const nas_job_field_t *field)
{
    switch (field->type) {
    case NAS_JOB_INPUT_PATHS:
        return "[PATH]";
    case NAS_JOB_SUBSET:
        return "{file: PATH}";
    default:
        return "PATH";
    }
}

/* Write the value of the variable that *text_p, just after a `${`, names, and move *text_p past its
 * `}`. */
static nas_status_t expand_variable(const nas_job_place_t *place, const nas_job_field_t *field,
                                    const char **text_p, FILE *out, nas_error_t *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    const size_t length = strspn(*text_p, letters);
    if (length == 0 || (*text_p)[length] != '}')
        return nas_job_error_at(place, field->key, err,
                                "expected the name of a variable after ${, as in ${HOME}");
    char *name = nas_string_format(err, "%.*s", (int)length, *text_p);
    if (!name) return NAS_ENOMEM;
    const char *value = getenv(name);
    nas_status_t status = NAS_OK;
    if (!value || !*value)
        status = nas_job_error_at(
            place, field->key, err,
            "the environment variable %.80s is not set; set it, or give --set %s=%s", name,
            field->key, form_of(field));
    else if (strstr(value, "${") || !nas_job_is_printable(value, strlen(value)))
        status = nas_job_error_at(place, field->key, err,
                                  "the environment variable %.80s is no plain path", name);
    else
        (void)fputs(value, out);
    free(name);
    *text_p += length + 1;
    return status;
}

/* The caller frees *expanded_p. */
static nas_status_t expand(const nas_job_place_t *place, const nas_job_field_t *field,
                           const char *path, char **expanded_p, nas_error_t *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) return nas_error_nomem(err, "a path");
    nas_status_t status = NAS_OK;
    while (!status && *path) {
        const char *variable = strstr(path, "${");
        const size_t plain = variable ? (size_t)(variable - path) : strlen(path);
        (void)fwrite(path, 1, plain, out);
        path += plain + (variable ? 2 : 0);
        if (variable) status = expand_variable(place, field, &path, out, err);
    }
    if (fclose(out) != 0 && !status) status = nas_error_nomem(err, "a path");
    if (status)
        free(text);
    else
        *expanded_p = text;
    return status;
}

static nas_status_t resolve(const nas_job_place_t *place, const nas_job_field_t *field, char **path,
                            nas_error_t *err)
{
    char *expanded = NULL;
    const nas_status_t status = expand(place, field, *path, &expanded, err);
    if (status) return status;
    free(*path);
    *path = expanded;
    const char *slash = place->source == NAS_JOB_FILE ? strrchr(place->name, '/') : NULL;
    if (!slash || expanded[0] == '/') return NAS_OK;
    *path = nas_string_format(err, "%.*s/%s", (int)(slash - place->name), place->name, expanded);
    free(expanded);
    return *path ? NAS_OK : NAS_ENOMEM;
}

nas_status_t nas_job_resolve_paths(nas_job_t *job, const nas_job_field_t *field,
                                   const nas_job_node_t *node, nas_error_t *err)
{
    void *value = nas_job_value(job, field->offset);
    nas_status_t status = NAS_OK;
    if (field->type == NAS_JOB_INPUT_PATH) return resolve(&node->place, field, value, err);
    if (field->type == NAS_JOB_INPUT_PATHS) {
        const nas_strings_t *list = value;
        for (size_t i = 0; !status && i < list->n; i++)
            status = resolve(&node->at[i].place, field, &list->at[i], err);
    } else if (field->type == NAS_JOB_SUBSET) {
        nas_job_subset_t *subset = value;
        if (subset->file) status = resolve(&node->at[0].place, field, &subset->file, err);
    }
    return status;
}
