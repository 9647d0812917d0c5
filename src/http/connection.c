#include "http/connection.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/connection_steps.h"
#include "http/tls.h"

enum {
    TURN_RECEIVE_BYTES = 1024 * 1024, /* then the others' turn */
    TURN_SEND_BYTES = 8 * 1024 * 1024,
    TURN_REQUESTS = 64,
    DRAIN_FIRST_REQUEST_MS = 1000,
};

static enum connection_want step(struct connection *connection);
static bool is_overdue(const struct connection *connection, int64_t now_ms);
static enum connection_want give_up(struct connection *connection);
static void drop_exchange(struct connection *connection);
static bool moves_fast_enough(const struct connection *connection);

const struct http_limits *connection_limits(const struct connection *connection)
{
    return &connection->world->config->limits;
}

const struct http_application *connection_application(const struct connection *connection)
{
    return &connection->world->config->application;
}

bool connection_is_draining(const struct connection *connection)
{
    return atomic_load_explicit(&connection->world->is_draining, memory_order_relaxed);
}

bool connection_is_on_loop(const struct connection *connection)
{
    return connection->thread == HTTP_LOOP;
}

enum connection_want connection_move(struct connection *connection, enum http_thread needed)
{
    assert(!http_thread_suits(connection->thread, needed));
    connection->pool = needed;
    return WANT_WORKER;
}

struct connection *connection_new(struct connection_world *world, struct tls *tls, int fd,
                                  const char *peer_address)
{
    struct connection *connection = memory_new(1, sizeof(*connection));
    const int yes = 1;

    connection->world = world;
    connection->pool = HTTP_WORKER;
    connection->want = WANT_READ;
    connection->socket = (struct poller_socket){.fd = fd, .tag = connection};
    list_init(&connection->job.node);
    list_init(&connection->node);
    sender_init(&connection->sender);
    (void)snprintf(connection->peer_address, sizeof(connection->peer_address), "%s", peer_address);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (!tls) {
        plain_transport_init(&connection->transport, fd);
    } else if (!tls_transport_init(tls, &connection->transport, fd)) {
        (void)close(fd);
        free(connection);
        return NULL;
    }
    connection->state = tls ? CONNECTION_HANDSHAKE : CONNECTION_HEAD;
    connection_set_deadline(connection, connection_is_draining(connection)
                                            ? DRAIN_FIRST_REQUEST_MS
                                            : connection_limits(connection)->head_timeout_ms);
    (void)atomic_fetch_add(&world->connections, 1);
    return connection;
}

void connection_free(struct connection *connection)
{
    const struct http_application *application = connection_application(connection);
    struct connection_world *world = connection->world;

    assert(!connection->exchange);
    if (connection->session) {
        application->leave(application->context, connection->session);
    }
    sender_release(&connection->sender);
    framing_release(&connection->framing);
    transport_release(&connection->transport);
    address_shares_give_back(world->shares, connection->share);
    free(connection);
    (void)atomic_fetch_sub(&world->connections, 1);
}

void connection_set_deadline(struct connection *connection, int64_t timeout_ms)
{
    connection->deadline_ms = clock_monotonic_ms(connection->world->config->clock) + timeout_ms;
    connection->moved_bytes = 0;
}

enum connection_want connection_run(struct connection *connection, enum http_thread thread)
{
    enum connection_want want = WANT_NEXT;

    connection->thread = thread;
    connection->budget_bytes = thread == HTTP_LOOP ? TURN_SEND_BYTES : TURN_RECEIVE_BYTES;
    connection->requests_left = TURN_REQUESTS;
    while (want == WANT_NEXT) {
        want = step(connection);
    }
    return want;
}

/* The life of a connection: each state's work, until it has to wait. */
static enum connection_want step(struct connection *connection)
{
    switch (connection->state) {
    case CONNECTION_HANDSHAKE:
        return connection_shake_hands(connection);
    case CONNECTION_HEAD:
        return connection_is_on_loop(connection) ? connection_receive_head(connection) : WANT_LOOP;
    case CONNECTION_BEGIN:
        return connection_begin(connection);
    case CONNECTION_BODY:
        return connection_receive_body(connection);
    case CONNECTION_SEND:
        return connection_send_answer(connection);
    case CONNECTION_FINISH:
        return connection_finish(connection);
    case CONNECTION_LINGER:
        return connection_is_on_loop(connection) ? connection_linger(connection) : WANT_LOOP;
    }
    abort(); /* the switch is complete */
}

enum connection_want connection_want_of(enum io_result result)
{
    switch (result) {
    case IO_DONE:
        return WANT_NEXT;
    case IO_WAIT_READ:
        return WANT_READ;
    case IO_WAIT_WRITE:
        return WANT_WRITE;
    case IO_CLOSED:
        return WANT_CLOSE;
    }
    abort(); /* the switch is complete */
}

void connection_new_exchange(struct connection *connection)
{
    /* Not zeroed: the parser fills what it says of the many header fields that it has room for. */
    struct http_exchange *exchange = memory_resize(NULL, 1, sizeof(*exchange));

    exchange->request.method = HTTP_METHOD_OTHER;
    exchange->request.method_name = (struct str){0};
    exchange->request.target = (struct str){0};
    exchange->request.path = (struct str){0};
    exchange->request.query = (struct str){0};
    exchange->request.host = (struct str){0};
    exchange->request.header_count = 0;
    exchange->request.minor_version = 1;
    http_response_init(&exchange->response);
    arena_init(&exchange->arena, connection_limits(connection)->arena_bytes);
    exchange->peer_address = str_from(connection->peer_address);
    exchange->is_tls = connection->transport.session != NULL;
    exchange->thread = HTTP_LOOP;
    exchange->needed = HTTP_LOOP;
    exchange->body_max_bytes = UINT64_MAX;
    exchange->rank = 0;
    exchange->received_bytes = 0;
    exchange->sent_bytes = 0;
    exchange->begin_us = clock_elapsed_us();
    exchange->body_until_ms = 0;
    exchange->call = NULL;
    exchange->session = connection->session;
    connection->exchange = exchange;
    connection->is_sent = false;
    connection->body_began = false;
    connection_set_deadline(connection, connection_limits(connection)->head_timeout_ms);
}

void connection_end_exchange(struct connection *connection)
{
    const struct http_application *application = connection_application(connection);
    struct http_exchange *exchange = connection->exchange;

    exchange->sent_bytes = connection->sender.sent_body_bytes;
    exchange->thread = connection->body_began ? connection->pool : HTTP_LOOP;
    application->finish(application->context, exchange, connection->is_sent);
    connection->session = exchange->session;
    drop_exchange(connection);
}

static void drop_exchange(struct connection *connection)
{
    struct http_exchange *exchange = connection->exchange;

    http_response_release(&exchange->response);
    arena_release(&exchange->arena);
    free(exchange);
    framing_end_request(&connection->framing);
    if (connection->is_proxy) {
        address_shares_give_back(connection->world->shares, connection->share);
        connection->share = NULL;
    }
    connection->exchange = NULL;
    connection->body_began = false;
    connection->pool = HTTP_WORKER;
}

enum connection_want connection_expire(struct connection *connection, int64_t now_ms)
{
    if (is_overdue(connection, now_ms)) {
        return give_up(connection);
    }
    if (now_ms < connection->deadline_ms) {
        return WANT_NEXT;
    }
    switch (connection->state) {
    case CONNECTION_HANDSHAKE:
    case CONNECTION_LINGER:
        return WANT_CLOSE;
    case CONNECTION_HEAD:
        return connection->exchange ? give_up(connection) : WANT_CLOSE;
    case CONNECTION_BEGIN:
    case CONNECTION_FINISH:
        return WANT_NEXT; /* waits for us, not for the client */
    case CONNECTION_BODY:
    case CONNECTION_SEND:
        break;
    }
    if (moves_fast_enough(connection)) {
        connection_set_deadline(connection, connection_limits(connection)->stall_timeout_ms);
        return WANT_NEXT;
    }
    return give_up(connection);
}

static bool is_overdue(const struct connection *connection, int64_t now_ms)
{
    return connection->state == CONNECTION_BODY && connection->exchange->body_until_ms > 0 &&
           now_ms >= connection->exchange->body_until_ms;
}

/* Whatever time has passed was not the client's. */
enum connection_want connection_unpark(struct connection *connection)
{
    connection->is_parked = false;
    connection_set_deadline(connection, connection_limits(connection)->stall_timeout_ms);
    return WANT_WORKER;
}

/* Tells a client that is too slow, where that is still possible. */
static enum connection_want give_up(struct connection *connection)
{
    const struct http_refusal too_slow = {408, "The request did not arrive in time."};

    if (connection->state == CONNECTION_HEAD || connection->state == CONNECTION_BODY) {
        (void)connection_refuse(connection, &too_slow);
    } else {
        connection->framing.closes = true;
        connection->state = CONNECTION_FINISH;
    }
    return WANT_TURN;
}

static bool moves_fast_enough(const struct connection *connection)
{
    const struct http_limits *limits = connection_limits(connection);

    return connection->moved_bytes >=
           limits->body_rate_bytes_per_second * (uint64_t)limits->stall_timeout_ms / MS_PER_SECOND;
}

bool connection_drain(struct connection *connection)
{
    const bool is_idle = connection->state == CONNECTION_HEAD && !connection->exchange;

    if (is_idle && !connection->has_served) {
        connection_set_deadline(connection, DRAIN_FIRST_REQUEST_MS);
    }
    return is_idle && connection->has_served;
}

void connection_submit(struct connection *connection)
{
    connection->job.rank = connection->pool == HTTP_HASHER ? connection->exchange->rank : 0;
    workers_submit(connection->world->pools[connection->pool], &connection->job);
}

void connection_abort(struct connection *connection)
{
    if (connection->exchange && connection->state == CONNECTION_HEAD) {
        drop_exchange(connection); /* the application has not seen it */
    } else if (connection->exchange) {
        connection->is_sent = false;
        connection_end_exchange(connection);
    }
}
