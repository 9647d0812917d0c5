#include "http/response.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "http/date.h"
#include "http/status.h"
#include "http/syntax.h"

enum { SHORT_VALUE_BYTES = 256 };

static void append_value(struct strbuf *headers, struct str value);
static void append_status_line(const struct http_response *response, struct strbuf *head);
static void append_date(int64_t date_s, struct strbuf *head);

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
