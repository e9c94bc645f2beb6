#include "common/base/log.h"

#include "common/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool open;
    bool terminal;
    bool status_shown;
} the_log;

void nas_log_open(void)
{
    the_log.open = true;
    the_log.terminal = isatty(STDERR_FILENO) != 0;
}

bool nas_log_is_terminal(void)
{
    return the_log.open && the_log.terminal;
}

/* "" where a terminal's user sees for himself when it was. */
static void print_time(char *text, size_t size)
{
    const time_t now = time(NULL);
    struct tm local;
    *text = '\0';
    if (the_log.terminal || !localtime_r(&now, &local)) return;
    if (strftime(text, size, "%Y-%m-%d %H:%M:%S ", &local) == 0) *text = '\0';
}

static void print_line(const char *format, va_list args)
{
    char line[4096], time_text[32];
    (void)vsnprintf(line, sizeof line, format, args);
    nas_utf8_tame(line);
    nas_log_status("");
    print_time(time_text, sizeof time_text);
    /* At once, since other ranks write beside this one. */
    (void)fprintf(stderr, "%srobotnas: %s\n", time_text, line);
}

void nas_log_line(const char *format, ...)
{
    va_list args;
    if (!the_log.open) return;
    va_start(args, format);
    print_line(format, args);
    va_end(args);
}

void nas_log_line_of_rank(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_line(format, args);
    va_end(args);
}

void nas_log_status(const char *text)
{
    if (!nas_log_is_terminal() || (!*text && !the_log.status_shown)) return;
    (void)fprintf(stderr, "\r%s\033[K", text);
    (void)fflush(stderr);
    the_log.status_shown = *text != '\0';
}
