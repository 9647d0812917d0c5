#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void characters_have_lengths(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\xc2\x80", 2},
        {"\xdf\xbf", 2},
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xef\xbf\xbf", 3},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"", 0},
        {"\x80", 0},     /* a tail alone */
        {"\xc0\x80", 0}, /* overlong NUL */
        {"\xc1\xbf", 0},
        {"\xc2", 0}, /* cut */
        {"\xc2\x41", 0},
        {"\xe0\x9f\xbf", 0}, /* overlong */
        {"\xed\xa0\x80", 0}, /* surrogate */
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xe1\x80", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(utf8_character_length(str_from(cases[i].text)), cases[i].length);
        assert_int_equal(utf8_is_valid(str_from(cases[i].text)),
                         cases[i].length == strlen(cases[i].text));
    }
    assert_true(utf8_is_valid(str_from("a\xc3\xbcz")));
    assert_false(utf8_is_valid(str_from("a\xc3")));
}

static void plain_text_needs_no_escape(void **state)
{
    (void)state;
    assert_int_equal(utf8_plain_prefix(str_from("abc\"d")), 3);
    assert_int_equal(utf8_plain_prefix(str_from("a\\")), 1);
    assert_int_equal(utf8_plain_prefix(str_from("\n")), 0);
    assert_int_equal(utf8_plain_prefix(str_from("a\x7f")), 1);
    assert_int_equal(utf8_plain_prefix(str_from("a\xc3\xbc")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_have_lengths),
        cmocka_unit_test(plain_text_needs_no_escape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
