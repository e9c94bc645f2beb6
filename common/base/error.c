#include "common/base/error.h"

#include "common/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

nas_status_t nas_error_set(nas_error_t *err, nas_status_t status, const char *format, ...)
{
    if (!err) return status;
    char text[NAS_ERROR_SIZE] = "";
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    nas_utf8_tame(text);
    /* Formatted aside first: an argument may be err->text itself, when a caller adds context to it.
     */
    memcpy(err->text, text, sizeof text);
    return status;
}

nas_status_t nas_error_nomem(nas_error_t *err, const char *what)
{
    return nas_error_set(err, NAS_ENOMEM, "out of memory for %s", what);
}

int nas_exit_code(nas_status_t status)
{
    switch (status) {
    case NAS_OK:
        return 0;
    case NAS_ESTOP:
        return 75;
    case NAS_EARG:
    case NAS_EINPUT:
        return 2;
    case NAS_EFAILED:
    case NAS_ENUMERIC:
    case NAS_EIO:
    case NAS_ENOMEM:
    case NAS_ECOMM:
        break;
    }
    return 1;
}

_Noreturn void nas_assert_failed(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "robotnas: bug: %s:%d: %s does not hold\n", file, line, condition);
    abort();
}
