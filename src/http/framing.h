#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "http/body.h"
#include "http/input.h"
#include "http/request.h"
#include "http/transport.h"

/*
 * HTTP/1 on one connection (RFC 9112): receives heads and bodies, finds where each ends, and knows
 * whether a request may follow. Knows neither deadlines nor who serves the request. Zeroed, it is
 * at its beginning, and holds no memory.
 */
struct framing {
    struct input input; /* what arrived; the request points into it */
    struct input ahead; /* of the next request: what came with the end of a chunked body */
    struct body body;   /* of the present request */
    char *memory;       /* that the present piece of it was received into; NULL: none; borrowed */
    bool closes;        /* no request after this one */
};

/* Wipes what there is. */
void framing_release(struct framing *framing);

/* Whether nothing has arrived that was not read yet. */
bool framing_is_empty(const struct framing *framing);

/* Receives some of a head, which may have limit_bytes. IO_CLOSED: there is nobody to answer it. */
enum io_result framing_receive_head(struct framing *framing, struct transport *transport,
                                    size_t limit_bytes);

/*
 * As http_parse_request, of what has arrived. HTTP_PARSE_DONE: the body is next, and whether the
 * connection closes behind it is as the request wants it.
 */
enum http_parse_result framing_parse_head(struct framing *framing,
                                          const struct http_parser_limits *limits,
                                          struct http_request *request,
                                          struct http_refusal *refusal_out);

/*
 * Says 100 where the client waits for it before it sends the body (RFC 9110 10.1.1). False: it does
 * not read, and is better gone.
 */
bool framing_send_continue(struct framing *framing, const struct http_request *request,
                           struct transport *transport);

/*
 * A piece of the body as it arrives, to be read whole before the next: what came along with the
 * head, which is borrowed, else what is received into `memory`, never more than its capacity. Empty
 * where the body is complete. IO_CLOSED: the rest will not come.
 */
enum io_result framing_receive_body(struct framing *framing, struct transport *transport,
                                    char *memory, size_t capacity, struct str *piece_out);

/*
 * As chunked_read, whatever the framing, from the front of such a piece. What it received has of
 * several chunks is moved together there: clients send many small ones. What is left of it behind
 * the body's end is kept, whether CHUNKED_END is asked for or not: it is the next request's.
 */
enum chunked_result framing_read_body(struct framing *framing, struct str *piece,
                                      struct str *data_out);

/* Whether more was or may be sent than what was read. */
bool framing_has_unread(const struct framing *framing);

/* The request cannot be read to its end: nobody knows what else is on its way. */
void framing_lose_track(struct framing *framing);

/* The request is answered: forgets it, and goes on with what came ahead. */
void framing_end_request(struct framing *framing);
