#include "outbound/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void fields_are_found_by_name(void **state)
{
    struct outbound_answer answer = {0};

    (void)state;
    strbuf_init(&answer.fields, 1000);
    strbuf_init(&answer.body, 10);
    strbuf_append_text(&answer.fields, "ETag: \"a:b\"\r\nlink:</x>; rel=\"next\"  \r\nEmpty:\r\n");
    assert_true(str_is(outbound_answer_field(&answer, "etag"), "\"a:b\""));
    assert_true(str_is(outbound_answer_field(&answer, "Link"), "</x>; rel=\"next\""));
    assert_int_equal(outbound_answer_field(&answer, "Empty").length, 0);
    assert_null(outbound_answer_field(&answer, "Other").bytes);
    outbound_answer_release(&answer);
}

int main(void)
{
    const struct CMUnitTest answer[] = {
        cmocka_unit_test(fields_are_found_by_name),
    };

    return cmocka_run_group_tests(answer, NULL, NULL);
}
