#pragma once

#include <openssl/ssl.h>

#include "base/clock.h"

enum { TLS_TICKET_LIFETIME_S = 3600 };

/*
 * The keys that session tickets are sealed with (RFC 5077 4; RFC 8446 4.6.1). A key seals for
 * TLS_TICKET_LIFETIME_S, opens what it sealed for as long again, and is then gone: who finds the
 * keys later cannot read what was said before. Used by many threads at once.
 */
struct tls_tickets;

struct tls_tickets *tls_tickets_new(const struct clock *clock);

/* NULL is accepted. */
void tls_tickets_free(struct tls_tickets *tickets);

/* Sessions of the context are resumed by such tickets. It must not outlive them. */
void tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *context);
