#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"
#include "base/strbuf.h"

/*
 * Reads the layers of images: tar, plain or compressed by gzip or zstd (image-spec "layer.md").
 * Everything is bounded, since a layer comes from anybody and a few bytes can unpack to more than
 * there is memory or time. Whiteouts are entries like others here.
 */
struct layer_limits {
    uint64_t compressed_max_bytes; /* as read from the input */
    uint64_t unpacked_max_bytes;   /* of the tar stream that comes out of it */
    uint64_t max_entries;
    int64_t time_max_ms; /* altogether */
    const struct clock *clock;
};

/* Where a layer's bytes come from. */
struct layer_input {
    void *context;

    /* Up to `capacity` bytes into `buffer`; 0 at the end. */
    enum error_code (*read)(void *context, char *buffer, size_t capacity, size_t *length_out,
                            struct error *err);
};

/* Borrowed until visit returns. */
struct layer_entry {
    struct str name; /* as in the archive */
    uint32_t mode;   /* st_mode, with the type bits */
    uint64_t size_bytes;
    int64_t modified_s; /* since 1970 */
    struct str link;    /* target of a symbolic or hard link; {NULL, 0}: none */
};

struct layer_visitor {
    void *context;

    /* Called for each entry, in order; false ends the reading early, with OK. */
    bool (*visit)(void *context, const struct layer_entry *entry);
};

/*
 * Both fail with ERROR_INVALID (no such archive, or a broken one), ERROR_TOO_LARGE (beyond a
 * limit), and as the input does.
 */
MUST_USE enum error_code layer_list(const struct layer_input *input,
                                    const struct layer_limits *limits,
                                    const struct layer_visitor *visitor, struct error *err);

/*
 * Appends the content of the regular file `name` (also as `./name` or `/name`) to buf; of several,
 * that of the last, which is the one that unpacking leaves. ERROR_NOT_FOUND if there is none;
 * ERROR_TOO_LARGE also beyond buf's own limit.
 */
MUST_USE enum error_code layer_read_file(const struct layer_input *input,
                                         const struct layer_limits *limits, const char *name,
                                         struct strbuf *buf, struct error *err);
