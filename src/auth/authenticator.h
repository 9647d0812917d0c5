#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "auth/identity_source.h"
#include "auth/login_limiter.h"
#include "auth/lookup_cache.h"
#include "base/clock.h"
#include "base/metrics.h"

/*
 * Credentials -> identity: asks the sources, and remembers what they said. Bounded in memory, in
 * what it asks of others, and in how many failed logins it takes. Shared by threads.
 */
struct authenticator;

struct authenticator_config {
    struct identity_source *const *sources; /* asked in this order; not owned */
    size_t source_count;
    size_t cache_entries;
    int64_t cache_ms; /* how long an outcome counts at most; never beyond the token's own end */
    unsigned failures_max; /* of one address in a minute: passwords, and different tokens */
    const struct clock *clock;
    struct metrics *metrics; /* NULL: nothing is counted */
};

/* What an outcome is found by again. It tells nothing of the credentials. */
struct authenticator_ticket {
    struct lookup_key key;
    uint64_t sources;         /* a bit for each that may say something else when it changes */
    unsigned long generation; /* theirs */
};

/* Somebody who wants to come in. */
struct login {
    const struct credentials *credentials;   /* not CREDENTIALS_NONE */
    struct str address;                      /* the client's */
    bool may_ask;                            /* whoever knows: a server, or a hash */
    struct authenticator_ticket *ticket_out; /* NULL: not wanted */
};

struct authenticator *authenticator_new(const struct authenticator_config *config);

/* NULL is accepted. */
void authenticator_free(struct authenticator *authenticator);

/*
 * Who it is: *identity_out is a new reference. ERROR_UNAUTHENTICATED, ERROR_DENIED and
 * ERROR_UNAVAILABLE as from an identity_source; ERROR_TOO_MANY: too many failed logins. If
 * nothing is remembered and may_ask is false, sets *must_ask_out and fails: to be tried again where
 * it may be.
 */
MUST_USE enum error_code authenticator_identify(struct authenticator *authenticator,
                                                const struct login *login, bool *must_ask_out,
                                                struct identity **identity_out, struct error *err);

/* Whether it is the name of somebody who has a password. For the log, never for a response. */
bool authenticator_knows_name(const struct authenticator *authenticator, struct str name);

/* Whose password is verified first. */
enum login_rank authenticator_rank(struct authenticator *authenticator, const struct login *login);

/*
 * The same for credentials that have led to this ticket: a new reference, or NULL if the outcome is
 * not remembered any more, or was another one. Never waits.
 */
struct identity *authenticator_recall(struct authenticator *authenticator,
                                      const struct authenticator_ticket *ticket);

/*
 * Whose credentials these were, although their time is over: ERROR_UNAUTHENTICATED unless a source
 * can still tell that they were genuine. For requests that go on with what was begun in time. May
 * wait.
 */
MUST_USE enum error_code authenticator_identify_expired(struct authenticator *authenticator,
                                                        const struct credentials *credentials,
                                                        struct identity **identity_out,
                                                        struct error *err);
