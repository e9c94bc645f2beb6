#include "common/base/error.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

Test(error, set_formats_and_returns_the_status)
{
    nas_error_t err = {0};
    cr_assert_eq(nas_error_set(&err, NAS_EINPUT, "%s:%d: no such key", "job.yaml", 7), NAS_EINPUT);
    cr_assert_str_eq(err.text, "job.yaml:7: no such key");
    cr_assert_eq(nas_error_nomem(&err, "the table"), NAS_ENOMEM);
    cr_assert_str_eq(err.text, "out of memory for the table");
}

Test(error, may_be_unwanted)
{
    cr_assert_eq(nas_error_set(NULL, NAS_EIO, "%d", 1), NAS_EIO);
    cr_assert_eq(nas_error_nomem(NULL, "x"), NAS_ENOMEM);
}

Test(error, long_text_is_cut)
{
    nas_error_t err = {0};
    char text[2 * NAS_ERROR_SIZE];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)nas_error_set(&err, NAS_EIO, "%s", text);
    cr_assert_eq(strlen(err.text), NAS_ERROR_SIZE - 1);
}

Test(error, stays_one_line)
{
    nas_error_t err = {0};
    (void)nas_error_set(&err, NAS_EINPUT, "a\nb\tc\x1b[0m\x7f \xc3\xa9");
    cr_assert_str_eq(err.text, "a?b?c?[0m? \xc3\xa9");
}

Test(error, text_may_be_its_own_argument)
{
    nas_error_t err = {0};
    (void)nas_error_set(&err, NAS_EINPUT, "inner");
    (void)nas_error_set(&err, NAS_EINPUT, "outer: %s", err.text);
    cr_assert_str_eq(err.text, "outer: inner");
}

Test(error, exit_codes)
{
    cr_assert_eq(nas_exit_code(NAS_OK), 0);
    cr_assert_eq(nas_exit_code(NAS_ESTOP), 75);
    cr_assert_eq(nas_exit_code(NAS_EARG), 2);
    cr_assert_eq(nas_exit_code(NAS_EINPUT), 2);
    cr_assert_eq(nas_exit_code(NAS_EFAILED), 1);
    cr_assert_eq(nas_exit_code(NAS_ENUMERIC), 1);
    cr_assert_eq(nas_exit_code(NAS_EIO), 1);
    cr_assert_eq(nas_exit_code(NAS_ENOMEM), 1);
    cr_assert_eq(nas_exit_code(NAS_ECOMM), 1);
}

Test(error, failed_assertion_aborts, .signal = SIGABRT)
{
    const int one = 1;
    NAS_ASSERT(one == 1);
    NAS_ASSERT(one == 2);
}
