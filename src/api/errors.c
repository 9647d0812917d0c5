#include "api/errors.h"

#include "api/call.h"
#include "api/origin.h"
#include "api/routes.h"
#include "base/json_writer.h"

#define RETRY_AFTER_S 5U

enum { CHALLENGE_MAX_BYTES = 2048 };

static const char internal_message[] = "internal error; the server's log has the details under "
                                       "the request id of this answer's X-Request-Id";

/*
 * The first row that fits: a topic of ABOUT_NOTHING fits all. DENIED, not TAG_INVALID, for a tag
 * that would have to move: on TAG_INVALID podman, buildah and skopeo try three other formats and
 * then blame schema 1. DENIED for a blob that is too large: on SIZE_INVALID docker sends it four
 * times more. A reason of its own where a client (ctr) shows nothing else of an answer.
 */
static const struct {
    enum error_code code;
    enum error_topic topic;
    struct error_response answer;
} table[] = {
    {ERROR_INVALID, ABOUT_NAME, {400, "NAME_INVALID", NULL}},
    {ERROR_INVALID, ABOUT_TAG, {400, "TAG_INVALID", "Invalid Tag"}},
    {ERROR_INVALID, ABOUT_DIGEST, {400, "DIGEST_INVALID", "Invalid Digest"}},
    {ERROR_INVALID, ABOUT_SIZE, {400, "SIZE_INVALID", NULL}},
    {ERROR_INVALID, ABOUT_BLOB, {400, "DIGEST_INVALID", NULL}},
    {ERROR_INVALID, ABOUT_UPLOAD, {400, "BLOB_UPLOAD_INVALID", NULL}},
    {ERROR_INVALID, ABOUT_MANIFEST, {400, "MANIFEST_INVALID", "Invalid Manifest"}},
    {ERROR_INVALID, ABOUT_SOURCE, {422, "UNSUPPORTED", NULL}},
    {ERROR_INVALID, ABOUT_PAGE, {400, "PAGINATION_NUMBER_INVALID", NULL}},
    {ERROR_INVALID, ABOUT_NOTHING, {400, "UNSUPPORTED", NULL}},
    {ERROR_UNAUTHENTICATED, ABOUT_NOTHING, {401, "UNAUTHORIZED", NULL}},
    {ERROR_DENIED, ABOUT_NAME, {403, "DENIED", "Repository Is Not team/artifact"}},
    {ERROR_DENIED, ABOUT_PUSH, {403, "DENIED", "No Right To Push There"}},
    {ERROR_DENIED, ABOUT_UPLOAD, {403, "DENIED", "Upload Of Somebody Else"}},
    {ERROR_DENIED, ABOUT_READING, {403, "DENIED", "Registry Is Read-Only"}},
    {ERROR_DENIED, ABOUT_NOTHING, {403, "DENIED", NULL}},
    {ERROR_NOT_FOUND, ABOUT_NAME, {404, "NAME_UNKNOWN", NULL}},
    {ERROR_NOT_FOUND, ABOUT_TAG, {404, "MANIFEST_UNKNOWN", NULL}},
    {ERROR_NOT_FOUND, ABOUT_MANIFEST, {404, "MANIFEST_UNKNOWN", NULL}},
    {ERROR_NOT_FOUND, ABOUT_BLOB, {404, "BLOB_UNKNOWN", NULL}},
    {ERROR_NOT_FOUND, ABOUT_UPLOAD, {404, "BLOB_UPLOAD_UNKNOWN", NULL}},
    {ERROR_NOT_FOUND, ABOUT_REFERENCED, {404, "MANIFEST_BLOB_UNKNOWN", "Named Content Not Found"}},
    {ERROR_NOT_FOUND, ABOUT_NOTHING, {404, "UNSUPPORTED", NULL}},
    {ERROR_CONFLICT, ABOUT_TAG, {409, "DENIED", "Tag Is Immutable"}},
    {ERROR_CONFLICT, ABOUT_IMAGE, {412, "UNSUPPORTED", NULL}},
    {ERROR_CONFLICT, ABOUT_NOTHING, {409, "BLOB_UPLOAD_INVALID", NULL}},
    {ERROR_OUT_OF_RANGE, ABOUT_BLOB, {416, "SIZE_INVALID", NULL}},
    {ERROR_OUT_OF_RANGE, ABOUT_NOTHING, {416, "BLOB_UPLOAD_INVALID", NULL}},
    {ERROR_TOO_LARGE, ABOUT_SIZE, {413, "DENIED", "Blob Too Large"}},
    {ERROR_TOO_LARGE, ABOUT_TAG, {414, "SIZE_INVALID", "Too Many Tags"}},
    {ERROR_TOO_LARGE, ABOUT_NOTHING, {413, "SIZE_INVALID", NULL}},
    {ERROR_UNSUPPORTED, ABOUT_MANIFEST, {415, "UNSUPPORTED", NULL}},
    {ERROR_UNSUPPORTED, ABOUT_NOTHING, {405, "UNSUPPORTED", NULL}},
    {ERROR_TOO_MANY, ABOUT_NOTHING, {429, "TOOMANYREQUESTS", NULL}},
    {ERROR_NO_SPACE, ABOUT_NOTHING, {507, "UNAVAILABLE", NULL}},
    {ERROR_UNAVAILABLE, ABOUT_NOTHING, {503, "UNAVAILABLE", NULL}},
    {ERROR_INTERNAL, ABOUT_NOTHING, {500, "UNKNOWN", NULL}},
};

struct error_response errors_find(enum error_code code, enum error_topic topic)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].code == code && (table[i].topic == topic || table[i].topic == ABOUT_NOTHING)) {
            return table[i].answer;
        }
    }
    return (struct error_response){500, "UNKNOWN", NULL};
}

/* What goes wrong behind the API is for the operator's eyes. */
static bool is_private(enum error_code code)
{
    return code == ERROR_INTERNAL || code == ERROR_UNAVAILABLE || code == ERROR_NO_SPACE;
}

/* Who was kept out, and why, is what an operator looks for. */
static bool is_refusal(enum error_code code)
{
    return code == ERROR_UNAUTHENTICATED || code == ERROR_DENIED || code == ERROR_TOO_MANY;
}

static const char *public_message(enum error_code code)
{
    if (code == ERROR_NO_SPACE) {
        return "the registry's disk is full: nothing was stored; tell its operator, then try again";
    }
    return code == ERROR_UNAVAILABLE ? "the registry cannot do that right now; try again later"
                                     : internal_message;
}

/* Whoever is not known is told before the path is looked at. */
static bool names_repository(struct call *call)
{
    if (call->repository.name.length == 0) {
        (void)!call_read_path(call, NULL);
    }
    return call->repository.name.length > 0;
}

static void append_scope(struct call *call, struct strbuf *buf)
{
    const enum access access = call->route ? call->route->access : ACCESS_NOBODY;

    if (access == ACCESS_CATALOG) {
        strbuf_append_text(buf, ",scope=\"registry:catalog:*\"");
        return;
    }
    if (!names_repository(call)) {
        return;
    }
    strbuf_append_format(buf, ",scope=\"repository:%.*s:%s\"", STR_FORMAT(call->repository.name),
                         access == ACCESS_PULL ? "pull" : "pull,push");
}

/* Without spaces between the parameters: some clients' parsers want none. */
static void append_bearer(struct call *call, struct strbuf *buf)
{
    const struct str url = origin_url(call);

    strbuf_append_format(buf, "Bearer realm=\"%.*s" TOKEN_PATH "\",service=\"%.*s\"",
                         STR_FORMAT(url), STR_FORMAT(origin_service(call)));
    append_scope(call, buf);
    if (call->challenge_error) {
        strbuf_append_format(buf, ",error=\"%s\"", call->challenge_error);
    }
    if (call->challenge_description) { /* what docker shows, instead of the body */
        strbuf_append_format(buf, ",error_description=\"%s\"", call->challenge_description);
    }
}

/* Where to get a token (distribution "Token Authentication Specification") for what this request
 * needs; the place that gives tokens takes Basic. */
static void add_challenge(struct call *call)
{
    struct strbuf challenge;

    strbuf_init(&challenge, CHALLENGE_MAX_BYTES);
    if (call->route && call->route->access == ACCESS_TOKEN) {
        strbuf_append_text(&challenge, "Basic realm=\"pierone\", charset=\"UTF-8\"");
    } else {
        append_bearer(call, &challenge);
    }
    http_response_add(&call->exchange->response, "WWW-Authenticate", strbuf_str(&challenge));
    strbuf_release(&challenge);
}

/* Pier One's own API tells errors as problem details (RFC 9457), with the `message` that clients of
 * the original show. */
static void write_problem(struct call *call, struct str message)
{
    const int status = call->exchange->response.status;
    struct json_writer writer;

    json_writer_init(&writer, &call->written);
    json_writer_begin_object(&writer);
    json_writer_member(&writer, "title", str_from(http_status_reason(status)));
    json_writer_member_uint64(&writer, "status", (uint64_t)status);
    json_writer_member(&writer, "detail", message);
    json_writer_member(&writer, "message", message);
    json_writer_end_object(&writer);
}

static void write_error(struct json_writer *writer, const char *code, struct str message,
                        const struct str *detail)
{
    json_writer_begin_object(writer);
    json_writer_member(writer, "code", str_from(code));
    json_writer_member(writer, "message", message);
    if (detail) {
        json_writer_name(writer, "detail");
        json_writer_raw(writer, *detail);
    }
    json_writer_end_object(writer);
}

/* As the distribution specification has it: one error, or one for each detail. */
static void write_errors(struct call *call, const char *code, struct str message)
{
    struct json_writer writer;

    json_writer_init(&writer, &call->written);
    json_writer_begin_object(&writer);
    json_writer_name(&writer, "errors");
    json_writer_begin_array(&writer);
    if (call->detail_count == 0) {
        write_error(&writer, code, message, NULL);
    }
    for (size_t i = 0; i < call->detail_count; i++) {
        write_error(&writer, code, message, &call->details[i]);
    }
    json_writer_end_array(&writer);
    json_writer_end_object(&writer);
}

static void write_body(struct call *call, const char *code, struct str message)
{
    struct http_response *response = &call->exchange->response;
    const bool is_problem =
        routes_error_format(call->route, call->exchange->request.path) == ERRORS_PROBLEM;

    strbuf_clear(&call->written); /* what a handler began to write before it failed */
    if (is_problem) {
        write_problem(call, message);
    } else {
        write_errors(call, code, message);
    }
    call_respond_body(call, response->status,
                      is_problem ? "application/problem+json" : "application/json",
                      strbuf_str(&call->written));
    http_response_add(response, "Cache-Control", str_from("no-store"));
}

void errors_respond(struct call *call, enum error_code code, const struct error *err)
{
    const struct error_response answer = errors_find(code, err->topic);
    struct http_response *response = &call->exchange->response;
    const char *message = err->message;

    if (is_private(code) || is_refusal(code)) {
        call->failure = arena_text(&call->exchange->arena, str_from(err->message));
    }
    if (is_private(code)) {
        message = public_message(code);
    }
    response->status = answer.status;
    response->reason = answer.reason;
    if (answer.status == 503 || answer.status == 429) {
        http_response_add_format(response, "Retry-After", "%u",
                                 err->retry_after_s > 0 ? err->retry_after_s : RETRY_AFTER_S);
    }
    if (answer.status == 401) {
        add_challenge(call);
    }
    write_body(call, answer.code, str_from(message));
}

void errors_respond_status(struct call *call, int status, const char *code, const char *message)
{
    struct http_response *response = &call->exchange->response;

    response->status = status;
    if (status == 503) {
        http_response_add_format(response, "Retry-After", "%d", RETRY_AFTER_S);
    }
    write_body(call, code, str_from(message));
}

const char *errors_code_of_status(int status)
{
    switch (status) {
    case 413:
        return "SIZE_INVALID";
    case 503:
        return "UNAVAILABLE";
    default:
        return "UNSUPPORTED";
    }
}
