#include "common/io/csv_write.h"

#include <math.h>
#include <string.h>

void nas_csv_write(const char *text, FILE *out)
{
    if (!strpbrk(text, ",\"\r\n")) {
        (void)fputs(text, out);
        return;
    }
    (void)fputc('"', out);
    for (const char *c = text; *c; c++) {
        if (*c == '"') (void)fputc('"', out);
        (void)fputc(*c, out);
    }
    (void)fputc('"', out);
}

void nas_csv_write_next(const char *text, FILE *out)
{
    (void)fputc(',', out);
    nas_csv_write(text, out);
}

void nas_csv_write_number(double x, FILE *out)
{
    (void)fputc(',', out);
    if (!isnan(x)) (void)fprintf(out, "%.17g", x);
}
