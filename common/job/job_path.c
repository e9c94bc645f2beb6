/* Paths of a job: variables, the home folder, and what they are relative to. There is no shell that
 * would replace anything, so what looks like work for one is either done here or refused: a folder
 * called `$SCRATCH` is not what its user meant. */
#include "common/job/job_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What --set takes for a field in place of a path that cannot be resolved. */
static const char *form_of(const nas_job_field_t *field)
{
    switch (field->type) {
    case NAS_JOB_INPUT_PATHS:
        return "[PATH]";
    case NAS_JOB_ARGUMENTS:
        return "[PROGRAM, ARGUMENT]";
    case NAS_JOB_SUBSET:
        return "{file: PATH}";
    default:
        return "PATH";
    }
}

/* A path on the way from its text. */
typedef struct expansion {
    const nas_job_place_t *place;
    const nas_job_field_t *field;
    FILE *out;
    nas_error_t *err;
} expansion_t;

static nas_status_t refuse(const expansion_t *to, const char *text)
{
    return nas_job_error_at(to->place, to->field->key, to->err, "%s", text);
}

static nas_status_t write_variable(const expansion_t *to, const char *name)
{
    const char *value = getenv(name);
    if (!value || !*value)
        return nas_job_error_at(
            to->place, to->field->key, to->err,
            "the environment variable %.80s is not set; set it, or give --set %s=%s", name,
            to->field->key, form_of(to->field));
    if (strstr(value, "${") || value[0] == '~' || !nas_job_is_printable(value, strlen(value)))
        return nas_job_error_at(to->place, to->field->key, to->err,
                                "the environment variable %.80s is no plain path", name);
    (void)fputs(value, to->out);
    return NAS_OK;
}

/* What the `$` that *text_p begins with stands for; *text_p moves past it. */
static nas_status_t expand_dollar(const expansion_t *to, const char **text_p)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    const char *text = *text_p;
    if (text[1] == '$') {
        (void)fputc('$', to->out);
        *text_p += 2;
        return NAS_OK;
    }
    if (text[1] != '{')
        return refuse(to, "a variable is written ${NAME}, with braces, and a $ itself $$");
    const size_t length = strspn(text + 2, letters);
    if (length == 0 || text[2 + length] != '}')
        return refuse(to, "expected the name of a variable after ${, as in ${HOME}");
    char *name = nas_string_format(to->err, "%.*s", (int)length, text + 2);
    if (!name) return NAS_ENOMEM;
    const nas_status_t status = write_variable(to, name);
    free(name);
    *text_p += length + 3;
    return status;
}

/* A leading `~`, which *text_p moves past. */
static nas_status_t expand_home(const expansion_t *to, const char **text_p)
{
    if (**text_p != '~') return NAS_OK;
    ++*text_p;
    if (**text_p == '\0' || **text_p == '/') return write_variable(to, "HOME");
    return refuse(
        to,
        "~ stands for the own home folder only, alone or before a /; write the folder of another user out, and ./~ for a file whose name begins so");
}

/* The caller frees *expanded_p. */
static nas_status_t expand(const nas_job_place_t *place, const nas_job_field_t *field,
                           const char *path, char **expanded_p, nas_error_t *err)
{
    char *text = NULL;
    size_t size = 0;
    const expansion_t to = {place, field, open_memstream(&text, &size), err};
    if (!to.out) return nas_error_nomem(err, "a path");
    nas_status_t status = expand_home(&to, &path);
    while (!status && *path) {
        const size_t plain = strcspn(path, "$");
        (void)fwrite(path, 1, plain, to.out);
        path += plain;
        if (*path) status = expand_dollar(&to, &path);
    }
    if (fclose(to.out) != 0 && !status) status = nas_error_nomem(err, "a path");
    if (status)
        free(text);
    else
        *expanded_p = text;
    return status;
}

/* Replace *path, which the job owns. Outputs and programs are not looked for beside the job. */
static nas_status_t resolve(const nas_job_place_t *place, const nas_job_field_t *field, char **path,
                            nas_error_t *err)
{
    char *expanded = NULL;
    const nas_status_t status = expand(place, field, *path, &expanded, err);
    if (status) return status;
    free(*path);
    *path = expanded;
    const size_t length = strlen(expanded);
    if (field->type == NAS_JOB_OUTPUT_PATH && length > 0 && expanded[length - 1] == '/')
        return nas_job_error_at(place, field->key, err,
                                "%s is a folder; write a file in it, as %srun.h5", expanded,
                                expanded);
    const bool is_input = field->type != NAS_JOB_OUTPUT_PATH && field->type != NAS_JOB_ARGUMENTS;
    const bool in_file = place->source == NAS_JOB_FILE;
    const char *slash = is_input && in_file ? strrchr(place->name, '/') : NULL;
    if (!slash || expanded[0] == '/') return NAS_OK;
    *path = nas_string_format(err, "%.*s/%s", (int)(slash - place->name), place->name, expanded);
    free(expanded);
    return *path ? NAS_OK : NAS_ENOMEM;
}

nas_status_t nas_job_resolve_paths(nas_job_t *job, const nas_job_field_t *field,
                                   const nas_job_node_t *node, nas_error_t *err)
{
    void *value = nas_job_value(job, field);
    nas_strings_t *list = value;
    nas_job_subset_t *subset = value;
    nas_status_t status = NAS_OK;
    switch (field->type) {
    case NAS_JOB_INPUT_PATH:
    case NAS_JOB_OUTPUT_PATH:
        return resolve(&node->place, field, value, err);
    case NAS_JOB_INPUT_PATHS:
        for (size_t i = 0; !status && i < list->n; i++)
            status = resolve(&node->at[i].place, field, &list->at[i], err);
        return status;
    case NAS_JOB_ARGUMENTS:
        return resolve(&node->at[0].place, field, &list->at[0], err);
    case NAS_JOB_SUBSET:
        return subset->file ? resolve(&node->at[0].place, field, &subset->file, err) : NAS_OK;
    default:
        return NAS_OK;
    }
}
