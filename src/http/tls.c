#include "http/tls.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "http/tls_tickets.h"
#include "http/tls_transport.h"
#include "http/tls_wire.h"

enum { CIPHER_MAX_BYTES = 80 };

struct tls {
    struct tls_config config;
    struct tls_tickets *tickets;
    pthread_mutex_t context_mutex; /* guards which context is current, not the context */
    SSL_CTX *context;
    BIO_METHOD *wire_method;
};

static void free_context(SSL_CTX **context)
{
    SSL_CTX_free(*context);
}

/* One by one, since OpenSSL is content with a list of which it knows anything. */
static bool is_known(struct str name)
{
    CLEANUP(free_context) SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    char text[CIPHER_MAX_BYTES];
    bool is_right = false;

    (void)snprintf(text, sizeof(text), "%.*s", STR_FORMAT(name));
    is_right = context && name.length > 0 && name.length < sizeof(text) &&
               SSL_CTX_set_cipher_list(context, text) == 1;
    ERR_clear_error();
    return is_right;
}

enum error_code tls_check_ciphers(const char *ciphers, struct error *err)
{
    struct str rest = str_from(ciphers);
    struct str name;

    while (str_cut(&rest, ':', &name)) {
        if (!is_known(name)) {
            return error_set(err, ERROR_INVALID,
                             "\"%.*s\" names no cipher of TLS 1.2 that OpenSSL has: `openssl "
                             "ciphers -v` lists them",
                             STR_FORMAT(str_slice(name, 0, CIPHER_MAX_BYTES)));
        }
    }
    return OK;
}

static SSL_CTX *new_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (!context) {
        return NULL;
    }
    (void)SSL_CTX_set_options(context, SSL_OP_ENABLE_KTLS | SSL_OP_NO_RENEGOTIATION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE |
                                           SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                           SSL_OP_NO_COMPRESSION);
    /* A retried write may come from another buffer. Buffers are given back by whoever rests, not
     * with each record (SSL_MODE_RELEASE_BUFFERS). */
    (void)SSL_CTX_set_mode(context,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    /* As Go's servers do; a client that uses it gets another. Each takes a tenth of a handshake. */
    (void)SSL_CTX_set_num_tickets(context, 1);
    return context;
}

/* The best first; a client that puts ChaCha20 first has no AES unit, and gets it. */
static const char CIPHERS_OF_1_3[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

static enum error_code tls_fail(struct error *err, const char *what, const char *subject)
{
    const unsigned long number = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(number);

    ERR_clear_error();
    return error_set(err, ERROR_INVALID, "TLS: %s %s (%s)", what, subject,
                     reason ? reason : "cannot be read");
}

static enum error_code use_ciphers(const struct tls_config *config, SSL_CTX *context,
                                   struct error *err)
{
    const int minimum = config->minimum == TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

    /* Of TLS 1.3's, AES with a key of 128 bits is a fifth cheaper. */
    if (SSL_CTX_set_min_proto_version(context, minimum) != 1 ||
        SSL_CTX_set_ciphersuites(context, CIPHERS_OF_1_3) != 1 ||
        SSL_CTX_set_cipher_list(context, config->ciphers) != 1) {
        return tls_fail(err, "there is no cipher among", config->ciphers);
    }
    return OK;
}

static enum error_code use_files(const struct tls_config *config, SSL_CTX *context,
                                 struct error *err)
{
    if (SSL_CTX_use_certificate_chain_file(context, config->certificate) != 1) {
        return tls_fail(err, "no PEM certificate chain can be read from", config->certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(context, config->key, SSL_FILETYPE_PEM) != 1) {
        return tls_fail(err, "no PEM key that belongs to the certificate can be read from",
                        config->key);
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        return tls_fail(err, "the certificate does not belong to the key", config->key);
    }
    return OK;
}

static enum error_code load(const struct tls *tls, SSL_CTX **context_out, struct error *err)
{
    CLEANUP(free_context) SSL_CTX *context = new_context();
    enum error_code code = OK;

    if (!context) {
        return error_set(err, ERROR_INTERNAL, "TLS cannot be set up");
    }
    tls_tickets_use(tls->tickets, context);
    code = use_ciphers(&tls->config, context, err);
    if (!code) {
        code = use_files(&tls->config, context, err);
    }
    if (code) {
        return code;
    }
    *context_out = context;
    context = NULL;
    return OK;
}

enum error_code tls_new(const struct tls_config *config, const struct clock *clock,
                        struct tls **tls_out, struct error *err)
{
    struct tls *tls = memory_new(1, sizeof(*tls));
    enum error_code code = OK;

    tls->config = *config;
    tls->tickets = tls_tickets_new(clock);
    tls->wire_method = tls_wire_method_new();
    (void)pthread_mutex_init(&tls->context_mutex, NULL);
    code = tls->wire_method ? load(tls, &tls->context, err)
                            : error_set(err, ERROR_INTERNAL, "TLS cannot be set up");
    if (code) {
        tls_free(tls);
        return code;
    }
    *tls_out = tls;
    return OK;
}

void tls_free(struct tls *tls)
{
    if (!tls) {
        return;
    }
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->wire_method);
    (void)pthread_mutex_destroy(&tls->context_mutex);
    tls_tickets_free(tls->tickets);
    free(tls);
}

enum error_code tls_reload(struct tls *tls, struct error *err)
{
    SSL_CTX *fresh = NULL;
    SSL_CTX *old = NULL;
    const enum error_code code = load(tls, &fresh, err);

    if (code) {
        return code;
    }
    (void)pthread_mutex_lock(&tls->context_mutex);
    old = tls->context;
    tls->context = fresh;
    (void)pthread_mutex_unlock(&tls->context_mutex);
    SSL_CTX_free(old); /* counted: connections that use it keep it */
    return OK;
}

bool tls_transport_init(struct tls *tls, struct transport *transport, int fd)
{
    SSL *session = NULL;

    (void)pthread_mutex_lock(&tls->context_mutex);
    session = SSL_new(tls->context);
    (void)pthread_mutex_unlock(&tls->context_mutex);
    if (!session || !tls_transport_begin(transport, fd, session, tls->wire_method)) {
        SSL_free(session);
        return false;
    }
    return true;
}
