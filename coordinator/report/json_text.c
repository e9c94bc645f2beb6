#include "coordinator/report/json_text.h"

#include "common/base/strings.h"

#include <stdlib.h>

json_t *nas_json_text(const char *text)
{
    char *valid = nas_string_utf8(text, NULL);
    json_t *json = valid ? json_string(valid) : NULL;
    free(valid);
    return json;
}

int nas_json_set_named(json_t *object, const char *key, json_t *value)
{
    char *valid = nas_string_utf8(key, NULL);
    const int failed = valid ? json_object_set_new(object, valid, value) : -1;
    if (!valid) json_decref(value);
    free(valid);
    return failed;
}
