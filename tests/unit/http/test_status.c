#include "http/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void usual_phrases_are_those_of_rfc_9110(void **state)
{
    (void)state;
    assert_string_equal(http_status_reason(200), "OK");
    assert_string_equal(http_status_reason(404), "Not Found");
    assert_string_equal(http_status_reason(413), "Content Too Large");
    assert_string_equal(http_status_reason(431), "Request Header Fields Too Large");
    assert_string_equal(http_status_reason(505), "HTTP Version Not Supported");
}

/* Whatever the parser refuses with has one. */
static void refusals_have_a_phrase(void **state)
{
    static const int statuses[] = {400, 408, 413, 414, 417, 431, 501, 503, 505};

    (void)state;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        assert_string_not_equal(http_status_reason(statuses[i]), "");
    }
}

static void an_unknown_status_has_an_empty_phrase(void **state)
{
    (void)state;
    assert_string_equal(http_status_reason(299), "");
    assert_string_equal(http_status_reason(0), "");
    assert_string_equal(http_status_reason(-1), "");
}

static void some_statuses_have_no_body(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        assert_int_equal(http_status_has_no_body(status),
                         status < 200 || status == 204 || status == 304);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_phrases_are_those_of_rfc_9110),
        cmocka_unit_test(refusals_have_a_phrase),
        cmocka_unit_test(an_unknown_status_has_an_empty_phrase),
        cmocka_unit_test(some_statuses_have_no_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
