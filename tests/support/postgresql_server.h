#pragma once

#include <stdbool.h>

/*
 * A PostgreSQL server of the test's own: Debian's program, in a temporary folder, reached through a
 * socket in it. Ends with the test, however that ends.
 */
struct postgresql_server;

/* Where PostgreSQL is not installed, there is no test: exit with SKIPPED. */
enum { POSTGRESQL_SKIPPED = 77 };
bool postgresql_is_installed(void);

/* A server with empty databases. `settings` are more lines for postgresql.conf; may be empty. */
struct postgresql_server *postgresql_server_new(const char *settings);
void postgresql_server_free(struct postgresql_server *server);

/* Creates an empty database and gives the URL to it; the text is the server's, until the next. */
const char *postgresql_server_create(struct postgresql_server *server);

/* Puts Debian's PgBouncer before it, in transaction mode: URLs lead there from then on. */
bool postgresql_proxy_is_installed(void);
void postgresql_server_put_proxy(struct postgresql_server *server);

/* Where its socket is. */
const char *postgresql_server_folder(const struct postgresql_server *server);

/* The URL of the database that was created last. */
const char *postgresql_server_url(const struct postgresql_server *server);

/* Runs statements on the database that was created last, as its owner; fails the test if they fail.
 * What the first of them gives as its first column, as text: until the next call. */
const char *postgresql_server_ask(struct postgresql_server *server, const char *text);

/* Kills it as a power failure does (its files stay), and starts it again. */
void postgresql_server_kill(struct postgresql_server *server);
void postgresql_server_start(struct postgresql_server *server);
