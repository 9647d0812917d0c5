#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"

static const char *const names[] = {"listen", "data", "tls.certificate", "tls.key",
                                    "limits.idle_timeout"};

static void assert_hint(const char *wrong, const char *hint)
{
    char text[NEAREST_HINT_BYTES];
    struct nearest nearest;

    nearest_init(&nearest, str_from(wrong));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        nearest_offer(&nearest, str_from(names[i]));
    }
    nearest_hint(&nearest, text);
    assert_string_equal(text, hint);
}

static void a_slip_of_the_fingers_is_understood(void **state)
{
    (void)state;
    assert_hint("lisen", "; did you mean \"listen\"?");
    assert_hint("listenn", "; did you mean \"listen\"?");
    assert_hint("tls.certificat", "; did you mean \"tls.certificate\"?");
    assert_hint("tls.kye", "; did you mean \"tls.key\"?");
}

static void case_and_separator_do_not_count(void **state)
{
    (void)state;
    assert_hint("TLS_KEY", "; did you mean \"tls.key\"?");
    assert_hint("LIMITS_IDLE_TIMEOU", "; did you mean \"limits.idle_timeout\"?");
}

static void a_name_without_its_section_is_found(void **state)
{
    (void)state;
    assert_hint("certificate", "; did you mean \"tls.certificate\"?");
    assert_hint("idle_timeout", "; did you mean \"limits.idle_timeout\"?");
}

static void nothing_near_gives_no_hint(void **state)
{
    char longest[100];

    (void)state;
    assert_hint("", "");
    assert_hint("colour", "");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_hint(longest, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_fingers_is_understood),
        cmocka_unit_test(case_and_separator_do_not_count),
        cmocka_unit_test(a_name_without_its_section_is_found),
        cmocka_unit_test(nothing_near_gives_no_hint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
