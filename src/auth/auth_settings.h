#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/claims.h"
#include "settings/schema.h"

/* auth.*: who is asked whom a login belongs to. */
struct auth_settings {
    const char *tokeninfo_url; /* NULL: not used, as all URLs below */
    struct {
        const char *url;
        const char *client_id;
        const char *client_secret;
        const char *token_url;
        const char *token_scope;
    } introspection;
    struct {
        const char *issuer;
        const char *audience;
        const char *jwks_url;
        int64_t leeway_ms;
    } oidc;
    const char *users_file;
    const char *iidinfo_url;
    bool public_read;
    const char *secret_file; /* NULL: one of its own in the data folder */
    int64_t token_lifetime_ms;
    int64_t revocation_time_ms;
    int64_t lookup_timeout_ms;
    int64_t cache_time_ms;
    size_t cache_entries;
    unsigned failed_logins;
    struct claim_names claims; /* the team's is of teams.claim */
};

extern const struct settings_table auth_settings_table;

/* Whether anybody is asked who they are: if not, everybody may push. */
bool auth_settings_has_provider(const struct auth_settings *settings);

/* Adds that a setting has no meaning where nobody is asked. */
void auth_settings_miss_provider(const char *key, struct problems *problems);
