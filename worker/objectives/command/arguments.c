#include "worker/objectives/command/arguments.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------------------- placeholders */

static const char *const names[NAS_PLACEHOLDERS] = {"arch",   "index", "seed", "work",
                                                    "device", "job",   "onnx"};

static bool is_known(const nas_placeholder_texts_t *texts, int placeholder)
{
    if (!texts->of_network) return placeholder != NAS_PLACEHOLDER_ONNX;
    return placeholder == NAS_PLACEHOLDER_ARCH || placeholder == NAS_PLACEHOLDER_JOB ||
           placeholder == NAS_PLACEHOLDER_ONNX;
}

static nas_status_t refuse_placeholder(const char *argument, bool of_network, const char *name,
                                       size_t length, nas_error_t *err)
{
    if (of_network)
        return nas_error_set(
            err, NAS_EINPUT,
            "'%s': unknown placeholder {%.*s}; known are {arch}, {job} and, of a command, {onnx}; a brace is written {{ or }}",
            argument, (int)(length < 64 ? length : 64), name);
    return nas_error_set(
        err, NAS_EINPUT,
        "'%s': unknown placeholder {%.*s}; known are {arch}, {index}, {seed}, {work}, {device} and {job}; a brace is written {{ or }}",
        argument, (int)(length < 64 ? length : 64), name);
}

/* Its number, -1: none that is known. */
static int find_placeholder(const nas_placeholder_texts_t *texts, const char *name, size_t length)
{
    for (int i = 0; i < NAS_PLACEHOLDERS; i++)
        if (is_known(texts, i) && strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return i;
    return -1;
}

/* Write what stands for the brace at *place, which moves behind it. */
static nas_status_t expand_brace(const char *argument, const nas_placeholder_texts_t *texts,
                                 const char **place, FILE *out, nas_error_t *err)
{
    const char *brace = *place;
    if (brace[1] == brace[0]) {
        (void)fputc(brace[0], out);
        *place = brace + 2;
        return NAS_OK;
    }
    const char *end = strchr(brace, '}');
    if (brace[0] == '}' || !end)
        return nas_error_set(err, NAS_EINPUT, "'%s': unpaired %c; a brace is written {{ or }}",
                             argument, brace[0]);
    const size_t length = (size_t)(end - brace) - 1;
    const int index = find_placeholder(texts, brace + 1, length);
    if (index < 0) return refuse_placeholder(argument, texts->of_network, brace + 1, length, err);
    if (!texts->at[index] && texts->of_network)
        return nas_error_set(err, NAS_EINPUT, "'%s': {%s} has no place here", argument,
                             names[index]);
    if (!texts->at[index])
        return nas_error_set(err, NAS_EINPUT,
                             "'%s': {%s} has no place in a program's name; {job} and {device} have",
                             argument, names[index]);
    (void)fputs(texts->at[index], out);
    *place = end + 1;
    return NAS_OK;
}

nas_status_t nas_argument_expand(const char *argument, const nas_placeholder_texts_t *texts,
                                 char **text_p, nas_error_t *err)
{
    char *text = NULL;
    size_t size = 0;
    nas_status_t status = NAS_OK;
    FILE *out = open_memstream(&text, &size);
    if (!out) return nas_error_nomem(err, "an argument");
    for (const char *place = argument; *place && !status;) {
        const size_t plain = strcspn(place, "{}");
        (void)fwrite(place, 1, plain, out);
        place += plain;
        if (*place) status = expand_brace(argument, texts, &place, out, err);
    }
    const bool failed = ferror(out) != 0;
    if ((fclose(out) != 0 || failed) && !status) status = nas_error_nomem(err, "an argument");
    if (status)
        free(text);
    else
        *text_p = text;
    return status;
}

/* --------------------------------------------------------------------------------- program */

static bool is_runnable(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

static nas_status_t check_path(const char *path, nas_error_t *err)
{
    struct stat info;
    if (is_runnable(path)) return NAS_OK;
    if (stat(path, &info) != 0)
        return nas_error_set(err, NAS_EINPUT, "no program %s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return nas_error_set(err, NAS_EINPUT, "%s is no file that could be run", path);
    return nas_error_set(err, NAS_EINPUT, "%s may not be run; chmod +x would allow it", path);
}

nas_status_t nas_argument_find_program(const char *program, nas_error_t *err)
{
    char path[PATH_MAX];
    const char *folder = getenv("PATH");
    if (!*program) return nas_error_set(err, NAS_EINPUT, "the program's name is empty");
    if (strchr(program, '/')) return check_path(program, err);
    if (!folder) folder = "/bin:/usr/bin"; /* as glibc does */
    for (;;) {
        const size_t length = strcspn(folder, ":");
        /* an empty entry is the working directory */
        const int n = snprintf(path, sizeof path, "%.*s%s%s", (int)length, folder,
                               length > 0 ? "/" : "", program);
        if (n > 0 && (size_t)n < sizeof path && is_runnable(path)) return NAS_OK;
        if (!folder[length]) break;
        folder += length + 1;
    }
    return nas_error_set(err, NAS_EINPUT, "no program '%s' in PATH", program);
}
