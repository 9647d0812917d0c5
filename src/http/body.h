#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"
#include "http/chunked.h"
#include "http/request.h"

/* Finds a request's body in the bytes behind its head (RFC 9112 6.3). Keeps no bytes itself. */
struct body {
    enum http_framing framing;
    uint64_t left_bytes; /* of a sized one */
    struct chunked chunked;
    bool is_complete;
};

void body_init(struct body *body, const struct http_request *request);

/*
 * How many bytes it may have; without this call, any number. Before any was read. False: it says
 * already that it has more.
 */
MUST_USE bool body_allow(struct body *body, uint64_t most_bytes);

/* As chunked_read, whatever the framing. Call again until it is none of CHUNKED_DATA.
 */
enum chunked_result body_read(struct body *body, struct str *input, struct str *data_out);

/* At most how much may be received so that nothing behind a sized body is touched. */
uint64_t body_wanted(const struct body *body);
