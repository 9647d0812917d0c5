#include "http/connection.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "http/connection_exchange.h"
#include "http/tls.h"

enum {
    TURN_RECEIVE_BYTES = 1024 * 1024, /* then the others' turn */
    TURN_SEND_BYTES = 8 * 1024 * 1024,
    TURN_REQUESTS = 64,
    DRAIN_FIRST_REQUEST_MS = 1000,
    LINGER_MS = 2000,
    LINGER_BUFFER_BYTES = 64 * 1024,
};

void connection_set_deadline(struct connection *connection, int64_t timeout_ms)
{
    connection->deadline_ms = clock_monotonic_ms(connection->world->config->clock) + timeout_ms;
    connection->moved_bytes = 0;
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
    case IO_FOREIGN: /* a handshake alone says so */
    case IO_CLOSED:
        return WANT_CLOSE;
    }
    abort(); /* the switch is complete */
}

struct connection *connection_new(struct connection_world *world, struct tls *tls, int fd,
                                  const char *peer_address)
{
    struct connection *connection = memory_new(1, sizeof(*connection));
    const int yes = 1;

    connection->world = world;
    connection->pool = HTTP_WORKER;
    connection->want = WANT_READ;
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

/* A client that speaks HTTP without TLS shows an answer in HTTP; of less it says nothing useful. */
static enum connection_want connection_refuse_foreign(struct connection *connection)
{
    const struct http_refusal foreign = {400, "This port speaks TLS: ask it by https://."};
    struct transport *transport = &connection->transport;

    transport->driver->release(transport);
    plain_transport_init(transport, transport->fd);
    connection_new_exchange(connection);
    return connection_refuse(connection, &foreign);
}

static enum connection_want shake_hands(struct connection *connection)
{
    enum io_result result = IO_DONE;

    assert(!connection->exchange);
    if (connection->may_read) { /* what others ask goes first: it takes a hundredth of the time */
        connection->may_read = false;
        return WANT_TURN;
    }
    result = connection->transport.driver->handshake(&connection->transport);
    if (result == IO_FOREIGN) {
        return connection_refuse_foreign(connection);
    }
    if (result == IO_DONE) {
        connection->state = CONNECTION_HEAD;
    }
    return connection_want_of(result);
}

/* The way out behind the last response. */
static enum connection_want shut_down(struct connection *connection)
{
    if (!connection->is_sent) {
        return WANT_CLOSE;
    }
    connection->transport.driver->shutdown_write(&connection->transport);
    if (!framing_has_unread(&connection->framing)) {
        return WANT_CLOSE;
    }
    connection->state = CONNECTION_LINGER;
    connection->may_read = true;
    connection_set_deadline(connection, LINGER_MS);
    return WANT_NEXT;
}

/* The application's last call; on a worker if it may have something unfinished to put away. */
static enum connection_want finish_exchange(struct connection *connection)
{
    assert(connection->exchange);
    if (connection->body_began && connection_is_on_loop(connection)) {
        return WANT_WORKER;
    }
    connection_end_exchange(connection);
    connection->has_served = true;
    if (connection->framing.closes) {
        return shut_down(connection);
    }
    connection->state = CONNECTION_HEAD;
    connection_set_deadline(connection, connection_limits(connection)->idle_timeout_ms);
    if (!connection_is_on_loop(connection)) {
        return WANT_LOOP;
    }
    return --connection->requests_left == 0 ? WANT_TURN : WANT_NEXT;
}

static enum connection_want linger(struct connection *connection)
{
    char dropped[LINGER_BUFFER_BYTES];
    struct transport *transport = &connection->transport;
    enum io_result result = IO_DONE;
    size_t length = 1;

    assert(!connection->exchange);
    assert(connection->framing.closes);
    while (result == IO_DONE && length > 0 &&
           connection->moved_bytes < connection_limits(connection)->discard_bytes) {
        result = transport->driver->read(transport, dropped, sizeof(dropped), &length);
        connection->moved_bytes += result == IO_DONE ? length : 0;
    }
    return result == IO_WAIT_READ ? WANT_READ : WANT_CLOSE;
}

/* The life of a connection: each state's work, until it has to wait. */
static enum connection_want run_step(struct connection *connection)
{
    switch (connection->state) {
    case CONNECTION_HANDSHAKE:
        return shake_hands(connection);
    case CONNECTION_HEAD:
        return connection_is_on_loop(connection) ? connection_receive_head(connection) : WANT_LOOP;
    case CONNECTION_BEGIN:
        return connection_begin(connection);
    case CONNECTION_BODY:
        return connection_receive_body(connection);
    case CONNECTION_SEND:
        return connection_send(connection);
    case CONNECTION_FINISH:
        return finish_exchange(connection);
    case CONNECTION_LINGER:
        return connection_is_on_loop(connection) ? linger(connection) : WANT_LOOP;
    }
    abort(); /* the switch is complete */
}

enum connection_want connection_run(struct connection *connection, enum http_thread thread)
{
    enum connection_want want = WANT_NEXT;

    connection->thread = thread;
    connection->budget_bytes = thread == HTTP_LOOP ? TURN_SEND_BYTES : TURN_RECEIVE_BYTES;
    connection->requests_left = TURN_REQUESTS;
    while (want == WANT_NEXT) {
        want = run_step(connection);
    }
    return want;
}

/* Whatever time has passed was not the client's. */
static enum connection_want unpark(struct connection *connection)
{
    connection->is_parked = false;
    connection_set_deadline(connection, connection_limits(connection)->stall_timeout_ms);
    return WANT_WORKER;
}

static bool is_overdue(const struct connection *connection, int64_t now_ms)
{
    return connection->state == CONNECTION_BODY && connection->exchange->body_until_ms > 0 &&
           now_ms >= connection->exchange->body_until_ms;
}

/* Tells a client that is too slow, where that is still possible. */
static enum connection_want connection_give_up(struct connection *connection)
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

enum connection_want connection_expire(struct connection *connection, int64_t now_ms)
{
    if (connection->is_parked) {
        return unpark(connection);
    }
    if (is_overdue(connection, now_ms)) {
        return connection_give_up(connection);
    }
    if (now_ms < connection->deadline_ms) {
        return WANT_NEXT;
    }
    switch (connection->state) {
    case CONNECTION_HANDSHAKE:
    case CONNECTION_LINGER:
        return WANT_CLOSE;
    case CONNECTION_HEAD:
        return connection->exchange ? connection_give_up(connection) : WANT_CLOSE;
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
    return connection_give_up(connection);
}

enum connection_want connection_drain(struct connection *connection)
{
    const bool is_idle = connection->state == CONNECTION_HEAD && !connection->exchange;

    if (is_idle && !connection->has_served) {
        connection_set_deadline(connection, DRAIN_FIRST_REQUEST_MS);
    }
    return is_idle && connection->has_served ? WANT_CLOSE : WANT_NEXT;
}

void connection_submit(struct connection *connection)
{
    connection->job.rank = connection->pool == HTTP_HASHER ? connection->exchange->rank : 0;
    workers_submit(connection->world->pools[connection->pool], &connection->job);
}

void connection_abort(struct connection *connection)
{
    if (connection->exchange) {
        connection->is_sent = false;
        connection_end_exchange(connection);
    }
}
