#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>

static void an_error_says_what_and_about_what(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(error_set_about(&err, ABOUT_BLOB, ERROR_NOT_FOUND, "no %s", "blob"),
                     ERROR_NOT_FOUND);
    assert_int_equal(err.topic, ABOUT_BLOB);
    assert_string_equal(err.message, "no blob");
    assert_int_equal(error_set(&err, ERROR_INTERNAL, "broken"), ERROR_INTERNAL);
    assert_int_equal(err.topic, ABOUT_NOTHING);
    assert_int_equal(error_set(NULL, ERROR_DENIED, "nobody asks"), ERROR_DENIED);
}

static void a_long_message_is_cut(void **state)
{
    struct error err = {0};
    char text[2 * ERROR_MESSAGE_BYTES];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)error_set(&err, ERROR_INVALID, "%s", text);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_BYTES - 1);
    errno = EIO;
    (void)error_set_errno(&err, "%s", text);
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_BYTES - 1);
}

static void a_full_disk_has_a_code_of_its_own(void **state)
{
    struct error err = {0};

    (void)state;
    errno = ENOSPC;
    assert_int_equal(error_set_errno(&err, "cannot write %s", "x"), ERROR_NO_SPACE);
    assert_string_equal(err.message, "cannot write x: No space left on device");
    errno = EDQUOT;
    assert_int_equal(error_set_errno(&err, "cannot write"), ERROR_NO_SPACE);
    errno = EMFILE;
    assert_int_equal(error_set_errno(&err, "cannot open"), ERROR_UNAVAILABLE);
    errno = EIO;
    assert_int_equal(error_set_errno(&err, "cannot write"), ERROR_INTERNAL);
}

static void every_code_has_a_name(void **state)
{
    (void)state;
    for (int code = OK; code <= ERROR_INTERNAL; code++) {
        assert_true(strlen(error_code_name((enum error_code)code)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_says_what_and_about_what),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(a_full_disk_has_a_code_of_its_own),
        cmocka_unit_test(every_code_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
