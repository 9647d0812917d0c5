#include "http/request_line.h"

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
