#pragma once

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/transport.h"

/* A server's certificate and how it speaks TLS. Used by many threads at once. */
struct tls;

enum tls_version { TLS_1_2 = 0, TLS_1_3 };

/* With forward secrecy and authenticated encryption: all others of TLS 1.2 have been broken. */
#define TLS_CIPHERS_DEFAULT "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls_config {
    const char *certificate; /* path of a PEM chain, or NULL: no TLS */
    const char *key;         /* path of its PEM key */
    enum tls_version minimum;
    const char *ciphers; /* of TLS 1.2: see tls_check_ciphers */
};

/* Names of ciphers and of groups of them, joined by colons. ERROR_INVALID: one that OpenSSL does
 * not know. */
MUST_USE enum error_code tls_check_ciphers(const char *ciphers, struct error *err);

/*
 * Reads the certificate and its key. ERROR_INVALID says what is wrong and how. What config points
 * to must outlive it, and the clock, which the keys of tickets follow (tls_tickets.h).
 */
MUST_USE enum error_code tls_new(const struct tls_config *config, const struct clock *clock,
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
