#pragma once

#include "auth/credentials.h"
#include "auth/identity.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/strbuf.h"

/* Whether credentials are for a source to judge. */
enum source_interest {
    SOURCE_IGNORES = 0, /* not of its kind */
    SOURCE_MAY_KNOW,    /* it must be asked, others too */
    SOURCE_DECIDES,     /* they name this source themselves: what it says is final */
};

/*
 * Somebody who knows identities: a token info service, an OpenID Connect issuer, the users file…
 * Drivers embed it as their first member and do only the asking: caches, coalescing and limits on
 * failed logins are the authenticator's.
 */
struct identity_source {
    const struct identity_source_driver *driver;
};

struct identity_source_driver {
    const char *name; /* for logs: `tokeninfo` */

    /* Looks at the credentials alone: no network, no file, no lock for long. */
    enum source_interest (*interest)(const struct identity_source *source,
                                     const struct credentials *credentials);

    /*
     * Asks; may block, with timeouts of its own; called by many threads at once.
     * OK: *identity_out is a new reference.
     * ERROR_UNAUTHENTICATED: it does not accept them (unknown, expired, revoked, wrong).
     * ERROR_DENIED: it accepts them, but they do not say who it is.
     * ERROR_UNAVAILABLE: it cannot tell now.
     * The messages never hold a token or a password.
     */
    enum error_code (*identify)(struct identity_source *source,
                                const struct credentials *credentials,
                                struct identity **identity_out, struct error *err);

    /*
     * As identify, for credentials that are genuine but for their time, which is over. NULL: cannot
     * tell. May block.
     */
    enum error_code (*identify_expired)(struct identity_source *source,
                                        const struct credentials *credentials,
                                        struct identity **identity_out, struct error *err);

    /* Whether there is such a name, whatever its password. NULL: it knows no names. Does not block.
     */
    bool (*knows_name)(struct identity_source *source, struct str name);

    /*
     * For --check-config: tries whether it answers as it should, without credentials of a user.
     * Appends one line that says in plain words what was found (`oidc: https://… has 2 keys`).
     * Anything but OK: err says what is wrong and what to do.
     */
    enum error_code (*check)(struct identity_source *source, struct strbuf *report,
                             struct error *err);

    /*
     * Grows whenever what it said before may be wrong (a file was changed): what was cached of
     * it is then forgotten. NULL: never. Cheap, does not block.
     */
    unsigned long (*generation)(struct identity_source *source);

    void (*free)(struct identity_source *source);
};

/* The driver's functions, with what they promise asserted; without an optional one: no. */
MUST_USE enum error_code identity_source_identify(struct identity_source *source,
                                                  const struct credentials *credentials,
                                                  struct identity **identity_out,
                                                  struct error *err);
MUST_USE enum error_code identity_source_identify_expired(struct identity_source *source,
                                                          const struct credentials *credentials,
                                                          struct identity **identity_out,
                                                          struct error *err);
bool identity_source_knows_name(struct identity_source *source, struct str name);

/* NULL is accepted. */
void identity_source_free(struct identity_source *source);
