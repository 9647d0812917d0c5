#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/str.h"
#include "layers/layer_reader.h"

struct archive;
struct ZSTD_DCtx_s;

/*
 * The tar stream inside a layer: unpacked, counted and timed block by block, before the parser of
 * tar sees any of it. Thus a limit holds however far a few bytes expand, and whatever the parser
 * does with them. A failure stays: later calls return it again.
 */
struct layer_stream {
    const struct layer_input *input;
    const struct layer_limits *limits;
    struct error *err; /* of the caller; may be NULL */
    struct archive *unpacker;
    char *buffer;
    size_t pending_bytes;     /* in buffer, read to learn the kind of compression */
    struct ZSTD_DCtx_s *zstd; /* NULL: it is not zstd; else what it makes is what follows */
    struct str packed;        /* in buffer, for it */
    char *unpacked;
    bool is_held_back; /* it may have more, without more input */
    bool is_in_frame;
    enum error_code failure;
    int64_t began_ms;
    uint64_t compressed_bytes;
    uint64_t unpacked_bytes;
};

/* Reads the first bytes. Release it also after a failure. The rest must outlive it. */
MUST_USE enum error_code layer_stream_open(struct layer_stream *stream,
                                           const struct layer_input *input,
                                           const struct layer_limits *limits, struct error *err);
void layer_stream_release(struct layer_stream *stream);

/* The next block, borrowed until the next call; empty at the end. */
MUST_USE enum error_code layer_stream_read(struct layer_stream *stream, struct str *block_out);

/* Fails with ERROR_TOO_LARGE once the time is over. */
MUST_USE enum error_code layer_stream_check_time(struct layer_stream *stream);
