#include <stdlib.h>

#include "api/call.h"
#include "api/errors.h"
#include "api/routes.h"
#include "base/memory.h"
#include "base/random.h"
#include "http/range.h"
#include "registry/blobs.h"
#include "registry/content_cache.h"

static const char blob_type[] = "application/octet-stream";

/* Its own copy of all that it needs: the call may be gone before it. */
struct blob_source {
    struct http_source base; /* first */
    struct api *api;
    struct blob_content content;
    uint64_t first_offset_bytes;
    struct strbuf first; /* the first piece, until it is taken */
    bool is_whole;       /* all of it is sent, so that its digest can be told */
    struct digest digest;
    struct hasher hasher; /* of what was read so far */
};

/* A digest always means the same bytes. Private: whether a caller may see them can change. */
static void add_caching(struct call *call, const struct digest *digest)
{
    call_add_digest(call, digest);
    call_add_etag(call, digest);
    http_response_add(&call->exchange->response, "Cache-Control",
                      str_from("private, max-age=31536000, immutable"));
}

/* The client brings its Range along to where it is sent; the link is of no use in any cache. */
static enum error_code blob_redirect(struct call *call, const struct digest *digest,
                                     const struct blob_content *content, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf url;
    enum error_code code = content->is_link_slow ? call_need(call, HTTP_CARRIER, err) : OK;

    strbuf_init_secret(&url, HTTP_RESPONSE_HEADERS_MAX_BYTES / 2);
    if (!code) {
        code = registry_link_blob(call->api->config.registry, content, &url, err);
    }
    if (!code) {
        call_add_digest(call, digest);
        http_response_add(&call->exchange->response, "Cache-Control", str_from("no-store"));
        http_response_add(&call->exchange->response, "Location", strbuf_str(&url));
        call_respond(call, 307);
    }
    return code;
}

/* RFC 9110 14.2: Range is for GET alone; 13.1.5: If-Range must hold. */
static enum http_range_result wanted_ranges(struct call *call, const struct digest *digest,
                                            uint64_t size_bytes, struct http_ranges *ranges)
{
    const struct http_request *request = &call->exchange->request;
    const struct str range = http_request_header(request, "Range");
    const struct str condition = http_request_header(request, "If-Range");
    char etag[CALL_ETAG_BYTES];

    if (request->method != HTTP_GET || !range.bytes ||
        (condition.bytes && !http_if_range(condition, call_format_etag(digest, etag)))) {
        return HTTP_RANGE_WHOLE;
    }
    return http_range_parse(range, size_bytes, ranges);
}

static enum error_code blob_refuse_range(struct call *call, uint64_t size_bytes, struct error *err)
{
    http_response_add_format(&call->exchange->response, "Content-Range", "bytes */%llu",
                             (unsigned long long)size_bytes);
    return error_set_about(err, ABOUT_BLOB, ERROR_OUT_OF_RANGE,
                           "the blob has %llu bytes: there are none in this range",
                           (unsigned long long)size_bytes);
}

/* Small blobs only are in memory: a copy is the simplest. */
static void write_parts(struct call *call, const struct http_part *parts, size_t count,
                        struct str content)
{
    for (size_t i = 0; i < count; i++) {
        strbuf_append(&call->written, parts[i].head);
        strbuf_append(&call->written,
                      str_slice(content, (size_t)parts[i].offset_bytes,
                                (size_t)(parts[i].offset_bytes + parts[i].length_bytes)));
    }
    call->exchange->response.body = strbuf_str(&call->written);
}

/* Each holds a piece in memory for as long as its client takes. */
static enum error_code blob_source_enter(struct api *api, struct error *err)
{
    if (atomic_fetch_add(&api->downloads, 1) < api->config.downloads_max) {
        return OK;
    }
    (void)atomic_fetch_sub(&api->downloads, 1);
    return error_set(err, ERROR_UNAVAILABLE,
                     "%zu blobs are on their way through this server already: raise "
                     "storage.s3.downloads, or let clients fetch them themselves "
                     "(storage.s3.redirect)",
                     api->config.downloads_max);
}

static enum error_code say_damaged(const struct blob_source *source, struct strbuf *piece,
                                   struct error *err)
{
    char text[DIGEST_TEXT_BYTES];

    strbuf_clear(piece);
    digest_format(&source->digest, text);
    return error_set(err, ERROR_INTERNAL,
                     "the object %s holds other bytes than those of %s: who wrote it? Restore it "
                     "from a copy or an older version of the bucket",
                     source->content.key, text);
}

/* The last piece is held back until the digest is known: what is damaged never arrives whole. */
static enum error_code check_piece(struct blob_source *source, uint64_t offset_bytes,
                                   struct strbuf *piece, struct error *err)
{
    struct digest found;

    hasher_update(&source->hasher, strbuf_str(piece));
    if (offset_bytes + piece->length < source->content.size_bytes) {
        return OK;
    }
    found = hasher_digest(&source->hasher);
    return digest_equal(&found, &source->digest) ? OK : say_damaged(source, piece, err);
}

static enum error_code blob_source_read_from(struct blob_source *source, uint64_t offset_bytes,
                                             uint64_t left_bytes, struct strbuf *piece,
                                             struct error *err)
{
    const struct blob_part part = {offset_bytes, left_bytes < HTTP_SOURCE_PIECE_MAX_BYTES
                                                     ? (size_t)left_bytes
                                                     : HTTP_SOURCE_PIECE_MAX_BYTES};
    const enum error_code code =
        registry_read_blob_part(source->api->config.registry, &source->content, &part, piece, err);

    return code || !source->is_whole ? code : check_piece(source, offset_bytes, piece, err);
}

static bool blob_source_read(struct http_source *base, uint64_t offset_bytes, uint64_t left_bytes,
                             struct strbuf *piece)
{
    struct blob_source *source = (struct blob_source *)base; /* its first member */
    struct error err = {0};

    if (source->first.length > 0 && offset_bytes == source->first_offset_bytes) {
        strbuf_append(piece, strbuf_str(&source->first));
        strbuf_release(&source->first);
        return true;
    }
    if (blob_source_read_from(source, offset_bytes, left_bytes, piece, &err)) {
        log_message(source->api->config.log, LOG_ERROR, "download_failed", "%s", err.message);
        return false;
    }
    return true;
}

static void blob_source_free(struct http_source *base)
{
    struct blob_source *source = (struct blob_source *)base; /* its first member */

    (void)atomic_fetch_sub(&source->api->downloads, 1);
    strbuf_release(&source->first);
    free(source);
}

/*
 * A remote blob as a response's body, which takes the range from the response. Reads its first
 * piece, so that what cannot be had at all is an error and not a broken answer. ERROR_UNAVAILABLE:
 * that, or there are too many at once (api_config.downloads_max). ERROR_INTERNAL: it is gone or
 * damaged.
 */
static enum error_code blob_source_open(struct call *call, const struct digest *digest,
                                        const struct blob_content *content,
                                        struct http_source **source_out, struct error *err)
{
    const struct http_response *response = &call->exchange->response;
    struct blob_source *source = NULL;
    enum error_code code = blob_source_enter(call->api, err);

    if (code) {
        return code;
    }
    source = memory_new(1, sizeof(*source));
    source->base = (struct http_source){.read = blob_source_read, .free = blob_source_free};
    source->api = call->api;
    source->content = *content;
    source->digest = *digest;
    source->is_whole = response->file_length_bytes == content->size_bytes;
    hasher_init(&source->hasher, digest->algorithm);
    source->first_offset_bytes = response->file_offset_bytes;
    strbuf_init(&source->first, HTTP_SOURCE_PIECE_MAX_BYTES);
    code = blob_source_read_from(source, response->file_offset_bytes, response->file_length_bytes,
                                 &source->first, err);
    if (code) {
        blob_source_free(&source->base);
        return code;
    }
    *source_out = &source->base;
    return OK;
}

/* HEAD is answered from what we know, and so is what has no bytes. */
static enum error_code set_source(struct call *call, const struct digest *digest,
                                  const struct blob_content *content,
                                  const struct http_range *range, struct error *err)
{
    struct http_response *response = &call->exchange->response;
    const bool is_sent = call->exchange->request.method == HTTP_GET && range->length_bytes > 0;
    enum error_code code = OK;

    response->file_offset_bytes = range->offset_bytes;
    response->file_length_bytes = range->length_bytes;
    if (is_sent) {
        code = call_need(call, HTTP_CARRIER, err);
    }
    if (is_sent && !code) {
        code = blob_source_open(call, digest, content, &response->source, err);
    }
    if (code) {
        response->file_length_bytes = 0; /* the error has a body of its own */
    }
    return code;
}

static enum error_code set_part(struct call *call, const struct digest *digest,
                                struct blob_content *content, const struct http_range *range,
                                struct error *err)
{
    struct http_response *response = &call->exchange->response;

    switch (content->kind) {
    case BLOB_IN_FILE:
        response->file_fd = content->fd;
        response->file_offset_bytes = range->offset_bytes;
        response->file_length_bytes = range->length_bytes;
        content->fd = -1; /* the response's now */
        return OK;
    case BLOB_IN_MEMORY:
        response->body = str_slice(content->bytes, (size_t)range->offset_bytes,
                                   (size_t)(range->offset_bytes + range->length_bytes));
        return OK;
    case BLOB_REMOTE:
        return set_source(call, digest, content, range, err);
    }
    abort(); /* the switch is complete */
}

static enum error_code set_parts(struct call *call, const struct digest *digest,
                                 struct blob_content *content, const struct http_ranges *ranges,
                                 struct error *err)
{
    struct http_response *response = &call->exchange->response;
    char boundary[RANDOM_ID_BYTES];
    const struct http_multipart multipart = {boundary, blob_type, content->size_bytes};
    const size_t count = ranges->count + 1;
    const struct http_part *parts = NULL;
    enum error_code code = OK;

    random_id(boundary);
    parts = http_range_new_parts(ranges, &multipart, &call->exchange->arena);
    if (!parts) {
        return error_set(err, ERROR_TOO_LARGE, "there are too many ranges");
    }
    if (content->kind == BLOB_IN_MEMORY) {
        write_parts(call, parts, count, content->bytes);
    } else {
        code = set_part(call, digest, content, &ranges->ranges[0], err);
        response->parts = code ? NULL : parts;
        response->part_count = code ? 0 : count;
    }
    if (!code) {
        http_response_add_format(response, "Content-Type", "multipart/byteranges; boundary=%s",
                                 boundary);
    }
    return code;
}

static enum error_code respond_content(struct call *call, const struct digest *digest,
                                       struct blob_content *content, struct error *err)
{
    struct http_response *response = &call->exchange->response;
    const uint64_t size_bytes = content->size_bytes;
    struct http_ranges ranges = {.ranges = {{0, size_bytes}}, .count = 1};
    const struct http_range *const first = &ranges.ranges[0];
    const enum http_range_result result = wanted_ranges(call, digest, size_bytes, &ranges);
    enum error_code code = OK;

    if (result == HTTP_RANGE_UNSATISFIABLE) {
        return blob_refuse_range(call, size_bytes, err);
    }
    code = ranges.count > 1 ? set_parts(call, digest, content, &ranges, err)
                            : set_part(call, digest, content, first, err);
    if (code) {
        return code;
    }
    response->status = result == HTTP_RANGE_PARTS ? 206 : 200;
    if (result == HTTP_RANGE_PARTS && ranges.count == 1) {
        http_response_add_format(
            response, "Content-Range", "bytes %llu-%llu/%llu",
            (unsigned long long)first->offset_bytes,
            (unsigned long long)(first->offset_bytes + first->length_bytes - 1),
            (unsigned long long)size_bytes);
    }
    if (ranges.count == 1) {
        http_response_add(response, "Content-Type", str_from(blob_type));
    }
    add_caching(call, digest);
    http_response_add(response, "Accept-Ranges", str_from("bytes"));
    return OK;
}

static enum error_code respond_blob(struct call *call, const struct digest *digest,
                                    struct blob_content *content, struct error *err)
{
    if (call_is_not_modified(call, digest)) {
        add_caching(call, digest);
        return OK;
    }
    if (call->exchange->request.method == HTTP_GET && content->is_linked) {
        return blob_redirect(call, digest, content, err);
    }
    return respond_content(call, digest, content, err);
}

static enum error_code get_blob(struct call *call, struct error *err)
{
    struct blob_content content = {.fd = -1};
    struct digest digest;
    enum error_code code = digest_parse(call->path[PATH_DIGEST], &digest, err);

    if (!code) {
        code = registry_read_blob(call->api->config.registry, &digest, &content, err);
    }
    if (!code) {
        code = respond_blob(call, &digest, &content, err);
    }
    blob_content_release(&content); /* what the response took over is not there any more */
    return code;
}

/* Without its bytes, no more than HEAD is answered. */
static bool recall_blob(struct call *call)
{
    struct blob_content blob = {.kind = BLOB_IN_FILE, .fd = -1};
    struct error err = {0};
    struct digest digest;
    enum error_code code = digest_parse(call->path[PATH_DIGEST], &digest, NULL);

    if (code) {
        return false;
    }
    call->content = registry_cached_blob(call->api->config.registry, &digest);
    if (!call->content ||
        (!call->content->has_bytes && call->exchange->request.method != HTTP_HEAD)) {
        return false;
    }
    blob.size_bytes = call->content->size_bytes;
    if (call->content->has_bytes) {
        blob.kind = BLOB_IN_MEMORY;
        blob.bytes = call->content->bytes;
    }
    code = respond_blob(call, &digest, &blob, &err);
    if (code) {
        errors_respond(call, code, &err);
    }
    return true;
}

const struct handler blob_get_handler = {.begin = get_blob, .recall = recall_blob};
