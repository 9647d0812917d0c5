#include "http/response.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attributes.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

enum { DATE_S = 784111777 };

static void assert_head(const struct http_response *response, struct http_delivery delivery,
                        const char *wanted)
{
    struct strbuf head;

    delivery.date_s = DATE_S;
    strbuf_init(&head, 2000);
    http_response_write_head(response, &delivery, &head);
    assert_string_equal(head.text, wanted);
    strbuf_release(&head);
}

static int open_nothing(void)
{
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void a_head_has_status_date_fields_and_length(void **state)
{
    struct http_response response;

    (void)state;
    http_response_init(&response);
    response.status = 200;
    response.body = str_from("hello");
    http_response_add(&response, "Content-Type", str_from("text/plain"));
    http_response_add(&response, "ETag", str_from("\"a\""));
    assert_head(&response, (struct http_delivery){0},
                "HTTP/1.1 200 OK\r\n" DATE
                "Content-Type: text/plain\r\nETag: \"a\"\r\nContent-Length: 5\r\n\r\n");
    http_response_release(&response);
}

static void the_connection_is_told_of_where_it_must_be(void **state)
{
    struct http_response response;

    (void)state;
    http_response_init(&response);
    response.status = 404;
    assert_head(&response, (struct http_delivery){.closes = true},
                "HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 0\r\nConnection: close\r\n\r\n");
    assert_head(&response, (struct http_delivery){.closes = true, .is_http_1_0 = true},
                "HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 0\r\nConnection: close\r\n\r\n");
    assert_head(&response, (struct http_delivery){.is_http_1_0 = true},
                "HTTP/1.1 404 Not Found\r\n" DATE
                "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    http_response_release(&response);
}

static void a_reason_may_be_given_and_may_be_unknown(void **state)
{
    struct http_response response;

    (void)state;
    http_response_init(&response);
    response.status = 409;
    response.reason = "Tag Is Immutable";
    assert_head(&response, (struct http_delivery){0},
                "HTTP/1.1 409 Tag Is Immutable\r\n" DATE "Content-Length: 0\r\n\r\n");
    http_response_clear(&response);
    response.status = 299;
    assert_head(&response, (struct http_delivery){0},
                "HTTP/1.1 299 \r\n" DATE "Content-Length: 0\r\n\r\n");
    http_response_release(&response);
}

static void a_status_without_a_body_has_no_length(void **state)
{
    struct http_response response;

    (void)state;
    http_response_init(&response);
    response.status = 204;
    assert_head(&response, (struct http_delivery){0}, "HTTP/1.1 204 No Content\r\n" DATE "\r\n");
    response.status = 304;
    response.body = str_from("hello");
    assert_head(&response, (struct http_delivery){0}, "HTTP/1.1 304 Not Modified\r\n" DATE "\r\n");
    http_response_release(&response);
}

static void head_tells_the_size_of_what_is_not_sent(void **state)
{
    struct http_response response;

    (void)state;
    http_response_init(&response);
    response.status = 200;
    response.file_length_bytes = 14000000000;
    assert_head(&response, (struct http_delivery){.is_head = true},
                "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 14000000000\r\n\r\n");
    http_response_clear(&response);
    response.status = 200;
    response.body = str_from("hello");
    assert_head(&response, (struct http_delivery){.is_head = true},
                "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 5\r\n\r\n");
    http_response_release(&response);
}

static void the_size_is_of_the_file_if_there_is_one(void **state)
{
    struct http_response response;

    (void)state;
    http_response_init(&response);
    assert_true(http_response_size(&response) == 0);
    response.body = str_from("hello");
    assert_true(http_response_size(&response) == 5);
    response.file_fd = open_nothing();
    response.file_offset_bytes = 10;
    response.file_length_bytes = UINT64_MAX;
    assert_true(http_response_size(&response) == UINT64_MAX);
    http_response_release(&response);
}

static void a_value_cannot_end_its_line(void **state)
{
    const struct str with_nul = {"a\0b", 3};
    struct http_response response;

    (void)state;
    http_response_init(&response);
    http_response_add(&response, "A", str_from("b\r\nSet-Cookie: c\r\n\r\n<html>"));
    http_response_add(&response, "B", str_from("\n\n\n"));
    http_response_add(&response, "C", with_nul);
    http_response_add(&response, "D", str_from("a\x1b[1m\x7f\tb\xc3\xa4"));
    http_response_add(&response, "E", (struct str){0});
    http_response_add_format(&response, "F", "%s %d", "x\r\ny", 5);
    assert_string_equal(response.headers.text,
                        "A: bSet-Cookie: c<html>\r\nB: \r\nC: ab\r\nD: a[1m\tb\xc3\xa4\r\nE: \r\n"
                        "F: xy 5\r\n");
    assert_false(response.headers.is_truncated);
    http_response_release(&response);
}

static void formatted_values_may_be_long(void **state)
{
    for (int width = 250; width < 260; width++) {
        struct http_response response;

        (void)state;
        http_response_init(&response);
        http_response_add_format(&response, "Location", "/%0*d", width, 7);
        assert_int_equal(response.headers.length, strlen("Location: /\r\n") + (size_t)width);
        assert_true(str_ends_with(strbuf_str(&response.headers), "007\r\n"));
        http_response_release(&response);
    }
}

static void a_field_beyond_the_limit_is_left_out_whole(void **state)
{
    static char value[HTTP_RESPONSE_HEADERS_MAX_BYTES];
    struct http_response response;

    (void)state;
    memset(value, 'v', sizeof(value));
    http_response_init(&response);
    http_response_add(&response, "A", (struct str){value, sizeof(value) - strlen("A: \r\n")});
    assert_int_equal(response.headers.length, HTTP_RESPONSE_HEADERS_MAX_BYTES);
    assert_false(response.headers.is_truncated);
    http_response_clear(&response);
    http_response_add(&response, "A", (struct str){value, sizeof(value) - strlen("A: \r\n") + 1});
    assert_int_equal(response.headers.length, 0);
    assert_true(response.headers.is_truncated);
    http_response_clear(&response);
    http_response_add_format(&response, "A", "%0*d", HTTP_RESPONSE_HEADERS_MAX_BYTES + 1, 1);
    assert_int_equal(response.headers.length, 0);
    assert_true(response.headers.is_truncated);
    http_response_release(&response);
}

static void clear_forgets_everything_and_closes_the_file(void **state)
{
    struct http_response response;
    const int fd = open_nothing();

    (void)state;
    http_response_init(&response);
    response.status = 200;
    response.reason = "Fine";
    response.file_fd = fd;
    response.file_length_bytes = 5;
    response.closes = true;
    response.body = str_from("hello");
    http_response_add(&response, "A", str_from("b"));
    http_response_clear(&response);
    assert_int_equal(response.status, 0);
    assert_null(response.reason);
    assert_int_equal(response.file_fd, -1);
    assert_int_equal(response.headers.length, 0);
    assert_false(response.closes);
    assert_true(http_response_size(&response) == 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    http_response_release(&response);
}

static void release_accepts_what_is_empty_or_absent(void **state)
{
    struct http_response response;

    (void)state;
    http_response_init(&response);
    http_response_release(&response);
    http_response_release(&response);
    http_response_release(NULL);
}

static void usual_phrases_are_those_of_rfc_9110(void **state)
{
    (void)state;
    assert_string_equal(http_status_reason(200), "OK");
    assert_string_equal(http_status_reason(404), "Not Found");
    assert_string_equal(http_status_reason(413), "Content Too Large");
    assert_string_equal(http_status_reason(431), "Request Header Fields Too Large");
    assert_string_equal(http_status_reason(505), "HTTP Version Not Supported");
}

/* Whatever the parser refuses with has one. */
static void refusals_have_a_phrase(void **state)
{
    static const int statuses[] = {400, 408, 413, 414, 417, 431, 501, 503, 505};

    (void)state;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        assert_string_not_equal(http_status_reason(statuses[i]), "");
    }
}

static void an_unknown_status_has_an_empty_phrase(void **state)
{
    (void)state;
    assert_string_equal(http_status_reason(299), "");
    assert_string_equal(http_status_reason(0), "");
    assert_string_equal(http_status_reason(-1), "");
}

static void some_statuses_have_no_body(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        assert_int_equal(http_status_has_no_body(status),
                         status < 200 || status == 204 || status == 304);
    }
}

static const int64_t last_second = 253402300799; /* of the year 9999 */

static void known_dates_are_written(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110 5.6.7 */
        {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
        {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
        {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
        {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[HTTP_DATE_BYTES];

        http_date_format(cases[i].seconds, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* The library's calendar, about once in three days and at differing hours. */
static void all_years_agree_with_the_c_library(void **state)
{
    const int64_t step = 3 * 24 * 60 * 60 - 61;

    (void)state;
    for (int64_t seconds = 0; seconds <= last_second; seconds += step) {
        const time_t time = (time_t)seconds;
        char text[HTTP_DATE_BYTES];
        char wanted[HTTP_DATE_BYTES];
        struct tm utc = {0};

        http_date_format(seconds, text);
        (void)gmtime_r(&time, &utc);
        (void)strftime(wanted, sizeof(wanted), "%a, %d %b %Y %H:%M:%S GMT", &utc);
        if (strcmp(text, wanted) != 0) {
            fail_msg("%s, not %s", text, wanted);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_has_status_date_fields_and_length),
        cmocka_unit_test(the_connection_is_told_of_where_it_must_be),
        cmocka_unit_test(a_reason_may_be_given_and_may_be_unknown),
        cmocka_unit_test(a_status_without_a_body_has_no_length),
        cmocka_unit_test(head_tells_the_size_of_what_is_not_sent),
        cmocka_unit_test(the_size_is_of_the_file_if_there_is_one),
        cmocka_unit_test(a_value_cannot_end_its_line),
        cmocka_unit_test(formatted_values_may_be_long),
        cmocka_unit_test(a_field_beyond_the_limit_is_left_out_whole),
        cmocka_unit_test(clear_forgets_everything_and_closes_the_file),
        cmocka_unit_test(release_accepts_what_is_empty_or_absent),
        cmocka_unit_test(usual_phrases_are_those_of_rfc_9110),
        cmocka_unit_test(refusals_have_a_phrase),
        cmocka_unit_test(an_unknown_status_has_an_empty_phrase),
        cmocka_unit_test(some_statuses_have_no_body),
        cmocka_unit_test(known_dates_are_written),
        cmocka_unit_test(all_years_agree_with_the_c_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
