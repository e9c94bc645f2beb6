/* Errors, with the place where what they are about was written. */
#include "common/job/job_internal.h"

#include <stdarg.h>
#include <stdio.h>

nas_status_t nas_job_error_at(const nas_job_place_t *place, const char *key, nas_error_t *err,
                              const char *format, ...)
{
    char text[NAS_ERROR_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    switch (place->source) {
    case NAS_JOB_FILE:
        break;
    case NAS_JOB_SET:
        return nas_error_set(err, NAS_EINPUT, "--set %.100s: %s", key ? key : place->name, text);
    case NAS_JOB_DEFAULT:
        return nas_error_set(err, NAS_EINPUT, "%s: %s (default): %s", place->name, key, text);
    }
    return nas_error_set(err, NAS_EINPUT, "%s:%zu:%zu: %.100s%s%s", place->name, place->line,
                         place->column, key ? key : "", key ? ": " : "", text);
}
