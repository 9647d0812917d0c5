#include "aws/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void texts_are_found_by_name(void **state)
{
    static const struct {
        const char *xml;
        const char *name;
        const char *text; /* NULL: not found */
    } rows[] = {
        {"<A><Code>SlowDown</Code></A>", "Code", "SlowDown"},
        {"<?xml version=\"1.0\"?>\n<Error><Code>One</Code><Code>Two</Code></Error>", "Code", "One"},
        {"<Code></Code>", "Code", ""},
        {"<ETag>&quot;ab&quot;</ETag>", "ETag", "\"ab\""},
        {"<E>&lt;&gt;&amp;&apos;&#34;&#39;&unknown;&</E>", "E", "<>&'\"'&unknown;&"},
        {"<CodeX>no</CodeX><Code>yes</Code>", "Code", "yes"},
        {"<Code>never ends", "Code", NULL},
        {"<Code><B>nested</B></Code>", "Code", NULL},
        {"<Code>other</Cod>", "Code", NULL},
        {"<Code", "Code", NULL},
        {"<Code>", "Code", NULL},
        {"", "Code", NULL},
        {"<<<<", "Code", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct strbuf text;

        strbuf_init(&text, 100);
        assert_int_equal(aws_xml_text(str_from(rows[i].xml), rows[i].name, &text),
                         rows[i].text != NULL);
        assert_string_equal(text.text, rows[i].text ? rows[i].text : "");
        strbuf_release(&text);
    }
}

static void a_text_is_compared_whole(void **state)
{
    const struct str xml = STR_LITERAL("<Status>Enabled</Status>");

    (void)state;
    assert_true(aws_xml_is(xml, "Status", "Enabled"));
    assert_false(aws_xml_is(xml, "Status", "Enable"));
    assert_false(aws_xml_is(xml, "Other", "Enabled"));
}

static void what_is_appended_comes_back(void **state)
{
    const struct str text = STR_LITERAL("\"<a & 'b'>\"");
    struct strbuf xml;
    struct strbuf found;

    (void)state;
    strbuf_init(&xml, 200);
    strbuf_init(&found, 200);
    strbuf_append_text(&xml, "<E>");
    aws_xml_append(&xml, text);
    strbuf_append_text(&xml, "</E>");
    assert_true(aws_xml_text(strbuf_str(&xml), "E", &found));
    assert_true(str_equal(strbuf_str(&found), text));
    strbuf_release(&xml);
    strbuf_release(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_found_by_name),
        cmocka_unit_test(a_text_is_compared_whole),
        cmocka_unit_test(what_is_appended_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
