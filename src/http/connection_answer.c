#include "http/connection_steps.h"

#include <assert.h>

#include "base/clock.h"

enum { LINGER_MS = 2000, LINGER_BUFFER_BYTES = 64 * 1024 };

static enum connection_want take_piece(struct connection *connection);
static enum connection_want leave(struct connection *connection);

enum connection_want connection_answer(struct connection *connection)
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
    connection->framing.closes =
        connection->framing.closes || response->closes || !connection->framing.body.is_complete ||
        atomic_load_explicit(&connection->world->is_draining, memory_order_relaxed);
    delivery.closes = connection->framing.closes;
    sender_begin(&connection->sender, response, &delivery);
    connection->state = CONNECTION_SEND;
    connection_set_deadline(connection, connection_limits(connection)->stall_timeout_ms);
    return WANT_NEXT;
}

enum connection_want connection_send_answer(struct connection *connection)
{
    struct sender *sender = &connection->sender;
    const uint64_t before = sender->sent_body_bytes;
    enum io_result result = IO_DONE;

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
    if (result == IO_DONE && !sender_is_done(sender)) {
        return connection_is_on_loop(connection) ? WANT_TURN : WANT_LOOP;
    }
    connection->is_sent = result == IO_DONE;
    connection->framing.closes = connection->framing.closes || !connection->is_sent;
    connection->state = CONNECTION_FINISH;
    return WANT_NEXT;
}

/* The time that another server takes is not the client's. */
static enum connection_want take_piece(struct connection *connection)
{
    if (connection->thread != HTTP_CARRIER) {
        return connection_move(connection, HTTP_CARRIER);
    }
    if (!sender_take_piece(&connection->sender)) {
        connection->framing.closes = true;
        connection->state = CONNECTION_FINISH;
    }
    connection_set_deadline(connection, connection_limits(connection)->stall_timeout_ms);
    return WANT_NEXT;
}

/* The application's last call; on a worker if it may have something unfinished to put away. */
enum connection_want connection_finish(struct connection *connection)
{
    if (connection->body_began && connection_is_on_loop(connection)) {
        return WANT_WORKER;
    }
    connection_end_exchange(connection);
    connection->has_served = true;
    if (connection->framing.closes) {
        return leave(connection);
    }
    connection->state = CONNECTION_HEAD;
    connection_set_deadline(connection, connection_limits(connection)->idle_timeout_ms);
    if (!connection_is_on_loop(connection)) {
        return WANT_LOOP;
    }
    return --connection->requests_left == 0 ? WANT_TURN : WANT_NEXT;
}

/* The way out behind the last answer. */
static enum connection_want leave(struct connection *connection)
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

enum connection_want connection_linger(struct connection *connection)
{
    char dropped[LINGER_BUFFER_BYTES];
    struct transport *transport = &connection->transport;
    enum io_result result = IO_DONE;
    size_t length = 1;

    while (result == IO_DONE && length > 0 &&
           connection->moved_bytes < connection_limits(connection)->discard_bytes) {
        result = transport->driver->read(transport, dropped, sizeof(dropped), &length);
        connection->moved_bytes += result == IO_DONE ? length : 0;
    }
    return result == IO_WAIT_READ ? WANT_READ : WANT_CLOSE;
}
