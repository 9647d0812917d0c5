#include "outbound/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void all_but_unreserved_characters_are_encoded(void **state)
{
    const struct str bytes = {"aZ09-._~ /?#&=+%:\xc3\xa4\0x", 21};
    struct strbuf buf;

    (void)state;
    strbuf_init(&buf, 1000);
    url_append_encoded(&buf, bytes);
    assert_string_equal(buf.text, "aZ09-._~%20%2F%3F%23%26%3D%2B%25%3A%C3%A4%00x");
    strbuf_release(&buf);
}

static void parameters_are_joined(void **state)
{
    struct strbuf buf;

    (void)state;
    strbuf_init(&buf, 1000);
    strbuf_append_text(&buf, "http://host/path?");
    url_append_parameter(&buf, "a", str_from("1"));
    url_append_parameter(&buf, "b c", str_from("2&3"));
    assert_string_equal(buf.text, "http://host/path?a=1&b%20c=2%263");
    strbuf_clear(&buf);
    url_append_parameter(&buf, "a", str_from(""));
    url_append_parameter(&buf, "b", str_from("2"));
    assert_string_equal(buf.text, "a=&b=2");
    strbuf_release(&buf);
}

static void references_are_resolved(void **state)
{
    static const struct {
        const char *reference;
        const char *url; /* NULL: it is none */
    } cases[] = {
        {"https://else.where:1/x?sig=a%2Fb+c%3d", "https://else.where:1/x?sig=a%2Fb+c%3d"},
        {"/x?y=1", "http://host:5000/x?y=1"},
        {"c", "http://host:5000/a/c"},
        {"../c/./d", "http://host:5000/c/d"},
        {"?q=2", "http://host:5000/a/b?q=2"},
        {"//else.where/x", "http://else.where/x"},
        {"", NULL},
        {"http://", NULL},
    };
    struct strbuf buf;

    (void)state;
    strbuf_init(&buf, 1000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        strbuf_clear(&buf);
        assert_int_equal(url_append_resolved(&buf, "http://host:5000/a/b?q=1", cases[i].reference),
                         cases[i].url != NULL);
        assert_string_equal(buf.text ? buf.text : "", cases[i].url ? cases[i].url : "");
    }
    assert_false(url_append_resolved(&buf, "", "c"));
    strbuf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_but_unreserved_characters_are_encoded),
        cmocka_unit_test(parameters_are_joined),
        cmocka_unit_test(references_are_resolved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
