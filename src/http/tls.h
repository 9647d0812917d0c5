#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "http/transport.h"

/* A server's certificate and how it speaks TLS (1.2 and 1.3). Used by many threads at once. */
struct tls;

/* Reads a PEM chain and its key. ERROR_INVALID says which file is wrong and how. */
MUST_USE enum error_code tls_new(const char *certificate_path, const char *key_path,
                                 struct tls **tls_out, struct error *err);
void tls_free(struct tls *tls);

/* Reads both files again for transports from now on. On failure the old ones stay in use. */
MUST_USE enum error_code tls_reload(struct tls *tls, struct error *err);

/*
 * Takes over a connected, non-blocking socket as the server's side. False (and the socket is still
 * the caller's) if there is no memory for it.
 */
MUST_USE bool tls_transport_init(struct tls *tls, struct transport *transport, int fd);

/* Whether the kernel encrypts what this transport sends (kTLS), so that files leave by sendfile. */
bool tls_transport_is_offloaded(const struct transport *transport);
