#include "base/json_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX_BYTES = 4096 };

/* Parses, changes, and gives what is written. */
static const char *edited(const char *text, void (*change)(struct json_value *), unsigned indent)
{
    static struct strbuf buf;
    struct json_value *json = NULL;

    strbuf_release(&buf);
    strbuf_init(&buf, TEXT_MAX_BYTES);
    assert_int_equal(json_value_parse(str_from(text), &json, NULL), OK);
    change(json);
    json_edit_write(json, indent, &buf);
    json_value_free(json);
    return buf.text;
}

static void nothing(struct json_value *json)
{
    (void)json;
}

static void set_some(struct json_value *json)
{
    json_edit_set_text(json, "b", str_from("new \"b\""));
    json_edit_set_int64(json, "n", -5);
    json_edit_set_text(json_edit_object(json, "c"), "d", str_from(""));
}

static void remove_some(struct json_value *json)
{
    assert_true(json_edit_remove(json, "a"));
    assert_false(json_edit_remove(json, "a"));
}

static void what_is_not_touched_stays(void **state)
{
    static const char *const texts[] = {
        "{}", "{\"z\":1,\"a\":[1,2.5,null,true],\"m\":{\"\":\"\\u0001\"}}", "[]", "\"x\"",
        "{\"big\":9007199254740993,\"real\":0.10000000000000001}"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_string_equal(edited(texts[i], nothing, 0), texts[i]);
    }
}

static void members_are_set_in_their_place(void **state)
{
    (void)state;
    assert_string_equal(edited("{\"a\":1,\"b\":2,\"z\":3}", set_some, 0),
                        "{\"a\":1,\"b\":\"new \\\"b\\\"\",\"z\":3,\"n\":-5,\"c\":{\"d\":\"\"}}");
    assert_string_equal(edited("{\"c\":[]}", set_some, 0),
                        "{\"c\":{\"d\":\"\"},\"b\":\"new \\\"b\\\"\",\"n\":-5}");
}

static void members_are_removed(void **state)
{
    (void)state;
    assert_string_equal(edited("{\"a\":1,\"b\":2}", remove_some, 0), "{\"b\":2}");
}

static void writing_may_be_indented(void **state)
{
    (void)state;
    assert_string_equal(edited("{\"a\":{\"b\":1}}", nothing, 2),
                        "{\n  \"a\": {\n    \"b\": 1\n  }\n}");
}

static bool note(void *context, const char *name, const struct json_value *value)
{
    struct strbuf *buf = context;

    assert_non_null(value);
    strbuf_append_text(buf, name);
    return buf->length < 2;
}

static void members_are_visited_in_order(void **state)
{
    struct json_value *json = NULL;
    struct strbuf names;
    const struct json_visitor visitor = {&names, note};

    (void)state;
    strbuf_init(&names, TEXT_MAX_BYTES);
    assert_int_equal(json_value_parse(str_from("{\"z\":1,\"a\":2,\"m\":3}"), &json, NULL), OK);
    json_edit_each(json, &visitor);
    assert_string_equal(names.text, "za");
    json_edit_each(NULL, &visitor);
    assert_string_equal(names.text, "za");
    json_value_free(json);
    strbuf_release(&names);
}

static void new_objects_are_empty(void **state)
{
    struct json_value *json = json_edit_new_object();
    struct strbuf text;

    (void)state;
    strbuf_init(&text, TEXT_MAX_BYTES);
    json_edit_set_text(json, "a", (struct str){"\xff", 1}); /* no UTF-8 */
    json_edit_write(json, 0, &text);
    assert_string_equal(text.text, "{\"a\":\"\"}");
    json_value_free(json);
    strbuf_release(&text);
}

int main(void)
{
    const struct CMUnitTest json_edit[] = {
        cmocka_unit_test(what_is_not_touched_stays),
        cmocka_unit_test(members_are_set_in_their_place),
        cmocka_unit_test(members_are_removed),
        cmocka_unit_test(writing_may_be_indented),
        cmocka_unit_test(members_are_visited_in_order),
        cmocka_unit_test(new_objects_are_empty),
    };

    return cmocka_run_group_tests(json_edit, NULL, NULL);
}
