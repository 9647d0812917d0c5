#include "layers/layer_stream.h"

#include <archive.h>
#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/memory.h"

enum {
    INPUT_BLOCK_BYTES = 64 * 1024,
    MAGIC_BYTES = 4, /* what tells the kinds apart */
};

static enum error_code read_magic(struct layer_stream *stream);
static enum error_code read_input(struct layer_stream *stream, size_t *length_out);
static enum error_code open_unpacker(struct layer_stream *stream);
static int filter_of(struct str magic);
static enum error_code fail(struct layer_stream *stream);
static la_ssize_t on_read(struct archive *unpacker, void *context, const void **block_out);
static enum error_code count_unpacked(struct layer_stream *stream, size_t length);

enum error_code layer_stream_open(struct layer_stream *stream, const struct layer_input *input,
                                  const struct layer_limits *limits, struct error *err)
{
    *stream = (struct layer_stream){.input = input, .limits = limits, .err = err};
    stream->buffer = memory_new(INPUT_BLOCK_BYTES, 1);
    stream->began_ms = clock_monotonic_ms(limits->clock);
    stream->failure = read_magic(stream);
    if (stream->failure == OK) {
        stream->failure = open_unpacker(stream);
    }
    return stream->failure;
}

static enum error_code read_magic(struct layer_stream *stream)
{
    size_t length = 1;
    enum error_code code = OK;

    while (code == OK && length > 0 && stream->pending_bytes < MAGIC_BYTES) {
        code = read_input(stream, &length);
        if (code == OK) {
            stream->pending_bytes += length;
        }
    }
    return code;
}

/* Appends to what is pending in the buffer; 0 at the end. */
static enum error_code read_input(struct layer_stream *stream, size_t *length_out)
{
    const size_t capacity = INPUT_BLOCK_BYTES - stream->pending_bytes;
    const uint64_t max_bytes = stream->limits->compressed_max_bytes;
    size_t length = 0;
    enum error_code code = layer_stream_check_time(stream);

    if (code == OK) {
        code = stream->input->read(stream->input->context, stream->buffer + stream->pending_bytes,
                                   capacity, &length, stream->err);
    }
    if (code) {
        return code;
    }
    assert(length <= capacity);
    if (length > max_bytes - stream->compressed_bytes) {
        return error_set(stream->err, ERROR_TOO_LARGE,
                         "the layer has more than %" PRIu64 " bytes as it is stored", max_bytes);
    }
    stream->compressed_bytes += length;
    *length_out = length;
    return OK;
}

/*
 * The one filter is chosen here instead of by libarchive's bidding, which would also unpack gzip in
 * gzip, many levels deep.
 */
static enum error_code open_unpacker(struct layer_stream *stream)
{
    const struct str magic = {stream->buffer, stream->pending_bytes};
    const int filter = filter_of(magic);
    struct archive_entry *entry = NULL;

    stream->unpacker = archive_read_new();
    if (stream->unpacker == NULL) {
        return error_set(stream->err, ERROR_INTERNAL, "no memory to read a layer");
    }
    /* A warning here means that libarchive would start a program instead. */
    if (filter != ARCHIVE_FILTER_NONE &&
        archive_read_append_filter(stream->unpacker, filter) != ARCHIVE_OK) {
        return error_set(stream->err, ERROR_INTERNAL, "libarchive cannot read %s",
                         filter == ARCHIVE_FILTER_GZIP ? "gzip" : "zstd");
    }
    if (archive_read_support_format_raw(stream->unpacker) != ARCHIVE_OK ||
        archive_read_open(stream->unpacker, stream, NULL, on_read, NULL) != ARCHIVE_OK ||
        archive_read_next_header(stream->unpacker, &entry) != ARCHIVE_OK) {
        return fail(stream);
    }
    return OK;
}

/* RFC 1952 2.3.1 (gzip), RFC 8878 3.1.1 (zstd) and 3.1.2 (its skippable frames). */
static int filter_of(struct str magic)
{
    if (str_starts_with(magic, "\x1f\x8b")) {
        return ARCHIVE_FILTER_GZIP;
    }
    if (str_starts_with(magic, "\x28\xb5\x2f\xfd")) {
        return ARCHIVE_FILTER_ZSTD;
    }
    if (magic.length >= MAGIC_BYTES && (magic.bytes[0] & 0xf0) == 0x50 &&
        memcmp(magic.bytes + 1, "\x2a\x4d\x18", 3) == 0) {
        return ARCHIVE_FILTER_ZSTD;
    }
    return ARCHIVE_FILTER_NONE;
}

/* The callback's own failure comes first: to libarchive it is but a failed read. */
static enum error_code fail(struct layer_stream *stream)
{
    if (stream->failure == OK) {
        const char *reason = archive_error_string(stream->unpacker);

        stream->failure = error_set(stream->err, ERROR_INVALID, "the layer cannot be unpacked: %s",
                                    reason ? reason : "it is broken");
    }
    return stream->failure;
}

static la_ssize_t on_read(struct archive *unpacker, void *context, const void **block_out)
{
    struct layer_stream *stream = context;
    size_t length = stream->pending_bytes;

    (void)unpacker;
    stream->pending_bytes = 0;
    if (length == 0) {
        const enum error_code code = read_input(stream, &length);

        if (code) {
            stream->failure = code;
            return ARCHIVE_FATAL;
        }
    }
    *block_out = stream->buffer;
    return (la_ssize_t)length;
}

void layer_stream_release(struct layer_stream *stream)
{
    if (stream->unpacker) {
        (void)archive_read_free(stream->unpacker);
    }
    free(stream->buffer);
    *stream = (struct layer_stream){0};
}

enum error_code layer_stream_read(struct layer_stream *stream, struct str *block_out)
{
    const void *bytes = NULL;
    size_t length = 0;
    la_int64_t offset = 0;
    int status;

    if (stream->failure || layer_stream_check_time(stream)) {
        return stream->failure;
    }
    status = archive_read_data_block(stream->unpacker, &bytes, &length, &offset);
    if (status != ARCHIVE_OK && status != ARCHIVE_EOF) {
        return fail(stream);
    }
    if (status == ARCHIVE_EOF) {
        length = 0;
    }
    if (count_unpacked(stream, length)) {
        return stream->failure;
    }
    *block_out = (struct str){bytes, length};
    return OK;
}

static enum error_code count_unpacked(struct layer_stream *stream, size_t length)
{
    const uint64_t max_bytes = stream->limits->unpacked_max_bytes;

    if (length > max_bytes - stream->unpacked_bytes) {
        stream->failure =
            error_set(stream->err, ERROR_TOO_LARGE,
                      "the layer has more than %" PRIu64 " bytes unpacked", max_bytes);
        return stream->failure;
    }
    stream->unpacked_bytes += length;
    return OK;
}

enum error_code layer_stream_check_time(struct layer_stream *stream)
{
    const int64_t elapsed_ms = clock_monotonic_ms(stream->limits->clock) - stream->began_ms;

    if (elapsed_ms > stream->limits->time_max_ms) {
        stream->failure = error_set(stream->err, ERROR_TOO_LARGE,
                                    "the layer took more than %" PRId64 " ms to read",
                                    stream->limits->time_max_ms);
    }
    return stream->failure;
}
