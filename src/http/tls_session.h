#pragma once

#include <openssl/ssl.h>

#include "base/strbuf.h"
#include "http/tls_wire.h"
#include "http/transport.h"

enum { TLS_HELD_MAX_BYTES = 4096 };

/* The server's side of a connection with TLS: for the sources tls*.c only. */
struct tls_session {
    SSL *ssl;
    struct tls_wire wire;
    struct strbuf held; /* comes before what is sent next: it leaves in the same record */
};

/* What OpenSSL's answer means; 1 is done. */
enum io_result tls_session_result(const struct tls_session *session, int returned);

/* Gives OpenSSL's buffers back, some 16 KB each, which nobody needs while nothing moves. */
void tls_session_rest(struct tls_session *session);

/* A transport's way out (transport.h): records are gathered, and sent together. */
enum io_result tls_session_write(struct transport *transport, struct str first, struct str second,
                                 bool more_follows, size_t *sent_out);
enum io_result tls_session_send_file(struct transport *transport, int file_fd,
                                     uint64_t offset_bytes, uint64_t left_bytes, size_t *sent_out);
enum io_result tls_session_flush(struct transport *transport);
