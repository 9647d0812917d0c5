#include "registry/blob_reader.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { CHUNK_BYTES = 16 * 1024, PIECE_MAX_BYTES = 1024 * 1024 };

static enum error_code read_file(struct blob_reader *reader, char *buffer, size_t wanted,
                                 size_t *length_out, struct error *err);
static enum error_code read_remote(struct blob_reader *reader, char *buffer, size_t wanted,
                                   size_t *length_out, struct error *err);
static enum error_code fetch_piece(struct blob_reader *reader, struct error *err);
static enum error_code append_all(struct blob_reader *reader, struct strbuf *buf,
                                  struct error *err);

enum error_code blob_reader_open(struct blob_reader *reader, struct blob_store *blobs,
                                 const struct digest *digest, struct error *err)
{
    *reader = (struct blob_reader){.blobs = blobs};
    strbuf_init(&reader->piece, PIECE_MAX_BYTES);
    return blob_store_read(blobs, digest, &reader->content, err);
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

static enum error_code fetch_piece(struct blob_reader *reader, struct error *err)
{
    const uint64_t left = reader->content.size_bytes - reader->offset_bytes;
    const struct blob_part part = {reader->offset_bytes,
                                   left < PIECE_MAX_BYTES ? (size_t)left : PIECE_MAX_BYTES};

    strbuf_clear(&reader->piece);
    reader->piece_taken = 0;
    return blob_store_read_part(reader->blobs, &reader->content, &part, &reader->piece, err);
}

void blob_reader_close(struct blob_reader *reader)
{
    strbuf_release(&reader->piece);
    blob_content_release(&reader->content);
}

enum error_code blob_reader_read_all(struct blob_store *blobs, const struct digest *digest,
                                     struct strbuf *buf, struct error *err)
{
    struct blob_reader reader;
    enum error_code code = blob_reader_open(&reader, blobs, digest, err);

    if (code) {
        return code;
    }
    code = append_all(&reader, buf, err);
    blob_reader_close(&reader);
    return code;
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
