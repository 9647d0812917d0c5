#include "http/connection.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "http/tls.h"

enum {
    TURN_RECEIVE_BYTES = 1024 * 1024, /* then the others' turn */
    TURN_SEND_BYTES = 8 * 1024 * 1024,
    TURN_REQUESTS = 64,
    BODY_BUFFER_BYTES = 128 * 1024,
    LINGER_MS = 2000,
    DRAIN_FIRST_REQUEST_MS = 1000,
    MS_PER_SECOND = 1000,
};

static enum connection_want step(struct connection *connection, bool may_block);
static enum connection_want want_of(enum io_result result);
static enum connection_want shake_hands(struct connection *connection);
static enum connection_want receive_head(struct connection *connection);
static enum connection_want parse_head(struct connection *connection);
static enum connection_want await_head(struct connection *connection);
static enum connection_want begin(struct connection *connection, bool may_block);
static enum connection_want begin_body(struct connection *connection, bool may_block);
static bool send_continue(struct connection *connection);
static enum connection_want receive_body(struct connection *connection, bool may_block);
static enum connection_want receive_body_bytes(struct connection *connection);
static enum connection_want feed(struct connection *connection, struct str *bytes);
static enum connection_want end_body(struct connection *connection);
static enum connection_want give_up(struct connection *connection);
static enum connection_want refuse(struct connection *connection,
                                   const struct http_refusal *refusal);
static enum connection_want answer(struct connection *connection);
static enum connection_want send_answer(struct connection *connection, bool may_block);
static enum connection_want finish(struct connection *connection, bool may_block);
static enum connection_want leave(struct connection *connection);
static enum connection_want linger(struct connection *connection);
static void new_exchange(struct connection *connection);
static void end_exchange(struct connection *connection);
static void drop_exchange(struct connection *connection);
static void set_deadline(struct connection *connection, int64_t timeout_ms);
static bool moves_fast_enough(const struct connection *connection);

static const struct http_limits *limits_of(const struct connection *connection)
{
    return &connection->world->config->limits;
}

static const struct http_application *application_of(const struct connection *connection)
{
    return &connection->world->config->application;
}

static bool is_draining(const struct connection *connection)
{
    return atomic_load_explicit(&connection->world->is_draining, memory_order_relaxed);
}

struct connection *connection_new(struct connection_world *world, struct tls *tls, int fd,
                                  const char *peer_address)
{
    struct connection *connection = memory_new(1, sizeof(*connection));
    const int yes = 1;

    connection->world = world;
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
    set_deadline(connection, is_draining(connection) ? DRAIN_FIRST_REQUEST_MS
                                                     : limits_of(connection)->head_timeout_ms);
    (void)atomic_fetch_add(&world->connections, 1);
    return connection;
}

void connection_free(struct connection *connection)
{
    struct connection_world *world = connection->world;

    assert(!connection->exchange);
    sender_release(&connection->sender);
    input_release(&connection->input);
    input_release(&connection->ahead);
    transport_release(&connection->transport);
    free(connection);
    (void)atomic_fetch_sub(&world->connections, 1);
}

static void set_deadline(struct connection *connection, int64_t timeout_ms)
{
    connection->deadline_ms = clock_monotonic_ms(connection->world->config->clock) + timeout_ms;
    connection->moved_bytes = 0;
}

enum connection_want connection_run(struct connection *connection, bool may_block)
{
    enum connection_want want = WANT_NEXT;

    connection->budget_bytes = may_block ? TURN_RECEIVE_BYTES : TURN_SEND_BYTES;
    connection->requests_left = TURN_REQUESTS;
    while (want == WANT_NEXT) {
        want = step(connection, may_block);
    }
    return want;
}

/* The life of a connection: each state's work, until it has to wait. */
static enum connection_want step(struct connection *connection, bool may_block)
{
    switch (connection->state) {
    case CONNECTION_HANDSHAKE:
        return shake_hands(connection);
    case CONNECTION_HEAD:
        return may_block ? WANT_LOOP : receive_head(connection);
    case CONNECTION_BEGIN:
        return begin(connection, may_block);
    case CONNECTION_BODY:
        return receive_body(connection, may_block);
    case CONNECTION_SEND:
        return send_answer(connection, may_block);
    case CONNECTION_FINISH:
        return finish(connection, may_block);
    case CONNECTION_LINGER:
        return may_block ? WANT_LOOP : linger(connection);
    }
    abort(); /* the switch is complete */
}

static enum connection_want want_of(enum io_result result)
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

static enum connection_want shake_hands(struct connection *connection)
{
    const enum io_result result = connection->transport.driver->handshake(&connection->transport);

    if (result == IO_DONE) {
        connection->state = CONNECTION_HEAD;
    }
    return want_of(result);
}

static enum connection_want receive_head(struct connection *connection)
{
    struct transport *transport = &connection->transport;
    enum connection_want want = parse_head(connection);
    enum io_result result = IO_DONE;
    size_t length = 0;

    if (want != WANT_READ) {
        return want;
    }
    if (!connection->may_read &&
        !(transport->driver->has_pending && transport->driver->has_pending(transport))) {
        return await_head(connection);
    }
    connection->may_read = false;
    /* One byte more than a head may have: so that one that is too long is seen to be. */
    length = input_reserve(&connection->input, limits_of(connection)->head_bytes + 1);
    result = transport->driver->read(transport, input_end(&connection->input), length, &length);
    if (result == IO_DONE && length == 0) {
        return WANT_CLOSE; /* there is nobody to answer a half head */
    }
    if (result == IO_DONE) {
        input_extend(&connection->input, length);
    }
    return result == IO_WAIT_READ ? await_head(connection) : want_of(result);
}

/* WANT_READ: the head is not complete. */
static enum connection_want parse_head(struct connection *connection)
{
    const struct str bytes = input_str(&connection->input);
    const struct http_parser_limits limits = {limits_of(connection)->head_bytes,
                                              limits_of(connection)->headers};
    struct http_refusal refusal = {0};
    size_t length = 0;

    if (bytes.length == 0) {
        return WANT_READ;
    }
    if (!connection->exchange) {
        new_exchange(connection);
    }
    switch (http_parse_request(bytes, &limits, &connection->exchange->request, &length, &refusal)) {
    case HTTP_PARSE_MORE:
        return WANT_READ;
    case HTTP_PARSE_REFUSED:
        return refuse(connection, &refusal);
    case HTTP_PARSE_DONE:
        break;
    }
    input_consume(&connection->input, length);
    body_init(&connection->body, &connection->exchange->request);
    connection->exchange->begin_us = clock_elapsed_us();
    connection->closes = !connection->exchange->request.keeps_alive;
    connection->state = CONNECTION_BEGIN;
    return WANT_NEXT;
}

static void new_exchange(struct connection *connection)
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
    arena_init(&exchange->arena, limits_of(connection)->arena_bytes);
    exchange->peer_address = str_from(connection->peer_address);
    exchange->is_tls = connection->transport.session != NULL;
    exchange->may_block = false;
    exchange->received_bytes = 0;
    exchange->sent_bytes = 0;
    exchange->begin_us = clock_elapsed_us();
    exchange->call = NULL;
    connection->exchange = exchange;
    connection->is_sent = false;
    connection->body_began = false;
    set_deadline(connection, limits_of(connection)->head_timeout_ms);
}

/* Waits for more of a head; between requests without holding any memory. */
static enum connection_want await_head(struct connection *connection)
{
    if (input_str(&connection->input).length == 0) {
        assert(!connection->exchange);
        input_release(&connection->input);
        sender_release(&connection->sender);
        if (connection->has_served && is_draining(connection)) {
            return WANT_CLOSE;
        }
    }
    return WANT_READ;
}

static enum connection_want begin(struct connection *connection, bool may_block)
{
    const struct http_application *application = application_of(connection);
    const struct http_refusal full = {503, "The server has too many connections; try again later."};

    if (connection->is_surplus) {
        return refuse(connection, &full);
    }
    connection->exchange->may_block = may_block;
    switch (application->begin(application->context, connection->exchange)) {
    case HTTP_ANSWER:
        return answer(connection);
    case HTTP_BLOCKS:
        assert(!may_block);
        return WANT_WORKER;
    case HTTP_BODY:
        return begin_body(connection, may_block);
    }
    abort(); /* the switch is complete */
}

static enum connection_want begin_body(struct connection *connection, bool may_block)
{
    connection->body_began = true;
    connection->state = CONNECTION_BODY;
    set_deadline(connection, limits_of(connection)->stall_timeout_ms);
    if (connection->exchange->request.expects_continue && !connection->body.is_complete &&
        input_str(&connection->input).length == 0 && !send_continue(connection)) {
        connection->state = CONNECTION_FINISH;
        connection->closes = true;
    }
    return may_block ? WANT_NEXT : WANT_WORKER;
}

/*
 * The socket's buffer is empty here, as all earlier answers are acknowledged by this very request,
 * or nearly: if these few bytes find no room, the client does not read, and is better gone.
 */
static bool send_continue(struct connection *connection)
{
    const struct str interim = STR_LITERAL("HTTP/1.1 100 Continue\r\n\r\n");
    struct transport *transport = &connection->transport;
    size_t sent = 0;

    return transport->driver->write(transport, interim, (struct str){0}, false, &sent) == IO_DONE &&
           sent == interim.length;
}

static enum connection_want receive_body(struct connection *connection, bool may_block)
{
    struct str bytes = input_str(&connection->input);
    const size_t before = bytes.length;
    enum connection_want want = WANT_NEXT;

    if (!may_block) {
        return WANT_WORKER;
    }
    want = feed(connection, &bytes);
    input_consume(&connection->input, before - bytes.length);
    while (want == WANT_NEXT && connection->state == CONNECTION_BODY) {
        want = connection->budget_bytes == 0 ? WANT_WORKER : receive_body_bytes(connection);
    }
    return want;
}

static enum connection_want receive_body_bytes(struct connection *connection)
{
    char buffer[BODY_BUFFER_BYTES];
    struct transport *transport = &connection->transport;
    const uint64_t wanted = body_wanted(&connection->body);
    struct str bytes = {buffer, wanted < sizeof(buffer) ? (size_t)wanted : sizeof(buffer)};
    const enum io_result result =
        transport->driver->read(transport, buffer, bytes.length, &bytes.length);
    enum connection_want want = WANT_NEXT;

    if (result == IO_WAIT_READ || result == IO_WAIT_WRITE) {
        return want_of(result);
    }
    if (result == IO_CLOSED || bytes.length == 0) {
        connection->state = CONNECTION_FINISH;
        connection->closes = true;
        return WANT_NEXT;
    }
    connection->budget_bytes -=
        bytes.length < connection->budget_bytes ? bytes.length : connection->budget_bytes;
    want = feed(connection, &bytes);
    if (connection->body.is_complete) {
        input_append(&connection->ahead, bytes);
    }
    return want;
}

/* Gives the application what belongs to the body; leaves in *bytes what comes behind it. */
static enum connection_want feed(struct connection *connection, struct str *bytes)
{
    const struct http_application *application = application_of(connection);
    const struct http_refusal broken = {400, "The body is not in the chunked coding."};
    struct str data = {0};

    for (;;) {
        switch (body_read(&connection->body, bytes, &data)) {
        case CHUNKED_MORE:
            return WANT_NEXT;
        case CHUNKED_BROKEN:
            return refuse(connection, &broken);
        case CHUNKED_END:
            return end_body(connection);
        case CHUNKED_DATA:
            break;
        }
        connection->exchange->received_bytes += data.length;
        connection->moved_bytes += data.length;
        if (application->data(application->context, connection->exchange, data) == HTTP_ANSWER) {
            return answer(connection);
        }
    }
}

static enum connection_want end_body(struct connection *connection)
{
    const struct http_application *application = application_of(connection);

    connection->body_began = false;
    connection->exchange->may_block = true;
    application->end(application->context, connection->exchange);
    return answer(connection);
}

static enum connection_want refuse(struct connection *connection,
                                   const struct http_refusal *refusal)
{
    const struct http_application *application = application_of(connection);

    connection->exchange->may_block = false;
    application->refuse(application->context, connection->exchange, refusal);
    connection->exchange->response.closes = true;
    connection->body.is_complete = false; /* nobody knows what else is on its way */
    return answer(connection);
}

static enum connection_want answer(struct connection *connection)
{
    const struct http_request *request = &connection->exchange->request;
    const struct http_response *response = &connection->exchange->response;
    const struct clock *clock = connection->world->config->clock;
    struct http_delivery delivery = {
        .is_head = request->method == HTTP_HEAD,
        .is_http_1_0 = request->minor_version == 0,
        .date_s = clock_wall_ms(clock) / MS_PER_SECOND,
    };

    assert(response->status >= 200);
    connection->closes =
        connection->closes || response->closes || !connection->body.is_complete ||
        atomic_load_explicit(&connection->world->is_draining, memory_order_relaxed);
    delivery.closes = connection->closes;
    sender_begin(&connection->sender, response, &delivery);
    connection->state = CONNECTION_SEND;
    set_deadline(connection, limits_of(connection)->stall_timeout_ms);
    return WANT_NEXT;
}

static enum connection_want send_answer(struct connection *connection, bool may_block)
{
    struct sender *sender = &connection->sender;
    const uint64_t before = sender->sent_body_bytes;
    enum io_result result = IO_DONE;

    if (may_block && sender_has_file(sender)) {
        return WANT_LOOP;
    }
    result = sender_run(sender, &connection->transport, &connection->budget_bytes);
    connection->moved_bytes += sender->sent_body_bytes - before;
    if (result == IO_WAIT_READ || result == IO_WAIT_WRITE) {
        return want_of(result);
    }
    if (result == IO_DONE && !sender_is_done(sender)) {
        return may_block ? WANT_LOOP : WANT_TURN;
    }
    connection->is_sent = result == IO_DONE;
    connection->closes = connection->closes || !connection->is_sent;
    connection->state = CONNECTION_FINISH;
    return WANT_NEXT;
}

/* The application's last call; on a worker if it may have something unfinished to put away. */
static enum connection_want finish(struct connection *connection, bool may_block)
{
    if (connection->body_began && !may_block) {
        return WANT_WORKER;
    }
    end_exchange(connection);
    connection->has_served = true;
    if (connection->closes) {
        return leave(connection);
    }
    connection->state = CONNECTION_HEAD;
    set_deadline(connection, limits_of(connection)->idle_timeout_ms);
    if (may_block) {
        return WANT_LOOP;
    }
    return --connection->requests_left == 0 ? WANT_TURN : WANT_NEXT;
}

static void end_exchange(struct connection *connection)
{
    const struct http_application *application = application_of(connection);
    struct http_exchange *exchange = connection->exchange;

    exchange->sent_bytes = connection->sender.sent_body_bytes;
    exchange->may_block = connection->body_began;
    application->finish(application->context, exchange, connection->is_sent);
    drop_exchange(connection);
}

static void drop_exchange(struct connection *connection)
{
    struct http_exchange *exchange = connection->exchange;

    http_response_release(&exchange->response);
    arena_release(&exchange->arena);
    free(exchange);
    input_append(&connection->input, input_str(&connection->ahead));
    input_release(&connection->ahead);
    connection->exchange = NULL;
    connection->body_began = false;
}

/* The way out behind the last answer. */
static enum connection_want leave(struct connection *connection)
{
    const bool has_unread =
        !connection->body.is_complete || input_str(&connection->input).length > 0;

    if (!connection->is_sent) {
        return WANT_CLOSE;
    }
    connection->transport.driver->shutdown_write(&connection->transport);
    if (!has_unread) {
        return WANT_CLOSE;
    }
    connection->state = CONNECTION_LINGER;
    connection->may_read = true;
    set_deadline(connection, LINGER_MS);
    return WANT_NEXT;
}

static enum connection_want linger(struct connection *connection)
{
    char dropped[BODY_BUFFER_BYTES / 2];
    struct transport *transport = &connection->transport;
    enum io_result result = IO_DONE;
    size_t length = 1;

    while (result == IO_DONE && length > 0 &&
           connection->moved_bytes < limits_of(connection)->discard_bytes) {
        result = transport->driver->read(transport, dropped, sizeof(dropped), &length);
        connection->moved_bytes += result == IO_DONE ? length : 0;
    }
    return result == IO_WAIT_READ ? WANT_READ : WANT_CLOSE;
}

enum connection_want connection_expire(struct connection *connection, int64_t now_ms)
{
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
        set_deadline(connection, limits_of(connection)->stall_timeout_ms);
        return WANT_NEXT;
    }
    return give_up(connection);
}

/* Tells a client that is too slow, where that is still possible. */
static enum connection_want give_up(struct connection *connection)
{
    const struct http_refusal too_slow = {408, "The request did not arrive in time."};

    if (connection->state == CONNECTION_HEAD || connection->state == CONNECTION_BODY) {
        (void)refuse(connection, &too_slow);
    } else {
        connection->closes = true;
        connection->state = CONNECTION_FINISH;
    }
    return WANT_TURN;
}

static bool moves_fast_enough(const struct connection *connection)
{
    const struct http_limits *limits = limits_of(connection);

    return connection->moved_bytes >=
           limits->body_rate_bytes_per_second * (uint64_t)limits->stall_timeout_ms / MS_PER_SECOND;
}

bool connection_drain(struct connection *connection)
{
    const bool is_idle = connection->state == CONNECTION_HEAD && !connection->exchange;

    if (is_idle && !connection->has_served) {
        set_deadline(connection, DRAIN_FIRST_REQUEST_MS);
    }
    return is_idle && connection->has_served;
}

void connection_abort(struct connection *connection)
{
    if (connection->exchange && connection->state == CONNECTION_HEAD) {
        drop_exchange(connection); /* the application has not seen it */
    } else if (connection->exchange) {
        connection->is_sent = false;
        end_exchange(connection);
    }
}
