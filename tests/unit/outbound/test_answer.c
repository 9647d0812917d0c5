#include "outbound/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"

static void wanted_fields_are_found_in_any_case(void **state)
{
    static const struct {
        const char *name;
        const char *value; /* NULL: none */
    } cases[] = {
        {"Link", "</a>; rel=\"next\""},
        {"LINK", "</a>; rel=\"next\""},
        {"location", "https://a.b:5000/c"},
        {"Empty", ""},
        {"Lin", NULL},
        {"Links", NULL},
        {"", NULL},
    };
    struct outbound_answer answer = {0};

    (void)state;
    strbuf_init(&answer.fields, 1000);
    strbuf_append_text(&answer.fields, "link:\t</a>; rel=\"next\" \r\nEmpty:\r\n"
                                       "Location: https://a.b:5000/c\r\nLink: second\r\n");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct str found = outbound_answer_field(&answer, cases[i].name);

        if (cases[i].value) {
            assert_true(str_is(found, cases[i].value));
            assert_non_null(found.bytes);
        } else {
            assert_null(found.bytes);
        }
    }
    outbound_answer_release(&answer);
}

static void an_answer_may_have_no_fields(void **state)
{
    struct outbound_answer answer = {0};

    (void)state;
    strbuf_init(&answer.body, 10);
    strbuf_init(&answer.fields, 0);
    assert_null(outbound_answer_field(&answer, "Link").bytes);
    outbound_answer_release(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wanted_fields_are_found_in_any_case),
        cmocka_unit_test(an_answer_may_have_no_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
