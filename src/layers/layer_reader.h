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
 * Reads image layers: tar archives, plain or compressed with gzip or zstd, told apart by their
 * first bytes. What it reads is hostile: everything is bounded by layer_limits, memory by
 * constants. Besides what layer_input's read returned, passed on unchanged, it fails with
 * ERROR_INVALID (no archive of these kinds, broken or cut off) and ERROR_TOO_LARGE (a limit).
 */
struct layer_limits {
    uint64_t compressed_max_bytes; /* as read from the input */
    uint64_t unpacked_max_bytes;   /* of the tar stream that comes out of it */
    uint64_t max_entries;
    int64_t time_max_ms;       /* altogether, by the clock */
    const struct clock *clock; /* base/clock.h: monotonic time */
};

/* Where a layer's bytes come from. */
struct layer_input {
    void *context;
    /* Up to `capacity` bytes into `buffer`; 0 at the end. */
    enum error_code (*read)(void *context, char *buffer, size_t capacity, size_t *length_out,
                            struct error *err);
};

struct layer_entry {
    struct str name; /* as in the archive; borrowed until visit returns */
    uint32_t mode;   /* st_mode, with the type bits */
    uint64_t size_bytes;
    int64_t modified_s; /* since 1970 */
    struct str link;    /* target of a symbolic or hard link; {NULL, 0}: none */
};

/*
 * Calls visit for each entry, in order; a visit that returns false ends it early with OK. Names are
 * bytes of any encoding. Whiteouts are entries like any other.
 */
MUST_USE enum error_code layer_list(const struct layer_input *input,
                                    const struct layer_limits *limits,
                                    bool (*visit)(void *context, const struct layer_entry *entry),
                                    void *context, struct error *err);

/*
 * Appends the content of the regular file `name` (also as `./name` or `/name`) to buf, which has
 * its own maximum and is changed only by success. The last entry of that name wins, as when
 * unpacking; links are not followed. ERROR_NOT_FOUND: there is no such file. ERROR_TOO_LARGE also:
 * it is larger than what buf has room for.
 */
MUST_USE enum error_code layer_read_file(const struct layer_input *input,
                                         const struct layer_limits *limits, const char *name,
                                         struct strbuf *buf, struct error *err);
