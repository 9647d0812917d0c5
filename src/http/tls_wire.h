#pragma once

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/strbuf.h"
#include "http/transport.h"

enum {
    TLS_RECORD_BYTES = 16384,                  /* that a record carries at most (RFC 8446 5.1) */
    TLS_SEALED_BYTES = TLS_RECORD_BYTES + 512, /* … with what encryption adds, by any cipher */
    TLS_WIRE_IN_MAX_BYTES = 128 * 1024,
};

/*
 * What stands between OpenSSL and a socket, and moves many records at a time: OpenSSL by itself
 * reads each in two halves, and writes it alone.
 *
 * Only whole records are handed on, so that OpenSSL never waits with a part of one in a buffer of
 * its own; and they are gathered until tls_wire_send. The room for it is lent by each visitor. What
 * stays behind is the beginning of a record, and what the socket had no room for: nothing, mostly.
 * Where the kernel encrypts, nothing is gathered.
 */
struct tls_wire {
    int fd;
    bool is_foreign;          /* the peer speaks something else, in text: nothing more is read */
    bool has_begun;           /* something arrived */
    bool has_ended;           /* the peer has sent all it will, or nothing that makes sense */
    bool is_drained;          /* the socket had no more, during this visit */
    bool is_offloaded;        /* the kernel encrypts */
    unsigned quiet_records;   /* that arrived since tls_wire_hear */
    size_t record_left_bytes; /* of the record that OpenSSL is about to read */
    struct strbuf early;      /* arrived, for the next visit */
    struct strbuf unsent;     /* left over for the next visit */
    char *in;                 /* lent */
    size_t in_capacity_bytes;
    size_t in_begin;
    size_t in_end;
    char *out; /* lent; NULL: what is written meanwhile is unsent */
    size_t out_capacity_bytes;
    size_t out_length;
};

/* How OpenSSL calls a wire: for all of them. NULL: no memory. To be freed behind the last. */
MUST_USE BIO_METHOD *tls_wire_method_new(void);

/*
 * For a connected, non-blocking socket, which is not closed with it. The BIO is OpenSSL's, and must
 * not be used once the wire is released. NULL: no memory.
 */
MUST_USE BIO *tls_wire_init(struct tls_wire *wire, const BIO_METHOD *method, int fd);
void tls_wire_release(struct tls_wire *wire);

/* Lends TLS_SEALED_BYTES to TLS_WIRE_IN_MAX_BYTES to receive into. */
void tls_wire_receive_into(struct tls_wire *wire, char *bytes, size_t capacity);
void tls_wire_end_receiving(struct tls_wire *wire);

/* Whether a whole record has arrived that was not handed on. */
bool tls_wire_has_record(const struct tls_wire *wire);

/* The peer said something, and may go on. One who sends record after record that says nothing (new
 * keys, for one, which cost us more than it) is not heard any more. */
void tls_wire_hear(struct tls_wire *wire);

/* Lends room to gather records in, until tls_wire_send. */
void tls_wire_gather_in(struct tls_wire *wire, char *bytes, size_t capacity);

/* How many bytes the socket takes at once, about. */
size_t tls_wire_room(const struct tls_wire *wire);

/* Sends what is unsent and what was gathered. IO_WAIT_WRITE: some of it is still to be sent. */
MUST_USE enum io_result tls_wire_send(struct tls_wire *wire);
