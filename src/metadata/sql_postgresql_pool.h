#pragma once

#include "metadata/sql_postgresql_connection.h"

/* Connections, and whoever waits for one; for the sources of sql_postgresql only. */
struct postgresql_pool;

/* config and counters must outlive the pool. */
struct postgresql_pool *postgresql_pool_new(struct sql *sql, const struct postgresql_config *config,
                                            struct postgresql_counters *counters);

/* When all connections were given back. NULL is accepted. */
void postgresql_pool_free(struct postgresql_pool *pool);

/*
 * Lends a connection. Waits until the deadline for one to be given back, and for the database where
 * it cannot be reached: then one caller at a time asks, after pauses of random length.
 * Once it has been away for config->retry_ms, nobody else waits. ERROR_UNAVAILABLE in the end.
 */
MUST_USE enum error_code postgresql_pool_lend(struct postgresql_pool *pool, int64_t deadline_ms,
                                              struct postgresql_connection **connection_out,
                                              struct error *err);

/* Takes it back; one whose transaction lost it is closed, and with it go all that are as old. */
void postgresql_pool_give_back(struct postgresql_pool *pool,
                               struct postgresql_connection *connection);

/* From now on nothing is prepared. */
void postgresql_pool_stop_preparing(struct postgresql_pool *pool);
