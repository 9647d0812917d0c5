#include "http/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"
#include "base/memory.h"
#include "base/strbuf.h"

static const struct http_parser_limits usual = {.head_bytes = 65536, .headers = HTTP_MAX_HEADERS};

static const char docker_head[] = "GET /v2/team/app/manifests/1.0?a=b HTTP/1.1\r\n"
                                  "Host: registry.example.com:5000\r\n"
                                  "User-Agent: docker/20.10.24 go/go1.19.8 os/linux arch/amd64\r\n"
                                  "Accept: application/vnd.docker.distribution.manifest.v2+json\r\n"
                                  "Accept: application/vnd.oci.image.index.v1+json\r\n"
                                  "Accept-Encoding: gzip\r\n"
                                  "Connection: close\r\n\r\n";

struct outcome {
    enum http_parse_result result;
    struct http_request request;
    size_t length;
    struct http_refusal refusal;
};

/* Parses a copy of just that size, so that the address sanitizer sees a read beyond it. */
static void parse(struct outcome *outcome, struct str bytes,
                  const struct http_parser_limits *limits)
{
    char *copy = memory_new(bytes.length, 1);

    memcpy(copy, bytes.bytes, bytes.length);
    *outcome = (struct outcome){0};
    outcome->result = http_parse_request((struct str){copy, bytes.length}, limits,
                                         &outcome->request, &outcome->length, &outcome->refusal);
    free(copy);
}

static void a_whole_head_is_taken_apart(void **state)
{
    struct http_request request;
    struct http_refusal refusal = {0};
    size_t length = 0;

    (void)state;
    assert_int_equal(http_parse_request(str_from(docker_head), &usual, &request, &length, &refusal),
                     HTTP_PARSE_DONE);
    assert_int_equal(length, sizeof(docker_head) - 1);
    assert_int_equal(request.method, HTTP_GET);
    assert_true(str_is(request.method_name, "GET"));
    assert_true(str_is(request.target, "/v2/team/app/manifests/1.0?a=b"));
    assert_true(str_is(request.path, "/v2/team/app/manifests/1.0"));
    assert_true(str_is(request.query, "a=b"));
    assert_true(str_is(request.host, "registry.example.com:5000"));
    assert_int_equal(request.minor_version, 1);
    assert_int_equal(request.header_count, 6);
    assert_int_equal(request.framing, HTTP_NO_BODY);
    assert_false(request.keeps_alive);
    assert_false(request.expects_continue);
    assert_int_equal(refusal.status, 0);
}

static void what_follows_the_head_is_not_looked_at(void **state)
{
    struct outcome outcome;
    const char bytes[] = "PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n\n\x01\n\nGET";

    (void)state;
    parse(&outcome, (struct str){bytes, sizeof(bytes) - 1}, &usual);
    assert_int_equal(outcome.result, HTTP_PARSE_DONE);
    assert_int_equal(outcome.length, strstr(bytes, "\r\n\r\n") + 4 - bytes);
}

static void pipelined_heads_are_read_one_by_one(void **state)
{
    struct str bytes = STR_LITERAL("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
                                   "GET /2 HTTP/1.0\r\n\r\n"
                                   "\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
    size_t count = 0;

    (void)state;
    while (bytes.length > 0) {
        struct http_request request;
        struct http_refusal refusal = {0};
        size_t length = 0;

        assert_int_equal(http_parse_request(bytes, &usual, &request, &length, &refusal),
                         HTTP_PARSE_DONE);
        count++;
        assert_int_equal(request.path.bytes[1], '0' + count);
        bytes = str_from_index(bytes, length);
    }
    assert_int_equal(count, 3);
}

static void a_prefix_of_a_good_head_wants_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(docker_head) - 1; i++) {
        struct outcome outcome;

        parse(&outcome, (struct str){docker_head, i}, &usual);
        assert_int_equal(outcome.result, HTTP_PARSE_MORE);
        assert_int_equal(outcome.length, 0);
        assert_int_equal(outcome.refusal.status, 0);
    }
}

static void one_empty_line_before_the_request_is_skipped(void **state)
{
    static const char head[] = "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";
    struct outcome outcome;

    (void)state;
    for (size_t i = 0; i < sizeof(head) - 1; i++) {
        parse(&outcome, (struct str){head, i}, &usual);
        assert_int_equal(outcome.result, HTTP_PARSE_MORE);
    }
    parse(&outcome, str_from(head), &usual);
    assert_int_equal(outcome.result, HTTP_PARSE_DONE);
    assert_int_equal(outcome.length, sizeof(head) - 1);
}

static const struct {
    const char *name, *bytes;
    int status;
} refused[] = {
    {"two empty lines before the request", "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"LF before the request", "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"CR before the request", "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"space before the request", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"bare LF behind the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
    {"bare LF behind a field", "GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", 400},
    {"bare LF for the empty line", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
    {"bare LF everywhere", "GET / HTTP/1.1\nHost: h\n\n", 400},
    {"bare CR behind the request line", "GET / HTTP/1.1\rHost: h\r\n\r\n", 400},
    {"bare CR everywhere", "GET / HTTP/1.1\rHost: h\r\r\n\r\n", 400},
    {"LF CR", "GET / HTTP/1.1\n\rHost: h\n\r\n\r", 400},
    {"TLS", "\x16\x03\x01\x02", 400},
    {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"HTTP/0.9", "GET /\r\n", 400},
    {"no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400},
    {"Transfer-Encoding with Content-Length",
     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"obs-fold", "GET / HTTP/1.1\r\nHost: h\r\n a\r\n\r\n", 400},
    {"a fragment", "GET /#a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"unknown coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
     501},
    {"expectation", "POST / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417},
};

static void bad_heads_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct outcome outcome;

        parse(&outcome, str_from(refused[i].bytes), &usual);
        if (outcome.result != HTTP_PARSE_REFUSED || outcome.refusal.status != refused[i].status) {
            fail_msg("%d: %s", outcome.refusal.status, refused[i].name);
        }
    }
}

static void a_prefix_of_a_refused_head_is_never_done_and_stays_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        const struct str bytes = str_from(refused[i].bytes);
        bool was_refused = false;

        for (size_t length = 0; length <= bytes.length; length++) {
            struct outcome outcome;

            parse(&outcome, str_slice(bytes, 0, length), &usual);
            assert_int_not_equal(outcome.result, HTTP_PARSE_DONE);
            assert_true(!was_refused || outcome.result == HTTP_PARSE_REFUSED);
            was_refused = outcome.result == HTTP_PARSE_REFUSED;
        }
    }
}

static void strangers_are_refused_before_the_end_of_a_head(void **state)
{
    static const char *const beginnings[] = {
        "\x16",
        "\n",
        "SSH-2.0-OpenSSH_9.2p1\r\n",
        "GET / HTTP/1.1\n",
        "PRI * HTTP/2.0\r\n",
        "GET /\r\n",
        "\r\n\r\n",
        "\ra",
        "{",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        struct outcome outcome;

        parse(&outcome, str_from(beginnings[i]), &usual);
        if (outcome.result != HTTP_PARSE_REFUSED) {
            fail_msg("beginning %zu", i);
        }
    }
}

/* A head of exactly that many bytes, most of them in one field's value. */
static void append_head(struct strbuf *head, size_t length)
{
    strbuf_append_text(head, "GET / HTTP/1.1\r\nHost: h\r\nA: ");
    while (head->length < length - strlen("\r\n\r\n")) {
        strbuf_append_byte(head, 'a');
    }
    strbuf_append_text(head, "\r\n\r\n");
}

static void a_head_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    const struct http_parser_limits limits = {.head_bytes = 1000, .headers = 10};
    struct strbuf head;
    struct outcome outcome;

    (void)state;
    strbuf_init(&head, 2000);
    append_head(&head, limits.head_bytes);
    parse(&outcome, str_slice(strbuf_str(&head), 0, limits.head_bytes - 1), &limits);
    assert_int_equal(outcome.result, HTTP_PARSE_MORE);
    parse(&outcome, strbuf_str(&head), &limits);
    assert_int_equal(outcome.result, HTTP_PARSE_DONE);
    strbuf_clear(&head);
    append_head(&head, limits.head_bytes + 1);
    for (size_t length = limits.head_bytes; length <= head.length; length++) {
        parse(&outcome, str_slice(strbuf_str(&head), 0, length), &limits);
        assert_int_equal(outcome.result, HTTP_PARSE_REFUSED);
        assert_int_equal(outcome.refusal.status, 431);
    }
    strbuf_release(&head);
}

static void a_head_of_64_kib_is_read(void **state)
{
    struct strbuf head;
    struct outcome outcome;

    (void)state;
    strbuf_init(&head, usual.head_bytes);
    append_head(&head, usual.head_bytes);
    parse(&outcome, strbuf_str(&head), &usual);
    assert_int_equal(outcome.result, HTTP_PARSE_DONE);
    assert_int_equal(outcome.length, usual.head_bytes);
    strbuf_release(&head);
}

static void a_request_line_beyond_the_limit_is_414(void **state)
{
    const struct http_parser_limits limits = {.head_bytes = 100, .headers = 10};
    struct strbuf line;
    struct outcome outcome;

    (void)state;
    strbuf_init(&line, 200);
    strbuf_append_text(&line, "GET /");
    while (line.length < limits.head_bytes) {
        strbuf_append_byte(&line, 'a');
    }
    parse(&outcome, strbuf_str(&line), &limits);
    assert_int_equal(outcome.result, HTTP_PARSE_REFUSED);
    assert_int_equal(outcome.refusal.status, 414);
    strbuf_append_text(&line, " HTTP/1.1\r\nHost: h\r\n\r\n");
    parse(&outcome, strbuf_str(&line), &limits);
    assert_int_equal(outcome.result, HTTP_PARSE_REFUSED);
    assert_int_equal(outcome.refusal.status, 414);
    strbuf_release(&line);
}

static void there_may_be_as_many_fields_as_the_limit_and_no_more(void **state)
{
    for (size_t count = 1; count <= 5; count++) {
        const struct http_parser_limits limits = {.head_bytes = 1000, .headers = 3};
        struct strbuf head;
        struct outcome outcome;

        (void)state;
        strbuf_init(&head, 1000);
        strbuf_append_text(&head, "GET / HTTP/1.1\r\nHost: h\r\n");
        for (size_t i = 1; i < count; i++) {
            strbuf_append_text(&head, "A: b\r\n");
        }
        strbuf_append_text(&head, "\r\n");
        parse(&outcome, strbuf_str(&head), &limits);
        assert_int_equal(outcome.result, count <= 3 ? HTTP_PARSE_DONE : HTTP_PARSE_REFUSED);
        assert_int_equal(outcome.refusal.status, count <= 3 ? 0 : 431);
        strbuf_release(&head);
    }
}

static void the_most_fields_fill_the_request_to_its_end(void **state)
{
    struct strbuf head;
    struct outcome outcome;

    (void)state;
    strbuf_init(&head, usual.head_bytes);
    strbuf_append_text(&head, "GET / HTTP/1.1\r\nHost: h\r\n");
    for (size_t i = 1; i < HTTP_MAX_HEADERS; i++) {
        strbuf_append_text(&head, "A:b\r\n");
    }
    strbuf_append_text(&head, "\r\n");
    parse(&outcome, strbuf_str(&head), &usual);
    assert_int_equal(outcome.result, HTTP_PARSE_DONE);
    assert_int_equal(outcome.request.header_count, HTTP_MAX_HEADERS);
    strbuf_release(&head);
}

static void a_refused_request_holds_what_was_understood(void **state)
{
    static const char head[] = "HEAD /a?b HTTP/1.0\r\nA: b\r\nC : d\r\n\r\n";
    struct http_request request;
    struct http_refusal refusal = {0};
    size_t length = 0;

    (void)state;
    assert_int_equal(http_parse_request(str_from(head), &usual, &request, &length, &refusal),
                     HTTP_PARSE_REFUSED);
    assert_int_equal(request.method, HTTP_HEAD);
    assert_true(str_is(request.path, "/a"));
    assert_int_equal(request.minor_version, 0);
    assert_int_equal(request.header_count, 1);
    assert_int_equal(length, 0);
}

static void what_an_earlier_request_left_behind_is_gone(void **state)
{
    struct http_request request;
    struct http_refusal refusal = {0};
    size_t length = 0;

    (void)state;
    memset(&request, 0x5a, sizeof(request));
    assert_int_equal(http_parse_request(str_from("X"), &usual, &request, &length, &refusal),
                     HTTP_PARSE_MORE);
    assert_int_equal(request.method, HTTP_METHOD_OTHER);
    assert_int_equal(request.method_name.length, 0);
    assert_int_equal(request.target.length, 0);
    assert_int_equal(request.path.length, 0);
    assert_int_equal(request.query.length, 0);
    assert_int_equal(request.host.length, 0);
    assert_int_equal(request.header_count, 0);
    assert_int_equal(request.framing, HTTP_NO_BODY);
    assert_true(request.content_length == 0);
    assert_false(request.keeps_alive);
    assert_false(request.expects_continue);
}

static void headers_are_found_without_regard_to_case(void **state)
{
    static struct http_request request = {
        .header_count = 3,
        .headers = {{STR_LITERAL("Accept"), STR_LITERAL("a")},
                    {STR_LITERAL("RANGE"), STR_LITERAL("b")},
                    {STR_LITERAL("accept"), STR_LITERAL("c")}},
    };
    size_t position = 0;

    (void)state;
    assert_true(str_is(http_request_header(&request, "Range"), "b"));
    assert_true(str_is(http_request_header(&request, "ACCEPT"), "a"));
    assert_null(http_request_header(&request, "Accep").bytes);
    assert_null(http_request_header(&request, "Accept2").bytes);
    assert_true(str_is(http_request_next_header(&request, "Accept", &position), "a"));
    assert_true(str_is(http_request_next_header(&request, "Accept", &position), "c"));
    assert_null(http_request_next_header(&request, "Accept", &position).bytes);
    assert_null(http_request_next_header(&request, "Accept", &position).bytes);
}

static void an_empty_header_differs_from_an_absent_one(void **state)
{
    static struct http_request request = {.header_count = 1,
                                          .headers = {{STR_LITERAL("Accept"), STR_LITERAL("")}}};
    const struct str value = http_request_header(&request, "Accept");

    (void)state;
    assert_non_null(value.bytes);
    assert_int_equal(value.length, 0);
}

static void percent_encodings_are_decoded(void **state)
{
    static const struct {
        const char *encoded, *decoded; /* NULL: refused */
    } cases[] = {
        {"", ""},           {"abc", "abc"},         {"a%2Fb", "a/b"},
        {"%2f%2F", "//"},   {"%41%42", "AB"},       {"%7f%80%ff%01", "\x7f\x80\xff\x01"},
        {"a+b", "a+b"},     {"sha%3Aab", "sha:ab"}, {"%25", "%"},
        {"%2541", "%41"},   {"1234567", "1234567"}, {"123456%37", "1234567"},
        {"12345678", NULL}, {"1234567%38", NULL},   {"%", NULL},
        {"a%", NULL},       {"a%4", NULL},          {"%4", NULL},
        {"%%41", NULL},     {"%4g", NULL},          {"%g4", NULL},
        {"% 1", NULL},      {"%-1", NULL},          {"%00", NULL},
        {"a%00b", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char decoded[8] = "before";
        const bool is_good = http_percent_decode(str_from(cases[i].encoded), decoded, 8);

        assert_int_equal(is_good, cases[i].decoded != NULL);
        assert_string_equal(decoded, is_good ? cases[i].decoded : "");
    }
}

static void a_plain_nul_is_not_decoded(void **state)
{
    const struct str encoded = {"a\0b", 3};
    char decoded[8];

    (void)state;
    assert_false(http_percent_decode(encoded, decoded, sizeof(decoded)));
}

static void only_the_empty_text_fits_in_one_byte(void **state)
{
    char decoded[1];

    (void)state;
    assert_true(http_percent_decode((struct str){0}, decoded, 1));
    assert_string_equal(decoded, "");
    assert_false(http_percent_decode(str_from("a"), decoded, 1));
}

static void parameters_are_found_and_decoded(void **state)
{
    static const struct {
        const char *query, *name, *value; /* NULL: absent */
    } cases[] = {
        {"", "n", NULL},
        {"n=1", "n", "1"},
        {"a=b&n=1&c=d", "n", "1"},
        {"%6E=1", "n", "1"},
        {"n%00=1", "n", NULL},
        {"%zz=1&n=2&m=%zz", "n", "2"},
        {"n", "n", ""},
        {"n&m=1", "n", ""},
        {"n=", "n", ""},
        {"n==1", "n", "=1"},
        {"nn=1&n=2", "n", "2"},
        {"N=1", "n", NULL},
        {"&&n=1", "n", "1"},
        {"&", "n", NULL},
        {"=1", "n", NULL},
        {"digest=sha256%3Aab", "digest", "sha256:ab"},
        {"last=a+b", "last", "a+b"},
        {"last=%C3%A9", "last", "\xc3\xa9"},
        {"n=012345678901234", "n", "012345678901234"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_request request;
        char value[16] = "before";
        enum http_parameter found = HTTP_PARAMETER_BAD;
        size_t position = 0;

        request.query = str_from(cases[i].query);
        found =
            http_request_next_parameter(&request, cases[i].name, &position, value, sizeof(value));
        assert_int_equal(found, cases[i].value ? HTTP_PARAMETER_FOUND : HTTP_PARAMETER_ABSENT);
        if (cases[i].value) {
            assert_string_equal(value, cases[i].value);
        }
    }
}

static void parameters_that_cannot_be_read_are_not_taken_for_absent(void **state)
{
    static const char *const queries[] = {
        "n=%zz", "n=%zz&n=1", "n=%00", "n=%C3", "n=%C0%AF", "n=%", "n=%4", "n=0123456789012345",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct http_request request;
        char value[16];
        size_t position = 0;

        request.query = str_from(queries[i]);
        if (http_request_next_parameter(&request, "n", &position, value, sizeof(value)) !=
            HTTP_PARAMETER_BAD) {
            fail_msg("%s", queries[i]);
        }
    }
}

static void parameters_that_repeat_are_found_one_by_one(void **state)
{
    static const char *const queries[] = {"n=1&n=2", "m=%zz&n=1&&%6e=2&nn=3", "n=1&n=2&"};
    struct http_request request;
    char value[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        size_t position = 0;

        request.query = str_from(queries[i]);
        for (const char *wanted = "12"; *wanted; wanted++) {
            assert_int_equal(
                http_request_next_parameter(&request, "n", &position, value, sizeof(value)),
                HTTP_PARAMETER_FOUND);
            assert_int_equal(value[0], *wanted);
        }
        for (int again = 0; again < 2; again++) {
            assert_int_equal(
                http_request_next_parameter(&request, "n", &position, value, sizeof(value)),
                HTTP_PARAMETER_ABSENT);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_head_is_taken_apart),
        cmocka_unit_test(what_follows_the_head_is_not_looked_at),
        cmocka_unit_test(pipelined_heads_are_read_one_by_one),
        cmocka_unit_test(a_prefix_of_a_good_head_wants_more),
        cmocka_unit_test(one_empty_line_before_the_request_is_skipped),
        cmocka_unit_test(bad_heads_are_refused),
        cmocka_unit_test(a_prefix_of_a_refused_head_is_never_done_and_stays_refused),
        cmocka_unit_test(strangers_are_refused_before_the_end_of_a_head),
        cmocka_unit_test(a_head_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(a_head_of_64_kib_is_read),
        cmocka_unit_test(a_request_line_beyond_the_limit_is_414),
        cmocka_unit_test(there_may_be_as_many_fields_as_the_limit_and_no_more),
        cmocka_unit_test(the_most_fields_fill_the_request_to_its_end),
        cmocka_unit_test(a_refused_request_holds_what_was_understood),
        cmocka_unit_test(what_an_earlier_request_left_behind_is_gone),
        cmocka_unit_test(headers_are_found_without_regard_to_case),
        cmocka_unit_test(an_empty_header_differs_from_an_absent_one),
        cmocka_unit_test(percent_encodings_are_decoded),
        cmocka_unit_test(a_plain_nul_is_not_decoded),
        cmocka_unit_test(only_the_empty_text_fits_in_one_byte),
        cmocka_unit_test(parameters_are_found_and_decoded),
        cmocka_unit_test(parameters_that_cannot_be_read_are_not_taken_for_absent),
        cmocka_unit_test(parameters_that_repeat_are_found_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
