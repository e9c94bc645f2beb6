#include "coordinator/report/export_job.h"

#include "common/base/strings.h"

#include <stdbool.h>
#include <string.h>

/* Whether a path may begin behind this character; a word goes on behind others. */
static bool may_precede(char c)
{
    return c && strchr(" =:,;'\"([{<>|&\n", c);
}

/* Bytes of the path at `text`. In double quotes at their very start the whole is one, blanks and
 * all. */
static size_t path_length(const char *text, bool whole)
{
    return whole ? strcspn(text, "\"\n") : strcspn(text, " ,:;'\"()[]{}<>|&\n");
}

/* The last part of a path of n bytes, without the slashes behind it; n [in, out]. */
static const char *last_part(const char *path, size_t *n)
{
    while (*n > 1 && path[*n - 1] == '/') (*n)--;
    size_t first = *n;
    while (first > 0 && path[first - 1] != '/') first--;
    *n -= first;
    if (*n > 0) return path + first;
    *n = 1;
    return "."; /* the root */
}

char *nas_export_job(const char *text, nas_error_t *err)
{
    char *copy = nas_string_copy(text, err), *out = copy;
    if (!copy) return NULL;
    char before = '\n';
    for (const char *at = text; *at; before = at[-1]) {
        const bool is_address = before == ':' && at[1] == '/'; /* of the web */
        if (*at != '/' || !may_precede(before) || is_address) {
            *out++ = *at++;
            continue;
        }
        const bool whole = before == '"' && at - 1 > text && strchr(" [\n", at[-2]);
        const size_t length = path_length(at, whole);
        size_t n = length;
        const char *part = last_part(at, &n);
        memcpy(out, part, n);
        out += n;
        at += length;
    }
    *out = '\0';
    return copy;
}
