#include "http/tls_transport.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "base/memory.h"
#include "http/tls.h"
#include "http/tls_session.h"

enum { WIRE_BYTES = 64 * 1024 }; /* of records, that are received at once */

/* Memory that is lent for a moment, on the stack. */
struct span {
    char *bytes;
    size_t capacity_bytes;
};

static enum io_result tls_handshake(struct transport *transport)
{
    struct tls_session *session = transport->session;
    char in[TLS_SEALED_BYTES];
    char out[TLS_SEALED_BYTES];
    enum io_result sent = tls_wire_send(&session->wire);
    enum io_result result = IO_DONE;

    if (sent != IO_DONE) {
        return sent;
    }
    ERR_clear_error();
    tls_wire_receive_into(&session->wire, in, sizeof(in));
    tls_wire_gather_in(&session->wire, out, sizeof(out));
    result = tls_session_result(session, SSL_do_handshake(session->ssl));
    tls_wire_end_receiving(&session->wire);
    sent = tls_wire_send(&session->wire);
    if (session->wire.is_foreign) {
        return IO_FOREIGN;
    }
    if (result != IO_CLOSED) {
        tls_session_rest(session);
    }
    return result == IO_CLOSED || sent == IO_DONE ? result : sent;
}

/* The socket is asked again only for what there is room for. */
static bool may_read_on(const struct tls_session *session, size_t room)
{
    const struct tls_wire *wire = &session->wire;

    return room > 0 && (SSL_has_pending(session->ssl) == 1 || tls_wire_has_record(wire) ||
                        (!wire->is_drained && !wire->has_ended && room >= WIRE_BYTES));
}

/* An end may come with bytes, which are given first: then no event of the socket tells of it. */
static bool is_end(const struct tls_session *session, int returned)
{
    const int reason = SSL_get_error(session->ssl, returned);

    return returned != 1 && reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE;
}

static enum io_result read_records(struct tls_session *session, struct span room,
                                   size_t *length_out)
{
    enum io_result result = IO_DONE;
    size_t total = 0;
    int returned = 1;

    ERR_clear_error();
    do {
        size_t length = 0;

        returned =
            SSL_read_ex(session->ssl, room.bytes + total, room.capacity_bytes - total, &length);
        total += returned == 1 ? length : 0;
    } while (returned == 1 && may_read_on(session, room.capacity_bytes - total));
    session->wire.has_ended = session->wire.has_ended || is_end(session, returned);
    if (total > 0) {
        tls_wire_hear(&session->wire);
    } else if (SSL_get_error(session->ssl, returned) != SSL_ERROR_ZERO_RETURN) {
        result = tls_session_result(session, returned);
    }
    tls_wire_end_receiving(&session->wire);
    if (session->wire.unsent.length > 0 && tls_wire_send(&session->wire) == IO_CLOSED) {
        result = IO_CLOSED;
    }
    if (result == IO_WAIT_READ) {
        tls_session_rest(session);
    }
    *length_out = total;
    return result;
}

static enum io_result read_few(struct tls_session *session, struct span room, size_t *length_out)
{
    char wire[TLS_SEALED_BYTES];

    tls_wire_receive_into(&session->wire, wire, sizeof(wire));
    return read_records(session, room, length_out);
}

static enum io_result read_many(struct tls_session *session, struct span room, size_t *length_out)
{
    char wire[WIRE_BYTES];

    tls_wire_receive_into(&session->wire, wire, sizeof(wire));
    return read_records(session, room, length_out);
}

static enum io_result tls_read(struct transport *transport, char *bytes, size_t capacity,
                               size_t *length_out)
{
    struct tls_session *session = transport->session;
    const struct span room = {bytes, capacity};

    return capacity < WIRE_BYTES && session->wire.early.length <= TLS_SEALED_BYTES
               ? read_few(session, room, length_out)
               : read_many(session, room, length_out);
}

static bool tls_has_pending(const struct transport *transport)
{
    const struct tls_session *session = transport->session;

    return SSL_has_pending(session->ssl) == 1 || session->wire.has_ended ||
           tls_wire_has_record(&session->wire);
}

static void tls_shutdown_write(struct transport *transport)
{
    struct tls_session *session = transport->session;

    (void)SSL_shutdown(session->ssl);
    ERR_clear_error();
    (void)!tls_wire_send(&session->wire);
}

static void tls_release(struct transport *transport)
{
    struct tls_session *session = transport->session;

    SSL_free(session->ssl);
    tls_wire_release(&session->wire);
    strbuf_release(&session->held);
    free(session);
    transport->session = NULL;
}

static const struct transport_driver tls_driver = {
    .handshake = tls_handshake,
    .read = tls_read,
    .write = tls_session_write,
    .send_file = tls_session_send_file,
    .flush = tls_session_flush,
    .has_pending = tls_has_pending,
    .shutdown_write = tls_shutdown_write,
    .release = tls_release,
};

bool tls_transport_begin(struct transport *transport, int fd, SSL *ssl, const BIO_METHOD *method)
{
    struct tls_session *session = memory_new(1, sizeof(*session));
    BIO *bio = tls_wire_init(&session->wire, method, fd);

    if (!bio) {
        free(session);
        return false;
    }
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    session->ssl = ssl;
    strbuf_init(&session->held, TLS_HELD_MAX_BYTES);
    *transport = (struct transport){.driver = &tls_driver, .fd = fd, .session = session};
    return true;
}

bool tls_transport_is_offloaded(const struct transport *transport)
{
    const struct tls_session *session = transport->session;

    return session->wire.is_offloaded;
}

enum io_result tls_session_result(const struct tls_session *session, int returned)
{
    if (returned == 1) {
        return IO_DONE;
    }
    switch (SSL_get_error(session->ssl, returned)) {
    case SSL_ERROR_WANT_READ:
        return IO_WAIT_READ;
    case SSL_ERROR_WANT_WRITE:
        return IO_WAIT_WRITE;
    default:
        ERR_clear_error();
        return IO_CLOSED;
    }
}

/* OpenSSL would free what is still to be read as well. */
void tls_session_rest(struct tls_session *session)
{
    if (SSL_has_pending(session->ssl) == 0) {
        (void)SSL_free_buffers(session->ssl);
    }
}
