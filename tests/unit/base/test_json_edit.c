#include "base/json_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX_BYTES = 4096 };

static struct json_value *parse(const char *text)
{
    struct json_value *json = NULL;

    assert_int_equal(json_value_parse(str_from(text), &json, NULL), OK);
    return json;
}

static void assert_writes(struct json_value *json, unsigned indent, const char *expected)
{
    struct strbuf text;

    strbuf_init(&text, TEXT_MAX_BYTES);
    json_edit_write(json, indent, &text);
    assert_string_equal(text.text, expected);
    strbuf_release(&text);
}

static void what_is_not_touched_stays_as_it_was(void **state)
{
    static const char *const texts[] = {
        "{}",
        "{\"z\":1,\"a\":[true,false,null],\"m\":{\"y\":-1,\"x\":\"\"}}",
        "{\"big\":9223372036854775807,\"small\":-9223372036854775808}",
        "{\"half\":0.5,\"tenth\":0.10000000000000001}",
        "{\"name\":\"caf\xc3\xa9 \\\"\\\\\\n\"}",
        "{\"\":0}",
        "[1,2]",
        "\"text\"",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json_value *const json = parse(texts[i]);

        assert_writes(json, 0, texts[i]);
        json_value_free(json);
    }
}

static void members_are_set_where_they_stand_or_at_the_end(void **state)
{
    struct json_value *const json = parse("{\"b\":1,\"a\":2}");

    (void)state;
    json_edit_set_text(json, "b", str_from("one"));
    json_edit_set_int64(json, "c", INT64_MIN);
    json_edit_set_text(json, "d", (struct str){NULL, 0});
    assert_writes(json, 0, "{\"b\":\"one\",\"a\":2,\"c\":-9223372036854775808,\"d\":\"\"}");
    json_value_free(json);
}

static void text_that_is_not_utf8_becomes_empty(void **state)
{
    struct json_value *const json = json_edit_new_object();

    (void)state;
    json_edit_set_text(json, "a", str_from("\xff\xfe"));
    assert_writes(json, 0, "{\"a\":\"\"}");
    json_value_free(json);
}

static void objects_are_found_made_or_put_in_the_place_of_others(void **state)
{
    struct json_value *const json = parse("{\"there\":{\"x\":1},\"text\":\"t\",\"list\":[]}");

    (void)state;
    json_edit_set_int64(json_edit_object(json, "there"), "y", 2);
    json_edit_set_int64(json_edit_object(json, "text"), "y", 3);
    json_edit_set_int64(json_edit_object(json, "list"), "y", 4);
    (void)json_edit_object(json, "new");
    assert_writes(json, 0,
                  "{\"there\":{\"x\":1,\"y\":2},\"text\":{\"y\":3},\"list\":{\"y\":4},\"new\":{}}");
    json_value_free(json);
}

static void removing_says_whether_it_was_there(void **state)
{
    struct json_value *const json = parse("{\"a\":1,\"b\":2,\"c\":3}");
    struct json_value *const list = parse("[1]");

    (void)state;
    assert_true(json_edit_remove(json, "b"));
    assert_false(json_edit_remove(json, "b"));
    assert_false(json_edit_remove(list, "b"));
    assert_writes(json, 0, "{\"a\":1,\"c\":3}");
    json_value_free(list);
    json_value_free(json);
}

static void it_is_indented_as_asked(void **state)
{
    struct json_value *const json = parse("{\"a\":{\"b\":[1]}}");

    (void)state;
    assert_writes(json, 2, "{\n  \"a\": {\n    \"b\": [\n      1\n    ]\n  }\n}");
    json_value_free(json);
}

struct seen {
    char names[TEXT_MAX_BYTES];
    size_t left;
};

static bool see(void *context, const char *name, const struct json_value *value)
{
    struct seen *const seen = context;
    uint64_t number = 0;

    assert_true(json_value_uint64(value, &number));
    (void)snprintf(seen->names + strlen(seen->names), sizeof(seen->names) - strlen(seen->names),
                   "%s=%u ", name, (unsigned)number);
    return --seen->left > 0;
}

static void members_are_visited_in_order_until_it_is_enough(void **state)
{
    static const struct {
        size_t wanted;
        const char *seen;
    } cases[] = {{1, "z=1 "}, {2, "z=1 a=2 "}, {9, "z=1 a=2 m=3 "}};
    struct json_value *const json = parse("{\"z\":1,\"a\":2,\"m\":3}");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct seen seen = {.left = cases[i].wanted};
        const struct json_visitor visitor = {&seen, see};

        json_edit_each(json, &visitor);
        assert_string_equal(seen.names, cases[i].seen);
    }
    json_value_free(json);
}

static void nothing_has_no_members(void **state)
{
    struct seen seen = {.left = 1};
    const struct json_visitor visitor = {&seen, see};

    (void)state;
    json_edit_each(NULL, &visitor);
    assert_string_equal(seen.names, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_touched_stays_as_it_was),
        cmocka_unit_test(members_are_set_where_they_stand_or_at_the_end),
        cmocka_unit_test(text_that_is_not_utf8_becomes_empty),
        cmocka_unit_test(objects_are_found_made_or_put_in_the_place_of_others),
        cmocka_unit_test(removing_says_whether_it_was_there),
        cmocka_unit_test(it_is_indented_as_asked),
        cmocka_unit_test(members_are_visited_in_order_until_it_is_enough),
        cmocka_unit_test(nothing_has_no_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
