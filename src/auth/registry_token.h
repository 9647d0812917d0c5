#pragma once

#include "auth/identity_source.h"
#include "auth/token_keys.h"
#include "base/error.h"
#include "base/strbuf.h"

/*
 * The registry's own tokens (distribution "Token Authentication Implementation"): JWTs that are
 * signed with HS256 by token_keys and typed `pierone+jwt`, so that neither is taken for a
 * provider's token nor the other way round. They say which registry they are for, who it is, what
 * was granted, and of what was asked for and refused, why.
 */
struct registry_token {
    const struct identity *identity; /* name and kind */
    struct str audience;             /* the registry's name: its challenge's service */
    struct str grants;               /* lines, as in struct identity */
    struct str refusals;
    struct str login;  /* bytes: fingerprint of the login it is given for; may be empty */
    int64_t issued_ms; /* wall clock */
    int64_t expires_ms;
};

enum { REGISTRY_TOKEN_MAX_BYTES = 48 * 1024 }; /* fits into a request's head */

/* Appends it. ERROR_TOO_LARGE: less must be asked for at a time. */
MUST_USE enum error_code registry_token_sign(struct token_keys *keys,
                                             const struct registry_token *token,
                                             struct strbuf *token_out, struct error *err);

/* Whether it claims to be one; no more than that. */
bool registry_token_is_one(struct str token);

enum registry_token_age { TOKEN_MUST_BE_VALID, TOKEN_MAY_HAVE_EXPIRED };

/*
 * Verifies it. *identity_out is a new reference: limited to what the token grants, or, if it has
 * expired, to nothing. ERROR_UNAUTHENTICATED otherwise.
 */
struct token_reading {
    struct token_keys *keys;
    int64_t now_ms;
    enum registry_token_age age;
};

MUST_USE enum error_code registry_token_read(const struct token_reading *reading, struct str token,
                                             struct identity **identity_out, struct error *err);

enum grant { GRANT_NOT_ASKED = 0, GRANT_REFUSED, GRANT_GIVEN };

/*
 * What a limited identity may do with a resource (`repository:team/app`). GRANT_REFUSED:
 * *reason_out is why, borrowed from the identity.
 */
enum grant registry_token_grant(const struct identity *identity, struct str resource,
                                const char *action, struct str *reason_out);

/* Such tokens as a source of identities, limited to what each grants. Decides about all that claim
 * to be one. Borrows both as long as it lives. */
struct identity_source *registry_token_source_new(struct token_keys *keys,
                                                  const struct clock *clock);
