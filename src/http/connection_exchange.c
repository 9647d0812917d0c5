#include "http/connection_exchange.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

/* With half of it an upload took a tenth more CPU; more gains little, and each worker may need it.
 */
enum { BODY_BUFFER_BYTES = 256 * 1024, SHORT_BODY_BYTES = 64 * 1024, REFUSAL_BYTES = 80 };

/* Goes on in that pool. Nobody is sent to where they are. */
static enum connection_want move(struct connection *connection, enum http_thread needed)
{
    assert(!http_thread_suits(connection->thread, needed));
    connection->pool = needed;
    return WANT_WORKER;
}

/* Nothing can be said to this client any more. */
static enum connection_want lose_client(struct connection *connection)
{
    connection->framing.closes = true;
    connection->state = CONNECTION_FINISH;
    return WANT_NEXT;
}

void connection_new_exchange(struct connection *connection)
{
    /* Not zeroed: there is room for many header fields. */
    struct http_exchange *exchange = memory_resize(NULL, 1, sizeof(*exchange));

    http_request_clear(&exchange->request);
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

    if (connection->state != CONNECTION_HEAD) {
        exchange->sent_bytes = connection->sender.sent_body_bytes;
        exchange->thread = connection->body_began ? connection->pool : HTTP_LOOP;
        application->finish(application->context, exchange, connection->is_sent);
        connection->session = exchange->session;
    }
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

static enum connection_want respond(struct connection *connection)
{
    const struct http_request *request = &connection->exchange->request;
    const struct http_response *response = &connection->exchange->response;
    struct framing *framing = &connection->framing;
    struct http_delivery delivery = {
        .is_head = request->method == HTTP_HEAD,
        .is_http_1_0 = request->minor_version == 0,
        .date_s = clock_wall_ms(connection->world->config->clock) / MS_PER_SECOND,
    };

    assert(response->status >= 200);
    assert(response->file_fd < 0 || !response->source);
    framing->closes = framing->closes || response->closes || !framing->body.is_complete ||
                      connection_is_draining(connection);
    delivery.closes = framing->closes;
    sender_begin(&connection->sender, response, &delivery);
    connection->state = CONNECTION_SEND;
    connection_set_deadline(connection, connection_limits(connection)->stall_timeout_ms);
    return WANT_NEXT;
}

enum connection_want connection_refuse(struct connection *connection,
                                       const struct http_refusal *refusal)
{
    const struct http_application *application = connection_application(connection);

    connection->exchange->thread = HTTP_LOOP;
    application->refuse(application->context, connection->exchange, refusal);
    framing_lose_track(&connection->framing);
    return respond(connection);
}

/* As soon as it says its size: nobody has to send it for that. */
static enum connection_want refuse_size(struct connection *connection)
{
    char message[REFUSAL_BYTES];
    const struct http_refusal too_large = {413, message};

    (void)snprintf(message, sizeof(message), "The body may have %llu bytes here, and has more.",
                   (unsigned long long)connection->exchange->body_max_bytes);
    return connection_refuse(connection, &too_large);
}

/* WANT_READ: the head is not complete. */
static enum connection_want parse_head(struct connection *connection)
{
    const struct http_parser_limits limits = {connection_limits(connection)->head_bytes,
                                              connection_limits(connection)->headers};
    struct http_refusal refusal = {0};

    if (framing_is_empty(&connection->framing)) {
        return WANT_READ;
    }
    if (!connection->exchange) {
        connection_new_exchange(connection);
    }
    switch (framing_parse_head(&connection->framing, &limits, &connection->exchange->request,
                               &refusal)) {
    case HTTP_PARSE_MORE:
        return WANT_READ;
    case HTTP_PARSE_REFUSED:
        return connection_refuse(connection, &refusal);
    case HTTP_PARSE_DONE:
        break;
    }
    connection->exchange->begin_us = clock_elapsed_us();
    connection->state = CONNECTION_BEGIN;
    return WANT_NEXT;
}

/* Waits for more of a head; between requests without holding any memory. */
static enum connection_want await_head(struct connection *connection)
{
    if (framing_is_empty(&connection->framing)) {
        assert(!connection->exchange);
        framing_release(&connection->framing);
        sender_release(&connection->sender);
        if (connection->has_served && connection_is_draining(connection)) {
            return WANT_CLOSE;
        }
    }
    return WANT_READ;
}

enum connection_want connection_receive_head(struct connection *connection)
{
    struct transport *transport = &connection->transport;
    const enum connection_want want = parse_head(connection);
    enum io_result result = IO_DONE;

    if (want != WANT_READ) {
        return want;
    }
    if (!connection->may_read &&
        !(transport->driver->has_pending && transport->driver->has_pending(transport))) {
        return await_head(connection);
    }
    connection->may_read = false;
    result = framing_receive_head(&connection->framing, transport,
                                  connection_limits(connection)->head_bytes);
    return result == IO_WAIT_READ ? await_head(connection) : connection_want_of(result);
}

/* Of a proxy's request, the first time that it is begun: whether its client has too many. */
static bool is_beyond_share(struct connection *connection)
{
    const struct http_application *application = connection_application(connection);
    struct str client = {0};
    unsigned count = 0;

    if (!connection->is_proxy || connection->share) {
        return false;
    }
    client = application->client_address(application->context, connection->exchange);
    if (application->is_proxy(application->context, client)) {
        return false; /* its own, such as whether we are healthy */
    }
    connection->share = address_shares_take(connection->world->shares, client, &count);
    return count > connection_limits(connection)->connections_per_address;
}

/* Unlike connection_refuse: a proxy's connection goes on, for its other clients. */
static enum connection_want turn_away(struct connection *connection)
{
    const struct http_application *application = connection_application(connection);
    const struct http_refusal full = {503, "There are too many connections; try again later."};

    connection->exchange->thread = HTTP_LOOP;
    connection->framing.closes = connection->framing.closes || connection->is_surplus;
    application->refuse(application->context, connection->exchange, &full);
    return respond(connection);
}

static enum connection_want begin_body(struct connection *connection)
{
    struct framing *framing = &connection->framing;

    connection->body_began = true;
    connection->state = CONNECTION_BODY;
    connection_set_deadline(connection, connection_limits(connection)->stall_timeout_ms);
    if (!body_allow(&framing->body, connection->exchange->body_max_bytes)) {
        return refuse_size(connection);
    }
    if (!framing_send_continue(framing, &connection->exchange->request, &connection->transport)) {
        (void)lose_client(connection);
    }
    return connection_is_on_loop(connection) ? WANT_WORKER : WANT_NEXT;
}

enum connection_want connection_begin(struct connection *connection)
{
    const struct http_application *application = connection_application(connection);

    assert(connection->exchange);
    if (connection->is_surplus || is_beyond_share(connection)) {
        return turn_away(connection);
    }
    connection->exchange->thread = connection->thread;
    switch (application->begin(application->context, connection->exchange)) {
    case HTTP_RESPOND:
        return respond(connection);
    case HTTP_MOVE:
        return move(connection, connection->exchange->needed);
    case HTTP_BODY:
        return begin_body(connection);
    case HTTP_LATER:
        break;
    }
    abort(); /* the switch is complete */
}

static enum connection_want end_body(struct connection *connection)
{
    const struct http_application *application = connection_application(connection);

    switch (application->end(application->context, connection->exchange)) {
    case HTTP_LATER:
        return WANT_LATER; /* the body stays at its end */
    case HTTP_MOVE:
        return move(connection, connection->exchange->needed);
    case HTTP_RESPOND:
        connection->body_began = false;
        return respond(connection);
    case HTTP_BODY:
        break;
    }
    abort(); /* the switch is complete */
}

/* Gives the application what a piece has of the body. */
static enum connection_want feed(struct connection *connection, struct str piece)
{
    const struct http_application *application = connection_application(connection);
    const struct http_refusal broken = {400, "The body is not in the chunked coding."};
    enum http_step step = HTTP_BODY;
    struct str data = {0};

    for (;;) {
        switch (framing_read_body(&connection->framing, &piece, &data)) {
        case CHUNKED_MORE:
            return WANT_NEXT;
        case CHUNKED_BROKEN:
            return connection_refuse(connection, &broken);
        case CHUNKED_TOO_LARGE:
            return refuse_size(connection);
        case CHUNKED_END:
            return end_body(connection);
        case CHUNKED_DATA:
            break;
        }
        connection->exchange->received_bytes += data.length;
        connection->moved_bytes += data.length;
        step = application->data(application->context, connection->exchange, data);
        if (step == HTTP_RESPOND) {
            return respond(connection);
        }
        assert(step == HTTP_BODY);
    }
}

/* How much of a body may be received now; 0: none. Decoding makes it no longer. */
static size_t room_for_body(struct connection *connection)
{
    const struct http_application *application = connection_application(connection);
    const size_t room = application->room
                            ? application->room(application->context, connection->exchange)
                            : SIZE_MAX;

    return room < BODY_BUFFER_BYTES ? room : BODY_BUFFER_BYTES;
}

static enum connection_want receive_piece(struct connection *connection)
{
    char buffer[BODY_BUFFER_BYTES];
    const size_t room = room_for_body(connection);
    struct str piece = {0};
    enum connection_want want = WANT_NEXT;
    enum io_result result = IO_DONE;

    if (room == 0) {
        return WANT_LATER;
    }
    result =
        framing_receive_body(&connection->framing, &connection->transport, buffer, room, &piece);
    if (result != IO_DONE) {
        return result == IO_CLOSED ? lose_client(connection) : connection_want_of(result);
    }
    connection->budget_bytes -=
        piece.length < connection->budget_bytes ? piece.length : connection->budget_bytes;
    want = feed(connection, piece);
    /* A form may hold a password. It is short, unlike the pieces of a layer, which are no secret.
     */
    if (piece.bytes == buffer && piece.length <= SHORT_BODY_BYTES) {
        explicit_bzero(buffer, piece.length);
    }
    return want;
}

enum connection_want connection_receive_body(struct connection *connection)
{
    enum connection_want want = WANT_NEXT;

    assert(connection->exchange);
    assert(connection->body_began);
    if (connection_is_on_loop(connection)) {
        return WANT_WORKER;
    }
    connection->exchange->thread = connection->thread;
    while (want == WANT_NEXT && connection->state == CONNECTION_BODY) {
        want = connection->budget_bytes == 0 ? WANT_WORKER : receive_piece(connection);
    }
    return want;
}

/* The time that another server takes is not the client's. */
static enum connection_want take_piece(struct connection *connection)
{
    if (connection->thread != HTTP_CARRIER) {
        return move(connection, HTTP_CARRIER);
    }
    if (!sender_take_piece(&connection->sender)) {
        (void)lose_client(connection);
    }
    connection_set_deadline(connection, connection_limits(connection)->stall_timeout_ms);
    return WANT_NEXT;
}

enum connection_want connection_send(struct connection *connection)
{
    struct sender *sender = &connection->sender;
    const uint64_t before = sender->sent_body_bytes;
    enum io_result result = IO_DONE;

    assert(connection->exchange);
    if (!connection_is_on_loop(connection) && sender_has_file(sender)) {
        return WANT_LOOP;
    }
    if (sender_needs_piece(sender)) {
        return take_piece(connection);
    }
    result = sender_run(sender, &connection->transport, &connection->budget_bytes);
    connection->moved_bytes += sender->sent_body_bytes - before;
    if (result == IO_WAIT_READ || result == IO_WAIT_WRITE) {
        return connection_want_of(result);
    }
    if (result == IO_CLOSED) {
        return lose_client(connection);
    }
    if (!sender_is_done(sender)) {
        return connection_is_on_loop(connection) ? WANT_TURN : WANT_LOOP;
    }
    connection->is_sent = true;
    connection->state = CONNECTION_FINISH;
    return WANT_NEXT;
}
