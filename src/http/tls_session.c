#include "http/tls_session.h"

#include <openssl/err.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    WRITE_RECORDS = 4, /* of a response in memory, that are sent at once */
    SLICE_RECORDS = TRANSPORT_SLICE_BYTES / TLS_RECORD_BYTES,
};

/* Memory that is lent for a moment, on the stack. */
struct span {
    char *bytes;
    size_t capacity_bytes;
};

struct slice {
    int file_fd;
    uint64_t offset_bytes;
    size_t length;
};

static enum io_result write_by_kernel(struct tls_session *session, struct str part,
                                      size_t *sent_out)
{
    ERR_clear_error();
    return tls_session_result(session,
                              SSL_write_ex(session->ssl, part.bytes, part.length, sent_out));
}

/* What is encrypted already goes first; nothing is added to it, so that a client that does not
 * read holds no more of our memory. */
static enum io_result begin_sending(struct tls_session *session)
{
    const enum io_result result = tls_wire_send(&session->wire);

    if (result == IO_WAIT_WRITE) {
        tls_session_rest(session);
    }
    return result;
}

/* How much of bytes there was room for. */
static size_t session_take(struct span *room, struct str bytes)
{
    const size_t length = bytes.length < room->capacity_bytes ? bytes.length : room->capacity_bytes;

    if (length > 0) {
        memcpy(room->bytes, bytes.bytes, length);
        room->bytes += length;
        room->capacity_bytes -= length;
    }
    return length;
}

/* OpenSSL never has to wait with it: what finds no room on the wire is kept there. */
static bool session_seal(struct tls_session *session, struct str bytes)
{
    size_t sealed = 0;

    while (bytes.length > 0) {
        if (SSL_write_ex(session->ssl, bytes.bytes, bytes.length, &sealed) != 1) {
            ERR_clear_error();
            return false;
        }
        bytes = str_from_index(bytes, sealed);
    }
    return true;
}

/* What was sealed counts as sent, even if the socket takes it later. */
static enum io_result end_sending(struct tls_session *session, bool is_sealed)
{
    return tls_wire_send(&session->wire) == IO_CLOSED || !is_sealed ? IO_CLOSED : IO_DONE;
}

/* The first record has what is held, the first part, and as much of the second as it can. */
static enum io_result write_records(struct tls_session *session, struct span out,
                                    const struct str parts[2], size_t *sent_out)
{
    char record[TLS_RECORD_BYTES];
    struct span room = {record, sizeof(record)};
    size_t left = out.capacity_bytes / TLS_SEALED_BYTES * TLS_RECORD_BYTES;
    size_t of_first = 0;
    size_t of_second = 0;
    bool is_sealed = true;

    tls_wire_gather_in(&session->wire, out.bytes, out.capacity_bytes);
    if (session->held.length + parts[0].length > 0) {
        (void)session_take(&room, strbuf_str(&session->held));
        of_first = session_take(&room, parts[0]);
        of_second = session_take(&room, parts[1]);
        is_sealed =
            session_seal(session, (struct str){record, sizeof(record) - room.capacity_bytes});
        memory_wipe(record, sizeof(record) - room.capacity_bytes);
        left -= TLS_RECORD_BYTES;
        strbuf_release(&session->held);
    }
    if (is_sealed && of_first == parts[0].length) {
        const struct str rest_of_second = str_slice(parts[1], of_second, of_second + left);

        is_sealed = session_seal(session, rest_of_second);
        of_second += rest_of_second.length;
    }
    *sent_out = of_first + of_second;
    return end_sending(session, is_sealed);
}

static enum io_result write_few(struct tls_session *session, struct str first, struct str second,
                                size_t *sent_out)
{
    char out[TLS_SEALED_BYTES];
    const struct str parts[2] = {first, second};

    /* cppcheck-suppress legacyUninitvar; it is there to be filled */
    return write_records(session, (struct span){out, sizeof(out)}, parts, sent_out);
}

/* As many as the socket has room for. One that is too many is sent later. */
static size_t records_for(const struct tls_session *session, size_t most)
{
    const size_t records = tls_wire_room(&session->wire) / TLS_SEALED_BYTES;

    return records == 0 ? 1 : records < most ? records : most;
}

static enum io_result write_many(struct tls_session *session, struct str first, struct str second,
                                 size_t *sent_out)
{
    /* cppcheck-suppress unassignedVariable; it is there to be filled */
    char out[WRITE_RECORDS * TLS_SEALED_BYTES];
    const size_t records = records_for(session, WRITE_RECORDS);
    const struct str parts[2] = {first, second};

    /* cppcheck-suppress legacyUninitvar; it is there to be filled */
    return write_records(session, (struct span){out, records * TLS_SEALED_BYTES}, parts, sent_out);
}

enum io_result tls_session_write(struct transport *transport, struct str first, struct str second,
                                 bool more_follows, size_t *sent_out)
{
    struct tls_session *session = transport->session;
    const size_t length = session->held.length + first.length + second.length;
    enum io_result result = IO_DONE;

    if (session->wire.is_offloaded) {
        return write_by_kernel(session, first.length > 0 ? first : second, sent_out);
    }
    if (more_follows && length <= TLS_HELD_MAX_BYTES) {
        strbuf_append(&session->held, first);
        strbuf_append(&session->held, second);
        *sent_out = first.length + second.length;
        return IO_DONE;
    }
    result = begin_sending(session);
    if (result != IO_DONE) {
        return result;
    }
    return length <= TLS_RECORD_BYTES ? write_few(session, first, second, sent_out)
                                      : write_many(session, first, second, sent_out);
}

static enum io_result send_by_kernel(struct tls_session *session, const struct slice *slice,
                                     size_t *sent_out)
{
    ssize_t moved = 0;

    ERR_clear_error();
    moved =
        SSL_sendfile(session->ssl, slice->file_fd, (off_t)slice->offset_bytes, slice->length, 0);
    *sent_out = moved > 0 ? (size_t)moved : 0;
    return tls_session_result(session, moved > 0 ? 1 : (int)moved);
}

static enum io_result send_slice(struct tls_session *session, struct span plain,
                                 const struct slice *slice, size_t *sent_out)
{
    struct span room = plain;
    const size_t held = session_take(&room, strbuf_str(&session->held));
    const size_t wanted = slice->length < room.capacity_bytes ? slice->length : room.capacity_bytes;
    const ssize_t got = pread(slice->file_fd, room.bytes, wanted, (off_t)slice->offset_bytes);
    bool is_sealed = false;

    strbuf_release(&session->held);
    if (got > 0) { /* a file that ends early was damaged: the promised length cannot be kept */
        is_sealed = session_seal(session, (struct str){plain.bytes, held + (size_t)got});
        *sent_out = (size_t)got;
    }
    return end_sending(session, is_sealed);
}

static enum io_result send_short(struct tls_session *session, const struct slice *slice,
                                 size_t *sent_out)
{
    char plain[TLS_RECORD_BYTES];
    char out[TLS_SEALED_BYTES];

    tls_wire_gather_in(&session->wire, out, sizeof(out));
    /* cppcheck-suppress legacyUninitvar; it is there to be filled */
    return send_slice(session, (struct span){plain, sizeof(plain)}, slice, sent_out);
}

static enum io_result send_long(struct tls_session *session, const struct slice *slice,
                                size_t *sent_out)
{
    /* cppcheck-suppress unassignedVariable; it is there to be filled */
    char plain[SLICE_RECORDS * TLS_RECORD_BYTES];
    char out[SLICE_RECORDS * TLS_SEALED_BYTES];
    const size_t records = records_for(session, SLICE_RECORDS);

    tls_wire_gather_in(&session->wire, out, sizeof(out));
    /* cppcheck-suppress legacyUninitvar; it is there to be filled */
    return send_slice(session, (struct span){plain, records * TLS_RECORD_BYTES}, slice, sent_out);
}

enum io_result tls_session_send_file(struct transport *transport, int file_fd,
                                     uint64_t offset_bytes, uint64_t left_bytes, size_t *sent_out)
{
    struct tls_session *session = transport->session;
    const struct slice slice = {file_fd, offset_bytes,
                                left_bytes < TRANSPORT_SLICE_BYTES ? (size_t)left_bytes
                                                                   : (size_t)TRANSPORT_SLICE_BYTES};
    enum io_result result = IO_DONE;

    if (session->wire.is_offloaded) {
        return send_by_kernel(session, &slice, sent_out);
    }
    result = begin_sending(session);
    if (result != IO_DONE) {
        return result;
    }
    return session->held.length + slice.length <= TLS_RECORD_BYTES
               ? send_short(session, &slice, sent_out)
               : send_long(session, &slice, sent_out);
}

enum io_result tls_session_flush(struct transport *transport)
{
    struct tls_session *session = transport->session;
    const struct str nothing = {0};
    enum io_result result = IO_DONE;
    size_t sent = 0;

    if (session->held.length > 0) {
        result = tls_session_write(transport, nothing, nothing, false, &sent);
    }
    if (result == IO_DONE) {
        result = tls_wire_send(&session->wire);
    }
    tls_session_rest(session);
    return result;
}
