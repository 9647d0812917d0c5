#pragma once

#include "metadata/sql_postgresql_connection.h"

/*
 * Sending statements, for the sources of sql_postgresql only. They are on their way before anybody
 * waits, and their failure is found by whoever does (sql_postgresql_wait.h).
 */
MUST_USE enum error_code postgresql_send(struct postgresql_connection *connection,
                                         const struct sql_query *query, struct error *err);

/* Has the server prepare it, unless it is, or nothing is prepared. */
MUST_USE enum error_code postgresql_prepare(struct postgresql_connection *connection,
                                            const struct sql_query *query, struct error *err);

/* One without values, and never prepared. */
MUST_USE enum error_code postgresql_send_text(struct postgresql_connection *connection,
                                              const char *text, struct error *err);
