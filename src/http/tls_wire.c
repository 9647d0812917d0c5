#include "http/tls_wire.h"

#include <assert.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ascii.h"

enum {
    HEADER_BYTES = 5, /* of a record: type, version, length (RFC 8446 5.1) */
    LENGTH_OFFSET = 3,
    VERSION_MAJOR = 3,
    TYPE_FIRST = 20, /* change_cipher_spec, alert, handshake, application_data */
    TYPE_LAST = 23,
    QUIET_RECORDS_MAX = 2000, /* a long handshake, a byte a record */
    UNSENT_MAX_BYTES = 256 * 1024,
    SET_KTLS = 72, /* OpenSSL's own, from its internal/bio.h; for the way out if not 0 */
};

static int wire_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static void wire_receive(struct tls_wire *wire)
{
    const size_t length = wire->in_end - wire->in_begin;
    const size_t room = wire->in_capacity_bytes - length;
    ssize_t got = 0;

    memmove(wire->in, wire->in + wire->in_begin, length);
    wire->in_begin = 0;
    wire->in_end = length;
    got = recv(wire->fd, wire->in + length, room, 0);
    wire->is_drained = got < (ssize_t)room;
    if (got > 0) {
        wire->in_end += (size_t)got;
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        wire->has_ended = true;
    }
}

/* Of what begins a record, whether it can be one that we have room for. */
static void wire_judge(struct tls_wire *wire)
{
    const unsigned char *begin = (const unsigned char *)wire->in + wire->in_begin;
    const size_t length = wire->in_end - wire->in_begin;

    if (length == 0) {
        return;
    }
    wire->is_foreign = !wire->has_begun && ascii_is_upper((char)begin[0]);
    wire->has_begun = true;
    wire->has_ended =
        wire->has_ended || begin[0] < TYPE_FIRST || begin[0] > TYPE_LAST ||
        (length > 1 && begin[1] != VERSION_MAJOR) ||
        (length >= HEADER_BYTES && (begin[LENGTH_OFFSET] << 8 | begin[LENGTH_OFFSET + 1]) >
                                       TLS_SEALED_BYTES - HEADER_BYTES) ||
        wire->quiet_records > QUIET_RECORDS_MAX;
}

/* The first record's length, or 0 if it is not there whole. */
static size_t record_bytes(const char *bytes, size_t length)
{
    size_t carried = 0;

    if (length < HEADER_BYTES) {
        return 0;
    }
    carried = (size_t)(unsigned char)bytes[LENGTH_OFFSET] << 8 |
              (size_t)(unsigned char)bytes[LENGTH_OFFSET + 1];
    return HEADER_BYTES + carried <= length ? HEADER_BYTES + carried : 0;
}

/* False: the rest of the next one has to arrive first. */
static bool begin_record(struct tls_wire *wire)
{
    while (!tls_wire_has_record(wire) && !wire->has_ended && !wire->is_drained) {
        wire_receive(wire);
        wire_judge(wire);
    }
    if (wire->has_ended || !tls_wire_has_record(wire)) {
        return false;
    }
    wire->record_left_bytes =
        record_bytes(wire->in + wire->in_begin, wire->in_end - wire->in_begin);
    wire->quiet_records++;
    return true;
}

static int wire_read(BIO *bio, char *bytes, int length)
{
    struct tls_wire *wire = BIO_get_data(bio);
    size_t taken = (size_t)length;

    BIO_clear_retry_flags(bio);
    if (wire->record_left_bytes == 0 && !begin_record(wire)) {
        if (wire->has_ended) {
            return 0;
        }
        BIO_set_retry_read(bio);
        return -1;
    }
    taken = taken < wire->record_left_bytes ? taken : wire->record_left_bytes;
    memcpy(bytes, wire->in + wire->in_begin, taken);
    wire->in_begin += taken;
    wire->record_left_bytes -= taken;
    return (int)taken;
}

static int wire_write(BIO *bio, const char *bytes, int length)
{
    struct tls_wire *wire = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (wire->is_offloaded) {
        const int written = BIO_write(BIO_next(bio), bytes, length);

        BIO_copy_next_retry(bio);
        return written;
    }
    if (wire->out && (size_t)length <= wire->out_capacity_bytes - wire->out_length) {
        memcpy(wire->out + wire->out_length, bytes, (size_t)length);
        wire->out_length += (size_t)length;
        return length;
    }
    strbuf_append(&wire->unsent, (struct str){wire->out, wire->out_length}); /* it comes first */
    wire->out_length = 0;
    strbuf_append(&wire->unsent, (struct str){bytes, (size_t)length});
    return wire->unsent.is_truncated ? -1 : length;
}

/* Not on the way in: records that were read ahead would be missing. And on the way out only where
 * all that we have encrypted has left. */
static long offload(struct tls_wire *wire, BIO *socket, long is_out, void *keys)
{
    if (!is_out || tls_wire_send(wire) != IO_DONE ||
        BIO_ctrl(socket, SET_KTLS, is_out, keys) <= 0) {
        return 0;
    }
    wire->is_offloaded = true;
    return 1;
}

static long wire_control(BIO *bio, int command, long number, void *pointer)
{
    struct tls_wire *wire = BIO_get_data(bio);

    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1; /* by tls_wire_send */
    case BIO_CTRL_EOF:
        return wire->has_ended;
    case BIO_CTRL_GET_KTLS_SEND: /* asked for each record */
        return wire->is_offloaded;
    case BIO_CTRL_GET_KTLS_RECV:
        return 0;
    case SET_KTLS:
        return offload(wire, BIO_next(bio), number, pointer);
    default:
        return BIO_next(bio) ? BIO_ctrl(BIO_next(bio), command, number, pointer) : 0;
    }
}

BIO_METHOD *tls_wire_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_FILTER | BIO_get_new_index(), "tls_wire");

    if (method) {
        (void)BIO_meth_set_create(method, wire_create);
        (void)BIO_meth_set_read(method, wire_read);
        (void)BIO_meth_set_write(method, wire_write);
        (void)BIO_meth_set_ctrl(method, wire_control);
    }
    return method;
}

/* The socket's own BIO is behind it, for the kernel's encryption alone. */
BIO *tls_wire_init(struct tls_wire *wire, const BIO_METHOD *method, int fd)
{
    BIO *bio = BIO_new(method);
    BIO *socket = BIO_new_socket(fd, BIO_NOCLOSE);

    if (!bio || !socket) {
        (void)BIO_free(bio);
        (void)BIO_free(socket);
        return NULL;
    }
    *wire = (struct tls_wire){.fd = fd};
    strbuf_init(&wire->early, TLS_WIRE_IN_MAX_BYTES);
    strbuf_init(&wire->unsent, UNSENT_MAX_BYTES);
    BIO_set_data(bio, wire);
    return BIO_push(bio, socket);
}

void tls_wire_release(struct tls_wire *wire)
{
    strbuf_release(&wire->early);
    strbuf_release(&wire->unsent);
}

void tls_wire_receive_into(struct tls_wire *wire, char *bytes, size_t capacity)
{
    assert(capacity >= TLS_SEALED_BYTES);
    assert(capacity <= TLS_WIRE_IN_MAX_BYTES);
    assert(capacity >= wire->early.length);
    memcpy(bytes, wire->early.text, wire->early.length);
    wire->in = bytes;
    wire->in_capacity_bytes = capacity;
    wire->in_begin = 0;
    wire->in_end = wire->early.length;
    wire->is_drained = false;
    strbuf_release(&wire->early);
}

void tls_wire_end_receiving(struct tls_wire *wire)
{
    wire->has_ended = wire->has_ended || wire->record_left_bytes > 0; /* OpenSSL has given it up */
    if (!wire->has_ended && wire->in_end > wire->in_begin) {
        strbuf_append(&wire->early,
                      (struct str){wire->in + wire->in_begin, wire->in_end - wire->in_begin});
    }
    wire->in = NULL;
    wire->in_begin = 0;
    wire->in_end = 0;
}

bool tls_wire_has_record(const struct tls_wire *wire)
{
    if (wire->in) {
        return record_bytes(wire->in + wire->in_begin, wire->in_end - wire->in_begin) > 0;
    }
    return record_bytes(wire->early.text, wire->early.length) > 0;
}

void tls_wire_hear(struct tls_wire *wire)
{
    wire->quiet_records = 0;
}

void tls_wire_gather_in(struct tls_wire *wire, char *bytes, size_t capacity)
{
    wire->out = bytes;
    wire->out_capacity_bytes = capacity;
    wire->out_length = 0;
}

size_t tls_wire_room(const struct tls_wire *wire)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof(info);

    if (getsockopt(wire->fd, SOL_SOCKET, SO_MEMINFO, info, &length) != 0) {
        return SIZE_MAX;
    }
    return info[SK_MEMINFO_SNDBUF] > info[SK_MEMINFO_WMEM_QUEUED]
               ? info[SK_MEMINFO_SNDBUF] - info[SK_MEMINFO_WMEM_QUEUED]
               : 0;
}

/* IO_DONE: all of it. */
static enum io_result send_some(struct tls_wire *wire, struct str bytes, size_t *sent_out)
{
    const ssize_t sent = send(wire->fd, bytes.bytes, bytes.length, MSG_NOSIGNAL);

    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        return IO_CLOSED;
    }
    *sent_out = sent > 0 ? (size_t)sent : 0;
    return *sent_out == bytes.length ? IO_DONE : IO_WAIT_WRITE;
}

static enum io_result send_unsent(struct tls_wire *wire)
{
    enum io_result result = IO_DONE;
    size_t sent = 0;

    if (wire->unsent.length == 0) {
        return IO_DONE;
    }
    result = send_some(wire, strbuf_str(&wire->unsent), &sent);
    strbuf_remove_front(&wire->unsent, sent);
    if (result == IO_DONE) {
        strbuf_release(&wire->unsent);
    }
    return result;
}

enum io_result tls_wire_send(struct tls_wire *wire)
{
    const struct str gathered = {wire->out, wire->out_length};
    enum io_result result = send_unsent(wire);
    size_t sent = 0;

    if (result == IO_DONE && gathered.length > 0) {
        result = send_some(wire, gathered, &sent);
    }
    if (result != IO_CLOSED) {
        strbuf_append(&wire->unsent, str_from_index(gathered, sent));
    }
    wire->out = NULL;
    wire->out_length = 0;
    return wire->unsent.is_truncated ? IO_CLOSED : result;
}
