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

/* RFC 3629 3, of what takes several bytes. */
static struct str encode(uint32_t point, char bytes[4])
{
    const size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t i = length; i-- > 1; point >>= 6) {
        bytes[i] = (char)(0x80 | (point & 0x3f));
    }
    bytes[0] = (char)(0xf00U >> length | point);
    return (struct str){bytes, length};
}

static void what_has_no_shape_is_hidden(void **state)
{
    static const struct {
        uint32_t point;
        bool is_hidden;
    } rows[] = {
        {0x80, true},    {0x9f, true},    {0xa0, false},    {0xad, true},    {0xe9, false},
        {0x61c, true},   {0x200a, false}, {0x200b, true},   {0x200e, true},  {0x200f, true},
        {0x2010, false}, {0x2027, false}, {0x2028, true},   {0x2029, true},  {0x202a, true},
        {0x202e, true},  {0x202f, false}, {0x2066, true},   {0x2069, true},  {0x20ac, false},
        {0xfeff, true},  {0xfffd, false}, {0x1f433, false}, {0xe0020, true}, {0x10ffff, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char bytes[4];
        const struct str character = encode(rows[i].point, bytes);

        assert_int_equal(utf8_character_length(character), character.length);
        assert_int_equal(utf8_code_point(character), rows[i].point);
        assert_int_equal(utf8_is_hidden(character), rows[i].is_hidden);
    }
    assert_int_equal(utf8_code_point(str_from("a")), 'a');
    assert_false(utf8_is_hidden(str_from("a")));
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
        cmocka_unit_test(what_has_no_shape_is_hidden),
        cmocka_unit_test(plain_text_needs_no_escape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
