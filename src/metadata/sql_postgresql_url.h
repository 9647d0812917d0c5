#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/error.h"
#include "metadata/database_passwords.h"

/* What a URL of PostgreSQL says, where we have to know it and libpq alone does not do. */
enum { POSTGRESQL_SERVERS_MAX = 16 };

struct postgresql_server_address {
    struct database_server server;
    const char *address; /* `hostaddr`: where to connect instead of looking the host up; NULL */
    char port_text[8];
};

struct postgresql_servers {
    struct postgresql_server_address servers[POSTGRESQL_SERVERS_MAX];
    size_t count;
    char *memory; /* of the texts */
};

/*
 * The servers that a URL names, in order, for `user` unless the URL names another.
 * ERROR_INVALID if libpq cannot read it, if there are too many, or if one has no host or there is
 * no user; the message has nothing of the URL. Release with postgresql_servers_release.
 */
MUST_USE enum error_code postgresql_servers_read(const char *url, const char *user,
                                                 struct postgresql_servers *servers_out,
                                                 struct error *err);
void postgresql_servers_release(struct postgresql_servers *servers);

/* Whether it, or PGSSLMODE where it does not say, allows connections over TLS alone: then no
 * socket. */
bool postgresql_url_demands_tls(const char *url);

/* Whether it has a password. */
bool postgresql_url_has_password(const char *url);
