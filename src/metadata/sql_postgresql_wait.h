#pragma once

#include "metadata/sql_postgresql_connection.h"

/*
 * Waiting for what was sent, and what failed; for the sources of sql_postgresql only. The first
 * failure of a transaction is kept in its connection, and is that of all that follow.
 */

/* Has the server work on what was sent. Waits for nothing. */
MUST_USE enum error_code postgresql_sync(struct postgresql_connection *connection,
                                         struct error *err);

/*
 * A round trip: waits for all that was sent, and gives the result of the last statement (for
 * PQclear). A server that takes too long, or takes no writes any more, costs the connection.
 */
MUST_USE enum error_code postgresql_await(struct postgresql_connection *connection,
                                          PGresult **last_out, struct error *err);

/* The same, with the results of the statements behind the first so many since the last sync. */
struct postgresql_results {
    size_t skipped;
    size_t count;
    PGresult **results;
};
MUST_USE enum error_code postgresql_await_all(struct postgresql_connection *connection,
                                              const struct postgresql_results *results,
                                              struct error *err);

/* The parts of it, for the simple protocol. A result that is NULL is the last. */
MUST_USE enum error_code postgresql_flush(struct postgresql_connection *connection,
                                          int64_t deadline_ms, struct error *err);
MUST_USE enum error_code postgresql_await_result(struct postgresql_connection *connection,
                                                 int64_t deadline_ms, PGresult **result_out,
                                                 struct error *err);
MUST_USE enum error_code postgresql_check_result(struct postgresql_connection *connection,
                                                 const PGresult *result, struct error *err);

/* Notes that the connection is of no use any more. */
enum error_code postgresql_lose(struct postgresql_connection *connection, struct error *err);

/* The failure that is kept. */
enum error_code postgresql_fail_again(const struct postgresql_connection *connection,
                                      struct error *err);
