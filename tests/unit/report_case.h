/* What tests of reports share. */
#ifndef NAS_TESTS_UNIT_REPORT_CASE_H
#define NAS_TESTS_UNIT_REPORT_CASE_H

#include "coordinator/report/report.h"
#include "report_state.h"
#include "temp_folder.h"

#include <float.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

typedef nas_status_t (*report_t)(const nas_state_t *state, FILE *out, nas_error_t *err);

static inline nas_status_t report_json(const nas_state_t *state, FILE *out, nas_error_t *err)
{
    return nas_report_json(state, NULL, out, err);
}

/* The report as a text that the caller frees. */
static inline char *report_of(const nas_state_t *state, report_t report)
{
    char *text = NULL;
    size_t size = 0;
    nas_error_t err = {0};
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(report(state, out, &err), NAS_OK);
    (void)fclose(out);
    return text;
}

/* Of a run whose candidates left no files. */
static inline nas_status_t report_text(const nas_state_t *state, FILE *out, nas_error_t *err)
{
    return nas_report_text(state, "/nowhere/run.h5", out, err);
}

static inline void assert_80_columns(char *text)
{
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        cr_assert(strlen(line) <= 80, "too long: %s", line);
}

static inline void expect_keys(json_t *object, const char *const *key, size_t n)
{
    const char *name = NULL;
    json_t *value = NULL;
    size_t i = 0;
    json_object_foreach(object, name, value)
    {
        cr_assert(i < n, "an unexpected key %s", name);
        cr_assert_str_eq(name, key[i]);
        i++;
    }
    cr_assert_eq(i, n, "%s is missing", key[i < n ? i : 0]);
}

#endif
