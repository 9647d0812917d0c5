#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/strbuf.h"

enum credentials_kind {
    CREDENTIALS_NONE = 0,
    CREDENTIALS_TOKEN,    /* Bearer or Token, or Basic with the user `oauth2` (or `<token>`) */
    CREDENTIALS_PASSWORD, /* Basic with any other user */
    CREDENTIALS_INSTANCE, /* Basic with the user `instance-identity-document` */
};

enum { CREDENTIALS_MAX_BYTES = 64 * 1024 };

/* What a client presents. Wiped when released. */
struct credentials {
    enum credentials_kind kind;
    bool is_bearer;       /* in a Bearer (or Token) field, not a Basic one */
    struct str name;      /* the user of a password */
    struct str secret;    /* token, password or document; also terminated by NUL */
    struct strbuf memory; /* where the two live */
};

/*
 * Reads an Authorization field (RFC 7617, RFC 6750); absent: CREDENTIALS_NONE. ERROR_INVALID says
 * what is wrong with it, without its content. Release in any case.
 */
MUST_USE enum error_code credentials_parse(struct str field, struct credentials *credentials_out,
                                           struct error *err);

/* Whether two Authorization fields are the same, in a time that tells nothing but their lengths.
 * Empty ones are not. */
bool credentials_are_equal(struct str field, struct str other);

/* User and password of a form (RFC 6749 4.3), read as those of Basic are. */
MUST_USE enum error_code credentials_of_user(struct str user, struct str password,
                                             struct credentials *credentials_out,
                                             struct error *err);
void credentials_release(struct credentials *credentials);
