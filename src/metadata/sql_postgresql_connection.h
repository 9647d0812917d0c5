#pragma once

#include <libpq-fe.h>
#include <stdatomic.h>

#include "metadata/sql_driver.h"
#include "metadata/sql_postgresql.h"
#include "metadata/sql_postgresql_error.h"

/*
 * A connection to PostgreSQL and the transaction on it; for the sources of sql_postgresql only. One
 * thread's at a time. Statements are sent at once and waited for as late as possible (libpq's
 * pipeline mode): a round trip is what costs.
 */
enum { POSTGRESQL_PREPARED_MAX = 256 /* more than there are queries */ };

/* Kept by the address of its text, and the types of its values. */
struct postgresql_prepared {
    const char *text;
    uint32_t types;
    char name[64];
};

struct postgresql_connection {
    struct sql_connection connection; /* first */
    struct postgresql_connection *next_idle;
    PGconn *handle;
    unsigned generation; /* the pool's */
    int64_t timeout_ms;
    bool prepares;
    struct postgresql_counters *counters; /* not owned */

    const char *begin[2];  /* what is to be sent before the first statement */
    bool is_used;          /* … was, or would have been */
    size_t unsynced;       /* statements that were sent behind the last sync */
    size_t syncs;          /* that were sent and not reached yet */
    size_t stale_syncs;    /* of them, those of earlier transactions: their failures are over */
    bool is_committing;    /* then a warning is more than that */
    bool is_commit_unsure; /* "has committed locally, but might not have been replicated" */
    bool is_late;          /* its server did not answer in time, and may yet be at it */
    enum postgresql_failure failure; /* of the transaction: the first */
    enum error_code failure_code;
    struct error failure_error;

    size_t prepared_count;
    size_t prepared_sure;    /* of them, those that the server is known to have */
    unsigned prepared_round; /* in names, since those that are not sure may be there, too */
    struct postgresql_prepared prepared[POSTGRESQL_PREPARED_MAX];
};

static inline struct postgresql_connection *
postgresql_connection_of(struct sql_connection *connection)
{
    return (struct postgresql_connection *)connection; /* its first member */
}

/* What was asked, for tests that count it. */
struct postgresql_counters {
    atomic_ullong statements;  /* with those that begin and end transactions */
    atomic_ullong round_trips; /* that somebody waited for */
};

/* ERROR_UNAVAILABLE: it cannot be reached. ERROR_INVALID: it can, and cannot be used. */
MUST_USE enum error_code postgresql_connection_open(struct sql *sql,
                                                    const struct postgresql_config *config,
                                                    struct postgresql_connection **connection_out,
                                                    struct error *err);

/* NULL is accepted. A server that was late is told to stop. */
void postgresql_connection_close(struct postgresql_connection *connection);

/* A transaction begins with its first statement. `setting` is sent behind `begin`; NULL: nothing.
 * Without a `begin` each statement is by itself. */
void postgresql_connection_begin(struct postgresql_connection *connection, const char *begin,
                                 const char *setting);

/* OK once it is known to be committed. A transaction without statements is. */
MUST_USE enum error_code postgresql_connection_commit(struct postgresql_connection *connection,
                                                      struct error *err);

/* Ends the transaction, if one has begun; not waited for. */
void postgresql_connection_end(struct postgresql_connection *connection);

/* Sends a statement whose rows are of no interest; its failure is that of a later call. */
MUST_USE enum error_code postgresql_connection_run(struct postgresql_connection *connection,
                                                   const struct sql_query *query,
                                                   struct error *err);

/* The rows are freed with PQclear. */
MUST_USE enum error_code postgresql_connection_query(struct postgresql_connection *connection,
                                                     const struct sql_query *query,
                                                     PGresult **result_out, struct error *err);

/* At most POSTGRESQL_BATCH_MAX; results are for PQclear, and NULL on failure. */
enum { POSTGRESQL_BATCH_MAX = 64 };
MUST_USE enum error_code postgresql_connection_batch(struct postgresql_connection *connection,
                                                     const struct sql_query *const *queries,
                                                     size_t count, PGresult **results_out,
                                                     struct error *err);

/* Statements without values, however long they take. */
MUST_USE enum error_code postgresql_connection_script(struct postgresql_connection *connection,
                                                      const char *text, struct error *err);

/* As sql_skip_ids, for the driver. */
MUST_USE enum error_code postgresql_connection_skip_ids(struct sql_connection *connection,
                                                        const char *table, const char *column,
                                                        struct error *err);
