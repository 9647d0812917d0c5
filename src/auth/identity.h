#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/str.h"

/* What a caller is. An unknown kind may read and never push. */
enum identity_kind {
    IDENTITY_UNKNOWN = 0,
    IDENTITY_ANONYMOUS, /* nobody, where reading is public */
    IDENTITY_EMPLOYEE,
    IDENTITY_SERVICE,
    IDENTITY_INSTANCE, /* a machine, by its instance identity document: reads only */
};

enum {
    IDENTITY_NAME_BYTES = 256,       /* the longest name */
    IDENTITY_LIST_BYTES = 64 * 1024, /* all scopes, or all teams, of one identity */
};

/*
 * Who calls: made once by a source of identities, never changed, shared by threads. Lists are lines
 * of text: each entry ends in '\n', so that entries may hold spaces.
 */
struct identity {
    enum identity_kind kind;
    struct str name;    /* the uid, for the log, for `created_by`; never empty */
    struct str scopes;  /* granted to the token, one a line */
    struct str teams;   /* that the token or the users file names, one a line */
    int64_t expires_ms; /* wall clock; INT64_MAX: does not by itself */

    /* Of a registry token only: no more than that may be done with it (registry_token.h). */
    bool is_limited;
    struct str grants;   /* `repository:team/app:pull,push`, one a line */
    struct str refusals; /* `repository:team/app:push why`: asked for and not granted */
    struct str audience; /* the registry that it is for, as its challenge calls it */
    struct str login;    /* fingerprint of the login it was given for; may be empty */
};

/* A new one with one reference; copies all. Lists that are too long are cut to nothing: what cannot
 * be read grants nothing. The name must be 1 to IDENTITY_NAME_BYTES long. */
struct identity *identity_new(const struct identity *fields);

/* Another reference to the same; from any thread. */
struct identity *identity_retain(struct identity *identity);

/* NULL is accepted. */
void identity_release(struct identity *identity);

bool identity_has_scope(const struct identity *identity, const char *scope);
bool identity_names_team(const struct identity *identity, struct str team);

/* `employee`, `service`, …: for logs and messages; and back: false for any other. */
const char *identity_kind_name(enum identity_kind kind);
MUST_USE bool identity_kind_parse(struct str name, enum identity_kind *kind_out);
