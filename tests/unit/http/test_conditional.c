#include "http/conditional.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"

static const struct str etag = STR_LITERAL("\"sha256:ab\"");

static void if_none_match_finds_the_tag_in_a_list(void **state)
{
    static const struct {
        const char *value;
        bool matches;
    } cases[] = {
        {"\"sha256:ab\"", true},
        {"W/\"sha256:ab\"", true},
        {"*", true},
        {" * ", true},
        {"  \"sha256:ab\"\t", true},
        {"\"x\", \"sha256:ab\"", true},
        {"\"x\",\"sha256:ab\",\"y\"", true},
        {"\"x\" ,W/\"y\"\t, W/\"sha256:ab\"", true},
        {",, \"sha256:ab\"", true},
        {"\"a,b\", \"sha256:ab\"", true},
        {"\"\", \"sha256:ab\"", true},
        {"\"sha256:ab\",", true},
        {"", false},
        {" ", false},
        {",", false},
        {"\"x\"", false},
        {"sha256:ab", false},
        {"\"sha256:ab", false},
        {"sha256:ab\"", false},
        {"\"sha256:abc\"", false},
        {"\"SHA256:AB\"", false},
        {"w/\"sha256:ab\"", false},
        {"W/ \"sha256:ab\"", false},
        {"\"x\" \"sha256:ab\"", false},
        {"\"x\"\"sha256:ab\"", false},
        {"\"sha256:ab\"x", false},
        {"\"x, \"sha256:ab\"", false},
        {"*, \"sha256:ab\"", false},
        {"x, \"sha256:ab\"", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (http_if_none_match(str_from(cases[i].value), etag) != cases[i].matches) {
            fail_msg("%s", cases[i].value);
        }
    }
    assert_false(http_if_none_match((struct str){0}, etag));
}

static void if_range_needs_exactly_the_strong_tag(void **state)
{
    static const struct {
        const char *value;
        bool allows;
    } cases[] = {
        {"\"sha256:ab\"", true},
        {" \"sha256:ab\" ", true},
        {"W/\"sha256:ab\"", false},
        {"\"x\"", false},
        {"*", false},
        {"", false},
        {"\"sha256:ab\", \"x\"", false},
        {"sha256:ab", false},
        {"Sun, 06 Nov 1994 08:49:37 GMT", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (http_if_range(str_from(cases[i].value), etag) != cases[i].allows) {
            fail_msg("%s", cases[i].value);
        }
    }
}

static void an_absent_if_range_allows_a_part(void **state)
{
    (void)state;
    assert_true(http_if_range((struct str){0}, etag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(if_none_match_finds_the_tag_in_a_list),
        cmocka_unit_test(if_range_needs_exactly_the_strong_tag),
        cmocka_unit_test(an_absent_if_range_allows_a_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
