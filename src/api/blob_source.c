#include "api/blob_source.h"

#include <stdlib.h>

#include "api/api_private.h"
#include "base/memory.h"
#include "registry/blobs.h"

/* Its own copy of all that it needs: the call may be gone before it. */
struct blob_source {
    struct http_source base; /* first */
    struct api *api;
    struct blob_content content;
    uint64_t first_offset_bytes;
    struct strbuf first; /* the first piece, until it is taken */
};

static bool read_piece(struct http_source *base, uint64_t offset_bytes, uint64_t left_bytes,
                       struct strbuf *piece);
static void free_source(struct http_source *base);
static enum error_code enter(struct api *api, struct error *err);
static enum error_code read_from(struct blob_source *source, uint64_t offset_bytes,
                                 uint64_t left_bytes, struct strbuf *piece, struct error *err);

enum error_code blob_source_open(struct call *call, const struct blob_content *content,
                                 struct http_source **source_out, struct error *err)
{
    const struct http_response *response = &call->exchange->response;
    struct blob_source *source = NULL;
    enum error_code code = enter(call->api, err);

    if (code) {
        return code;
    }
    source = memory_new(1, sizeof(*source));
    source->base = (struct http_source){.read = read_piece, .free = free_source};
    source->api = call->api;
    source->content = *content;
    source->first_offset_bytes = response->file_offset_bytes;
    strbuf_init(&source->first, HTTP_SOURCE_PIECE_MAX_BYTES);
    code = read_from(source, response->file_offset_bytes, response->file_length_bytes,
                     &source->first, err);
    if (code) {
        free_source(&source->base);
        return code;
    }
    *source_out = &source->base;
    return OK;
}

/* Each holds a piece in memory for as long as its client takes. */
static enum error_code enter(struct api *api, struct error *err)
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

static enum error_code read_from(struct blob_source *source, uint64_t offset_bytes,
                                 uint64_t left_bytes, struct strbuf *piece, struct error *err)
{
    const struct blob_part part = {offset_bytes, left_bytes < HTTP_SOURCE_PIECE_MAX_BYTES
                                                     ? (size_t)left_bytes
                                                     : HTTP_SOURCE_PIECE_MAX_BYTES};

    return registry_read_blob_part(source->api->config.registry, &source->content, &part, piece,
                                   err);
}

static bool read_piece(struct http_source *base, uint64_t offset_bytes, uint64_t left_bytes,
                       struct strbuf *piece)
{
    struct blob_source *source = (struct blob_source *)base; /* its first member */
    struct error err = {0};

    if (source->first.length > 0 && offset_bytes == source->first_offset_bytes) {
        strbuf_append(piece, strbuf_str(&source->first));
        strbuf_release(&source->first);
        return true;
    }
    if (read_from(source, offset_bytes, left_bytes, piece, &err)) {
        log_message(source->api->config.log, LOG_ERROR, "download_failed", "%s", err.message);
        return false;
    }
    return true;
}

static void free_source(struct http_source *base)
{
    struct blob_source *source = (struct blob_source *)base; /* its first member */

    (void)atomic_fetch_sub(&source->api->downloads, 1);
    strbuf_release(&source->first);
    free(source);
}
