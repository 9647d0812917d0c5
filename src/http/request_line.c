#include "http/request_line.h"

#include "base/ascii.h"
#include "http/syntax.h"

enum { METHOD_MAX_BYTES = 32 };

static bool parse_method(struct str name, struct http_request *request,
                         struct http_refusal *refusal_out);
static enum http_method method_of(struct str name);
static bool parse_version(struct str version, struct http_request *request,
                          struct http_refusal *refusal_out);
static bool parse_target(struct str target, struct http_request *request,
                         struct http_refusal *refusal_out);
static void split_path(struct str path_and_query, struct http_request *request);
static bool parse_absolute(struct str target, struct http_request *request,
                           struct http_refusal *refusal_out);
static bool cut_scheme(struct str *target);
static size_t authority_length(struct str rest);
static bool refuse(struct http_refusal *refusal_out, int status, const char *message);

bool request_line_parse(struct str line, struct http_request *request,
                        struct http_refusal *refusal_out)
{
    const size_t first = str_index_of(line, ' ');
    const size_t last = str_last_index_of(line, ' ');

    if (!parse_method(str_slice(line, 0, first), request, refusal_out)) {
        return false;
    }
    if (first >= last) {
        return refuse(refusal_out, 400,
                      "The request line must be a method, a target and a version, "
                      "with a single space between them.");
    }
    request->target = str_slice(line, first + 1, last);
    return parse_version(str_from_index(line, last + 1), request, refusal_out) &&
           parse_target(request->target, request, refusal_out);
}

static bool parse_method(struct str name, struct http_request *request,
                         struct http_refusal *refusal_out)
{
    if (name.length == 0 || http_span(name, HTTP_TOKEN_BYTE) != name.length) {
        return refuse(refusal_out, 400, "The request must begin with a method.");
    }
    if (name.length > METHOD_MAX_BYTES) { /* RFC 9112 3: longer than any we implement */
        return refuse(refusal_out, 501, "The method is not one of ours.");
    }
    request->method_name = name;
    request->method = method_of(name);
    return true;
}

/* Methods are case-sensitive (RFC 9110 9.1). */
static enum http_method method_of(struct str name)
{
    static const struct {
        struct str name;
        enum http_method method;
    } methods[] = {
        {STR_LITERAL("GET"), HTTP_GET},         {STR_LITERAL("HEAD"), HTTP_HEAD},
        {STR_LITERAL("POST"), HTTP_POST},       {STR_LITERAL("PUT"), HTTP_PUT},
        {STR_LITERAL("PATCH"), HTTP_PATCH},     {STR_LITERAL("DELETE"), HTTP_DELETE},
        {STR_LITERAL("OPTIONS"), HTTP_OPTIONS},
    };

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (str_equal(name, methods[i].name)) {
            return methods[i].method;
        }
    }
    return HTTP_METHOD_OTHER;
}

/* RFC 9112 2.3. A later 1.x is answered as 1.1 (RFC 9110 2.5). */
static bool parse_version(struct str version, struct http_request *request,
                          struct http_refusal *refusal_out)
{
    const struct str name = STR_LITERAL("HTTP/");
    const struct str digits = str_from_index(version, name.length);

    if (!str_equal(str_slice(version, 0, name.length), name) || digits.length != 3 ||
        !ascii_is_digit(digits.bytes[0]) || digits.bytes[1] != '.' ||
        !ascii_is_digit(digits.bytes[2])) {
        return refuse(refusal_out, 400, "The request line must end in HTTP/1.1 or HTTP/1.0.");
    }
    if (digits.bytes[0] != '1') {
        return refuse(refusal_out, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    }
    request->minor_version = digits.bytes[2] == '0' ? 0 : 1;
    return true;
}

/* RFC 9112 3.2. */
static bool parse_target(struct str target, struct http_request *request,
                         struct http_refusal *refusal_out)
{
    if (http_span(target, HTTP_URI_BYTE) != target.length) {
        return refuse(refusal_out, 400,
                      "The request target holds bytes that must be percent-encoded, "
                      "or a fragment.");
    }
    if (str_is(request->method_name, "CONNECT")) {
        return refuse(refusal_out, 501, "This server is no proxy: no CONNECT.");
    }
    if (target.length > 0 && target.bytes[0] == '/') {
        split_path(target, request);
        return true;
    }
    if (request->method == HTTP_OPTIONS && str_is(target, "*")) {
        request->path = target;
        return true;
    }
    return parse_absolute(target, request, refusal_out);
}

static void split_path(struct str path_and_query, struct http_request *request)
{
    const size_t mark = str_index_of(path_and_query, '?');

    request->path = str_slice(path_and_query, 0, mark);
    request->query = str_from_index(path_and_query, mark + 1);
}

static bool parse_absolute(struct str target, struct http_request *request,
                           struct http_refusal *refusal_out)
{
    const struct str root = STR_LITERAL("/");
    struct str rest = target;

    if (!cut_scheme(&rest)) {
        return refuse(refusal_out, 400, "The request target must be a path or an http address.");
    }
    request->host = str_slice(rest, 0, authority_length(rest));
    if (!http_authority_is_valid(request->host)) {
        return refuse(refusal_out, 400, "The request target names no valid host.");
    }
    split_path(str_from_index(rest, request->host.length), request);
    if (request->path.length == 0) {
        request->path = root; /* RFC 9110 4.2.3: an empty path is the same as "/" */
    }
    return true;
}

static bool cut_scheme(struct str *target)
{
    static const struct str schemes[] = {STR_LITERAL("http://"), STR_LITERAL("https://")};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (str_equal_ignoring_case(str_slice(*target, 0, schemes[i].length), schemes[i])) {
            *target = str_from_index(*target, schemes[i].length);
            return true;
        }
    }
    return false;
}

static size_t authority_length(struct str rest)
{
    const size_t slash = str_index_of(rest, '/');
    const size_t mark = str_index_of(rest, '?');

    return slash < mark ? slash : mark;
}

bool request_line_can_begin(struct str bytes, struct http_refusal *refusal_out)
{
    const size_t length = http_span(str_slice(bytes, 0, METHOD_MAX_BYTES + 1), HTTP_TOKEN_BYTE);

    if (length > METHOD_MAX_BYTES) {
        return refuse(refusal_out, 501, "The method is not one of ours.");
    }
    if (length < bytes.length && (length == 0 || bytes.bytes[length] != ' ')) {
        return refuse(refusal_out, 400, "The request must begin with a method.");
    }
    return true;
}

static bool refuse(struct http_refusal *refusal_out, int status, const char *message)
{
    *refusal_out = (struct http_refusal){status, message};
    return false;
}
