#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "http/request.h"
#include "http/response.h"

/* The kinds of threads: what each may be held up by. All but the loops come in pools. */
enum http_thread {
    HTTP_LOOP = 0, /* nothing: it has all the others to see to */
    HTTP_WORKER,   /* files and SQL */
    HTTP_WAITER,   /* other servers that are asked something */
    HTTP_HASHER,   /* verifying passwords, which is meant to be slow */
    HTTP_CARRIER,  /* bodies that go to and come from other servers; files and SQL as well */
};

enum { HTTP_THREADS = HTTP_CARRIER + 1 };

/* Whether what needs the one kind may be done on the other: loops need nothing. */
static inline bool http_thread_suits(enum http_thread actual, enum http_thread needed)
{
    return actual == needed || needed == HTTP_LOOP ||
           (actual == HTTP_CARRIER && needed == HTTP_WORKER);
}

/* A request, its response, and what lives as long as they do. Owned by one thread at a time. */
struct http_exchange {
    struct http_request request; /* valid until finish */
    struct http_response response;
    struct arena arena;
    struct str peer_address; /* without the port */
    bool is_tls;
    enum http_thread thread; /* that it is on; the loop's, where it must not block */
    enum http_thread needed; /* with HTTP_MOVE, set by the application */
    uint64_t body_max_bytes; /* that the body may have; the application lowers it in begin */
    unsigned rank; /* among those that wait for a hasher, below WORKERS_RANKS: 0 goes first */
    uint64_t received_bytes; /* of the body, decoded, so far */
    uint64_t sent_bytes;     /* of the response's body */
    int64_t begin_us;        /* clock_elapsed_us when the head was complete */
    int64_t body_until_ms;   /* monotonic; set by the application: a body that is not complete by
                                then is too slow. 0: as the limits say */
    void *call;              /* the application's own */
    void *session;           /* the same for as long as the connection lasts: see leave */
};

/* What the application wants next. */
enum http_step {
    HTTP_RESPOND, /* send the response (and close, if the body was not read to its end) */
    HTTP_MOVE,    /* call again on such a thread as is `needed`, which the present one is not */
    HTTP_BODY,    /* read the body (or more of it) and give it to data */
    HTTP_LATER,   /* end only: call it again a moment later */
};

/*
 * What a server serves. begin runs on an event loop first, where it must not block; what needs
 * another thread returns HTTP_MOVE with no response and no effect, and is called again there, as
 * often as it takes. Each kind holds up its own kind only: neither a server that hangs nor guessing
 * at passwords keeps others from their files. Where begin asked for the body it is given to it,
 * too.
 */
struct http_application {
    void *context;

    /* A head has arrived. */
    enum http_step (*begin)(void *context, struct http_exchange *exchange);

    /*
     * Body bytes, decoded, never empty, and never more than body_max_bytes in all; on a worker.
     * HTTP_BODY: go on. HTTP_RESPOND: enough.
     */
    enum http_step (*data)(void *context, struct http_exchange *exchange, struct str bytes);

    /*
     * How many bytes of the body data can take without waiting; 0: none now, ask again a moment
     * later, and let the client wait meanwhile. NULL: any. On a worker.
     */
    size_t (*room)(void *context, struct http_exchange *exchange);

    /*
     * The body is complete (also when empty, if begin said HTTP_BODY); on a worker. HTTP_RESPOND:
     * the response is filled. HTTP_LATER: nothing was done, since others are ahead; meanwhile it
     * holds no thread. HTTP_MOVE as from begin.
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
     * not had its end, this is not on a loop, so that what was received can be put away;
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
