/* Fields of CSV files (RFC 4180), written. */
#ifndef NAS_COMMON_IO_CSV_WRITE_H
#define NAS_COMMON_IO_CSV_WRITE_H

#include <stdio.h>

/** A text: in quotes, doubled inside, where it has a comma or a quote.  Not collective; out keeps its
 *  own errors, as of all here. */
void nas_csv_write(const char *text, FILE *out);

/** A comma, and a text. */
void nas_csv_write_next(const char *text, FILE *out);

/** A comma, and a number with all its digits; nothing behind it where it is not known (NaN). */
void nas_csv_write_number(double x, FILE *out);

#endif
