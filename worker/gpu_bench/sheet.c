#include "worker/gpu_bench/sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void nas_sheet_begin(nas_sheet_t *sheet, FILE *out, bool is_json)
{
    *sheet = (nas_sheet_t){.out = out, .is_json = is_json};
    if (is_json) (void)fputs("{\n", out);
}

static void print_heads(const nas_sheet_t *sheet, const char *title)
{
    (void)fprintf(sheet->out, "%s%s\n ", sheet->n_tables > 0 ? "\n" : "", title);
    for (int i = 0; i < sheet->n_columns; i++)
        (void)fprintf(sheet->out, " %*s", sheet->column[i].width, sheet->column[i].head);
    (void)fputc('\n', sheet->out);
}

void nas_sheet_table(nas_sheet_t *sheet, const char *key, const char *title,
                     const nas_sheet_column_t *column, int n_columns)
{
    sheet->column = column;
    sheet->n_columns = n_columns;
    sheet->n_rows = 0;
    if (sheet->is_json)
        (void)fprintf(sheet->out, "%s  \"%s\": [", sheet->n_tables > 0 ? ",\n" : "", key);
    else
        print_heads(sheet, title);
    sheet->n_tables++;
}

/* Of what drivers say, bytes that are no printable ASCII become '?'. */
static void print_string(const char *text, FILE *out)
{
    (void)fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') (void)fputc('\\', out);
        (void)fputc(*text >= ' ' && *text <= '~' ? *text : '?', out);
    }
    (void)fputc('"', out);
}

static void print_json_cell(const nas_sheet_t *sheet, int i, const nas_sheet_cell_t *cell)
{
    (void)fprintf(sheet->out, "%s\"%s\": ", i > 0 ? ", " : "", sheet->column[i].key);
    if (cell->text)
        print_string(cell->text, sheet->out);
    else if (isfinite(cell->number))
        (void)fprintf(sheet->out, "%.9g", cell->number);
    else
        (void)fputs("null", sheet->out);
}

static void print_cell(const nas_sheet_t *sheet, int i, const nas_sheet_cell_t *cell)
{
    const nas_sheet_column_t *column = &sheet->column[i];
    if (cell->text)
        (void)fprintf(sheet->out, " %*s", column->width, cell->text);
    else if (isfinite(cell->number))
        (void)fprintf(sheet->out, " %*.*f", column->width, column->decimals, cell->number);
    else
        (void)fprintf(sheet->out, " %*s", column->width, "-");
}

void nas_sheet_row(nas_sheet_t *sheet, const nas_sheet_cell_t *cell)
{
    if (sheet->is_json)
        (void)fputs(sheet->n_rows > 0 ? ",\n    {" : "\n    {", sheet->out);
    else
        (void)fputc(' ', sheet->out);
    for (int i = 0; i < sheet->n_columns; i++)
        (sheet->is_json ? print_json_cell : print_cell)(sheet, i, &cell[i]);
    (void)fputs(sheet->is_json ? "}" : "\n", sheet->out);
    (void)fflush(sheet->out);
    sheet->n_rows++;
}

void nas_sheet_end_table(nas_sheet_t *sheet)
{
    if (sheet->is_json) (void)fputc(']', sheet->out);
    sheet->column = NULL;
}

void nas_sheet_end(nas_sheet_t *sheet)
{
    if (sheet->is_json) (void)fputs("\n}\n", sheet->out);
    (void)fflush(sheet->out);
}
