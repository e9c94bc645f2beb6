#include "worker/data/class_names.h"

#include "common/base/utf8.h"
#include "worker/data/untrusted/untrusted_hdf5.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 26 /* more than the most classes take */, CPU_S = 60, WALL_S = 600 };

nas_status_t nas_class_text_read(const char *path, bool optional, char **text_p, nas_error_t *err)
{
    const nas_untrusted_item_t item = {
        .name = "classes", .types = NAS_UNTRUSTED_TEXT, .optional = optional};
    const nas_untrusted_request_t request = {.path = path,
                                             .item = &item,
                                             .n = 1,
                                             .max_bytes = MOST_BYTES,
                                             .cpu_s = CPU_S,
                                             .wall_s = WALL_S};
    nas_untrusted_array_t text = {0};
    const nas_status_t status = nas_untrusted_hdf5_read(&request, &text, err);
    *text_p = status ? NULL : text.data;
    return status;
}

/* A text a line into a list. */
static nas_status_t split(const char *text, nas_strings_t *names, nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    while (*text && !status) {
        const size_t n = strcspn(text, "\n");
        status = nas_strings_add(names, text, n, err);
        if (!status) nas_utf8_tame(names->at[names->n - 1]);
        text += n + (text[n] == '\n');
    }
    return status;
}

/* found [out] empty where the file has no names. */
static nas_status_t read_names(const char *path, nas_strings_t *found, nas_error_t *err)
{
    char *text = NULL;
    nas_status_t status = nas_class_text_read(path, true, &text, err);
    if (status == NAS_EINPUT) return NAS_OK; /* another `classes` than this program's */
    if (status || !text) return status;
    char *valid = nas_string_utf8(text, err);
    status = valid ? split(valid, found, err) : NAS_ENOMEM;
    free(valid);
    free(text);
    return status;
}

static nas_status_t compare(const char *path, const nas_strings_t *found,
                            const nas_strings_t *names, nas_error_t *err)
{
    const size_t n = found->n < names->n ? found->n : names->n;
    for (size_t i = 0; i < n; i++)
        if (strcmp(found->at[i], names->at[i]) != 0)
            return nas_error_set(
                err, NAS_EINPUT,
                "%s: label %zu is class '%s', but '%s' in the first file; convert with --classes-from",
                path, i, found->at[i], names->at[i]);
    if (found->n == names->n) return NAS_OK;
    return nas_error_set(err, NAS_EINPUT,
                         "%s: %zu classes, but the first file has %zu; convert with --classes-from",
                         path, found->n, names->n);
}

nas_status_t nas_class_names_read(const nas_strings_t *files, nas_strings_t *names,
                                  nas_error_t *err)
{
    nas_status_t status = NAS_OK;
    for (size_t i = 0; i < files->n && !status; i++) {
        nas_strings_t found = {0};
        status = read_names(files->at[i], &found, err);
        if (!status && found.n > 0 && names->n > 0)
            status = compare(files->at[i], &found, names, err);
        if (!status && names->n == 0) {
            *names = found;
            found = (nas_strings_t){0};
        }
        nas_strings_fini(&found);
    }
    return status;
}
