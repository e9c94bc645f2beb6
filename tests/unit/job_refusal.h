/* How a job file is refused. */
#ifndef NAS_TESTS_JOB_REFUSAL_H
#define NAS_TESTS_JOB_REFUSAL_H

#include "job_sandbox.h"

/* Reading the job is refused with this text, in which @ stands for the job file's path. */
static inline void assert_box_refused(sandbox_t box, nas_job_purpose_t purpose, const char *set,
                                      const char *expected)
{
    nas_job_t *job = NULL;
    const nas_status_t status = read_box(&box, purpose, set, &job);
    char text[NAS_ERROR_SIZE];
    const char *at = strchr(expected, '@');
    (void)snprintf(text, sizeof text, "%.*s%s%s", at ? (int)(at - expected) : 0, expected,
                   at ? box.path : "", at ? at + 1 : expected);
    sandbox_clear(&box);
    cr_assert_eq(status, NAS_EINPUT, "accepted, not %s", text);
    cr_assert_null(job);
    cr_assert_str_eq(box.err.text, text, "got      %s\nexpected %s", box.err.text, text);
}

static inline void assert_bytes_refused(const char *bytes, size_t size, const char *set,
                                        const char *expected)
{
    assert_box_refused(sandbox_of(bytes, size), NAS_JOB_SEARCH, set, expected);
}

static inline void assert_refused(const char *text, const char *set, const char *expected)
{
    assert_bytes_refused(text, strlen(text), set, expected);
}

typedef struct refusal {
    const char *text, *expected;
} refusal_t;

#endif
