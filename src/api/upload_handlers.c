#include "api/upload_handlers.h"

#include "api/api_private.h"
#include "api/handlers.h"
#include "api/login.h"
#include "http/range.h"
#include "registry/blobs.h"

static enum error_code begin_post(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code check_length(struct call *call, struct error *err);
static enum error_code begin_session(struct call *call, struct error *err);
static enum error_code mount(struct call *call, struct str wanted, bool *is_mounted_out,
                             struct error *err);
static enum error_code get_upload(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code begin_patch(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code write_upload(struct call *call, struct str bytes, struct error *err);
static enum error_code end_post(struct call *call, struct error *err);
static enum error_code end_patch(struct call *call, struct error *err);
static void rest_upload(struct call *call);
static enum error_code open_upload(struct call *call, struct error *err);
static void add_upload_fields(struct call *call, struct str id, uint64_t offset);

const struct handler upload_post_handler = {
    .begin = begin_post, .data = write_upload, .end = end_post};
const struct handler upload_get_handler = {.begin = get_upload};
const struct handler upload_patch_handler = {
    .begin = begin_patch, .data = write_upload, .end = end_patch, .abandon = rest_upload};

/* Begins a session; or takes a whole blob (`digest`); or finds that it is here already (`mount`).
 */
static enum error_code begin_post(struct call *call, bool *wants_body_out, struct error *err)
{
    char fingerprint[LOGIN_FINGERPRINT_BYTES];
    const struct upload_key key = call_upload_key(call, fingerprint);
    struct str wanted = {0};
    struct str digest = {0};
    bool is_mounted = false;
    enum error_code code = call_parameter(call, "mount", ABOUT_DIGEST, &wanted, err);

    if (!code) {
        code = call_parameter(call, "digest", ABOUT_DIGEST, &digest, err);
    }
    if (!code && wanted.bytes) {
        code = mount(call, wanted, &is_mounted, err);
    }
    if (code || is_mounted) {
        return code;
    }
    if (!digest.bytes) {
        return begin_session(call, err);
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
    *wants_body_out = !code;
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

/* `from` does not matter: blobs belong to everybody. One that is missing makes it an ordinary
 * upload. */
static enum error_code mount(struct call *call, struct str wanted, bool *is_mounted_out,
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
        call_answer_created(call, &digest);
    }
    return code;
}

static enum error_code begin_session(struct call *call, struct error *err)
{
    char fingerprint[LOGIN_FINGERPRINT_BYTES];
    const struct upload_key key = call_upload_key(call, fingerprint);
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
    if (!code) {
        code = upload_suspend(call->upload, err);
    }
    if (!code) {
        add_upload_fields(call, upload_id(call->upload), 0);
        call_answer(call, 202);
    }
    return code;
}

struct upload_key call_upload_key(struct call *call, char fingerprint[LOGIN_FINGERPRINT_BYTES])
{
    const enum http_method method = call->exchange->request.method;

    return (struct upload_key){
        .repository = call->repository,
        .id = call->path[PATH_UPLOAD],
        .identity = login_owner(call),
        .login = login_fingerprint(call, fingerprint),
        .login_ends_ms = login_ends_ms(call),
        .has_lapsed = call->has_lapsed,
        .ends = method == HTTP_PUT || method == HTTP_DELETE,
    };
}

static void add_upload_fields(struct call *call, struct str id, uint64_t offset)
{
    struct http_response *response = &call->exchange->response;
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

void call_answer_created(struct call *call, const struct digest *digest)
{
    char text[DIGEST_TEXT_BYTES];

    digest_format(digest, text);
    call_add_digest(call, digest);
    http_response_add_format(&call->exchange->response, "Location", "/v2/%.*s/blobs/%s",
                             STR_FORMAT(call->repository.name), text);
    call_answer(call, 201);
}

/* Where an upload stands. Not while a request works on it: what was told would soon be wrong. */
static enum error_code get_upload(struct call *call, bool *wants_body_out, struct error *err)
{
    const enum error_code code = open_upload(call, err);

    (void)wants_body_out;
    if (!code) {
        add_upload_fields(call, upload_id(call->upload), upload_offset(call->upload));
        call_answer(call, 204);
    }
    return code;
}

static enum error_code open_upload(struct call *call, struct error *err)
{
    char fingerprint[LOGIN_FINGERPRINT_BYTES];
    const struct upload_key key = call_upload_key(call, fingerprint);

    return upload_open(call->api->config.registry, &key, &call->upload, err);
}

static enum error_code begin_patch(struct call *call, bool *wants_body_out, struct error *err)
{
    enum error_code code = open_upload(call, err);

    if (!code) {
        code = call_check_range(call, err);
    }
    *wants_body_out = !code;
    return code;
}

/* A chunk says where it belongs; a stream without Content-Range goes on where the upload is. */
enum error_code call_check_range(struct call *call, struct error *err)
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
        add_upload_fields(call, upload_id(call->upload), offset);
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

static enum error_code write_upload(struct call *call, struct str bytes, struct error *err)
{
    return upload_write(call->upload, bytes, err);
}

static enum error_code end_post(struct call *call, struct error *err)
{
    const enum error_code code = upload_commit(call->upload, &call->digest, err);

    if (!code) {
        call_answer_created(call, &call->digest);
    }
    return code;
}

static enum error_code end_patch(struct call *call, struct error *err)
{
    enum error_code code = call_check_promise(call, err);

    if (!code) {
        code = upload_suspend(call->upload, err);
    }
    if (!code) {
        add_upload_fields(call, upload_id(call->upload), upload_offset(call->upload));
        call_answer(call, 202);
    }
    return code;
}

/* A body in chunks tells only at its end how long it is. */
enum error_code call_check_promise(struct call *call, struct error *err)
{
    const uint64_t received_bytes = call->exchange->received_bytes;

    if (!call->has_expected_bytes || call->expected_bytes == received_bytes) {
        return OK;
    }
    return error_set_about(
        err, ABOUT_SIZE, ERROR_INVALID, "Content-Range promises %llu bytes, but %llu were sent",
        (unsigned long long)call->expected_bytes, (unsigned long long)received_bytes);
}

/* What arrived before the client went away counts: it may ask how much, and go on. */
static void rest_upload(struct call *call)
{
    struct error err = {0};

    if (!call->has_expected_bytes && upload_suspend(call->upload, &err)) {
        call->failure = arena_text(&call->exchange->arena, str_from(err.message));
    }
}
