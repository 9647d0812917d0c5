#include "http/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { NAME_BYTES = 16, KEY_BYTES = 32, IV_BYTES = 16 };

/* What OpenSSL wants to hear of a ticket (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)). */
enum outcome { FAILED = -1, UNKNOWN = 0, GOOD = 1, GOOD_BUT_OLD = 2 };

struct ticket_key {
    uint8_t name[NAME_BYTES];
    uint8_t cipher_key[KEY_BYTES];
    uint8_t mac_key[KEY_BYTES];
};

struct tls_tickets {
    const struct clock *clock;
    pthread_mutex_t mutex; /* guards what follows */
    struct ticket_key current;
    struct ticket_key previous; /* opens only; at first nobody has a ticket of it */
    int64_t rotates_ms;
};

struct tls_tickets *tls_tickets_new(const struct clock *clock)
{
    struct tls_tickets *tickets = memory_new(1, sizeof(*tickets));

    tickets->clock = clock;
    (void)pthread_mutex_init(&tickets->mutex, NULL);
    random_fill(&tickets->current, sizeof(tickets->current));
    random_fill(&tickets->previous, sizeof(tickets->previous));
    tickets->rotates_ms =
        clock_monotonic_ms(clock) + (int64_t)TLS_TICKET_LIFETIME_S * MS_PER_SECOND;
    return tickets;
}

void tls_tickets_free(struct tls_tickets *tickets)
{
    if (!tickets) {
        return;
    }
    (void)pthread_mutex_destroy(&tickets->mutex);
    explicit_bzero(tickets, sizeof(*tickets));
    free(tickets);
}

/* If it is time; and if it has been for so long that no ticket is good any more, twice. */
static void tickets_rotate(struct tls_tickets *tickets)
{
    const int64_t lifetime_ms = (int64_t)TLS_TICKET_LIFETIME_S * MS_PER_SECOND;
    const int64_t now_ms = clock_monotonic_ms(tickets->clock);

    if (now_ms < tickets->rotates_ms) {
        return;
    }
    tickets->previous = tickets->current;
    random_fill(&tickets->current, sizeof(tickets->current));
    if (now_ms >= tickets->rotates_ms + lifetime_ms) {
        random_fill(&tickets->previous, sizeof(tickets->previous));
    }
    tickets->rotates_ms = now_ms + lifetime_ms;
}

/* The key of that name, or the one that seals now. */
static enum outcome choose_key(struct tls_tickets *tickets, const unsigned char *name,
                               struct ticket_key *key_out)
{
    enum outcome outcome = UNKNOWN;

    (void)pthread_mutex_lock(&tickets->mutex);
    tickets_rotate(tickets);
    if (!name || memcmp(name, tickets->current.name, NAME_BYTES) == 0) {
        *key_out = tickets->current;
        outcome = GOOD;
    } else if (memcmp(name, tickets->previous.name, NAME_BYTES) == 0) {
        *key_out = tickets->previous;
        outcome = GOOD_BUT_OLD;
    }
    (void)pthread_mutex_unlock(&tickets->mutex);
    return outcome;
}

static bool use_key(struct ticket_key *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *mac, int seals)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac_key, KEY_BYTES),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_CipherInit_ex2(cipher, EVP_aes_256_cbc(), key->cipher_key, iv, seals, NULL) == 1 &&
           EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

static int seal_or_open(SSL *session, unsigned char *name, unsigned char *iv,
                        EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seals)
{
    struct tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(session));
    struct ticket_key key;
    enum outcome outcome = choose_key(tickets, seals ? NULL : name, &key);

    if (seals) {
        memcpy(name, key.name, NAME_BYTES);
        random_fill(iv, IV_BYTES);
    }
    /* A client of TLS 1.3 uses each ticket once, and needs a new one (RFC 8446 C.4). */
    if (outcome == GOOD && !seals && SSL_version(session) == TLS1_3_VERSION) {
        outcome = GOOD_BUT_OLD;
    }
    if (outcome != UNKNOWN && !use_key(&key, iv, cipher, mac, seals)) {
        outcome = FAILED;
    }
    explicit_bzero(&key, sizeof(key));
    return outcome;
}

void tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *context)
{
    (void)SSL_CTX_set_app_data(context, tickets);
    (void)SSL_CTX_set_timeout(context, TLS_TICKET_LIFETIME_S);
    (void)SSL_CTX_set_tlsext_ticket_key_evp_cb(context, seal_or_open);
}
