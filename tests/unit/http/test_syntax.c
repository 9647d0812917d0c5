#include "http/syntax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char letters_and_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static void assert_class_is(enum http_byte_class byte_class, const char *others)
{
    for (unsigned byte = 1; byte < 256; byte++) {
        const bool wanted = strchr(letters_and_digits, (int)byte) || strchr(others, (int)byte);

        if (http_byte_is((char)byte, byte_class) != wanted) {
            fail_msg("byte 0x%02x", byte);
        }
    }
    assert_false(http_byte_is('\0', byte_class));
}

static void tokens_are_made_of_what_rfc_9110_says(void **state)
{
    (void)state;
    assert_class_is(HTTP_TOKEN_BYTE, "!#$%&'*+-.^_`|~");
}

static void targets_are_made_of_what_rfc_3986_says_without_the_fragment(void **state)
{
    (void)state;
    assert_class_is(HTTP_URI_BYTE, "-._~%:/?[]@!$&'()*+,;=");
}

static void hosts_are_made_of_letters_digits_and_little_else(void **state)
{
    (void)state;
    assert_class_is(HTTP_HOST_BYTE, "-._");
}

static void values_are_made_of_all_but_controls(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        const bool wanted = byte == '\t' || (byte >= ' ' && byte != 0x7f);

        assert_int_equal(http_byte_is((char)byte, HTTP_VALUE_BYTE), wanted);
    }
}

static void span_stops_at_the_first_other_byte(void **state)
{
    char text[] = "abcdefghijklmnop";

    (void)state;
    assert_int_equal(http_span(str_from(text), HTTP_TOKEN_BYTE), strlen(text));
    assert_int_equal(http_span((struct str){0}, HTTP_TOKEN_BYTE), 0);
    for (size_t i = 0; i < strlen(text); i++) {
        const char kept = text[i];

        text[i] = ':';
        assert_int_equal(http_span(str_from(text), HTTP_TOKEN_BYTE), i);
        text[i] = kept;
    }
}

/* Each byte at each place of a word of eight, and around it. */
static void span_of_a_value_agrees_with_the_table_at_every_place(void **state)
{
    char text[20];

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < sizeof(text); place++) {
            const struct str value = {text, sizeof(text)};

            memset(text, 'v', sizeof(text));
            text[place] = (char)byte;
            assert_int_equal(http_span_value(value), http_span(value, HTTP_VALUE_BYTE));
        }
    }
    assert_int_equal(http_span_value((struct str){0}), 0);
}

static void span_of_a_value_passes_over_tabs_and_bytes_above_ascii(void **state)
{
    const char text[] = "a\tb\xc3\xa4\x80\xff\t\t\t\t\t\t\t\t\t\t\t\tz\x1fxyz";

    (void)state;
    assert_int_equal(http_span_value(str_from(text)), strchr(text, 0x1f) - text);
}

static void good_authorities_are_valid(void **state)
{
    static const char *const good[] = {
        "localhost",
        "localhost:8080",
        "registry.example.com",
        "Registry.Example.COM:443",
        "127.0.0.1",
        "127.0.0.1:5000",
        "[::1]",
        "[::1]:8080",
        "[2001:db8::8:1]",
        "[::ffff:10.0.0.1]",
        "my_service:80",
        "example.com.",
        "a",
        "host:",
        "host:0",
        "host:65535",
        "host:00080",
        "xn--bcher-kva.ch",
        "a-b",
        "[::1]:",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (!http_authority_is_valid(str_from(good[i]))) {
            fail_msg("refused: %s", good[i]);
        }
    }
}

static void bad_authorities_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        ":80",
        "host:65536",
        "host:+80",
        "host:80:80",
        "host:80 ",
        "a b",
        "a,b",
        "a/b",
        "user@host",
        "host?",
        "host#",
        "a%41",
        "(host)",
        "\"host\"",
        "[",
        "[]",
        "[::1",
        "::1",
        "[::1]x",
        "[::1]:x",
        "[:::1]",
        "[::1%25eth0]",
        "[v1.fe]",
        "[127.0.0.1]",
        "[::g]",
        "host:99999999999999999999",
        "h\xc3\xb6st",
        "host\t",
        "a;b",
        "a~b",
        "[1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20]",
    };
    const struct str with_nul = {"ho\0st", 5};
    const struct str literal_with_nul = {"[::1\0]", 6};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (http_authority_is_valid(str_from(bad[i]))) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
    assert_false(http_authority_is_valid(with_nul));
    assert_false(http_authority_is_valid(literal_with_nul));
    assert_false(http_authority_is_valid((struct str){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_made_of_what_rfc_9110_says),
        cmocka_unit_test(targets_are_made_of_what_rfc_3986_says_without_the_fragment),
        cmocka_unit_test(hosts_are_made_of_letters_digits_and_little_else),
        cmocka_unit_test(values_are_made_of_all_but_controls),
        cmocka_unit_test(span_stops_at_the_first_other_byte),
        cmocka_unit_test(span_of_a_value_agrees_with_the_table_at_every_place),
        cmocka_unit_test(span_of_a_value_passes_over_tabs_and_bytes_above_ascii),
        cmocka_unit_test(good_authorities_are_valid),
        cmocka_unit_test(bad_authorities_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
