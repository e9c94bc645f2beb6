/* What the texts of a report share. */
#ifndef NAS_COORDINATOR_REPORT_REPORT_INTERNAL_H
#define NAS_COORDINATOR_REPORT_REPORT_INTERNAL_H

#include <stdio.h>

/** A name on lines of its own, broken behind punctuation where it is too long for 80 columns. */
void nas_report_print_name(int indent, const char *name, FILE *out);

#endif
