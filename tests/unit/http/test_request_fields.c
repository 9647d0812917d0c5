#include "http/request_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attributes.h"

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
