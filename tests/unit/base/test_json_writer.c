#include "base/json_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void commas_and_colons_are_set(void **state)
{
    struct strbuf buf;
    struct json_writer writer;

    (void)state;
    strbuf_init(&buf, 1000);
    json_writer_init(&writer, &buf);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "a", str_from("b"));
    json_writer_member_uint64(&writer, "n", 5);
    json_writer_name(&writer, "list");
    json_writer_begin_array(&writer);
    json_writer_int64(&writer, INT64_MIN);
    json_writer_raw(&writer, str_from("true"));
    json_writer_null(&writer);
    json_writer_begin_object(&writer);
    json_writer_end_object(&writer);
    json_writer_raw(&writer, str_from("{\"x\":1}"));
    json_writer_end_array(&writer);
    json_writer_name(&writer, "empty");
    json_writer_begin_array(&writer);
    json_writer_end_array(&writer);
    json_writer_end_object(&writer);
    assert_string_equal(buf.text,
                        "{\"a\":\"b\",\"n\":5,\"list\":[-9223372036854775808,true,null,{},"
                        "{\"x\":1}],\"empty\":[]}");
    strbuf_release(&buf);
}

static void strings_cannot_break_out(void **state)
{
    static const struct {
        struct str value;
        const char *json;
    } cases[] = {
        {STR_LITERAL("plain"), "\"plain\""},
        {STR_LITERAL("a\"b\\c"), "\"a\\\"b\\\\c\""},
        {STR_LITERAL("\n\t\r\x01\x7f"), "\"\\n\\t\\u000d\\u0001\\u007f\""},
        {STR_LITERAL("\0"), "\"\\u0000\""},
        {STR_LITERAL("\xc2\x80\xc2\x9f\xc2\xa0"), "\"\\u0080\\u009f\xc2\xa0\""},
        {STR_LITERAL("gr\xc3\xbc\xc3\x9f"), "\"gr\xc3\xbc\xc3\x9f\""},
        {STR_LITERAL("\xff\xc3"), "\"\\ufffd\\ufffd\""},
        {STR_LITERAL("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""},
        {STR_LITERAL("\xf0\x9f\x90\xb3!"), "\"\xf0\x9f\x90\xb3!\""},
        {STR_LITERAL("\xe2\x80\xae\xe2\x80\xac\xe2\x80\xa8"), "\"\\u202e\\u202c\\u2028\""},
        {STR_LITERAL("\xf3\xa0\x81\x81"), "\"\\udb40\\udc41\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf buf;
        struct json_writer writer;

        strbuf_init(&buf, 1000);
        json_writer_init(&writer, &buf);
        json_writer_string(&writer, cases[i].value);
        assert_string_equal(buf.text, cases[i].json);
        strbuf_release(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_colons_are_set),
        cmocka_unit_test(strings_cannot_break_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
