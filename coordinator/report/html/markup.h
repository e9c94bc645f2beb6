/* Text and numbers of a page. A page is HTML that is well-formed XML, too, so that both kinds of
 * readers take it. */
#ifndef NAS_COORDINATOR_REPORT_HTML_MARKUP_H
#define NAS_COORDINATOR_REPORT_HTML_MARKUP_H

#include <stdint.h>
#include <stdio.h>

/** Text from anywhere, for an element or a quoted attribute: markup is escaped, bytes that are no
 *  UTF-8 become U+FFFD, control characters '?'.  Not collective. */
void nas_html_text(const char *text, FILE *out);

/** The same of several lines: line feeds and tabs stay. At most `most` bytes of it, to the end of a
 *  character; returns how many were left out. */
size_t nas_html_lines(const char *text, size_t most, FILE *out);

/** A number with the digits of the text report, or "unknown" where it is not finite. */
void nas_html_number(double x, FILE *out);

/** The same with six digits, as in the report's statistics. */
void nas_html_statistic(double x, FILE *out);

/** A row of a table of facts: a label and a text, both from anywhere. */
void nas_html_fact(const char *label, const char *text, FILE *out);

/** Likewise, of a number. */
void nas_html_fact_number(const char *label, double x, FILE *out);

/** Which of n things are shown, where there is room for `most`: every k-th, from the first on; this
 *  is k. */
int64_t nas_html_stride(int64_t n, int64_t most);

#endif
