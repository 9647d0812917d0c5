#include "layers/layer_stream.h"

#include <archive.h>
#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/memory.h"

enum {
    INPUT_BLOCK_BYTES = 64 * 1024,
    UNPACKED_BLOCK_BYTES = 128 * 1024,
    MAGIC_BYTES = 4, /* what tells the kinds apart */
    /*
     * How far back a frame may refer, and so what unpacking it takes in memory: 32 MiB. RFC 8878
     * 3.1.1.1.2 wants decoders to take 8 MB, and encoders use that unless told otherwise;
     * libarchive would take 128 MiB.
     */
    ZSTD_WINDOW_LOG_MAX = 25,
};

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

/* Appends to what is pending in the buffer; 0 at the end. */
static enum error_code stream_read_input(struct layer_stream *stream, size_t *length_out)
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

static enum error_code read_magic(struct layer_stream *stream)
{
    size_t length = 1;
    enum error_code code = OK;

    while (code == OK && length > 0 && stream->pending_bytes < MAGIC_BYTES) {
        code = stream_read_input(stream, &length);
        if (code == OK) {
            stream->pending_bytes += length;
        }
    }
    return code;
}

/* RFC 8878 3.1.1 and, for skippable frames, 3.1.2 */
static bool is_zstd(struct str magic)
{
    return str_starts_with(magic, "\x28\xb5\x2f\xfd") ||
           (magic.length >= MAGIC_BYTES && (magic.bytes[0] & 0xf0) == 0x50 &&
            memcmp(magic.bytes + 1, "\x2a\x4d\x18", 3) == 0);
}

/* RFC 1952 2.3.1 */
static bool is_gzip(struct str magic)
{
    return str_starts_with(magic, "\x1f\x8b");
}

static enum error_code read_packed(struct layer_stream *stream, struct str *block_out)
{
    size_t length = stream->pending_bytes;
    enum error_code code = OK;

    stream->pending_bytes = 0;
    if (length == 0) {
        code = stream_read_input(stream, &length);
    }
    *block_out = (struct str){stream->buffer, length};
    return code;
}

static enum error_code refuse_frame(struct layer_stream *stream, size_t result)
{
    if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
        return error_set(stream->err, ERROR_TOO_LARGE,
                         "it takes more than %d MiB of memory to unpack the layer",
                         1 << (ZSTD_WINDOW_LOG_MAX - 20));
    }
    return error_set(stream->err, ERROR_INVALID, "the layer cannot be unpacked: %s",
                     ZSTD_getErrorName(result));
}

static enum error_code unpack(struct layer_stream *stream, size_t *length_out)
{
    ZSTD_inBuffer packed = {stream->packed.bytes, stream->packed.length, 0};
    ZSTD_outBuffer unpacked = {stream->unpacked, UNPACKED_BLOCK_BYTES, 0};
    const size_t result = ZSTD_decompressStream(stream->zstd, &unpacked, &packed);

    if (ZSTD_isError(result)) {
        return refuse_frame(stream, result);
    }
    stream->packed = str_from_index(stream->packed, packed.pos);
    stream->is_in_frame = result != 0;
    stream->is_held_back = stream->is_in_frame && unpacked.pos == unpacked.size;
    *length_out = unpacked.pos;
    return OK;
}

/* zstd, one frame behind the other. An empty block at the end. */
static enum error_code read_unpacked(struct layer_stream *stream, struct str *block_out)
{
    size_t length = 0;
    bool is_end = false;
    enum error_code code = OK;

    while (code == OK && length == 0 && !is_end) {
        if (stream->packed.length == 0 && !stream->is_held_back) {
            code = read_packed(stream, &stream->packed);
            is_end = code == OK && stream->packed.length == 0;
        }
        if (code == OK && !is_end) {
            code = unpack(stream, &length);
        }
    }
    if (code == OK && is_end && stream->is_in_frame) {
        code = error_set(stream->err, ERROR_INVALID,
                         "the layer cannot be unpacked: it ends in the middle of a zstd frame");
    }
    *block_out = (struct str){stream->unpacked, length};
    return code;
}

static la_ssize_t stream_on_read(struct archive *unpacker, void *context, const void **block_out)
{
    struct layer_stream *stream = context;
    struct str block = {0};
    const enum error_code code =
        stream->zstd ? read_unpacked(stream, &block) : read_packed(stream, &block);

    (void)unpacker;
    if (code) {
        stream->failure = code;
        return ARCHIVE_FATAL;
    }
    *block_out = block.bytes;
    return (la_ssize_t)block.length;
}

/* The callback's own failure comes first: to libarchive it is but a failed read. */
static enum error_code stream_fail(struct layer_stream *stream)
{
    if (stream->failure == OK) {
        const char *reason = archive_error_string(stream->unpacker);

        stream->failure = error_set(stream->err, ERROR_INVALID, "the layer cannot be unpacked: %s",
                                    reason ? reason : "it is broken");
    }
    return stream->failure;
}

/*
 * What unpacks is chosen here instead of by libarchive's bidding, which would also unpack gzip in
 * gzip, many levels deep.
 */
static enum error_code open_unpacker(struct layer_stream *stream)
{
    const struct str magic = {stream->buffer, stream->pending_bytes};
    struct archive_entry *entry = NULL;

    stream->unpacker = archive_read_new();
    if (is_zstd(magic)) {
        stream->zstd = ZSTD_createDCtx();
        stream->unpacked = memory_new(UNPACKED_BLOCK_BYTES, 1);
    }
    if (!stream->unpacker || (stream->unpacked && !stream->zstd)) {
        return error_set(stream->err, ERROR_INTERNAL, "no memory to read a layer");
    }
    if (stream->zstd) {
        (void)ZSTD_DCtx_setParameter(stream->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    }
    /* A warning here means that libarchive would start a program instead. */
    if (is_gzip(magic) &&
        archive_read_append_filter(stream->unpacker, ARCHIVE_FILTER_GZIP) != ARCHIVE_OK) {
        return error_set(stream->err, ERROR_INTERNAL, "libarchive cannot read gzip");
    }
    if (archive_read_support_format_raw(stream->unpacker) != ARCHIVE_OK ||
        archive_read_open(stream->unpacker, stream, NULL, stream_on_read, NULL) != ARCHIVE_OK ||
        archive_read_next_header(stream->unpacker, &entry) != ARCHIVE_OK) {
        return stream_fail(stream);
    }
    return OK;
}

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

void layer_stream_release(struct layer_stream *stream)
{
    if (stream->unpacker) {
        (void)archive_read_free(stream->unpacker);
    }
    (void)ZSTD_freeDCtx(stream->zstd);
    free(stream->unpacked);
    free(stream->buffer);
    *stream = (struct layer_stream){0};
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
        return stream_fail(stream);
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
