#include "api/call.h"
#include "api/login.h"
#include "api/routes.h"
#include "http/range.h"
#include "registry/blobs.h"

enum { END_PATIENCE_MS = 2 * 60 * 1000 }; /* as long as a request waits for the one ahead */

static struct upload_key upload_key_of(struct call *call, char fingerprint[LOGIN_FINGERPRINT_BYTES])
{
    const enum http_method method = call->exchange->request.method;

    return (struct upload_key){
        .repository = call->repository,
        .id = call->path[PATH_UPLOAD],
        .identity = login_owner(call),
        .login = login_fingerprint(call, fingerprint),
        .login_ends_ms = login_ends_ms(call),
        .has_expired = call->has_expired,
        .ends = method == HTTP_PUT || method == HTTP_DELETE,
    };
}

static void upload_respond_created(struct call *call, const struct digest *digest)
{
    char text[DIGEST_TEXT_BYTES];

    digest_format(digest, text);
    call_add_digest(call, digest);
    http_response_add_format(&call->exchange->response, "Location", "/v2/%.*s/blobs/%s",
                             STR_FORMAT(call->repository.name), text);
    call_respond(call, 201);
}

/* `from` does not matter: blobs belong to everybody. One that is missing makes it an ordinary
 * upload. */
static enum error_code upload_mount(struct call *call, struct str wanted, bool *is_mounted_out,
                                    struct error *err)
{
    struct digest digest;
    uint64_t size_bytes = 0;
    enum error_code code = digest_parse(wanted, &digest, err);

    if (!code) {
        code = registry_find_blob(call->api->config.registry, &digest, is_mounted_out, &size_bytes,
                                  err);
    }
    if (!code && *is_mounted_out) {
        upload_respond_created(call, &digest);
    }
    return code;
}

static void add_upload_fields(struct call *call)
{
    struct http_response *response = &call->exchange->response;
    const struct str id = upload_id(call->upload);
    const uint64_t offset = upload_offset(call->upload);
    const uint64_t chunk_min_bytes = registry_chunk_min_bytes(call->api->config.registry);

    http_response_add_format(response, "Location", "/v2/%.*s/blobs/uploads/%.*s",
                             STR_FORMAT(call->repository.name), STR_FORMAT(id));
    /* Without `bytes=`, unlike RFC 9110; an empty upload is 0-0 (distribution-spec). */
    http_response_add_format(response, "Range", "0-%llu",
                             (unsigned long long)(offset > 0 ? offset - 1 : 0));
    http_response_add(response, "Docker-Upload-UUID", id);
    if (chunk_min_bytes > 0) {
        http_response_add_format(response, "OCI-Chunk-Min-Length", "%llu",
                                 (unsigned long long)chunk_min_bytes);
    }
}

static enum error_code upload_begin_session(struct call *call, struct error *err)
{
    char fingerprint[LOGIN_FINGERPRINT_BYTES];
    const struct upload_key key = upload_key_of(call, fingerprint);
    enum digest_algorithm algorithm = DIGEST_SHA256;
    struct str name;
    enum error_code code = call_parameter(call, "digest-algorithm", ABOUT_DIGEST, &name, err);

    if (code) {
        return code;
    }
    if (name.bytes && !digest_algorithm_parse(name, &algorithm)) {
        return error_set_about(err, ABOUT_DIGEST, ERROR_INVALID,
                               "digest-algorithm must be sha256 or sha512");
    }
    code = upload_begin(call->api->config.registry, &key, algorithm, &call->upload, err);
    code = code ? code : upload_suspend(call->upload, err);
    if (!code) {
        add_upload_fields(call);
        call_respond(call, 202);
    }
    return code;
}

/* What is larger than any blob may be is refused before it is sent. */
static enum error_code check_length(struct call *call, struct error *err)
{
    const struct http_request *request = &call->exchange->request;

    return request->framing == HTTP_SIZED_BODY
               ? upload_check_room(call->upload, request->content_length, err)
               : OK;
}

/* Begins a session; or takes a whole blob (`digest`); or finds that it is here already (`mount`).
 */
static enum error_code upload_begin_post(struct call *call, struct error *err)
{
    char fingerprint[LOGIN_FINGERPRINT_BYTES];
    const struct upload_key key = upload_key_of(call, fingerprint);
    struct str wanted = {0};
    struct str digest = {0};
    bool is_mounted = false;
    enum error_code code = call_parameter(call, "mount", ABOUT_DIGEST, &wanted, err);

    if (!code) {
        code = call_parameter(call, "digest", ABOUT_DIGEST, &digest, err);
    }
    if (!code && wanted.bytes) {
        code = upload_mount(call, wanted, &is_mounted, err);
    }
    if (code || is_mounted) {
        return code;
    }
    if (!digest.bytes) {
        return upload_begin_session(call, err);
    }
    code = digest_parse(digest, &call->digest, err);
    if (!code) {
        code = call_need(call, HTTP_CARRIER, err);
    }
    if (!code) {
        code = upload_begin(call->api->config.registry, &key, call->digest.algorithm, &call->upload,
                            err);
    }
    if (!code) {
        code = check_length(call, err);
    }
    call->wants_body = !code;
    return code;
}

static enum error_code write_upload(struct call *call, struct str bytes, struct error *err)
{
    return upload_write(call->upload, bytes, err);
}

static enum error_code upload_end_post(struct call *call, struct error *err)
{
    const enum error_code code = upload_commit(call->upload, &call->digest, err);

    if (!code) {
        upload_respond_created(call, &call->digest);
    }
    return code;
}

static enum error_code open_upload(struct call *call, struct error *err)
{
    char fingerprint[LOGIN_FINGERPRINT_BYTES];
    const struct upload_key key = upload_key_of(call, fingerprint);

    return upload_open(call->api->config.registry, &key, &call->upload, err);
}

/* Where an upload stands. Not while a request works on it: what was told would soon be wrong. */
static enum error_code get_upload(struct call *call, struct error *err)
{
    const enum error_code code = open_upload(call, err);

    if (!code) {
        add_upload_fields(call);
        call_respond(call, 204);
    }
    return code;
}

/* A chunk says where it belongs; a stream without Content-Range goes on where the upload is. */
static enum error_code check_content_range(struct call *call, struct error *err)
{
    const struct http_request *request = &call->exchange->request;
    const struct str range = http_request_header(request, "Content-Range");
    const uint64_t offset = upload_offset(call->upload);
    uint64_t first = 0;
    uint64_t last = 0;

    if (!range.bytes) {
        return check_length(call, err);
    }
    if (!http_content_range_parse(range, &first, &last)) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_INVALID,
                               "Content-Range must be FIRST-LAST, in bytes of the blob");
    }
    if (first != offset) {
        add_upload_fields(call);
        return error_set_about(
            err, ABOUT_UPLOAD, ERROR_OUT_OF_RANGE,
            "the upload has %llu bytes: the next chunk begins there, not at %llu",
            (unsigned long long)offset, (unsigned long long)first);
    }
    call->has_expected_bytes = true;
    call->expected_bytes = last - first + 1;
    if (request->framing == HTTP_SIZED_BODY && request->content_length != call->expected_bytes) {
        return error_set_about(err, ABOUT_SIZE, ERROR_INVALID,
                               "Content-Range and Content-Length do not agree");
    }
    return check_length(call, err);
}

static enum error_code upload_begin_patch(struct call *call, struct error *err)
{
    enum error_code code = open_upload(call, err);

    if (!code) {
        code = check_content_range(call, err);
    }
    call->wants_body = !code;
    return code;
}

/* A body in chunks tells only at its end how long it is. */
static enum error_code check_promise(struct call *call, struct error *err)
{
    const uint64_t received_bytes = call->exchange->received_bytes;

    if (!call->has_expected_bytes || call->expected_bytes == received_bytes) {
        return OK;
    }
    return error_set_about(
        err, ABOUT_SIZE, ERROR_INVALID, "Content-Range promises %llu bytes, but %llu were sent",
        (unsigned long long)call->expected_bytes, (unsigned long long)received_bytes);
}

static enum error_code upload_end_patch(struct call *call, struct error *err)
{
    enum error_code code = check_promise(call, err);

    if (!code) {
        code = upload_suspend(call->upload, err);
    }
    if (!code) {
        add_upload_fields(call);
        call_respond(call, 202);
    }
    return code;
}

/* What arrived before the client went away counts: it may ask how much, and go on. */
static void rest_upload(struct call *call)
{
    struct error err = {0};

    if (!call->has_expected_bytes && upload_suspend(call->upload, &err)) {
        call->failure = arena_text(&call->exchange->arena, str_from(err.message));
    }
}

const struct handler upload_post_handler = {
    .begin = upload_begin_post, .data = write_upload, .end = upload_end_post};
const struct handler upload_get_handler = {.begin = get_upload};
const struct handler upload_patch_handler = {.begin = upload_begin_patch,
                                             .data = write_upload,
                                             .end = upload_end_patch,
                                             .abandon = rest_upload};

/*
 * Opens an upload for its last request. Clients whose answer was lost send that again: when it was
 * done it is answered once more, and while it is being done it waits for the first.
 */
static enum error_code open_to_end(struct call *call, struct error *err)
{
    struct registry *registry = call->api->config.registry;
    const bool becomes_blob = call->exchange->request.method == HTTP_PUT;
    char fingerprint[LOGIN_FINGERPRINT_BYTES];
    const struct upload_key key = upload_key_of(call, fingerprint);
    enum error_code code = upload_open(registry, &key, &call->upload, err);

    call->awaits_end =
        code == ERROR_CONFLICT && !registry_upload_is_going_on(registry, call->path[PATH_UPLOAD]);
    if (code == ERROR_NOT_FOUND) {
        code = registry_find_ended_upload(registry, &key, becomes_blob ? &call->digest : NULL, err);
        call->is_repeated = !code;
    }
    return call->awaits_end ? OK : code;
}

static enum error_code upload_begin_put(struct call *call, struct error *err)
{
    struct str digest = {0};
    enum error_code code = call_parameter(call, "digest", ABOUT_DIGEST, &digest, err);

    if (!code && !digest.bytes) {
        code = error_set_about(err, ABOUT_DIGEST, ERROR_INVALID,
                               "the query parameter digest is missing: that of the whole blob");
    }
    if (!code) {
        code = digest_parse(digest, &call->digest, err);
    }
    if (!code) {
        code = open_to_end(call, err);
    }
    if (!code && call->upload) {
        code = check_content_range(call, err);
    }
    call->wants_body = !code;
    return code;
}

/* Bytes of a request that was done before, or comes second, are not needed. */
static enum error_code upload_write_last(struct call *call, struct str bytes, struct error *err)
{
    enum error_code code = call->upload ? upload_write(call->upload, bytes, err) : OK;

    if (code == ERROR_NOT_FOUND && upload_has_become(call->upload, &call->digest)) {
        upload_close(call->upload);
        call->upload = NULL;
        call->is_repeated = true;
        code = OK;
    }
    return code;
}

/* Tries again what another request was ahead with; parked, the call holds no thread. */
static enum error_code await_end(struct call *call, struct error *err)
{
    const int64_t now_ms = clock_monotonic_ms(call->api->config.clock);
    enum error_code code = OK;

    if (!call->awaits_end) {
        return OK;
    }
    if (call->awaits_until_ms == 0) {
        call->awaits_until_ms = now_ms + END_PATIENCE_MS;
    }
    code = open_to_end(call, err);
    call->queues = call->awaits_end && now_ms < call->awaits_until_ms;
    if (!code && (call->awaits_end || (call->upload && call->exchange->received_bytes > 0))) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_CONFLICT,
                               "another request was working on this upload: send this one again");
    }
    return code;
}

static enum error_code upload_end_put(struct call *call, struct error *err)
{
    enum error_code code = OK;

    call->queues = false;
    code = await_end(call, err);
    if (!code) {
        code = check_promise(call, err);
    }
    if (!code && !call->is_repeated && !upload_may_commit(call->upload, &call->digest)) {
        call->queues = true;
        return error_set(err, ERROR_UNAVAILABLE, "others' uploads are hashed again");
    }
    if (!code && !call->is_repeated) {
        code = upload_commit(call->upload, &call->digest, err);
    }
    if (!code) {
        upload_respond_created(call, &call->digest);
    }
    return code;
}

static enum error_code upload_begin_delete(struct call *call, struct error *err)
{
    const enum error_code code = open_to_end(call, err);

    call->wants_body = !code;
    return code;
}

static enum error_code ignore_body(struct call *call, struct str bytes, struct error *err)
{
    (void)call;
    (void)bytes;
    (void)err;
    return OK;
}

static enum error_code upload_end_delete(struct call *call, struct error *err)
{
    enum error_code code = await_end(call, err);

    if (!code && !call->is_repeated) {
        code = upload_cancel(call->upload, err);
    }
    if (!code) {
        call_respond(call, 204);
    }
    return code;
}

const struct handler upload_put_handler = {
    .begin = upload_begin_put, .data = upload_write_last, .end = upload_end_put};
const struct handler upload_delete_handler = {
    .begin = upload_begin_delete, .data = ignore_body, .end = upload_end_delete};
