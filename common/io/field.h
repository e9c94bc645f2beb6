/* Fields of a table: what is a number, what means missing, and what to say of the rest. */
#ifndef NAS_COMMON_IO_FIELD_H
#define NAS_COMMON_IO_FIELD_H

#include "common/base/strings.h"

#include <stdbool.h>

/** Whether a text without blanks around it is a decimal number, an infinity or nan, in the C
 *  locale. value [out]. */
bool nas_field_number(const char *text, double *value);

/** Whether such a text is empty, or an entry of `missing` (may be NULL) but for blanks around it.
 */
bool nas_field_is_missing(const nas_strings_t *missing, const char *text);

/** Whether such a text is one that people and programs write where there is no value, in any case.
 */
bool nas_field_looks_missing(const char *text);

enum { NAS_FIELD_HINT_SIZE = 160 };

/** What would be right in place of a text that is no number: "; ..." after the message, or "".
 *  missing_key: the job's key for texts that mean missing; NULL: none. */
void nas_field_hint(const char *text, const char *missing_key, char hint[NAS_FIELD_HINT_SIZE]);

#endif
