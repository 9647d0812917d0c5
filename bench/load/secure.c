#include "secure.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

enum { BUFFER_BYTES = 256 * 1024 };

struct secure {
    SSL_CTX *context;
};

struct secure_session {
    SSL *ssl;
};

static bool gather_writes(SSL *ssl, int fd);

struct secure *secure_new(void)
{
    struct secure *secure = memory_new(1, sizeof(*secure));

    secure->context = SSL_CTX_new(TLS_client_method());
    if (!secure->context || SSL_CTX_set_min_proto_version(secure->context, TLS1_3_VERSION) != 1) {
        fail("TLS cannot be set up");
    }
    (void)SSL_CTX_set_session_cache_mode(secure->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(secure->context, 1);
    SSL_CTX_set_default_read_buffer_len(secure->context, BUFFER_BYTES);
    return secure;
}

void secure_free(struct secure *secure)
{
    if (secure) {
        SSL_CTX_free(secure->context);
        free(secure);
    }
}

struct secure_session *secure_open(struct secure *secure, int fd,
                                   const struct secure_session *before)
{
    struct secure_session *session = memory_new(1, sizeof(*session));
    SSL_SESSION *ticket = before ? SSL_get1_session(before->ssl) : NULL;

    session->ssl = SSL_new(secure->context);
    if (!session->ssl || !gather_writes(session->ssl, fd) ||
        (ticket && SSL_set_session(session->ssl, ticket) != 1) || SSL_connect(session->ssl) != 1) {
        secure_close(session);
        session = NULL;
    }
    SSL_SESSION_free(ticket);
    return session;
}

/* Records leave together when they are flushed. */
static bool gather_writes(SSL *ssl, int fd)
{
    BIO *socket = BIO_new_socket(fd, BIO_NOCLOSE);
    BIO *buffer = BIO_new(BIO_f_buffer());

    if (!socket || !buffer || BIO_set_write_buffer_size(buffer, BUFFER_BYTES) != 1) {
        return false; /* and the program fails */
    }
    (void)BIO_up_ref(socket);
    SSL_set0_rbio(ssl, socket);
    SSL_set0_wbio(ssl, BIO_push(buffer, socket));
    return true;
}

void secure_close(struct secure_session *session)
{
    if (session) {
        SSL_free(session->ssl);
        free(session);
    }
}

bool secure_is_resumed(const struct secure_session *session)
{
    return SSL_session_reused(session->ssl) == 1;
}

bool secure_send(struct secure_session *session, struct str bytes)
{
    size_t sent = 0;

    return bytes.length == 0 ||
           (SSL_write_ex(session->ssl, bytes.bytes, bytes.length, &sent) == 1 &&
            BIO_flush(SSL_get_wbio(session->ssl)) == 1);
}

size_t secure_receive(struct secure_session *session, char *bytes, size_t capacity)
{
    size_t length = 0;

    return SSL_read_ex(session->ssl, bytes, capacity, &length) == 1 ? length : 0;
}
