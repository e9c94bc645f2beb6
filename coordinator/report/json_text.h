/* JSON of texts that come from elsewhere: names in a table, paths, what a state file holds. JSON is
 * UTF-8, they need not be. */
#ifndef NAS_COORDINATOR_REPORT_JSON_TEXT_H
#define NAS_COORDINATOR_REPORT_JSON_TEXT_H

#include <jansson.h>

/** A string of any bytes, as nas_string_utf8 makes it UTF-8. NULL: out of memory. */
json_t *nas_json_text(const char *text);

/** json_object_set_new with such a text as key: takes over the value, also when it fails; a value
 *  that is NULL makes it fail. Returns 0, or -1 when out of memory. */
int nas_json_set_named(json_t *object, const char *key, json_t *value);

#endif
