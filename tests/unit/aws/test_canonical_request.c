#include "aws/canonical_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attributes.h"

enum { TEXT_MAX_BYTES = 1024 };

static void a_path_is_encoded_once_and_keeps_its_slashes(void **state)
{
    static const struct {
        const char *path;
        const char *encoded;
    } cases[] = {
        {"/", "/"},
        {"/a/b", "/a/b"},
        {"/a//b/", "/a//b/"},
        {"//", "//"},
        {"/a/../b", "/a/../b"},
        {"/a b+c:d@e", "/a%20b%2Bc%3Ad%40e"},
        {"/100%25", "/100%2525"},
        {"/\xe1\x88\xb4", "/%E1%88%B4"},
        {"/-._~AZaz09", "/-._~AZaz09"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf buf;

        strbuf_init(&buf, TEXT_MAX_BYTES);
        aws_canonical_path(&buf, str_from(cases[i].path));
        assert_string_equal(buf.text, cases[i].encoded);
        strbuf_release(&buf);
    }
}

/* The order is that of the encoded text: `é` stands before `-` there, and is greater otherwise. */
static void a_query_is_in_the_order_of_its_encoded_text(void **state)
{
    struct aws_pair query[] = {
        {STR_LITERAL("uploads"), {0}},
        {STR_LITERAL("a-"), STR_LITERAL("2")},
        {STR_LITERAL("a\xc3\xa9"), STR_LITERAL("1 1")},
        {STR_LITERAL("a "), STR_LITERAL("0")},
        {STR_LITERAL("a"), STR_LITERAL("z")},
        {STR_LITERAL("a"), STR_LITERAL("/")},
        {STR_LITERAL("a"), STR_LITERAL("")},
        {STR_LITERAL("B"), STR_LITERAL("=&")},
        {STR_LITERAL("a~"), STR_LITERAL("3")},
    };
    struct strbuf buf;

    (void)state;
    strbuf_init(&buf, TEXT_MAX_BYTES);
    aws_canonical_query(&buf, query, ARRAY_LEN(query));
    assert_string_equal(buf.text, "B=%3D%26&a=&a=%2F&a=z&a%20=0&a%C3%A9=1%201&a-=2&a~=3&uploads=");
    strbuf_release(&buf);
}

static void headers_are_sorted_trimmed_and_their_spaces_collapsed(void **state)
{
    struct aws_pair headers[] = {
        {STR_LITERAL("range"), STR_LITERAL(" bytes=0-9\t")},
        {STR_LITERAL("host"), STR_LITERAL("b.example")},
        {STR_LITERAL("content-type"), STR_LITERAL("a   b  \"c   d\"")},
        {STR_LITERAL("empty"), STR_LITERAL("")},
    };
    struct strbuf buf;

    (void)state;
    strbuf_init(&buf, TEXT_MAX_BYTES);
    aws_canonical_headers(&buf, headers, ARRAY_LEN(headers));
    aws_canonical_names(&buf, headers, ARRAY_LEN(headers));
    assert_string_equal(buf.text, "content-type:a b \"c d\"\nempty:\nhost:b.example\n"
                                  "range:bytes=0-9\ncontent-type;empty;host;range");
    strbuf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_encoded_once_and_keeps_its_slashes),
        cmocka_unit_test(a_query_is_in_the_order_of_its_encoded_text),
        cmocka_unit_test(headers_are_sorted_trimmed_and_their_spaces_collapsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
