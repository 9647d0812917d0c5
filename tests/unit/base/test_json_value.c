#include "base/json_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct json_value *parse(const char *text)
{
    struct json_value *value = NULL;

    assert_int_equal(json_value_parse(str_from(text), &value, NULL), OK);
    return value;
}

static void members_and_elements_are_found(void **state)
{
    struct json_value *value = parse("{\"a\":[\"x\",7],\"s\":\"t\\u00fcu\",\"n\":-1,\"r\":1.5}");
    const struct json_value *array = json_value_member(value, "a");
    uint64_t number = 0;

    (void)state;
    assert_true(json_value_is_object(value));
    assert_true(json_value_is_array(array));
    assert_int_equal(json_value_length(array), 2);
    assert_true(json_value_is_string(json_value_element(array, 0)));
    assert_true(json_value_uint64(json_value_element(array, 1), &number));
    assert_int_equal(number, 7);
    assert_false(json_value_uint64(json_value_member(value, "n"), &number));
    assert_false(json_value_uint64(json_value_member(value, "r"), &number));
    assert_int_equal(json_value_member_string(value, "s").length, 4);
    json_value_free(value);
}

static void only_true_is_true_and_only_false_is_false(void **state)
{
    struct json_value *value = parse("[true,false,null,0,1,\"true\",\"false\",[],{}]");

    (void)state;
    for (size_t i = 0; i < json_value_length(value); i++) {
        assert_int_equal(json_value_is_true(json_value_element(value, i)), i == 0);
        assert_int_equal(json_value_is_false(json_value_element(value, i)), i == 1);
    }
    assert_false(json_value_is_true(NULL) || json_value_is_false(NULL));
    json_value_free(value);
}

static void what_is_absent_can_be_asked_further(void **state)
{
    struct json_value *value = parse("[1]");
    uint64_t number = 0;

    (void)state;
    assert_null(json_value_member(value, "a"));
    assert_null(json_value_member(json_value_member(NULL, "a"), "b"));
    assert_null(json_value_element(value, 1));
    assert_int_equal(json_value_length(NULL), 0);
    assert_null(json_value_string(json_value_element(value, 0)).bytes);
    assert_null(json_value_member_string(NULL, "a").bytes);
    assert_false(json_value_uint64(NULL, &number));
    assert_false(json_value_is_object(NULL) || json_value_is_array(NULL) ||
                 json_value_is_string(NULL));
    json_value_free(value);
    json_value_free(NULL);
}

static void bad_json_is_refused_with_a_place(void **state)
{
    static const char *const texts[] = {
        "",      "{",       "{}x",         "[1,]",        "\"\xff\"", "nul",
        "'a'",   "[1] [2]", "{\"a\" 1}",   "\"\\ud800\"", "01",       "[\"a]",
        "{a:1}", "\"\n\"",  "\"\\u0000\"", "[1e999]",     "/* */ 1",  "\xef\xbb\xbf{}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json_value *value = NULL;
        struct error err = {0};

        assert_int_equal(json_value_parse(str_from(texts[i]), &value, &err), ERROR_INVALID);
        assert_non_null(strstr(err.message, "line"));
        assert_null(value);
    }
}

static void name_that_stands_twice_is_a_conflict(void **state)
{
    static const char *const texts[] = {
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":1}",
        "[{\"b\":{\"a\":null,\"c\":1,\"a\":null}}]",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json_value *value = NULL;
        struct error err = {0};

        assert_int_equal(json_value_parse(str_from(texts[i]), &value, &err), ERROR_CONFLICT);
        assert_non_null(strstr(err.message, "duplicate"));
    }
}

static void names_are_told_apart_by_case(void **state)
{
    static const char *const names[] = {"size", "key", "os.version"};
    static const struct {
        const char *text;
        enum error_code code;
    } rows[] = {
        {"{\"size\":1,\"key\":2,\"other\":3,\"siz\":4,\"sizes\":5}", OK},
        {"{\"Size\":1}", ERROR_CONFLICT},
        {"{\"size\":1,\"SIZE\":2}", ERROR_CONFLICT},
        {"{\"\xc5\xbfize\":1}", ERROR_CONFLICT},
        {"{\"\\u212aey\":1}", ERROR_CONFLICT},
        {"{\"OS.Ver\\u017fion\":1}", ERROR_CONFLICT},
        {"{\"s\xc4\xb1ze\":1,\"\xc5\xbf\":1,\"\xc5\":1}", ERROR_INVALID},
        {"{\"s\xc4\xb1ze\":1,\"\xc5\xbf\":1,\"\":1}", OK},
        {"{\"in\":{\"Size\":1}}", OK},
        {"[\"Size\"]", OK},
        {"null", OK},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_value *value = NULL;
        struct error err = {0};
        enum error_code code = json_value_parse(str_from(rows[i].text), &value, &err);

        if (!code) {
            code = json_value_check_names(value, names, ARRAY_LEN(names), &err);
        }
        assert_int_equal(code, rows[i].code);
        json_value_free(value);
    }
}

static void values_are_bounded_before_they_are_parsed(void **state)
{
    static char text[3 * JSON_MAX_VALUES];
    struct json_value *value = NULL;
    struct error err = {0};
    size_t length = 0;

    (void)state;
    text[length++] = '[';
    while (length < sizeof(text) - 3) {
        text[length++] = '{';
        text[length++] = '}';
        text[length++] = ',';
    }
    text[length - 1] = ']'; /* the array and JSON_MAX_VALUES - 1 objects */
    assert_int_equal(json_value_parse((struct str){text, length}, &value, &err), OK);
    json_value_free(value);
    text[length - 1] = ',';
    text[length++] = '1';
    text[length++] = ']';
    value = NULL;
    assert_int_equal(json_value_parse((struct str){text, length}, &value, &err), ERROR_TOO_LARGE);
    assert_null(value);
}

static void memory_is_no_less_than_it_takes(void **state)
{
    static const struct {
        const char *text;
        size_t values;
    } rows[] = {
        {"", 1},        {"1", 1},           {"[]", 1},
        {"{ }", 1},     {"[ 1 ]", 2},       {"{\"a,b[\": [1, {}]}", 4},
        {"[[],[]]", 3}, {"\"\\\",,,\"", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(json_value_memory_bytes(str_from(rows[i].text)),
                         rows[i].values * JSON_VALUE_BYTES + strlen(rows[i].text));
    }
}

static void null_may_stand_for_what_is_absent(void **state)
{
    struct json_value *value = parse("{\"a\":null,\"b\":0}");

    (void)state;
    assert_non_null(json_value_member(value, "a"));
    assert_null(json_value_present(value, "a"));
    assert_non_null(json_value_present(value, "b"));
    assert_null(json_value_present(value, "c"));
    assert_null(json_value_present(NULL, "a"));
    json_value_free(value);
}

static void depth_is_bounded_before_it_recurses(void **state)
{
    char text[200001];
    struct json_value *value = NULL;
    struct error err = {0};

    (void)state;
    memset(text, '[', sizeof(text));
    assert_int_equal(json_value_parse((struct str){text, sizeof(text)}, &value, &err),
                     ERROR_INVALID);
    assert_non_null(strstr(err.message, "nests deeper"));
    memset(text, '[', JSON_MAX_DEPTH);
    memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    assert_int_equal(json_value_parse((struct str){text, 2 * JSON_MAX_DEPTH}, &value, &err), OK);
    json_value_free(value);
}

static void brackets_in_strings_are_not_depth(void **state)
{
    char text[1000];
    struct json_value *value = NULL;

    (void)state;
    memset(text, '[', sizeof(text));
    text[0] = text[2] = '"';
    text[1] = '\\';
    text[sizeof(text) - 1] = '"';
    assert_int_equal(json_value_parse((struct str){text, sizeof(text)}, &value, NULL), OK);
    json_value_free(value);
}

static void an_object_of_strings_is_written_in_order(void **state)
{
    struct json_value *good = parse("{\"b\": \"1\", \"a\": \"q\\\"\"}");
    struct json_value *bad = parse("{\"b\": 1}");
    struct strbuf buf;

    (void)state;
    strbuf_init(&buf, 100);
    assert_true(json_value_write_strings(good, &buf));
    assert_string_equal(buf.text, "{\"b\":\"1\",\"a\":\"q\\\"\"}");
    assert_false(json_value_write_strings(bad, &buf));
    assert_false(json_value_write_strings(NULL, &buf));
    strbuf_release(&buf);
    json_value_free(good);
    json_value_free(bad);
}

static void values_are_equal_whatever_the_order_of_members(void **state)
{
    static const char *const names[] = {"x", "y"};
    static const struct {
        const char *one;
        const char *other;
        bool is_equal;
        bool is_equal_except;
    } rows[] = {
        {"{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true, true},
        {"{\"a\":1,\"x\":1}", "{\"a\":1,\"y\":2}", false, true},
        {"{\"a\":1,\"x\":1}", "{\"a\":2,\"x\":1}", false, false},
        {"{\"a\":{\"x\":1}}", "{\"a\":{\"x\":2}}", false, false},
        {"[1,2]", "[1,2]", true, false},
        {"[1,2]", "[2,1]", false, false},
        {"1", "1.0", false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_value *one = NULL;
        struct json_value *other = NULL;

        assert_int_equal(json_value_parse(str_from(rows[i].one), &one, NULL), OK);
        assert_int_equal(json_value_parse(str_from(rows[i].other), &other, NULL), OK);
        assert_int_equal(json_value_equal(one, other), rows[i].is_equal);
        assert_int_equal(json_value_equal_except(one, other, names, ARRAY_LEN(names)),
                         rows[i].is_equal_except);
        assert_false(json_value_equal(one, NULL));
        json_value_free(one);
        json_value_free(other);
    }
    assert_false(json_value_equal(NULL, NULL));
}

static void a_text_is_found_alone_or_in_an_array(void **state)
{
    struct json_value *value = parse("[\"a\",[\"b\",\"a\",1,\"\"],{\"a\":\"a\"},null,\"\"]");
    static const bool has_a[] = {true, true, false, false, false};
    static const bool has_nothing[] = {false, true, false, false, true};

    (void)state;
    for (size_t i = 0; i < json_value_length(value); i++) {
        assert_int_equal(json_value_has_text(json_value_element(value, i), str_from("a")),
                         has_a[i]);
        assert_int_equal(json_value_has_text(json_value_element(value, i), str_from("")),
                         has_nothing[i]);
    }
    assert_false(json_value_has_text(NULL, str_from("")));
    json_value_free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_found_alone_or_in_an_array),
        cmocka_unit_test(values_are_equal_whatever_the_order_of_members),
        cmocka_unit_test(members_and_elements_are_found),
        cmocka_unit_test(only_true_is_true_and_only_false_is_false),
        cmocka_unit_test(what_is_absent_can_be_asked_further),
        cmocka_unit_test(bad_json_is_refused_with_a_place),
        cmocka_unit_test(name_that_stands_twice_is_a_conflict),
        cmocka_unit_test(names_are_told_apart_by_case),
        cmocka_unit_test(values_are_bounded_before_they_are_parsed),
        cmocka_unit_test(memory_is_no_less_than_it_takes),
        cmocka_unit_test(null_may_stand_for_what_is_absent),
        cmocka_unit_test(depth_is_bounded_before_it_recurses),
        cmocka_unit_test(an_object_of_strings_is_written_in_order),
        cmocka_unit_test(brackets_in_strings_are_not_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
