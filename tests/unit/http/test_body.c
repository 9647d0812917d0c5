#include "http/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_request_without_a_body_is_complete(void **state)
{
    const struct http_request none = {.framing = HTTP_NO_BODY};
    const struct http_request empty = {.framing = HTTP_SIZED_BODY, .content_length = 0};
    struct str input = STR_LITERAL("GET");
    struct str data = {0};
    struct body body;

    (void)state;
    body_init(&body, &none);
    assert_true(body.is_complete);
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_END);
    body_init(&body, &empty);
    assert_true(body.is_complete);
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_END);
    assert_int_equal(input.length, 3);
}

static void a_sized_body_ends_where_it_says(void **state)
{
    const struct http_request request = {.framing = HTTP_SIZED_BODY, .content_length = 5};
    struct str input = STR_LITERAL("ab");
    struct str data = {0};
    struct body body;

    (void)state;
    body_init(&body, &request);
    assert_int_equal(body_wanted(&body), 5);
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_DATA);
    assert_true(str_is(data, "ab"));
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_MORE);
    assert_int_equal(body_wanted(&body), 3);
    input = str_from("cdeGET");
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_DATA);
    assert_true(str_is(data, "cde"));
    assert_false(body.is_complete);
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_END);
    assert_true(body.is_complete);
    assert_true(str_is(input, "GET"));
}

static void a_chunked_body_ends_with_its_last_chunk(void **state)
{
    const struct http_request request = {.framing = HTTP_CHUNKED_BODY};
    struct str input = STR_LITERAL("2\r\nab\r\n0\r\n\r\nGET");
    struct str data = {0};
    struct body body;

    (void)state;
    body_init(&body, &request);
    assert_int_equal(body_wanted(&body), UINT64_MAX);
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_DATA);
    assert_true(str_is(data, "ab"));
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_END);
    assert_true(str_is(input, "GET"));
}

static void a_broken_chunked_body_is_not_complete(void **state)
{
    const struct http_request request = {.framing = HTTP_CHUNKED_BODY};
    struct str input = STR_LITERAL("x\r\n");
    struct str data = {0};
    struct body body;

    (void)state;
    body_init(&body, &request);
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_BROKEN);
    assert_false(body.is_complete);
}

static void a_body_has_no_more_than_is_allowed(void **state)
{
    const struct http_request sized = {.framing = HTTP_SIZED_BODY, .content_length = 5};
    const struct http_request chunks = {.framing = HTTP_CHUNKED_BODY};
    struct str input = STR_LITERAL("2\r\nab\r\n4\r\n");
    struct str data = {0};
    struct body body;

    (void)state;
    body_init(&body, &sized);
    assert_true(body_allow(&body, 5));
    assert_false(body_allow(&body, 4));
    body_init(&body, &chunks);
    assert_true(body_allow(&body, 5));
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_DATA);
    assert_int_equal(body_read(&body, &input, &data), CHUNKED_TOO_LARGE);
    assert_false(body.is_complete);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_a_body_is_complete),
        cmocka_unit_test(a_sized_body_ends_where_it_says),
        cmocka_unit_test(a_chunked_body_ends_with_its_last_chunk),
        cmocka_unit_test(a_broken_chunked_body_is_not_complete),
        cmocka_unit_test(a_body_has_no_more_than_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
