#include "http/response.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/memory.h"
#include "http/syntax.h"

enum { SHORT_VALUE_BYTES = 256 };

enum {
    SECONDS_PER_MINUTE = 60,
    SECONDS_PER_HOUR = 60 * SECONDS_PER_MINUTE,
    SECONDS_PER_DAY = 24 * SECONDS_PER_HOUR,
    DAYS_PER_ERA = 146097, /* 400 years, after which the calendar repeats itself */
    DAYS_PER_CENTURY = 36524,
    DAYS_PER_4_YEARS = 1461,
    DAYS_PER_YEAR = 365,
    DAYS_BEFORE_1970 = 719468, /* since 0000-03-01 */
};

struct date {
    unsigned year;
    unsigned month; /* from 0 */
    unsigned day;   /* from 1 */
};

bool http_status_has_no_body(int status)
{
    return (status >= 100 && status < 200) || status == 204 || status == 304;
}

const char *http_status_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"}, /* the most usual first */
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "";
}

/*
 * The Gregorian calendar, counted in years that begin with March: then the leap day is the last of
 * its year, and the months' lengths repeat 31, 30, 31, 30, 31 (153 days).
 */
static struct date date_of(unsigned days)
{
    const unsigned since_march_0 = days + DAYS_BEFORE_1970;
    const unsigned era = since_march_0 / DAYS_PER_ERA;
    const unsigned day_of_era = since_march_0 % DAYS_PER_ERA;
    const unsigned leap_days = day_of_era / (DAYS_PER_4_YEARS - 1) - day_of_era / DAYS_PER_CENTURY +
                               day_of_era / (DAYS_PER_ERA - 1);
    const unsigned year_of_era = (day_of_era - leap_days) / DAYS_PER_YEAR;
    const unsigned day_of_year =
        day_of_era - (DAYS_PER_YEAR * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned march_month = (5 * day_of_year + 2) / 153;

    return (struct date){
        .year = era * 400 + year_of_era + (march_month >= 10 ? 1 : 0),
        .month = (march_month + 2) % 12,
        .day = day_of_year - (153 * march_month + 2) / 5 + 1,
    };
}

static char *put_text(char *text, const char *three_bytes)
{
    memcpy(text, three_bytes, 3);
    return text + 3;
}

static char *put_two(char *text, unsigned number)
{
    text[0] = (char)('0' + number / 10);
    text[1] = (char)('0' + number % 10);
    return text + 2;
}

void http_date_format(int64_t seconds, char text_out[HTTP_DATE_BYTES])
{
    static const char weekdays[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const unsigned days = (unsigned)(seconds / SECONDS_PER_DAY);
    const unsigned second = (unsigned)(seconds % SECONDS_PER_DAY);
    const struct date date = date_of(days);
    char *next = text_out;

    assert(seconds >= 0);
    assert(date.year <= 9999);
    memcpy(text_out, "Thu, 01 Jan 1970 00:00:00 GMT", HTTP_DATE_BYTES);
    (void)put_text(next, weekdays[days % 7]); /* 1970-01-01 was a Thursday */
    next = put_two(text_out + sizeof("Thu, ") - 1, date.day) + 1;
    next = put_text(next, months[date.month]) + 1;
    next = put_two(next, date.year / 100);
    next = put_two(next, date.year % 100) + 1;
    next = put_two(next, second / SECONDS_PER_HOUR) + 1;
    next = put_two(next, second / SECONDS_PER_MINUTE % 60) + 1;
    (void)put_two(next, second % 60);
}

void http_response_init(struct http_response *response)
{
    *response = (struct http_response){.file_fd = -1};
    strbuf_init(&response->headers, HTTP_RESPONSE_HEADERS_MAX_BYTES);
}

void http_response_release(struct http_response *response)
{
    if (!response) {
        return;
    }
    http_response_clear(response);
    strbuf_release(&response->headers);
}

void http_response_clear(struct http_response *response)
{
    struct strbuf headers = response->headers;

    if (response->file_fd >= 0) {
        (void)close(response->file_fd);
    }
    if (response->source) {
        response->source->free(response->source);
    }
    strbuf_clear(&headers);
    *response = (struct http_response){.headers = headers, .file_fd = -1};
}

static void append_value(struct strbuf *headers, struct str value)
{
    size_t length = http_span_value(value);

    while (length < value.length) {
        strbuf_append(headers, str_slice(value, 0, length));
        value = str_from_index(value, length + 1);
        length = http_span_value(value);
    }
    strbuf_append(headers, value);
}

/* A line is added whole or, beyond the limit, not at all: half a line would spoil the next. */
void http_response_add(struct http_response *response, const char *name, struct str value)
{
    struct strbuf *headers = &response->headers;
    const struct str field_name = str_from(name);
    const size_t punctuation = sizeof(": \r\n") - 1;

    assert(field_name.length > 0);
    assert(http_span(field_name, HTTP_TOKEN_BYTE) == field_name.length);
    if (field_name.length + punctuation + value.length > headers->limit_bytes - headers->length) {
        headers->is_truncated = true;
        return;
    }
    strbuf_append(headers, field_name);
    strbuf_append_text(headers, ": ");
    append_value(headers, value);
    strbuf_append_text(headers, "\r\n");
}

void http_response_add_format(struct http_response *response, const char *name, const char *format,
                              ...)
{
    char short_value[SHORT_VALUE_BYTES];
    char *value = short_value;
    va_list values;
    int length = 0;

    va_start(values, format);
    length = vsnprintf(short_value, sizeof(short_value), format, values);
    va_end(values);
    assert(length >= 0);
    if ((size_t)length > response->headers.limit_bytes) {
        response->headers.is_truncated = true;
        return;
    }
    if ((size_t)length >= sizeof(short_value)) {
        value = memory_new((size_t)length + 1, 1);
        va_start(values, format);
        (void)vsnprintf(value, (size_t)length + 1, format, values);
        va_end(values);
    }
    http_response_add(response, name, (struct str){value, (size_t)length});
    if (value != short_value) {
        free(value);
    }
}

uint64_t http_response_size(const struct http_response *response)
{
    uint64_t size_bytes = 0;

    for (size_t i = 0; i < response->part_count; i++) {
        size_bytes += response->parts[i].head.length + response->parts[i].length_bytes;
    }
    if (response->part_count > 0) {
        return size_bytes;
    }
    return response->file_fd < 0 && response->body.length > 0 ? response->body.length
                                                              : response->file_length_bytes;
}

/* Ours is the highest version that we speak, also to HTTP/1.0 (RFC 9110 2.5). */
static void append_status_line(const struct http_response *response, struct strbuf *head)
{
    strbuf_append_text(head, "HTTP/1.1 ");
    strbuf_append_uint64(head, (uint64_t)response->status);
    strbuf_append_byte(head, ' ');
    strbuf_append_text(head,
                       response->reason ? response->reason : http_status_reason(response->status));
    strbuf_append_text(head, "\r\n");
}

static void append_date(int64_t date_s, struct strbuf *head)
{
    char date[HTTP_DATE_BYTES];

    http_date_format(date_s, date);
    strbuf_append_text(head, "Date: ");
    strbuf_append(head, (struct str){date, sizeof(date) - 1});
    strbuf_append_text(head, "\r\n");
}

void http_response_write_head(const struct http_response *response,
                              const struct http_delivery *delivery, struct strbuf *head)
{
    assert(response->file_fd >= 0 || response->source || response->file_length_bytes == 0 ||
           delivery->is_head);
    append_status_line(response, head);
    append_date(delivery->date_s, head);
    strbuf_append(head, strbuf_str(&response->headers));
    if (!http_status_has_no_body(response->status)) {
        strbuf_append_text(head, "Content-Length: ");
        strbuf_append_uint64(head, http_response_size(response));
        strbuf_append_text(head, "\r\n");
    }
    if (delivery->closes) {
        strbuf_append_text(head, "Connection: close\r\n");
    } else if (delivery->is_http_1_0) {
        strbuf_append_text(head, "Connection: keep-alive\r\n");
    }
    strbuf_append_text(head, "\r\n");
}
