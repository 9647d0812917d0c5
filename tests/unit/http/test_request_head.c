#include "http/request_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"

static void assert_str(struct str s, const char *wanted)
{
    assert_int_equal(s.length, strlen(wanted));
    assert_memory_equal(s.bytes, wanted, s.length);
}

static void methods_are_told_apart(void **state)
{
    static const struct {
        const char *line;
        enum http_method method;
    } cases[] = {
        {"GET / HTTP/1.1", HTTP_GET},
        {"HEAD / HTTP/1.1", HTTP_HEAD},
        {"POST / HTTP/1.1", HTTP_POST},
        {"PUT / HTTP/1.1", HTTP_PUT},
        {"PATCH / HTTP/1.1", HTTP_PATCH},
        {"DELETE / HTTP/1.1", HTTP_DELETE},
        {"OPTIONS / HTTP/1.1", HTTP_OPTIONS},
        {"TRACE / HTTP/1.1", HTTP_METHOD_OTHER},
        {"get / HTTP/1.1", HTTP_METHOD_OTHER},
        {"GETS / HTTP/1.1", HTTP_METHOD_OTHER},
        {"M-SEARCH / HTTP/1.1", HTTP_METHOD_OTHER},
        {"!#$%&'*+-.^_`|~09AZaz / HTTP/1.1", HTTP_METHOD_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct str line = str_from(cases[i].line);
        struct http_request request = {0};
        struct http_refusal refusal = {0};

        assert_true(request_line_parse(line, &request, &refusal));
        assert_int_equal(request.method, cases[i].method);
        assert_true(str_equal(request.method_name, str_slice(line, 0, str_index_of(line, ' '))));
        assert_int_equal(refusal.status, 0);
    }
}

static void targets_are_taken_apart(void **state)
{
    static const struct {
        const char *line, *target, *path, *query, *host;
    } cases[] = {
        {"GET / HTTP/1.1", "/", "/", "", ""},
        {"GET /v2/a/b?n=1&last=x HTTP/1.1", "/v2/a/b?n=1&last=x", "/v2/a/b", "n=1&last=x", ""},
        {"GET /? HTTP/1.1", "/?", "/", "", ""},
        {"GET /a?b?c HTTP/1.1", "/a?b?c", "/a", "b?c", ""},
        {"GET /a%2Fb HTTP/1.1", "/a%2Fb", "/a%2Fb", "", ""},
        {"GET //host/a HTTP/1.1", "//host/a", "//host/a", "", ""},
        {"OPTIONS * HTTP/1.1", "*", "*", "", ""},
        {"GET http://h/a?b HTTP/1.1", "http://h/a?b", "/a", "b", "h"},
        {"GET HTTP://h:80/a HTTP/1.1", "HTTP://h:80/a", "/a", "", "h:80"},
        {"GET https://[::1]:443/ HTTP/1.1", "https://[::1]:443/", "/", "", "[::1]:443"},
        {"GET http://h HTTP/1.1", "http://h", "/", "", "h"},
        {"GET http://h?q=/ HTTP/1.1", "http://h?q=/", "/", "q=/", "h"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_request request = {0};
        struct http_refusal refusal = {0};

        assert_true(request_line_parse(str_from(cases[i].line), &request, &refusal));
        assert_str(request.target, cases[i].target);
        assert_str(request.path, cases[i].path);
        assert_str(request.query, cases[i].query);
        assert_str(request.host, cases[i].host);
    }
}

static void versions_are_told_apart(void **state)
{
    static const struct {
        const char *line;
        unsigned minor_version;
    } cases[] = {{"GET / HTTP/1.0", 0}, {"GET / HTTP/1.1", 1}, {"GET / HTTP/1.9", 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_request request = {.minor_version = 99};
        struct http_refusal refusal = {0};

        assert_true(request_line_parse(str_from(cases[i].line), &request, &refusal));
        assert_int_equal(request.minor_version, cases[i].minor_version);
    }
}

static const struct {
    const char *name, *line;
    int status;
} bad_lines[] = {
    {"empty", "", 400},
    {"only a space", " ", 400},
    {"method alone", "GET", 400},
    {"method and space", "GET ", 400},
    {"HTTP/0.9", "GET /", 400},
    {"no target", "GET HTTP/1.1", 400},
    {"empty target", "GET  HTTP/1.1", 400},
    {"leading space", " GET / HTTP/1.1", 400},
    {"trailing space", "GET / HTTP/1.1 ", 400},
    {"two spaces before the target", "GET  / HTTP/1.1", 400},
    {"two spaces behind the target", "GET /  HTTP/1.1", 400},
    {"tab for a space", "GET\t/ HTTP/1.1", 400},
    {"tab behind the target", "GET /\tHTTP/1.1", 400},
    {"space in the target", "GET /a b HTTP/1.1", 400},
    {"control byte in the method", "G\x01T / HTTP/1.1", 400},
    {"colon in the method", "GET: / HTTP/1.1", 400},
    {"CR in the target", "GET /\rx HTTP/1.1", 400},
    {"CR at the end", "GET / HTTP/1.1\r", 400},
    {"DEL in the target", "GET /\x7f HTTP/1.1", 400},
    {"bytes above ASCII in the target", "GET /\xc3\xa4 HTTP/1.1", 400},
    {"fragment", "GET /a#b HTTP/1.1", 400},
    {"quote in the target", "GET /\"a\" HTTP/1.1", 400},
    {"backslash in the target", "GET /\\a HTTP/1.1", 400},
    {"angle brackets in the target", "GET /<a> HTTP/1.1", 400},
    {"braces in the target", "GET /{a} HTTP/1.1", 400},
    {"relative path", "GET a/b HTTP/1.1", 400},
    {"query alone", "GET ?a HTTP/1.1", 400},
    {"asterisk with another method", "GET * HTTP/1.1", 400},
    {"asterisk and more", "OPTIONS *a HTTP/1.1", 400},
    {"authority form", "GET host:443 HTTP/1.1", 400},
    {"CONNECT", "CONNECT host:443 HTTP/1.1", 501},
    {"CONNECT with a path", "CONNECT / HTTP/1.1", 501},
    {"another scheme", "GET ftp://host/ HTTP/1.1", 400},
    {"scheme without slashes", "GET http:/a HTTP/1.1", 400},
    {"absolute form without a host", "GET http:///a HTTP/1.1", 400},
    {"absolute form with nothing behind", "GET http:// HTTP/1.1", 400},
    {"absolute form with a user", "GET http://u@host/ HTTP/1.1", 400},
    {"absolute form with a password", "GET http://u:p@host/ HTTP/1.1", 400},
    {"absolute form with a bad port", "GET http://host:x/ HTTP/1.1", 400},
    {"absolute form with a bad address", "GET http://[::1/ HTTP/1.1", 400},
    {"lower-case version", "GET / http/1.1", 400},
    {"other protocol", "GET / ICY/1.1", 400},
    {"version without a minor", "GET / HTTP/1", 400},
    {"version with an empty minor", "GET / HTTP/1.", 400},
    {"two-digit minor", "GET / HTTP/1.10", 400},
    {"two-digit major", "GET / HTTP/11.1", 400},
    {"padded major", "GET / HTTP/01.1", 400},
    {"comma in the version", "GET / HTTP/1,1", 400},
    {"letter in the version", "GET / HTTP/1.x", 400},
    {"letter for the major", "GET / HTTP/x.1", 400},
    {"HTTP/2's preface", "PRI * HTTP/2.0", 505},
    {"HTTP/2.0", "GET / HTTP/2.0", 505},
    {"HTTP/0.9 by name", "GET / HTTP/0.9", 505},
    {"HTTP/3.1", "GET / HTTP/3.1", 505},
    {"method of 33 bytes", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1", 501},
};

static void bad_lines_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_lines); i++) {
        struct http_request request = {0};
        struct http_refusal refusal = {0};

        if (request_line_parse(str_from(bad_lines[i].line), &request, &refusal)) {
            fail_msg("accepted: %s", bad_lines[i].name);
        }
        if (refusal.status != bad_lines[i].status) {
            fail_msg("%d, not %d: %s", refusal.status, bad_lines[i].status, bad_lines[i].name);
        }
        assert_non_null(refusal.message);
    }
}

static void a_line_with_nul_is_refused_wherever_it_is(void **state)
{
    char line[] = "GET /a HTTP/1.1";

    (void)state;
    for (size_t i = 0; i < sizeof(line) - 1; i++) {
        const struct str bytes = {line, sizeof(line) - 1};
        const char kept = line[i];
        struct http_request request = {0};
        struct http_refusal refusal = {0};

        line[i] = '\0';
        assert_false(request_line_parse(bytes, &request, &refusal));
        assert_int_equal(refusal.status, 400);
        line[i] = kept;
    }
}

static void what_was_understood_of_a_refused_line_is_kept(void **state)
{
    struct http_request request = {0};
    struct http_refusal refusal = {0};

    (void)state;
    assert_false(request_line_parse(str_from("HEAD /a#b HTTP/1.0"), &request, &refusal));
    assert_int_equal(request.method, HTTP_HEAD);
    assert_str(request.target, "/a#b");
    assert_int_equal(request.path.length, 0);
}

static void beginnings_are_judged_by_their_method(void **state)
{
    static const struct {
        const char *bytes;
        int status; /* 0: may go on */
    } cases[] = {
        {"", 0},
        {"G", 0},
        {"GET", 0},
        {"GET ", 0},
        {"GET /a#b", 0},
        {" ", 400},
        {"\n", 400},
        {"GET\t", 400},
        {"GET\r", 400},
        {"\x16\x03\x01", 400},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", 0},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF ", 0},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", 501},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_refusal refusal = {0};
        const bool can = request_line_can_begin(str_from(cases[i].bytes), &refusal);

        assert_int_equal(can, cases[i].status == 0);
        assert_int_equal(refusal.status, cases[i].status);
    }
}

#define HOST "Host: h\r\n"

static void fields_are_listed_in_order_without_white_space(void **state)
{
    static const struct {
        const char *name, *value;
    } wanted[] = {
        {"Host", "h:80"},
        {"A", "1"},
        {"a", "b c"},
        {"Empty", ""},
        {"Blank", ""},
        {"C", ":d"},
        {"Tab", "x\ty"},
        {"High", "\xc3\xa4\xff"},
        {"!#$%&'*+-.^_`|~9", "v"},
    };
    struct http_request request = {.minor_version = 1};
    struct http_refusal refusal = {0};

    (void)state;
    assert_true(request_fields_parse(
        str_from("Host:h:80\r\nA: 1\r\na: \t b c \t\r\nEmpty:\r\nBlank:  \t \r\nC: :d\r\n"
                 "Tab: x\ty\r\nHigh: \xc3\xa4\xff\r\n!#$%&'*+-.^_`|~9: v\r\n\r\n"),
        &request, &refusal));
    assert_int_equal(request.header_count, ARRAY_LEN(wanted));
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_true(str_is(request.headers[i].name, wanted[i].name));
        assert_true(str_is(request.headers[i].value, wanted[i].value));
    }
    assert_true(str_is(request.host, "h:80"));
}

static void framing_keep_alive_and_expectation_are_settled(void **state)
{
    static const struct {
        const char *lines;
        unsigned minor_version;
        enum http_framing framing;
        uint64_t content_length;
        bool keeps_alive, expects_continue;
    } cases[] = {
        {HOST "\r\n", 1, HTTP_NO_BODY, 0, true, false},
        {"\r\n", 0, HTTP_NO_BODY, 0, false, false},
        {HOST "Content-Length: 0\r\n\r\n", 1, HTTP_SIZED_BODY, 0, true, false},
        {HOST "Content-Length: 5\r\n\r\n", 1, HTTP_SIZED_BODY, 5, true, false},
        {HOST "CONTENT-length:5 \r\n\r\n", 1, HTTP_SIZED_BODY, 5, true, false},
        {HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 1, HTTP_SIZED_BODY, 5, true, false},
        {HOST "Content-Length: 9223372036854775807\r\n\r\n", 1, HTTP_SIZED_BODY, INT64_MAX, true,
         false},
        {"Content-Length: 7\r\n\r\n", 0, HTTP_SIZED_BODY, 7, false, false},
        {HOST "Transfer-Encoding: chunked\r\n\r\n", 1, HTTP_CHUNKED_BODY, 0, true, false},
        {HOST "transfer-ENCODING:\tChunked\r\n\r\n", 1, HTTP_CHUNKED_BODY, 0, true, false},
        {HOST "Content_Length: 5\r\nTransfer_Encoding: x\r\n\r\n", 1, HTTP_NO_BODY, 0, true, false},
        {HOST "Connection: close\r\n\r\n", 1, HTTP_NO_BODY, 0, false, false},
        {HOST "Connection: CLOSE\r\n\r\n", 1, HTTP_NO_BODY, 0, false, false},
        {HOST "Connection: keep-alive, close\r\n\r\n", 1, HTTP_NO_BODY, 0, false, false},
        {HOST "Connection: close ,keep-alive\r\n\r\n", 1, HTTP_NO_BODY, 0, false, false},
        {HOST "Connection: a\r\nConnection: ,,close\r\n\r\n", 1, HTTP_NO_BODY, 0, false, false},
        {HOST "Connection: closed, not-close\r\n\r\n", 1, HTTP_NO_BODY, 0, true, false},
        {HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 1, HTTP_NO_BODY, 0, true, false},
        {HOST "Connection:\r\n\r\n", 1, HTTP_NO_BODY, 0, true, false},
        {"Connection: keep-alive\r\n\r\n", 0, HTTP_NO_BODY, 0, true, false},
        {"Connection: a, Keep-Alive\r\n\r\n", 0, HTTP_NO_BODY, 0, true, false},
        {"Connection: keep-alive\r\nConnection: close\r\n\r\n", 0, HTTP_NO_BODY, 0, false, false},
        {HOST "Expect: 100-continue\r\n\r\n", 1, HTTP_NO_BODY, 0, true, true},
        {HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", 1, HTTP_SIZED_BODY, 1, true,
         true},
        {"Expect: 100-continue\r\n\r\n", 0, HTTP_NO_BODY, 0, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_request request = {.minor_version = cases[i].minor_version};
        struct http_refusal refusal = {0};

        if (!request_fields_parse(str_from(cases[i].lines), &request, &refusal)) {
            fail_msg("case %zu: %s", i, refusal.message);
        }
        assert_int_equal(request.framing, cases[i].framing);
        assert_true(request.content_length == cases[i].content_length);
        assert_int_equal(request.keeps_alive, cases[i].keeps_alive);
        assert_int_equal(request.expects_continue, cases[i].expects_continue);
    }
}

static const struct {
    const char *name, *lines;
    int status;
} bad_fields[] = {
    {"space before the colon", HOST "A : b\r\n\r\n", 400},
    {"tab before the colon", HOST "A\t: b\r\n\r\n", 400},
    {"Content-Length with a space before the colon", HOST "Content-Length : 5\r\n\r\n", 400},
    {"Transfer-Encoding with a space before the colon", HOST "Transfer-Encoding : chunked\r\n\r\n",
     400},
    {"no name", HOST ": b\r\n\r\n", 400},
    {"no colon", HOST "Ab\r\n\r\n", 400},
    {"control byte in a name", HOST "A\x01: b\r\n\r\n", 400},
    {"byte above ASCII in a name", HOST "\xc3\xa4: b\r\n\r\n", 400},
    {"separator in a name", HOST "A(b): c\r\n\r\n", 400},
    {"obs-fold with a space", HOST "A: b\r\n c\r\n\r\n", 400},
    {"obs-fold with a tab", HOST "A: b\r\n\tc\r\n\r\n", 400},
    {"obs-fold of an empty line", HOST "A: b\r\n \r\n\r\n", 400},
    {"space before the first field", " Host: h\r\n\r\n", 400},
    {"obs-fold of Transfer-Encoding", HOST "Transfer-Encoding:\r\n chunked\r\n\r\n", 400},
    {"CR in a value", HOST "A: b\rc\r\n\r\n", 400},
    {"CR that hides a field", HOST "A: b\rContent-Length: 5\r\n\r\n", 400},
    {"two CR at the end", HOST "A: b\r\r\n\r\n", 400},
    {"control byte in a value", HOST "A: \x01\r\n\r\n", 400},
    {"vertical tab in a value",
     HOST "Transfer-Encoding: \x0b"
          "chunked\r\n\r\n",
     400},
    {"form feed in a value", HOST "Transfer-Encoding: chunked\x0c\r\n\r\n", 400},
    {"DEL in a value", HOST "A: b\x7f\r\n\r\n", 400},
    {"no Host", "A: b\r\n\r\n", 400},
    {"no fields", "\r\n", 400},
    {"two Hosts", HOST "Host: i\r\n\r\n", 400},
    {"two equal Hosts", HOST "host: h\r\n\r\n", 400},
    {"empty Host", "Host:\r\n\r\n", 400},
    {"Host with a path", "Host: h/a\r\n\r\n", 400},
    {"Host with a user", "Host: u@h\r\n\r\n", 400},
    {"Host list", "Host: a, b\r\n\r\n", 400},
    {"Host with a space", "Host: a b\r\n\r\n", 400},
    {"Host with a bad port", "Host: a:b\r\n\r\n", 400},
    {"empty Content-Length", HOST "Content-Length:\r\n\r\n", 400},
    {"Content-Length with a plus", HOST "Content-Length: +5\r\n\r\n", 400},
    {"negative Content-Length", HOST "Content-Length: -5\r\n\r\n", 400},
    {"padded Content-Length", HOST "Content-Length: 05\r\n\r\n", 400},
    {"padded zero Content-Length", HOST "Content-Length: 00\r\n\r\n", 400},
    {"hexadecimal Content-Length", HOST "Content-Length: 0x5\r\n\r\n", 400},
    {"Content-Length with a fraction", HOST "Content-Length: 5.0\r\n\r\n", 400},
    {"Content-Length with a space", HOST "Content-Length: 5 0\r\n\r\n", 400},
    {"listed Content-Length", HOST "Content-Length: 5, 5\r\n\r\n", 400},
    {"Content-Length with a comma", HOST "Content-Length: 5,\r\n\r\n", 400},
    {"quoted Content-Length", HOST "Content-Length: \"5\"\r\n\r\n", 400},
    {"Content-Length of 2^63", HOST "Content-Length: 9223372036854775808\r\n\r\n", 400},
    {"Content-Length of 2^64", HOST "Content-Length: 18446744073709551616\r\n\r\n", 400},
    {"Content-Length of 2^64 + 5", HOST "Content-Length: 18446744073709551621\r\n\r\n", 400},
    {"two Content-Lengths", HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
    {"two Content-Lengths, one of zero", HOST "Content-Length: 0\r\nContent-Length: 6\r\n\r\n",
     400},
    {"Transfer-Encoding before Content-Length",
     HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
    {"Content-Length before Transfer-Encoding",
     HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"Transfer-Encoding with a zero Content-Length",
     HOST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 400},
    {"two Transfer-Encodings",
     HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"two Transfer-Encodings, one of identity",
     HOST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"empty Transfer-Encoding", HOST "Transfer-Encoding:\r\n\r\n", 400},
    {"chunked twice", HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
    {"chunked not at last", HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400},
    {"chunked thrice", HOST "Transfer-Encoding: chunked, gzip, chunked\r\n\r\n", 400},
    {"gzip alone", HOST "Transfer-Encoding: gzip\r\n\r\n", 400},
    {"identity", HOST "Transfer-Encoding: identity\r\n\r\n", 400},
    {"xchunked", HOST "Transfer-Encoding: xchunked\r\n\r\n", 400},
    {"chunked with a parameter", HOST "Transfer-Encoding: chunked;a=b\r\n\r\n", 400},
    {"chunked in quotes", HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", 400},
    {"chunked with an empty one behind", HOST "Transfer-Encoding: chunked,\r\n\r\n", 400},
    {"chunked with an empty one before", HOST "Transfer-Encoding: ,chunked\r\n\r\n", 400},
    {"gzip, then chunked", HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"gzip and deflate, then chunked", HOST "Transfer-Encoding: gzip ,deflate,\tChunked\r\n\r\n",
     501},
    {"another expectation", HOST "Expect: 200-ok\r\n\r\n", 417},
    {"two expectations", HOST "Expect: 100-continue, x\r\n\r\n", 417},
    {"empty expectation", HOST "Expect:\r\n\r\n", 417},
};

static void bad_fields_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_fields); i++) {
        struct http_request request = {.minor_version = 1};
        struct http_refusal refusal = {0};

        if (request_fields_parse(str_from(bad_fields[i].lines), &request, &refusal)) {
            fail_msg("accepted: %s", bad_fields[i].name);
        }
        if (refusal.status != bad_fields[i].status) {
            fail_msg("%d, not %d: %s", refusal.status, bad_fields[i].status, bad_fields[i].name);
        }
        assert_non_null(refusal.message);
    }
}

static void http_1_0_has_no_transfer_encoding(void **state)
{
    struct http_request request = {.minor_version = 0};
    struct http_refusal refusal = {0};

    (void)state;
    assert_false(
        request_fields_parse(str_from("Transfer-Encoding: chunked\r\n\r\n"), &request, &refusal));
    assert_int_equal(refusal.status, 400);
}

static void a_field_with_nul_is_refused_wherever_it_is(void **state)
{
    char lines[] = "A: bcd\r\nHost: h\r\n\r\n";

    (void)state;
    for (size_t i = 0; i < sizeof("A: bcd") - 1; i++) {
        const struct str bytes = {lines, sizeof(lines) - 1};
        const char kept = lines[i];
        struct http_request request = {.minor_version = 1};
        struct http_refusal refusal = {0};

        lines[i] = '\0';
        assert_false(request_fields_parse(bytes, &request, &refusal));
        assert_int_equal(refusal.status, 400);
        lines[i] = kept;
    }
}

static void host_of_the_target_goes_before_the_field(void **state)
{
    const struct str target_host = STR_LITERAL("target");
    struct http_request request = {.minor_version = 1, .host = target_host};
    struct http_refusal refusal = {0};

    (void)state;
    assert_true(request_fields_parse(str_from("Host: field\r\n\r\n"), &request, &refusal));
    assert_true(str_is(request.host, "target"));
}

static void host_field_is_needed_beside_an_absolute_target(void **state)
{
    const struct str target_host = STR_LITERAL("target");
    struct http_request request = {.minor_version = 1, .host = target_host};
    struct http_refusal refusal = {0};

    (void)state;
    assert_false(request_fields_parse(str_from("\r\n"), &request, &refusal));
    assert_int_equal(refusal.status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_are_told_apart),
        cmocka_unit_test(targets_are_taken_apart),
        cmocka_unit_test(versions_are_told_apart),
        cmocka_unit_test(bad_lines_are_refused),
        cmocka_unit_test(a_line_with_nul_is_refused_wherever_it_is),
        cmocka_unit_test(what_was_understood_of_a_refused_line_is_kept),
        cmocka_unit_test(beginnings_are_judged_by_their_method),
        cmocka_unit_test(fields_are_listed_in_order_without_white_space),
        cmocka_unit_test(framing_keep_alive_and_expectation_are_settled),
        cmocka_unit_test(bad_fields_are_refused),
        cmocka_unit_test(http_1_0_has_no_transfer_encoding),
        cmocka_unit_test(a_field_with_nul_is_refused_wherever_it_is),
        cmocka_unit_test(host_of_the_target_goes_before_the_field),
        cmocka_unit_test(host_field_is_needed_beside_an_absolute_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
