#include "registry/blobs.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "metadata/blob_places.h"
#include "metadata/swept_blobs.h"
#include "registry/content_cache.h"
#include "registry/registry_private.h"

enum {
    LOCATION_ARENA_BYTES = 4096,
    CHUNK_BYTES = 16 * 1024,
    PIECE_MAX_BYTES = 1024 * 1024,
};

/* What the metadata say. Where a location follows from the digest there is nothing to find. */
static enum error_code find_location(struct registry *registry, const struct digest *digest,
                                     struct blob_location *location_out, struct error *err)
{
    struct blob_place_record place;
    struct arena arena;
    enum error_code code = OK;

    if (!blob_store_has_locations(registry->config.blobs)) {
        return OK;
    }
    arena_init(&arena, LOCATION_ARENA_BYTES);
    code = metadata_find_blob_place(registry->config.metadata, digest, &arena, &place, err);
    if (!code && place.location.length >= sizeof(location_out->key)) {
        code = error_set(err, ERROR_INTERNAL, "the location of a blob is too long");
    }
    if (!code) {
        *location_out = (struct blob_location){.size_bytes = place.size_bytes};
        memcpy(location_out->key, place.location.bytes, place.location.length);
    }
    arena_release(&arena);
    return code;
}

static enum error_code read_stored(struct registry *registry, const struct digest *digest,
                                   struct blob_content *content_out, struct error *err)
{
    struct blob_location location = {0};
    const enum error_code code = find_location(registry, digest, &location, err);

    return code ? code
                : blob_store_read(registry->config.blobs, digest, &location, content_out, err);
}

/* It counts as pushed now, so that nobody sweeps it soon. ERROR_NOT_FOUND about BLOB if the
 * metadata are to know it, and do not (any more). */
static enum error_code touch(struct registry *registry, const struct digest *digest,
                             struct error *err)
{
    const struct registry_config *config = &registry->config;

    if (blob_store_has_locations(config->blobs)) {
        return metadata_touch_blob_place(config->metadata, digest, clock_wall_ms(config->clock),
                                         err);
    }
    blob_store_touch(config->blobs, digest);
    return OK;
}

/*
 * Only what a manifest names is there for ever, and may be remembered. Whoever asks for another is
 * perhaps about to name it: it is young again.
 */
static enum error_code blob_check_standing(struct registry *registry, const struct digest *digest,
                                           const struct blob_content *content, struct error *err)
{
    enum blob_standing standing = BLOB_UNNAMED;
    char text[DIGEST_TEXT_BYTES];
    const enum error_code code =
        metadata_find_blob_standing(registry->config.metadata, digest, &standing, err);

    if (code) {
        return code;
    }
    switch (standing) {
    case BLOB_NAMED:
        content_cache_blob(registry, digest, content);
        return OK;
    case BLOB_UNNAMED:
        (void)!touch(registry, digest, NULL);
        return OK;
    case BLOB_SWEPT:
        break;
    }
    digest_format(digest, text);
    return error_set_about(err, ABOUT_BLOB, ERROR_NOT_FOUND, "there is no blob %s", text);
}

enum error_code registry_read_blob(struct registry *registry, const struct digest *digest,
                                   struct blob_content *content_out, struct error *err)
{
    struct blob_content content = {.fd = -1};
    enum error_code code = read_stored(registry, digest, &content, err);

    if (code) {
        return code;
    }
    code = blob_check_standing(registry, digest, &content, err);
    if (code) {
        blob_content_release(&content);
        return code;
    }
    *content_out = content;
    return OK;
}

enum error_code registry_find_blob(struct registry *registry, const struct digest *digest,
                                   bool *is_there_out, uint64_t *size_bytes_out, struct error *err)
{
    struct blob_content content = {0};
    const enum error_code code = registry_read_blob(registry, digest, &content, err);

    if (code && code != ERROR_NOT_FOUND) {
        return code;
    }
    *is_there_out = code == OK;
    if (!code) {
        *size_bytes_out = content.size_bytes;
        blob_content_release(&content);
    }
    return OK;
}

bool registry_has_remote_blobs(const struct registry *registry)
{
    return blob_store_is_remote(registry->config.blobs);
}

enum error_code registry_read_blob_part(struct registry *registry,
                                        const struct blob_content *content,
                                        const struct blob_part *part, struct strbuf *bytes_out,
                                        struct error *err)
{
    return blob_store_read_part(registry->config.blobs, content, part, bytes_out, err);
}

enum error_code registry_link_blob(struct registry *registry, const struct blob_content *content,
                                   struct strbuf *url, struct error *err)
{
    return blob_store_link(registry->config.blobs, content, url, err);
}

uint64_t registry_chunk_min_bytes(const struct registry *registry)
{
    return blob_store_chunk_min_bytes(registry->config.blobs);
}

enum error_code blob_give_tail(struct registry *registry, struct blob_writer *writer,
                               const struct blob_upload *rested, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf tail;
    size_t length = 0;
    enum error_code code = blob_writer_begin_tail(writer, &length, err);

    strbuf_init(&tail, length);
    if (code || length == 0) {
        return code;
    }
    code = metadata_read_upload_tail(registry->config.metadata, str_from(rested->id),
                                     rested->offset_bytes, &tail, err);
    return code ? code : blob_writer_give_tail(writer, &tail, err);
}

/* The first location of a digest stays: that another push kept one meanwhile is success. */
static enum error_code keep_location(struct registry *registry, const struct digest *digest,
                                     const struct blob_location *location, struct error *err)
{
    const struct registry_config *config = &registry->config;
    const struct blob_place_record place = {
        .digest = *digest,
        .location = str_from(location->key),
        .size_bytes = location->size_bytes,
        .touched_ms = clock_wall_ms(config->clock),
    };

    return metadata_add_blob_place(config->metadata, &place, err);
}

enum error_code blob_publish(struct registry *registry, struct blob_writer *writer,
                             const struct blob_upload *rested, const struct digest *digest,
                             bool *is_there_out, struct error *err)
{
    struct blob_location location;
    enum error_code code = OK;

    if (!blob_store_has_locations(registry->config.blobs)) {
        return blob_writer_commit(writer, digest, NULL, err);
    }
    code = touch(registry, digest, err);
    *is_there_out = !code;
    if (code != ERROR_NOT_FOUND) {
        return code;
    }
    code = blob_give_tail(registry, writer, rested, err);
    if (!code) {
        code = blob_writer_commit(writer, digest, &location, err);
    }
    return code ? code : keep_location(registry, digest, &location, err);
}

enum error_code blob_reader_open(struct blob_reader *reader, struct registry *registry,
                                 const struct digest *digest, struct error *err)
{
    *reader = (struct blob_reader){.registry = registry};
    strbuf_init(&reader->piece, PIECE_MAX_BYTES);
    return read_stored(registry, digest, &reader->content, err);
}

static enum error_code read_file(struct blob_reader *reader, char *buffer, size_t wanted,
                                 size_t *length_out, struct error *err)
{
    ssize_t length = 0;

    do {
        length = pread(reader->content.fd, buffer, wanted, (off_t)reader->offset_bytes);
    } while (length < 0 && errno == EINTR);
    if (length < 0) {
        return error_set_errno(err, "cannot read a blob");
    }
    if (length == 0 && wanted > 0) {
        return error_set(err, ERROR_INTERNAL, "a blob's file is shorter than it was");
    }
    *length_out = (size_t)length;
    return OK;
}

static enum error_code fetch_piece(struct blob_reader *reader, struct error *err)
{
    const uint64_t left = reader->content.size_bytes - reader->offset_bytes;
    const struct blob_part part = {reader->offset_bytes,
                                   left < PIECE_MAX_BYTES ? (size_t)left : PIECE_MAX_BYTES};

    strbuf_clear(&reader->piece);
    reader->piece_taken = 0;
    return blob_store_read_part(reader->registry->config.blobs, &reader->content, &part,
                                &reader->piece, err);
}

/* From a piece that is as large as one request makes worth its while. */
static enum error_code read_remote(struct blob_reader *reader, char *buffer, size_t wanted,
                                   size_t *length_out, struct error *err)
{
    enum error_code code = OK;
    struct str left;

    if (reader->piece_taken == reader->piece.length && wanted > 0) {
        code = fetch_piece(reader, err);
    }
    if (code) {
        return code;
    }
    left = str_slice(strbuf_str(&reader->piece), reader->piece_taken, reader->piece_taken + wanted);
    if (left.length > 0) {
        memcpy(buffer, left.bytes, left.length);
    }
    reader->piece_taken += left.length;
    *length_out = left.length;
    return OK;
}

enum error_code blob_reader_read(struct blob_reader *reader, char *buffer, size_t capacity,
                                 size_t *length_out, struct error *err)
{
    const uint64_t left = reader->content.size_bytes - reader->offset_bytes;
    const size_t wanted = left < capacity ? (size_t)left : capacity;
    enum error_code code = OK;

    assert(reader->offset_bytes <= reader->content.size_bytes);
    *length_out = wanted;
    switch (reader->content.kind) {
    case BLOB_IN_FILE:
        code = read_file(reader, buffer, wanted, length_out, err);
        break;
    case BLOB_IN_MEMORY:
        if (wanted > 0) { /* an empty blob has no bytes to point to */
            memcpy(buffer, reader->content.bytes.bytes + reader->offset_bytes, wanted);
        }
        break;
    case BLOB_REMOTE:
        code = read_remote(reader, buffer, wanted, length_out, err);
        break;
    }
    reader->offset_bytes += code ? 0 : *length_out;
    return code;
}

void blob_reader_close(struct blob_reader *reader)
{
    strbuf_release(&reader->piece);
    blob_content_release(&reader->content);
}

static enum error_code append_all(struct blob_reader *reader, struct strbuf *buf, struct error *err)
{
    char chunk[CHUNK_BYTES];
    size_t length = 1;
    enum error_code code = OK;

    if (reader->content.size_bytes > buf->limit_bytes - buf->length) {
        return error_set(err, ERROR_TOO_LARGE, "the blob has more than %zu bytes",
                         buf->limit_bytes);
    }
    while (!code && length > 0) {
        code = blob_reader_read(reader, chunk, sizeof(chunk), &length, err);
        if (!code) {
            strbuf_append(buf, (struct str){chunk, length});
        }
    }
    return code;
}

enum error_code blob_reader_read_all(struct registry *registry, const struct digest *digest,
                                     struct strbuf *buf, struct error *err)
{
    struct blob_reader reader;
    enum error_code code = blob_reader_open(&reader, registry, digest, err);

    if (code) {
        return code;
    }
    code = append_all(&reader, buf, err);
    blob_reader_close(&reader);
    return code;
}
