#pragma once

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/workers.h"
#include "http/address_shares.h"
#include "http/exchange.h"
#include "http/framing.h"
#include "http/sender.h"
#include "http/server.h"
#include "http/transport.h"

struct loop;
struct tls;

/* What a connection needs before it can go on. Whoever owns it sees to that. */
enum connection_want {
    WANT_NEXT,   /* nothing: between its steps only */
    WANT_READ,   /* the socket readable */
    WANT_WRITE,  /* the socket writable */
    WANT_TURN,   /* the others' turn first */
    WANT_WORKER, /* a thread that may block */
    WANT_LOOP,   /* the event loop */
    WANT_LATER,  /* a worker, a moment later */
    WANT_CLOSE,  /* its end */
};

/* Where in the life of its exchanges a connection is. */
enum connection_state {
    CONNECTION_HANDSHAKE,
    CONNECTION_HEAD,   /* between requests, or a head has begun to arrive */
    CONNECTION_BEGIN,  /* a head is complete: the application is to be asked */
    CONNECTION_BODY,   /* the application wants the body */
    CONNECTION_SEND,   /* a response is on its way */
    CONNECTION_FINISH, /* the application gets its last call */
    CONNECTION_LINGER, /* answered and shut: what still arrives is dropped, so that no reset
                          overtakes the response */
};

/* What all connections of a server share. */
struct connection_world {
    const struct http_server_config *config;
    struct workers *pools[HTTP_THREADS]; /* NULL for the loops */
    atomic_bool is_draining;             /* no request after the present ones */
    atomic_bool is_stopping;             /* nothing is finished any more */
    atomic_uint connections;             /* open now */
    struct address_shares *shares;       /* of them */
};

/*
 * A client's connection: its socket, its deadlines and who owns it. A state machine that moves as
 * far as it can whenever it is run, on a loop or on a worker, and never waits itself. What HTTP/1
 * makes of the bytes is the framing's and the sender's; what is done with a request,
 * connection_exchange.h's. Owned by one thread at a time.
 */
struct connection {
    struct job job; /* first: a worker is handed this */
    struct list_node node;
    struct connection_world *world;
    struct loop *loop; /* where it lives between visits to workers */
    enum connection_want want;

    struct transport transport;
    uint32_t watched_events; /* by its loop; 0: it is not in the set */
    enum connection_state state;
    bool may_read;           /* the socket may have bytes: try once */
    bool has_served;         /* a request was answered on it */
    bool is_parked;          /* waits for us, not for the client: see WANT_LATER */
    bool is_surplus;         /* beyond a limit of connections: gets 503 */
    bool is_proxy;           /* passes on what others ask */
    bool body_began;         /* the application has asked for the body and not had its end */
    bool is_sent;            /* the response has left whole */
    enum http_thread thread; /* that it is run on */
    enum http_thread pool;   /* whose turn it is when it wants a worker */
    int64_t deadline_ms;
    uint64_t moved_bytes; /* of a body, since the deadline was set */
    uint64_t budget_bytes;
    unsigned requests_left; /* of this turn */

    struct framing framing;         /* what comes in */
    struct sender sender;           /* what goes out */
    struct http_exchange *exchange; /* NULL between requests */
    void *session;                  /* the application's, or NULL */
    struct address_share *share;    /* of a proxy: its exchange's; NULL: it has none */
    char peer_address[INET6_ADDRSTRLEN];
};

/* For a socket that was accepted. NULL if TLS cannot be set up on it; the socket is closed then. */
struct connection *connection_new(struct connection_world *world, struct tls *tls, int fd,
                                  const char *peer_address);

/* The exchange must have ended. */
void connection_free(struct connection *connection);

/*
 * Moves on. After an event: may_read says whether the socket was readable. On an event loop
 * WANT_LOOP is not returned.
 */
enum connection_want connection_run(struct connection *connection, enum http_thread thread);

/*
 * Looks at the time of one that rests (on the loop): what to do with it. WANT_NEXT: nothing. One
 * that was parked goes on; one whose deadline has passed gets more time if its body moves fast
 * enough.
 */
enum connection_want connection_expire(struct connection *connection, int64_t now_ms);

/*
 * The server drains and this connection rests (on the loop): WANT_CLOSE, or WANT_NEXT, where it is
 * not to be closed now. One that has not sent its first request yet, maybe from the queue of the
 * listening socket, gets a moment for it.
 */
enum connection_want connection_drain(struct connection *connection);

/* WANT_WORKER: queues its job with the threads that it is to go to. */
void connection_submit(struct connection *connection);

/* Ends what is under way, so that it can be freed: the application's last call. May block. */
void connection_abort(struct connection *connection);

/* What it wants after moving bytes: WANT_NEXT where that succeeded. */
enum connection_want connection_want_of(enum io_result result);

/* Its time begins: it is over after timeout_ms. */
void connection_set_deadline(struct connection *connection, int64_t timeout_ms);

static inline const struct http_limits *connection_limits(const struct connection *connection)
{
    return &connection->world->config->limits;
}

static inline const struct http_application *
connection_application(const struct connection *connection)
{
    return &connection->world->config->application;
}

static inline bool connection_is_draining(const struct connection *connection)
{
    return atomic_load_explicit(&connection->world->is_draining, memory_order_relaxed);
}

static inline bool connection_is_on_loop(const struct connection *connection)
{
    return connection->thread == HTTP_LOOP;
}
