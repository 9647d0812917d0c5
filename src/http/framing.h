#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "http/body.h"
#include "http/input.h"
#include "http/request.h"

/*
 * HTTP/1 on one connection (RFC 9112): finds heads and bodies in what arrives, and knows whether a
 * request may follow. Knows neither socket nor deadlines. Zeroed, it is at its beginning, and holds
 * no memory.
 */
struct framing {
    struct input input; /* what arrived; the request points into it */
    struct input ahead; /* of the next request: what came with the end of a chunked body */
    struct body body;   /* of the present request */
    bool closes;        /* no request after this one */
};

/* Wipes what there is. */
void framing_release(struct framing *framing);

/*
 * As http_parse_request, of what has arrived. HTTP_PARSE_DONE: the body is next, and whether the
 * connection closes behind it is as the request wants it.
 */
enum http_parse_result framing_parse_head(struct framing *framing,
                                          const struct http_parser_limits *limits,
                                          struct http_request *request,
                                          struct http_refusal *refusal_out);

/*
 * Bytes that arrived, but not into `input`, were read as far as the body goes: if that is complete,
 * the rest is the next request's.
 */
void framing_keep_ahead(struct framing *framing, struct str rest);

/* Whether more was or may be sent than what was read. */
bool framing_has_unread(const struct framing *framing);

/* The request cannot be read to its end: nobody knows what else is on its way. */
void framing_lose_track(struct framing *framing);

/* The request is answered: forgets it, and goes on with what came ahead. */
void framing_end_request(struct framing *framing);
