#include "api/call.h"

#include <string.h>

#include "api/routes.h"
#include "http/range.h"
#include "registry/blobs.h"

enum { ALLOW_MAX_BYTES = 64, PARAMETER_MAX_BYTES = 1024 };

bool call_moves(struct call *call)
{
    const struct http_exchange *exchange = call->exchange;
    const bool moves = !http_thread_suits(exchange->thread, exchange->needed);

    if (moves) {
        call->challenge_error = NULL;
    }
    return moves;
}

enum error_code call_need(struct call *call, enum http_thread thread, struct error *err)
{
    const bool is_worker_enough =
        thread == HTTP_CARRIER && !registry_has_remote_blobs(call->api->config.registry);

    call->exchange->needed = is_worker_enough ? HTTP_WORKER : thread;
    return call_moves(call) ? error_set(err, ERROR_UNAVAILABLE, "that is done on another thread")
                            : OK;
}

/* All but the name, which holds no bytes that need it. */
static enum error_code decode_path(struct call *call, struct error *err)
{
    for (int i = PATH_NAME + 1; i < PATH_PARAMETERS; i++) {
        struct str *parameter = &call->path[i];
        const size_t capacity = parameter->length + 1;
        char *decoded = NULL;

        if (parameter->length == 0) {
            continue;
        }
        decoded = arena_new(&call->exchange->arena, capacity, 1);
        if (!decoded || !http_percent_decode(*parameter, decoded, capacity)) {
            return error_set(err, ERROR_INVALID, "the path is not well encoded");
        }
        *parameter = str_from(decoded);
    }
    return OK;
}

static enum error_code parse_repository_name(struct call *call, struct error *err)
{
    const enum error_code code = repository_parse(call->path[PATH_NAME], &call->repository, err);

    if (code != ERROR_INVALID) {
        return code;
    }
    return call->route->method == HTTP_GET ? ERROR_NOT_FOUND : ERROR_DENIED;
}

static enum error_code parse_repository(struct call *call, struct error *err)
{
    const struct str team = call->path[PATH_TEAM];
    const struct str artifact = call->path[PATH_ARTIFACT];
    const char *name = NULL;

    if (call->path[PATH_NAME].length > 0) {
        return parse_repository_name(call, err);
    }
    if (str_index_of(team, '/') < team.length) {
        return error_set(err, ERROR_NOT_FOUND, "there is nothing at this path");
    }
    if (artifact.length == 0) {
        return OK;
    }
    name =
        arena_format(&call->exchange->arena, "%.*s/%.*s", STR_FORMAT(team), STR_FORMAT(artifact));
    return repository_parse(str_from(name), &call->repository, err);
}

enum error_code call_read_path(struct call *call, struct error *err)
{
    const enum error_code code = decode_path(call, err);
    const enum error_code named = parse_repository(call, code ? NULL : err);

    return code ? code : named;
}

struct actor call_actor(const struct call *call)
{
    const enum identity_kind kind = call->identity ? call->identity->kind : IDENTITY_ANONYMOUS;

    return (struct actor){str_from(identity_kind_name(kind)), call->user};
}

void call_add_version(struct call *call)
{
    if (str_starts_with(call->exchange->request.path, "/v2")) {
        http_response_add(&call->exchange->response, "Docker-Distribution-API-Version",
                          str_from("registry/2.0"));
    }
}

void call_add_allowed(struct call *call)
{
    CLEANUP(strbuf_release) struct strbuf allowed;

    strbuf_init(&allowed, ALLOW_MAX_BYTES);
    routes_append_allowed(call->exchange->request.path, &allowed);
    http_response_add(&call->exchange->response, "Allow", strbuf_str(&allowed));
}

void call_respond(struct call *call, int status)
{
    call->exchange->response.status = status;
}

void call_respond_body(struct call *call, int status, const char *content_type, struct str body)
{
    struct http_response *response = &call->exchange->response;

    response->status = status;
    response->body = body;
    http_response_add(response, "Content-Type", str_from(content_type));
}

enum error_code call_respond_written(struct call *call, const char *content_type, struct error *err)
{
    if (call->written.is_truncated) {
        return error_set(err, ERROR_TOO_LARGE,
                         "the answer has more than %d bytes: ask for fewer entries",
                         RESPONSE_MAX_BYTES);
    }
    /* What is listed grows, and there is nothing to ask by whether it did. */
    http_response_add(&call->exchange->response, "Cache-Control", str_from("private, no-cache"));
    call_respond_body(call, 200, content_type, strbuf_str(&call->written));
    return OK;
}

enum error_code call_respond_json(struct call *call, struct error *err)
{
    return call_respond_written(call, "application/json", err);
}

void call_add_digest(struct call *call, const struct digest *digest)
{
    char text[DIGEST_TEXT_BYTES];

    digest_format(digest, text);
    http_response_add(&call->exchange->response, "Docker-Content-Digest", str_from(text));
}

/* The digest names the very bytes: the strongest entity tag that there can be. */
struct str call_format_etag(const struct digest *digest, char text[CALL_ETAG_BYTES])
{
    size_t length = 0;

    text[0] = '"';
    digest_format(digest, text + 1);
    length = strlen(text);
    text[length] = '"';
    return (struct str){text, length + 1};
}

void call_add_etag(struct call *call, const struct digest *digest)
{
    char text[CALL_ETAG_BYTES];

    http_response_add(&call->exchange->response, "ETag", call_format_etag(digest, text));
}

bool call_is_not_modified(struct call *call, const struct digest *digest)
{
    const struct str condition = http_request_header(&call->exchange->request, "If-None-Match");
    char text[CALL_ETAG_BYTES];

    if (!condition.bytes || !http_if_none_match(condition, call_format_etag(digest, text))) {
        return false;
    }
    call_respond(call, 304);
    return true;
}

enum error_code call_next_parameter(struct call *call, const char *name, enum error_topic topic,
                                    size_t *position, struct str *value_out, struct error *err)
{
    const struct http_request *request = &call->exchange->request;
    char decoded[PARAMETER_MAX_BYTES];
    const char *copy = NULL;

    *value_out = (struct str){0};
    switch (http_request_next_parameter(request, name, position, decoded, sizeof(decoded))) {
    case HTTP_PARAMETER_ABSENT:
        return OK;
    case HTTP_PARAMETER_BAD:
        return error_set_about(err, topic, ERROR_INVALID,
                               "the query parameter %s has more than %d bytes, or is no text in "
                               "percent-encoded UTF-8",
                               name, PARAMETER_MAX_BYTES - 1);
    case HTTP_PARAMETER_FOUND:
        break;
    }
    copy = arena_text(&call->exchange->arena, str_from(decoded));
    if (!copy) {
        return error_set(err, ERROR_TOO_LARGE, "the query is too long");
    }
    *value_out = str_from(copy);
    return OK;
}

enum error_code call_parameter(struct call *call, const char *name, enum error_topic topic,
                               struct str *value_out, struct error *err)
{
    struct str second = {0};
    size_t position = 0;
    enum error_code code = call_next_parameter(call, name, topic, &position, value_out, err);

    if (!code && value_out->bytes) {
        code = call_next_parameter(call, name, topic, &position, &second, err);
    }
    if (!code && second.bytes) {
        return error_set_about(err, topic, ERROR_INVALID, "the query parameter %s is there twice",
                               name);
    }
    return code;
}

void call_write_digest(struct json_writer *writer, const char *name, const struct digest *digest)
{
    char text[DIGEST_TEXT_BYTES];

    json_writer_name(writer, name);
    if (digest) {
        digest_format(digest, text);
        json_writer_string(writer, str_from(text));
    } else {
        json_writer_null(writer);
    }
}
