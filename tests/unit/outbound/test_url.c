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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_but_unreserved_characters_are_encoded),
        cmocka_unit_test(parameters_are_joined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
