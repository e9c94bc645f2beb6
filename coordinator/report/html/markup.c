#include "coordinator/report/html/markup.h"

#include "common/base/utf8.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* U+FFFE and U+FFFF are no characters of XML. */
static bool is_forbidden(const char *text)
{
    return memcmp(text, "\xef\xbf", 2) == 0 &&
           ((unsigned char)text[2] == 0xbe || (unsigned char)text[2] == 0xbf);
}

/* One character; returns its bytes. */
static size_t put(const char *text, bool keep_lines, FILE *out)
{
    const size_t control = nas_utf8_control(text), n = nas_utf8_length(text);
    const char *const mark = strchr("&<>\"'", *text);
    static const char *const escaped[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    if (control > 0 && !(keep_lines && (*text == '\n' || *text == '\t'))) {
        (void)fputc('?', out);
        return control;
    }
    if (n == 0 || (n == 3 && is_forbidden(text))) {
        (void)fputs("\xef\xbf\xbd", out);
        return n ? n : 1;
    }
    if (mark)
        (void)fputs(escaped[mark - strchr("&<>\"'", '&')], out);
    else
        (void)fwrite(text, 1, n, out);
    return n;
}

void nas_html_text(const char *text, FILE *out)
{
    while (*text) text += put(text, false, out);
}

size_t nas_html_lines(const char *text, size_t most, FILE *out)
{
    const char *const begin = text;
    while (*text && (size_t)(text - begin) < most) text += put(text, true, out);
    return strlen(text);
}

void nas_html_number(double x, FILE *out)
{
    (void)fprintf(out, isfinite(x) ? "%.8g" : "unknown", x);
}

void nas_html_statistic(double x, FILE *out)
{
    (void)fprintf(out, isfinite(x) ? "%.6g" : "unknown", x);
}

void nas_html_fact(const char *label, const char *text, FILE *out)
{
    (void)fprintf(out, "<tr><th scope=\"row\">");
    nas_html_text(label, out);
    (void)fprintf(out, "</th><td>");
    nas_html_text(text, out);
    (void)fprintf(out, "</td></tr>\n");
}

void nas_html_fact_number(const char *label, double x, FILE *out)
{
    char text[32];
    (void)snprintf(text, sizeof text, isfinite(x) ? "%.8g" : "unknown", x);
    nas_html_fact(label, text, out);
}

int64_t nas_html_stride(int64_t n, int64_t most)
{
    return n <= most ? 1 : (n + most - 1) / most;
}
