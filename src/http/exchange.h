#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "http/request.h"
#include "http/request_parser.h"
#include "http/response.h"

/* A request, its answer, and what lives as long as they do. Owned by one thread at a time. */
struct http_exchange {
    struct http_request request; /* valid until finish */
    struct http_response response;
    struct arena arena;
    struct str peer_address; /* without the port */
    bool is_tls;
    bool may_block;          /* on a worker: SQL and files are allowed */
    bool may_wait;           /* on a waiting worker: other servers may be asked */
    bool may_hash;           /* on a hasher: passwords may be verified, which is meant to be slow */
    bool may_carry;          /* on a carrier: bodies may go to and come from other servers */
    uint64_t body_max_bytes; /* that the body may have; the application lowers it in begin */
    unsigned rank; /* among those that wait for a hasher, below WORKERS_RANKS: 0 goes first */
    uint64_t received_bytes; /* of the body, decoded, so far */
    uint64_t sent_bytes;     /* of the answer's body */
    int64_t begin_us;        /* clock_elapsed_us when the head was complete */
    int64_t body_until_ms;   /* monotonic; set by the application: a body that is not complete by
                                then is too slow. 0: as the limits say */
    void *call;              /* the application's own */
    void *session;           /* the same for as long as the connection lasts: see leave */
};

/* What the application wants next. */
enum http_step {
    HTTP_ANSWER, /* the response is filled: send it (and close, if the body was not read to its end)
                  */
    HTTP_BLOCKS, /* only when may_block is false: call again on a worker */
    HTTP_WAITS,  /* only where may_wait is false: call again on a worker that may wait for others */
    HTTP_HASHES, /* only where may_hash is false: call again on a hasher, when its rank's turn is */
    HTTP_CARRIES, /* only where may_carry is false: call again on a worker that carries bodies */
    HTTP_BODY,    /* read the body (or more of it) and give it to data */
    HTTP_LATER,   /* end only: call it again a moment later */
};

/*
 * What a server serves. begin runs on an event loop first, where it must not block; what would
 * block returns HTTP_BLOCKS with no answer and no effect, and is called again on a worker. Waiting
 * for other servers has threads of its own, so that a server that hangs holds up nobody else: begin
 * returns HTTP_WAITS, is called there with may_wait, and may then return HTTP_BLOCKS for what does
 * not belong there; otherwise the body is given to it there too. Verifying passwords takes a
 * processor for long, and has few threads of its own: HTTP_HASHES, may_hash, and then as from the
 * loop. Bodies that go to other servers, or come from them, have threads of their own once more:
 * HTTP_CARRIES, and may_carry.
 */
struct http_application {
    void *context;

    /* A head has arrived. */
    enum http_step (*begin)(void *context, struct http_exchange *exchange);

    /*
     * Body bytes, decoded, never empty, and never more than body_max_bytes in all; on a worker.
     * HTTP_BODY: go on. HTTP_ANSWER: enough.
     */
    enum http_step (*data)(void *context, struct http_exchange *exchange, struct str bytes);

    /*
     * How many bytes of the body data can take without waiting; 0: none now, ask again a moment
     * later, and let the client wait meanwhile. NULL: any. On a worker.
     */
    size_t (*room)(void *context, struct http_exchange *exchange);

    /*
     * The body is complete (also when empty, if begin said HTTP_BODY); on a worker. HTTP_ANSWER:
     * the response is filled. HTTP_LATER: nothing was done, since others are ahead; meanwhile it
     * holds no thread. HTTP_HASHES and HTTP_WAITS as from begin.
     */
    enum http_step (*end)(void *context, struct http_exchange *exchange);

    /*
     * Fills the response for a head that was refused (request holds no more than was understood), a
     * server that is full, or, also after begin and data, a body that is broken, too large or too
     * slow. Must not block.
     */
    void (*refuse)(void *context, struct http_exchange *exchange,
                   const struct http_refusal *refusal);

    /*
     * The last call for every exchange that begin or refuse saw: answered (is_sent), or the client
     * went away, was too slow, or broke its own body. If the application asked for the body and has
     * not had its end, this is on a worker (may_block), so that what was received can be put away;
     * else it must not block. Releases `call`, logs.
     */
    void (*finish)(void *context, struct http_exchange *exchange, bool is_sent);

    /*
     * Whether whoever connects from that address passes on what others ask. Its connections have no
     * share of limits.connections then; each of its requests counts, while it is served, as a
     * connection of whom it is from. Must not block. NULL: nobody does.
     */
    bool (*is_proxy)(void *context, struct str address);

    /* Whom a request is from that came from such a proxy. Before begin; must not block. */
    struct str (*client_address)(void *context, struct http_exchange *exchange);

    /* The connection ends: releases what exchanges have left in `session`. Must not block. NULL:
     * they leave nothing. */
    void (*leave)(void *context, void *session);
};
