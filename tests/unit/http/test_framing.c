#include "http/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct http_parser_limits limits = {.head_bytes = 1024, .headers = 10};

static enum http_parse_result parse(struct framing *framing, const char *bytes,
                                    struct http_request *request)
{
    struct http_refusal refusal = {0};

    input_append(&framing->input, str_from(bytes));
    memset(request, 0, sizeof(*request));
    return framing_parse_head(framing, &limits, request, &refusal);
}

static void behind_a_head_its_body_is_next(void **state)
{
    struct framing framing = {0};
    struct http_request request;

    (void)state;
    assert_int_equal(parse(&framing, "PUT / HTTP/1.1\r\nHost: x\r\n", &request), HTTP_PARSE_MORE);
    assert_int_equal(parse(&framing, "Content-Length: 2\r\n\r\nab", &request), HTTP_PARSE_DONE);
    assert_true(str_is(input_str(&framing.input), "ab"));
    assert_int_equal(body_wanted(&framing.body), 2);
    assert_false(framing.closes);
    assert_true(framing_has_unread(&framing));
    framing_release(&framing);
}

static void a_request_says_whether_another_follows(void **state)
{
    struct framing framing = {0};
    struct http_request request;

    (void)state;
    assert_int_equal(
        parse(&framing, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &request),
        HTTP_PARSE_DONE);
    assert_true(framing.closes);
    assert_false(framing_has_unread(&framing));
    framing_end_request(&framing);
    assert_int_equal(parse(&framing, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", &request),
                     HTTP_PARSE_DONE);
    assert_false(framing.closes);
    framing_release(&framing);
}

static void what_came_behind_a_body_is_the_next_request(void **state)
{
    struct str arrived = STR_LITERAL("0\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    struct framing framing = {0};
    struct http_request request;
    struct str data = {0};

    (void)state;
    assert_int_equal(parse(&framing,
                           "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
                           &request),
                     HTTP_PARSE_DONE);
    framing_keep_ahead(&framing, str_from("of the body still"));
    assert_int_equal(body_read(&framing.body, &arrived, &data), CHUNKED_END);
    framing_keep_ahead(&framing, arrived);
    assert_int_equal(input_str(&framing.input).length, 0);
    framing_end_request(&framing);
    assert_int_equal(parse(&framing, "", &request), HTTP_PARSE_DONE);
    assert_true(str_is(request.path, "/next"));
    framing_release(&framing);
}

static void after_what_cannot_be_read_nothing_follows(void **state)
{
    struct framing framing = {0};
    struct http_request request;

    (void)state;
    assert_int_equal(parse(&framing, "nonsense\r\n\r\n", &request), HTTP_PARSE_REFUSED);
    framing_lose_track(&framing);
    assert_true(framing.closes);
    assert_true(framing_has_unread(&framing));
    framing_release(&framing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_a_head_its_body_is_next),
        cmocka_unit_test(a_request_says_whether_another_follows),
        cmocka_unit_test(what_came_behind_a_body_is_the_next_request),
        cmocka_unit_test(after_what_cannot_be_read_nothing_follows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
