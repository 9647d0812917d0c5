#include "http/connection_steps.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With half of it an upload took a tenth more CPU; more gains little, and each worker may need it.
 */
enum { BODY_BUFFER_BYTES = 256 * 1024, SHORT_BODY_BYTES = 64 * 1024, REFUSAL_BYTES = 80 };

static enum connection_want parse_head(struct connection *connection);
static enum connection_want await_head(struct connection *connection);
static bool is_beyond_share(struct connection *connection);
static enum connection_want turn_away(struct connection *connection);
static enum connection_want begin_body(struct connection *connection);
static bool send_continue(struct connection *connection);
static enum connection_want feed_ahead(struct connection *connection);
static size_t room_for_body(struct connection *connection);
static enum connection_want receive_body_bytes(struct connection *connection);
static void wipe_short(char *bytes, size_t length);
static enum connection_want feed(struct connection *connection, struct str *bytes);
static enum connection_want refuse_size(struct connection *connection);
static enum connection_want end_body(struct connection *connection);

enum connection_want connection_shake_hands(struct connection *connection)
{
    const enum io_result result = connection->transport.driver->handshake(&connection->transport);

    if (result == IO_DONE) {
        connection->state = CONNECTION_HEAD;
    }
    return connection_want_of(result);
}

enum connection_want connection_receive_head(struct connection *connection)
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
    length =
        input_reserve(&connection->framing.input, connection_limits(connection)->head_bytes + 1);
    result =
        transport->driver->read(transport, input_end(&connection->framing.input), length, &length);
    if (result == IO_DONE && length == 0) {
        return WANT_CLOSE; /* there is nobody to answer a half head */
    }
    if (result == IO_DONE) {
        input_extend(&connection->framing.input, length);
    }
    return result == IO_WAIT_READ ? await_head(connection) : connection_want_of(result);
}

/* WANT_READ: the head is not complete. */
static enum connection_want parse_head(struct connection *connection)
{
    const struct http_parser_limits limits = {connection_limits(connection)->head_bytes,
                                              connection_limits(connection)->headers};
    struct http_refusal refusal = {0};

    if (input_str(&connection->framing.input).length == 0) {
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
    if (input_str(&connection->framing.input).length == 0) {
        assert(!connection->exchange);
        input_release(&connection->framing.input);
        sender_release(&connection->sender);
        if (connection->has_served && connection_is_draining(connection)) {
            return WANT_CLOSE;
        }
    }
    return WANT_READ;
}

enum connection_want connection_begin(struct connection *connection)
{
    const struct http_application *application = connection_application(connection);

    if (connection->is_surplus || is_beyond_share(connection)) {
        return turn_away(connection);
    }
    connection->exchange->thread = connection->thread;
    switch (application->begin(application->context, connection->exchange)) {
    case HTTP_ANSWER:
        return connection_answer(connection);
    case HTTP_MOVE:
        return connection_move(connection, connection->exchange->needed);
    case HTTP_BODY:
        return begin_body(connection);
    case HTTP_LATER:
        break;
    }
    abort(); /* the switch is complete */
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
    return connection_answer(connection);
}

static enum connection_want begin_body(struct connection *connection)
{
    connection->body_began = true;
    connection->state = CONNECTION_BODY;
    connection_set_deadline(connection, connection_limits(connection)->stall_timeout_ms);
    if (!body_allow(&connection->framing.body, connection->exchange->body_max_bytes)) {
        return refuse_size(connection);
    }
    if (connection->exchange->request.expects_continue && !connection->framing.body.is_complete &&
        input_str(&connection->framing.input).length == 0 && !send_continue(connection)) {
        connection->state = CONNECTION_FINISH;
        connection->framing.closes = true;
    }
    return connection_is_on_loop(connection) ? WANT_WORKER : WANT_NEXT;
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

enum connection_want connection_receive_body(struct connection *connection)
{
    enum connection_want want = WANT_NEXT;

    if (connection_is_on_loop(connection)) {
        return WANT_WORKER;
    }
    connection->exchange->thread = connection->thread;
    do {
        want = feed_ahead(connection);
    } while (want == WANT_NEXT && connection->state == CONNECTION_BODY &&
             input_str(&connection->framing.input).length > 0);
    while (want == WANT_NEXT && connection->state == CONNECTION_BODY) {
        want = connection->budget_bytes == 0 ? WANT_WORKER : receive_body_bytes(connection);
    }
    return want;
}

/* What came along with the head, if anything did. */
static enum connection_want feed_ahead(struct connection *connection)
{
    const size_t room = room_for_body(connection);
    struct str bytes = str_slice(input_str(&connection->framing.input), 0, room);
    const size_t before = bytes.length;
    enum connection_want want = WANT_NEXT;

    if (room == 0) {
        return WANT_LATER;
    }
    want = feed(connection, &bytes);
    input_consume(&connection->framing.input, before - bytes.length);
    return want;
}

static size_t room_for_body(struct connection *connection)
{
    const struct http_application *application = connection_application(connection);

    return application->room ? application->room(application->context, connection->exchange)
                             : SIZE_MAX;
}

static enum connection_want receive_body_bytes(struct connection *connection)
{
    char buffer[BODY_BUFFER_BYTES];
    struct transport *transport = &connection->transport;
    const uint64_t wanted = body_wanted(&connection->framing.body);
    struct str bytes = {buffer, wanted < sizeof(buffer) ? (size_t)wanted : sizeof(buffer)};
    const size_t room = room_for_body(connection);
    enum connection_want want = WANT_NEXT;
    enum io_result result = IO_DONE;
    size_t length = 0;

    if (room == 0) {
        return WANT_LATER;
    }
    bytes.length = bytes.length < room ? bytes.length : room; /* decoding makes it no longer */
    result = transport->driver->read(transport, buffer, bytes.length, &bytes.length);
    if (result == IO_WAIT_READ || result == IO_WAIT_WRITE) {
        return connection_want_of(result);
    }
    if (result == IO_CLOSED || bytes.length == 0) {
        connection->state = CONNECTION_FINISH;
        connection->framing.closes = true;
        return WANT_NEXT;
    }
    length = bytes.length;
    connection->budget_bytes -=
        length < connection->budget_bytes ? length : connection->budget_bytes;
    want = feed(connection, &bytes);
    framing_keep_ahead(&connection->framing, bytes);
    wipe_short(buffer, length);
    return want;
}

/* A form may hold a password. It is short, unlike the pieces of a layer, which are no secret. */
static void wipe_short(char *bytes, size_t length)
{
    if (length <= SHORT_BODY_BYTES) {
        explicit_bzero(bytes, length);
    }
}

/* Gives the application what belongs to the body; leaves in *bytes what comes behind it. */
static enum connection_want feed(struct connection *connection, struct str *bytes)
{
    const struct http_application *application = connection_application(connection);
    const struct http_refusal broken = {400, "The body is not in the chunked coding."};
    struct str data = {0};

    for (;;) {
        switch (body_read(&connection->framing.body, bytes, &data)) {
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
        if (application->data(application->context, connection->exchange, data) == HTTP_ANSWER) {
            return connection_answer(connection);
        }
    }
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

static enum connection_want end_body(struct connection *connection)
{
    const struct http_application *application = connection_application(connection);

    switch (
        application->end(application->context, connection->exchange)) { /* it stays at its end */
    case HTTP_LATER:
        return WANT_LATER;
    case HTTP_MOVE:
        return connection_move(connection, connection->exchange->needed);
    case HTTP_ANSWER:
        connection->body_began = false;
        return connection_answer(connection);
    case HTTP_BODY:
        break;
    }
    abort(); /* the switch is complete */
}

enum connection_want connection_refuse(struct connection *connection,
                                       const struct http_refusal *refusal)
{
    const struct http_application *application = connection_application(connection);

    connection->exchange->thread = HTTP_LOOP;
    application->refuse(application->context, connection->exchange, refusal);
    framing_lose_track(&connection->framing);
    return connection_answer(connection);
}
