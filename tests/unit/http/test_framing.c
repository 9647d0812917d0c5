#include "http/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Small chunks come as one, and then what else there is, in order. */
static void chunks_that_arrive_together_are_read_together(void **state)
{
    const char arriving[] = "3\r\nabc\r\n2\r\nde\r\n4\r\nfghi\r\n1\r\nj\r\n0\r\n\r\nGET";
    struct framing framing = {0};
    struct transport transport;
    struct http_request request;
    struct str piece = {0};
    struct str data = {0};
    char memory[100];
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    plain_transport_init(&transport, ends[0]);
    assert_int_equal(parse(&framing,
                           "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
                           &request),
                     HTTP_PARSE_DONE);
    assert_int_equal(write(ends[1], arriving, strlen(arriving)), strlen(arriving));
    assert_int_equal(framing_receive_body(&framing, &transport, memory, sizeof(memory), &piece),
                     IO_DONE);
    assert_int_equal(framing_read_body(&framing, &piece, &data), CHUNKED_DATA);
    assert_true(str_is(data, "abcdefghij"));
    assert_int_equal(framing_read_body(&framing, &piece, &data), CHUNKED_END);
    framing_end_request(&framing);
    assert_true(str_is(input_str(&framing.input), "GET"));
    framing_release(&framing);
    transport_release(&transport);
    (void)close(ends[1]);
}

static void chunks_before_a_broken_one_are_read_first(void **state)
{
    const char arriving[] = "3\r\nabc\r\n2\r\nde\r\nx\r\n";
    struct framing framing = {0};
    struct transport transport;
    struct http_request request;
    struct str piece = {0};
    struct str data = {0};
    char memory[100];
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    plain_transport_init(&transport, ends[0]);
    assert_int_equal(parse(&framing,
                           "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
                           &request),
                     HTTP_PARSE_DONE);
    assert_int_equal(write(ends[1], arriving, strlen(arriving)), strlen(arriving));
    assert_int_equal(framing_receive_body(&framing, &transport, memory, sizeof(memory), &piece),
                     IO_DONE);
    assert_int_equal(framing_read_body(&framing, &piece, &data), CHUNKED_DATA);
    assert_true(str_is(data, "abcde"));
    assert_int_equal(framing_read_body(&framing, &piece, &data), CHUNKED_BROKEN);
    framing_release(&framing);
    transport_release(&transport);
    (void)close(ends[1]);
}

static void what_came_behind_a_body_is_the_next_request(void **state)
{
    struct str arrived = STR_LITERAL("0\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    struct str of_the_body = STR_LITERAL("3\r\nabc\r\n");
    struct framing framing = {0};
    struct http_request request;
    struct str data = {0};

    (void)state;
    assert_int_equal(parse(&framing,
                           "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
                           &request),
                     HTTP_PARSE_DONE);
    assert_int_equal(framing_read_body(&framing, &of_the_body, &data), CHUNKED_DATA);
    assert_true(str_is(data, "abc"));
    assert_int_equal(framing_read_body(&framing, &of_the_body, &data), CHUNKED_MORE);
    assert_int_equal(framing_read_body(&framing, &arrived, &data), CHUNKED_END);
    assert_int_equal(arrived.length, 0);
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

static void a_body_is_what_came_along_and_then_what_comes(void **state)
{
    struct framing framing = {0};
    struct transport transport;
    struct http_request request;
    struct str piece = {0};
    struct str data = {0};
    char memory[8];
    int sockets[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
    plain_transport_init(&transport, sockets[0]);
    assert_int_equal(
        parse(&framing, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", &request),
        HTTP_PARSE_DONE);
    for (size_t i = 0; i < 2; i++) { /* no more than there is room for */
        assert_int_equal(framing_receive_body(&framing, &transport, memory, 2, &piece), IO_DONE);
        assert_int_equal(framing_read_body(&framing, &piece, &data), CHUNKED_DATA);
        assert_true(str_is(data, i == 0 ? "ab" : "c"));
        assert_int_equal(framing_read_body(&framing, &piece, &data), CHUNKED_MORE);
    }
    assert_int_equal(framing_receive_body(&framing, &transport, memory, 8, &piece), IO_WAIT_READ);
    assert_int_equal(write(sockets[1], "deGET", 5), 5);
    assert_int_equal(framing_receive_body(&framing, &transport, memory, 8, &piece), IO_DONE);
    assert_true(str_is(piece, "de")); /* what is behind it stays in the socket */
    assert_int_equal(framing_read_body(&framing, &piece, &data), CHUNKED_DATA);
    assert_int_equal(framing_read_body(&framing, &piece, &data), CHUNKED_END);
    assert_int_equal(framing_receive_body(&framing, &transport, memory, 8, &piece), IO_DONE);
    assert_int_equal(piece.length, 0);
    framing_end_request(&framing);
    assert_int_equal(framing_receive_head(&framing, &transport, limits.head_bytes), IO_DONE);
    assert_true(str_is(input_str(&framing.input), "GET"));
    (void)close(sockets[1]);
    assert_int_equal(framing_receive_head(&framing, &transport, limits.head_bytes), IO_CLOSED);
    framing_release(&framing);
    transport_release(&transport);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_a_head_its_body_is_next),
        cmocka_unit_test(a_request_says_whether_another_follows),
        cmocka_unit_test(chunks_that_arrive_together_are_read_together),
        cmocka_unit_test(chunks_before_a_broken_one_are_read_first),
        cmocka_unit_test(what_came_behind_a_body_is_the_next_request),
        cmocka_unit_test(after_what_cannot_be_read_nothing_follows),
        cmocka_unit_test(a_body_is_what_came_along_and_then_what_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
