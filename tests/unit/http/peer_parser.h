#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { PEER_MAX_HEADERS = 200 };

struct peer_header {
    struct str name;
    struct str value;
};

/* A request head as the other parser understands it. Borrows from the bytes. */
struct peer_request {
    bool is_complete;       /* the end of the head was seen */
    const char *error_name; /* NULL: not refused */
    struct str method_name;
    struct str target;
    bool target_is_bad; /* then there is no path and no query */
    struct str path;
    struct str query;
    unsigned major_version;
    unsigned minor_version;
    bool is_chunked;
    bool has_content_length;
    uint64_t content_length;
    bool keeps_alive;
    size_t head_length;
    size_t header_count;
    struct peer_header headers[PEER_MAX_HEADERS];
};

/*
 * Reads a request head with libhttp-parser, Node's parser of many years. In a file of its own,
 * since its header and ours define the same names.
 */
void peer_parse(struct str bytes, struct peer_request *request_out);
