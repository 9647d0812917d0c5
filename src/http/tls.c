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

/* A TLS record holds no more (RFC 8446 5.1). */
enum { RECORD_BYTES = 16384 };

enum { CIPHER_MAX_BYTES = 80 };

struct tls {
    struct tls_config config;
    struct tls_tickets *tickets;
    pthread_mutex_t context_mutex; /* guards which context is current, not the context */
    SSL_CTX *context;
};

static enum io_result tls_handshake(struct transport *transport);
static enum io_result tls_read(struct transport *transport, char *bytes, size_t capacity,
                               size_t *length_out);
static enum io_result tls_write(struct transport *transport, struct str first, struct str second,
                                bool more_follows, size_t *sent_out);
static enum io_result tls_send_file(struct transport *transport, int file_fd, uint64_t offset_bytes,
                                    uint64_t left_bytes, size_t *sent_out);
static bool tls_has_pending(const struct transport *transport);
static void tls_shutdown_write(struct transport *transport);
static void tls_release(struct transport *transport);
static enum error_code load(const struct tls *tls, SSL_CTX **context_out, struct error *err);
static bool is_known(struct str name);
static SSL_CTX *new_context(void);
static enum error_code use_ciphers(const struct tls_config *config, SSL_CTX *context,
                                   struct error *err);
static enum error_code use_files(const struct tls_config *config, SSL_CTX *context,
                                 struct error *err);
static enum error_code fail(struct error *err, const char *what, const char *subject);
static void free_context(SSL_CTX **context);
static enum io_result result_of(SSL *session, int returned);

static const struct transport_driver tls_driver = {
    .handshake = tls_handshake,
    .read = tls_read,
    .write = tls_write,
    .send_file = tls_send_file,
    .has_pending = tls_has_pending,
    .shutdown_write = tls_shutdown_write,
    .release = tls_release,
};

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

enum error_code tls_new(const struct tls_config *config, const struct clock *clock,
                        struct tls **tls_out, struct error *err)
{
    struct tls *tls = memory_new(1, sizeof(*tls));
    enum error_code code = OK;

    tls->config = *config;
    tls->tickets = tls_tickets_new(clock);
    (void)pthread_mutex_init(&tls->context_mutex, NULL);
    code = load(tls, &tls->context, err);
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

static void free_context(SSL_CTX **context)
{
    SSL_CTX_free(*context);
}

static SSL_CTX *new_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (!context) {
        return NULL;
    }
    (void)SSL_CTX_set_options(context, SSL_OP_ENABLE_KTLS | SSL_OP_NO_RENEGOTIATION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE |
                                           SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION);
    /*
     * A retried write may come from another buffer, because files are read again; idle connections
     * keep no buffers.
     */
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

static enum error_code use_ciphers(const struct tls_config *config, SSL_CTX *context,
                                   struct error *err)
{
    const int minimum = config->minimum == TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

    if (SSL_CTX_set_min_proto_version(context, minimum) != 1 ||
        SSL_CTX_set_cipher_list(context, config->ciphers) != 1) {
        return fail(err, "there is no cipher among", config->ciphers);
    }
    return OK;
}

static enum error_code use_files(const struct tls_config *config, SSL_CTX *context,
                                 struct error *err)
{
    if (SSL_CTX_use_certificate_chain_file(context, config->certificate) != 1) {
        return fail(err, "no PEM certificate chain can be read from", config->certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(context, config->key, SSL_FILETYPE_PEM) != 1) {
        return fail(err, "no PEM key that belongs to the certificate can be read from",
                    config->key);
    }
    if (SSL_CTX_check_private_key(context) != 1) {
        return fail(err, "the certificate does not belong to the key", config->key);
    }
    return OK;
}

static enum error_code fail(struct error *err, const char *what, const char *subject)
{
    const unsigned long number = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(number);

    ERR_clear_error();
    return error_set(err, ERROR_INVALID, "TLS: %s %s (%s)", what, subject,
                     reason ? reason : "cannot be read");
}

bool tls_transport_init(struct tls *tls, struct transport *transport, int fd)
{
    SSL *session = NULL;

    (void)pthread_mutex_lock(&tls->context_mutex);
    session = SSL_new(tls->context);
    (void)pthread_mutex_unlock(&tls->context_mutex);
    if (!session || SSL_set_fd(session, fd) != 1) {
        SSL_free(session);
        return false;
    }
    SSL_set_accept_state(session);
    *transport = (struct transport){.driver = &tls_driver, .fd = fd, .session = session};
    return true;
}

bool tls_transport_is_offloaded(const struct transport *transport)
{
    return BIO_get_ktls_send(SSL_get_wbio((SSL *)transport->session));
}

static enum io_result tls_handshake(struct transport *transport)
{
    SSL *session = transport->session;

    ERR_clear_error();
    return result_of(session, SSL_do_handshake(session));
}

static enum io_result result_of(SSL *session, int returned)
{
    if (returned == 1) {
        return IO_DONE;
    }
    switch (SSL_get_error(session, returned)) {
    case SSL_ERROR_WANT_READ:
        return IO_WAIT_READ;
    case SSL_ERROR_WANT_WRITE:
        return IO_WAIT_WRITE;
    default:
        ERR_clear_error();
        return IO_CLOSED;
    }
}

static enum io_result tls_read(struct transport *transport, char *bytes, size_t capacity,
                               size_t *length_out)
{
    SSL *session = transport->session;
    int returned = 0;

    ERR_clear_error();
    returned = SSL_read_ex(session, bytes, capacity, length_out);
    if (returned != 1 && SSL_get_error(session, returned) == SSL_ERROR_ZERO_RETURN) {
        *length_out = 0;
        return IO_DONE;
    }
    return result_of(session, returned);
}

static enum io_result tls_write(struct transport *transport, struct str first, struct str second,
                                bool more_follows, size_t *sent_out)
{
    const struct str part = first.length > 0 ? first : second;
    SSL *session = transport->session;

    (void)more_follows;
    ERR_clear_error();
    return result_of(session, SSL_write_ex(session, part.bytes, part.length, sent_out));
}

static enum io_result tls_send_file(struct transport *transport, int file_fd, uint64_t offset_bytes,
                                    uint64_t left_bytes, size_t *sent_out)
{
    const size_t length =
        left_bytes < TRANSPORT_SLICE_BYTES ? (size_t)left_bytes : (size_t)TRANSPORT_SLICE_BYTES;
    char record[RECORD_BYTES];
    SSL *session = transport->session;
    ssize_t moved = 0;

    ERR_clear_error();
    if (tls_transport_is_offloaded(transport)) {
        moved = SSL_sendfile(session, file_fd, (off_t)offset_bytes, length, 0);
        *sent_out = moved > 0 ? (size_t)moved : 0;
        return result_of(session, moved > 0 ? 1 : (int)moved);
    }
    moved = pread(file_fd, record, length < sizeof(record) ? length : sizeof(record),
                  (off_t)offset_bytes);
    if (moved <= 0) {
        return IO_CLOSED;
    }
    return result_of(session, SSL_write_ex(session, record, (size_t)moved, sent_out));
}

static bool tls_has_pending(const struct transport *transport)
{
    return SSL_has_pending((SSL *)transport->session) == 1;
}

static void tls_shutdown_write(struct transport *transport)
{
    (void)SSL_shutdown(transport->session);
    ERR_clear_error();
}

static void tls_release(struct transport *transport)
{
    SSL_free(transport->session);
    transport->session = NULL;
}
