#include "api/api_private.h"
#include "api/handlers.h"
#include "http/conditional.h"
#include "http/range.h"
#include "registry/blobs.h"

static enum error_code get_blob(struct call *call, bool *wants_body_out, struct error *err);
static enum error_code answer_content(struct call *call, const struct digest *digest,
                                      struct blob_content *content, struct error *err);
static enum error_code refuse_range(struct call *call, uint64_t size_bytes, struct error *err);
static void add_caching(struct call *call, const struct digest *digest);
static void set_part(struct http_response *response, const struct blob_content *content,
                     uint64_t offset, uint64_t length);
static enum http_range_result wanted_range(struct call *call, const struct digest *digest,
                                           uint64_t size_bytes, uint64_t *offset, uint64_t *length);

const struct handler blob_get_handler = {.begin = get_blob};

static enum error_code get_blob(struct call *call, bool *wants_body_out, struct error *err)
{
    struct blob_content content = {.fd = -1};
    struct digest digest;
    enum error_code code = digest_parse(call->reference, &digest, err);

    (void)wants_body_out;
    if (!code) {
        code = registry_read_blob(call->api->config.registry, &digest, &content, err);
    }
    if (code) {
        return code;
    }
    if (call_is_not_modified(call, &digest)) {
        add_caching(call, &digest);
    } else {
        code = answer_content(call, &digest, &content, err);
    }
    blob_content_release(&content); /* what the response took over is not there any more */
    return code;
}

static enum error_code answer_content(struct call *call, const struct digest *digest,
                                      struct blob_content *content, struct error *err)
{
    struct http_response *response = &call->exchange->response;
    const uint64_t size_bytes = content->size_bytes;
    uint64_t offset = 0;
    uint64_t length = size_bytes;

    switch (wanted_range(call, digest, size_bytes, &offset, &length)) {
    case HTTP_RANGE_WHOLE:
        response->status = 200;
        length = size_bytes;
        break;
    case HTTP_RANGE_PART:
        response->status = 206;
        http_response_add_format(
            response, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)offset,
            (unsigned long long)(offset + length - 1), (unsigned long long)size_bytes);
        break;
    case HTTP_RANGE_UNSATISFIABLE:
        return refuse_range(call, size_bytes, err);
    }
    add_caching(call, digest);
    http_response_add(response, "Accept-Ranges", str_from("bytes"));
    http_response_add(response, "Content-Type", str_from("application/octet-stream"));
    set_part(response, content, offset, length);
    content->fd = -1;
    return OK;
}

static enum error_code refuse_range(struct call *call, uint64_t size_bytes, struct error *err)
{
    http_response_add_format(&call->exchange->response, "Content-Range", "bytes */%llu",
                             (unsigned long long)size_bytes);
    return error_set_about(err, ABOUT_BLOB, ERROR_OUT_OF_RANGE,
                           "the blob has %llu bytes: there are none in this range",
                           (unsigned long long)size_bytes);
}

/* A digest always means the same bytes. Private: whether a caller may see them can change. */
static void add_caching(struct call *call, const struct digest *digest)
{
    call_add_digest(call, digest);
    call_add_etag(call, digest);
    http_response_add(&call->exchange->response, "Cache-Control",
                      str_from("private, max-age=31536000, immutable"));
}

/* RFC 9110 14.2: Range is for GET alone; 13.1.5: If-Range must hold. */
static enum http_range_result wanted_range(struct call *call, const struct digest *digest,
                                           uint64_t size_bytes, uint64_t *offset, uint64_t *length)
{
    const struct http_request *request = &call->exchange->request;
    const struct str range = http_request_header(request, "Range");
    const struct str condition = http_request_header(request, "If-Range");
    char etag[CALL_ETAG_BYTES];

    if (request->method != HTTP_GET || !range.bytes ||
        (condition.bytes && !http_if_range(condition, call_format_etag(digest, etag)))) {
        return HTTP_RANGE_WHOLE;
    }
    return http_range_parse(range, size_bytes, offset, length);
}

static void set_part(struct http_response *response, const struct blob_content *content,
                     uint64_t offset, uint64_t length)
{
    switch (content->kind) {
    case BLOB_IN_FILE:
        response->file_fd = content->fd;
        response->file_offset_bytes = offset;
        response->file_length_bytes = length;
        return;
    case BLOB_IN_MEMORY:
        response->body = str_slice(content->bytes, (size_t)offset, (size_t)(offset + length));
        return;
    }
}
