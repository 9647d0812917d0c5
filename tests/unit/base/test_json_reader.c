#include "base/json_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct json_subject subject = {
    .name = "the answer", .code = ERROR_UNAVAILABLE, .topic = ABOUT_SOURCE};

static void members_are_read_one_after_the_other(void **state)
{
    struct json_reader reader;

    (void)state;
    json_reader_open(&reader, str_from("{\"a\":\"x\",\"n\":7,\"l\":[1,2],\"e\":\"\"}"), &subject,
                     NULL, NULL);
    assert_true(str_is(json_reader_needed_text(&reader, "a"), "x"));
    assert_int_equal(json_reader_uint64(&reader, "n", 7), 7);
    assert_int_equal(json_value_length(json_reader_needed_array(&reader, "l")), 2);
    assert_string_equal(json_reader_c_text(&reader, "a"), "x");
    assert_null(json_reader_c_text(&reader, "e"));
    assert_int_equal(json_reader_close(&reader), OK);
}

static void what_is_absent_or_null_is_empty(void **state)
{
    struct json_reader reader;

    (void)state;
    json_reader_open(&reader, str_from("{\"null\":null}"), &subject, NULL, NULL);
    assert_int_equal(json_reader_text(&reader, "null").length, 0);
    assert_int_equal(json_reader_text(&reader, "absent").length, 0);
    assert_null(json_reader_c_text(&reader, "null"));
    assert_int_equal(json_reader_uint64(&reader, "null", 1), 0);
    assert_int_equal(json_reader_close(&reader), OK);
}

static void read_all(struct json_reader *reader)
{
    (void)json_reader_text(reader, "text");
    (void)json_reader_uint64(reader, "number", 10);
    (void)json_reader_needed_text(reader, "needed");
    (void)json_reader_needed_array(reader, "list");
}

static void the_first_failure_is_what_closing_tells(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"{\"text\":1,\"number\":\"x\"}", "the answer has a \"text\" that is no string"},
        {"{\"number\":\"x\"}", "the answer has a \"number\" that is no number from 0"},
        {"{\"number\":-1}", "the answer has a \"number\" that is no number from 0"},
        {"{\"number\":1.5}", "the answer has a \"number\" that is no number from 0"},
        {"{\"number\":11}", "the answer has a \"number\" beyond 10"},
        {"{\"number\":10}", "the answer has no \"needed\""},
        {"{\"needed\":\"\"}", "the answer has no \"needed\""},
        {"{\"needed\":[]}", "the answer has a \"needed\" that is no string"},
        {"{\"needed\":\"x\"}", "the answer has no array \"list\""},
        {"{\"needed\":\"x\",\"list\":{}}", "the answer has a \"list\" that is no array"},
        {"[]", "the answer is no JSON object"},
        {"null", "the answer is no JSON object"},
        {"{\"a\":secret}", "the answer is no JSON object: not valid JSON at line 1, column 11"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_reader reader;
        struct error err = {0};

        json_reader_open(&reader, str_from(rows[i].text), &subject, NULL, &err);
        read_all(&reader);
        assert_int_equal(json_reader_close(&reader), ERROR_UNAVAILABLE);
        assert_string_equal(err.message, rows[i].message);
        assert_int_equal(err.topic, ABOUT_SOURCE);
    }
}

static void after_a_failure_all_reads_as_absent(void **state)
{
    struct json_reader reader;
    struct error err = {0};

    (void)state;
    json_reader_open(&reader, str_from("{\"a\":\"x\",\"n\":7,\"l\":[]}"), &subject, NULL, &err);
    json_reader_fail(&reader, "says %d", 1);
    json_reader_fail(&reader, "says %d", 2);
    assert_int_equal(json_reader_needed_text(&reader, "a").length, 0);
    assert_int_equal(json_reader_uint64(&reader, "n", 7), 0);
    assert_null(json_reader_needed_array(&reader, "l"));
    assert_null(reader.object);
    assert_int_equal(json_reader_close(&reader), ERROR_UNAVAILABLE);
    assert_string_equal(err.message, "the answer says 1");
}

static void texts_outlive_the_reader_in_an_arena(void **state)
{
    struct json_reader reader;
    struct arena arena;
    struct str text;

    (void)state;
    arena_init(&arena, 100);
    json_reader_open(&reader, str_from("{\"a\":\"x\"}"), &subject, &arena, NULL);
    text = json_reader_text(&reader, "a");
    assert_int_equal(json_reader_close(&reader), OK);
    assert_true(str_is(text, "x"));
    arena_release(&arena);
}

static void a_full_arena_is_told(void **state)
{
    struct json_reader reader;
    struct arena arena;
    struct error err = {0};

    (void)state;
    arena_init(&arena, 1);
    json_reader_open(&reader, str_from("{\"a\":\"long\"}"), &subject, &arena, &err);
    assert_null(json_reader_needed_text(&reader, "a").bytes);
    assert_int_equal(json_reader_close(&reader), ERROR_TOO_LARGE);
    assert_string_equal(err.message, "the answer is larger than the memory for it");
    arena_release(&arena);
}

static void a_value_of_others_is_read_and_left(void **state)
{
    struct json_value *value = NULL;
    struct json_reader reader;

    (void)state;
    assert_int_equal(json_value_parse(str_from("[{\"a\":\"x\"},1]"), &value, NULL), OK);
    json_reader_open_value(&reader, json_value_element(value, 0), &subject, NULL, NULL);
    assert_true(str_is(json_reader_text(&reader, "a"), "x"));
    assert_int_equal(json_reader_close(&reader), OK);
    json_reader_open_value(&reader, json_value_element(value, 1), &subject, NULL, NULL);
    assert_int_equal(json_reader_close(&reader), ERROR_UNAVAILABLE);
    assert_true(json_value_is_array(value));
    json_value_free(value);
}

static enum error_code read_bounded(const char *text, struct error *err)
{
    static const struct json_subject bounded = {
        .name = "the answer",
        .code = ERROR_INVALID,
        .example = "{\"a\":\"x\"}",
        .max_bytes = 20,
        .text_max_bytes = 3,
        .absent = JSON_NOTHING_IS_ABSENT,
    };
    static const char *const names[] = {"a"};
    struct json_reader reader;

    json_reader_open(&reader, str_from(text), &bounded, NULL, err);
    json_reader_check_names(&reader, names, ARRAY_LEN(names));
    (void)json_reader_text(&reader, "a");
    (void)json_reader_needed_uint64(&reader, "n", 9);
    return json_reader_close(&reader);
}

static void a_subject_bounds_what_is_read_of_it(void **state)
{
    static const char *const rows[][2] = {
        {"{\"a\":\"xyz\",\"n\":0}   ", NULL},
        {"{\"a\":\"xyz\",\"n\":0}    ",
         "the answer has more than 20 bytes: it is like {\"a\":\"x\"}"},
        {"{\"a\":\"wxyz\"}", "has a \"a\" of more than 3 bytes"},
        {"{\"a\":null}", "has a \"a\" that is no string"},
        {"{\"A\":\"x\"}", "is ambiguous: it has a member \"A\""},
        {"{\"a\":\"x\"}", "has no \"n\""},
        {"{\"n\":null}", "has no \"n\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = {0};

        assert_int_equal(read_bounded(rows[i][0], &err), rows[i][1] ? ERROR_INVALID : OK);
        assert_non_null(strstr(err.message, rows[i][1] ? rows[i][1] : ""));
    }
}

static void what_one_can_do_without_may_be_wrong(void **state)
{
    static const struct json_subject lenient = {
        .name = "the answer", .code = ERROR_INVALID, .absent = JSON_WRONG_IS_ABSENT};
    struct json_reader reader;
    struct error err = {0};

    (void)state;
    json_reader_open(&reader, str_from("{\"a\":7,\"n\":99}"), &lenient, NULL, &err);
    assert_null(json_reader_c_text(&reader, "a"));
    assert_int_equal(reader.code, OK);
    (void)json_reader_uint64(&reader, "n", 98);
    assert_string_equal(err.message, "the answer has a \"n\" beyond 98");
    assert_int_equal(json_reader_close(&reader), ERROR_INVALID);
    json_reader_open(&reader, str_from("{\"a\":7}"), &lenient, NULL, &err);
    (void)json_reader_needed_text(&reader, "a");
    assert_int_equal(json_reader_close(&reader), ERROR_INVALID);
}

static void texts_are_joined(void **state)
{
    struct json_value *value = NULL;
    struct arena arena;

    (void)state;
    arena_init(&arena, 100);
    assert_int_equal(json_value_parse(str_from("[\"a\",7,\"b\"]"), &value, NULL), OK);
    assert_string_equal(json_texts_join(value, 3, ",", &arena), "a,b");
    assert_string_equal(json_texts_join(value, 2, ",", &arena), "a");
    assert_string_equal(json_texts_join(NULL, 1, ",", &arena), "");
    json_value_free(value);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read_one_after_the_other),
        cmocka_unit_test(what_is_absent_or_null_is_empty),
        cmocka_unit_test(the_first_failure_is_what_closing_tells),
        cmocka_unit_test(after_a_failure_all_reads_as_absent),
        cmocka_unit_test(texts_outlive_the_reader_in_an_arena),
        cmocka_unit_test(a_full_arena_is_told),
        cmocka_unit_test(a_value_of_others_is_read_and_left),
        cmocka_unit_test(a_subject_bounds_what_is_read_of_it),
        cmocka_unit_test(what_one_can_do_without_may_be_wrong),
        cmocka_unit_test(texts_are_joined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
