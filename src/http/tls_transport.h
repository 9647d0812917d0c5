#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

#include "http/transport.h"

/*
 * Takes over a connected, non-blocking socket as the server's side of a session, which it frees.
 * method: tls_wire_method_new's. False (and socket and session are still the caller's): no memory.
 */
MUST_USE bool tls_transport_begin(struct transport *transport, int fd, SSL *ssl,
                                  const BIO_METHOD *method);
