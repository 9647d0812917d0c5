#include "fuzz.h"

#include <assert.h>
#include <stdbool.h>

#include "http/request.h"

enum { PREFIXES_MAX_BYTES = 250 }; /* trying all prefixes of more would take too long */

static void check(struct str bytes, const struct http_parser_limits *limits);
static void check_done(struct str bytes, const struct http_parser_limits *limits,
                       const struct http_request *request, size_t length);
static void check_refusal(const struct http_refusal *refusal);
static void check_prefixes(struct str bytes, const struct http_parser_limits *limits,
                           enum http_parse_result result, size_t length);
static void assert_inside(struct str bytes, struct str view);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct http_parser_limits usual = {65536, HTTP_MAX_HEADERS};
    static const struct http_parser_limits tight = {120, 3};
    const struct str input = {(const char *)bytes, length};

    check(input, &usual);
    check(input, &tight);
    return 0;
}

static void check(struct str bytes, const struct http_parser_limits *limits)
{
    static struct http_request request; /* with what the input before left in it */
    struct http_refusal refusal = {0};
    size_t length = 0;
    const enum http_parse_result result =
        http_parse_request(bytes, limits, &request, &length, &refusal);

    assert(request.header_count <= limits->headers);
    for (size_t i = 0; i < request.header_count; i++) {
        assert_inside(bytes, request.headers[i].name);
        assert_inside(bytes, request.headers[i].value);
    }
    switch (result) {
    case HTTP_PARSE_DONE:
        check_done(bytes, limits, &request, length);
        break;
    case HTTP_PARSE_REFUSED:
        check_refusal(&refusal);
        break;
    case HTTP_PARSE_MORE:
        assert(bytes.length < limits->head_bytes);
        break;
    }
    check_prefixes(bytes, limits, result, length);
}

static void check_done(struct str bytes, const struct http_parser_limits *limits,
                       const struct http_request *request, size_t length)
{
    assert(length <= bytes.length);
    assert(length <= limits->head_bytes);
    assert(str_ends_with(str_slice(bytes, 0, length), "\r\n\r\n"));
    assert_inside(bytes, request->method_name);
    assert_inside(bytes, request->target);
    assert_inside(bytes, request->query);
    assert_inside(bytes, request->host);
    assert(request->path.length > 0);
    assert(request->path.bytes[0] == '/' || str_is(request->path, "*"));
    if (!str_is(request->path, "/")) { /* a target in absolute form may have none */
        assert_inside(bytes, request->path);
    }
    assert(request->host.length > 0 || request->minor_version == 0);
    assert(request->framing == HTTP_SIZED_BODY || request->content_length == 0);
    assert(request->framing != HTTP_CHUNKED_BODY || request->minor_version == 1);
}

static void check_refusal(const struct http_refusal *refusal)
{
    assert(refusal->message);
    assert(refusal->status == 400 || refusal->status == 414 || refusal->status == 417 ||
           refusal->status == 431 || refusal->status == 501 || refusal->status == 505);
}

/* More bytes turn MORE into something else once, at a definite place, and change nothing then. */
static void check_prefixes(struct str bytes, const struct http_parser_limits *limits,
                           enum http_parse_result result, size_t length)
{
    enum http_parse_result before = HTTP_PARSE_MORE;

    if (bytes.length > PREFIXES_MAX_BYTES) {
        return;
    }
    for (size_t end = 0; end < bytes.length; end++) {
        static struct http_request request;
        struct http_refusal refusal = {0};
        size_t prefix_length = 0;
        const enum http_parse_result now = http_parse_request(str_slice(bytes, 0, end), limits,
                                                              &request, &prefix_length, &refusal);

        assert(before == HTTP_PARSE_MORE || now == before);
        assert((now == HTTP_PARSE_DONE) == (result == HTTP_PARSE_DONE && end >= length));
        assert(prefix_length == (now == HTTP_PARSE_DONE ? length : 0));
        before = now;
    }
    assert(before == HTTP_PARSE_MORE || result == before);
}

static void assert_inside(struct str bytes, struct str view)
{
    if (view.bytes) {
        assert(view.bytes >= bytes.bytes);
        assert(view.bytes + view.length <= bytes.bytes + bytes.length);
    } else {
        assert(view.length == 0);
    }
}
