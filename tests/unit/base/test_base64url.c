#include "base/base64url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

static const struct {
    const char *text;
    const char *bytes;
} pairs[] = {
    /* RFC 4648 10, without padding */
    {"", ""},
    {"Zg", "f"},
    {"Zm8", "fo"},
    {"Zm9v", "foo"},
    {"Zm9vYg", "foob"},
    {"Zm9vYmE", "fooba"},
    {"Zm9vYmFy", "foobar"},
    /* both characters that differ from plain base64 */
    {"-_8", "\xfb\xff"},
};

static void known_values_are_encoded_and_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        const struct str bytes = str_from(pairs[i].bytes);
        uint8_t decoded[16];
        struct strbuf text;

        strbuf_init(&text, 64);
        base64url_encode(bytes, &text);
        assert_string_equal(text.text, pairs[i].text);
        assert_int_equal(base64url_decode(str_from(pairs[i].text), decoded), bytes.length);
        assert_memory_equal(decoded, bytes.bytes, bytes.length);
        strbuf_release(&text);
    }
}

static void other_forms_are_refused(void **state)
{
    static const char *const refused[] = {
        "Z",  "Zg==", "Zg=",    "Zh",       "Zm9", "Zm9vZ", "+/8", "Zg\n", " Zg",
        "Z.", "A===", "Zm9vYh", "\xff\xff", "Z_9", "Zm8=",  "=",   "Zm 8",
    };
    uint8_t decoded[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        assert_int_equal(base64url_decode(str_from(refused[i]), decoded), BASE64URL_NOT);
    }
    assert_int_equal(base64url_decode((struct str){"Zg\0", 3}, decoded), BASE64URL_NOT);
}

/* RFC 4648 10, and both characters that the URL alphabet has not. */
static void the_usual_alphabet_is_padded(void **state)
{
    static const struct {
        struct str bytes;
        const char *text;
    } cases[] = {
        {STR_LITERAL(""), ""},
        {STR_LITERAL("f"), "Zg=="},
        {STR_LITERAL("fo"), "Zm8="},
        {STR_LITERAL("foo"), "Zm9v"},
        {STR_LITERAL("foob"), "Zm9vYg=="},
        {STR_LITERAL("fooba"), "Zm9vYmE="},
        {STR_LITERAL("foobar"), "Zm9vYmFy"},
        {STR_LITERAL("oauth2:a.b"), "b2F1dGgyOmEuYg=="},
        {STR_LITERAL("\0"), "AA=="},
        {STR_LITERAL("\xff\xff\xfe"), "///+"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf text;

        strbuf_init(&text, 100);
        strbuf_append_text(&text, ">");
        base64_encode(cases[i].bytes, &text);
        assert_int_equal(text.text[0], '>');
        assert_string_equal(text.text + 1, cases[i].text);
        strbuf_release(&text);
    }
}

static void all_lengths_go_there_and_back_within_the_promised_room(void **state)
{
    char bytes[100];

    (void)state;
    random_fill(bytes, sizeof(bytes));
    for (size_t length = 0; length <= sizeof(bytes); length++) {
        uint8_t *decoded = NULL;
        struct strbuf text;

        strbuf_init(&text, 200);
        base64url_encode((struct str){bytes, length}, &text);
        decoded = malloc(BASE64URL_DECODED_BYTES(text.length));
        assert_int_equal(base64url_decode(strbuf_str(&text), decoded), length);
        assert_memory_equal(decoded, bytes, length);
        free(decoded);
        strbuf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values_are_encoded_and_decoded),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(the_usual_alphabet_is_padded),
        cmocka_unit_test(all_lengths_go_there_and_back_within_the_promised_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
