#include "metadata/sql_postgresql_connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "metadata/sql_postgresql_cancel.h"
#include "metadata/sql_postgresql_statement.h"
#include "metadata/sql_postgresql_url.h"
#include "metadata/sql_postgresql_wait.h"

enum {
    SCRIPT_TIMEOUT_MS = 60 * 60 * 1000,
    UNSYNCED_MAX = 64, /* statements on their way that nobody waits for */
    PASSWORD_MAX_BYTES = 32 * 1024,
};

/*
 * What stands before the URL may be said otherwise in it; what stands behind it may not: `one`, of
 * its servers, and the password for that. NULL: all of them in order, as libpq does it.
 */
static enum error_code connect_to(const struct postgresql_config *config,
                                  const struct postgresql_server_address *one, const char *password,
                                  PGconn **handle_out, struct error *err)
{
    const char *const keys[] = {
        "connect_timeout", "tcp_user_timeout",
        "keepalives_idle", "user",
        "password",        "target_session_attrs",
        "dbname",          "fallback_application_name",
        "client_encoding", one ? "host" : NULL,
        "hostaddr",        "port",
        "password",        NULL,
    };
    const char *const values[] = {
        "3",
        "10000",
        "15",
        config->user,
        config->password,
        "read-write",
        config->url,
        "pieroned",
        "UTF8",
        one ? one->server.host : NULL,
        one && one->address ? one->address : "",
        one ? one->port_text : NULL,
        password,
        NULL,
    };
    PGconn *handle = PQconnectdbParams(keys, values, 1);

    *handle_out = handle;
    if (PQstatus(handle) == CONNECTION_OK) {
        return OK;
    }
    return postgresql_error_set_lost(handle, err);
}

static enum error_code connect_with_its_password(const struct postgresql_config *config,
                                                 const struct postgresql_server_address *one,
                                                 PGconn **handle_out, struct error *err)
{
    const struct database_passwords *passwords = config->passwords;
    struct strbuf password;
    enum error_code code = OK;

    strbuf_init_secret(&password, PASSWORD_MAX_BYTES);
    code = passwords->get(passwords->context, &one->server, &password, err);
    if (!code) {
        code = connect_to(config, one, password.text, handle_out, err);
        if (code && PQconnectionUsedPassword(*handle_out)) {
            passwords->doubt(passwords->context, &one->server);
        }
    }
    strbuf_release(&password);
    return code;
}

/* The reason of each server: it is not the last one's that matters most. */
static enum error_code connect_one_by_one(const struct postgresql_config *config,
                                          const struct postgresql_servers *servers,
                                          PGconn **handle_out, struct error *err)
{
    struct error reasons = {0};
    enum error_code code = OK;

    for (size_t i = 0; i < servers->count; i++) {
        struct error reason = {0};
        const struct error before = reasons;

        PQfinish(*handle_out);
        *handle_out = NULL;
        code = connect_with_its_password(config, &servers->servers[i], handle_out, &reason);
        if (!code) {
            return OK;
        }
        (void)error_set(&reasons, code, "%s%s%s", before.message, i > 0 ? "; " : "",
                        reason.message);
        reasons.retry_after_s = reason.retry_after_s;
    }
    if (err) {
        *err = reasons;
    }
    return code;
}

/* *handle_out, NULL before, may be set also on failure, for its caller to close. */
static enum error_code connect_somewhere(const struct postgresql_config *config,
                                         PGconn **handle_out, struct error *err)
{
    struct postgresql_servers servers;
    enum error_code code = OK;

    if (!config->passwords) {
        return connect_to(config, NULL, NULL, handle_out, err);
    }
    code = postgresql_servers_read(config->url, config->user, &servers, err);
    if (!code) {
        code = connect_one_by_one(config, &servers, handle_out, err);
        postgresql_servers_release(&servers);
    }
    return code;
}

static enum error_code check_server(const PGconn *handle, struct error *err)
{
    const char *encoding = PQparameterStatus(handle, "server_encoding");
    enum { OLDEST_VERSION = 140000 };

    if (PQserverVersion(handle) < OLDEST_VERSION) {
        return error_set(err, ERROR_INVALID,
                         "the database is PostgreSQL %d, too old: use 14 or later",
                         PQserverVersion(handle) / 10000);
    }
    if (encoding && strcmp(encoding, "UTF8") != 0) {
        return error_set(err, ERROR_INVALID,
                         "the database keeps text in %s: create one with `encoding 'UTF8'`",
                         encoding);
    }
    return OK;
}

/* A commit that waits for a standby says OK if somebody ends the waiting, and only warns. */
static void notice(void *context, const PGresult *result)
{
    struct postgresql_connection *connection = context;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    if (connection->is_committing && severity && strcmp(severity, "WARNING") == 0) {
        connection->is_commit_unsure = true;
    }
}

enum error_code postgresql_connection_open(struct sql *sql, const struct postgresql_config *config,
                                           struct postgresql_connection **connection_out,
                                           struct error *err)
{
    struct postgresql_connection *connection = NULL;
    PGconn *handle = NULL;
    enum error_code code = connect_somewhere(config, &handle, err);

    if (!code) {
        code = check_server(handle, err);
    }
    if (!code && (PQsetnonblocking(handle, 1) != 0 || PQenterPipelineMode(handle) != 1)) {
        code = postgresql_error_set_lost(handle, err);
    }
    if (code) {
        PQfinish(handle);
        return code;
    }
    connection = memory_new(1, sizeof(*connection));
    connection->connection.sql = sql;
    connection->handle = handle;
    connection->timeout_ms = config->timeout_ms;
    connection->prepares = config->prepared_statements;
    (void)PQsetNoticeReceiver(handle, notice, connection);
    *connection_out = connection;
    return OK;
}

void postgresql_connection_close(struct postgresql_connection *connection)
{
    if (connection) {
        if (connection->is_late) {
            postgresql_cancel_and_close(connection->handle);
        } else {
            PQfinish(connection->handle);
        }
        free(connection);
    }
}

void postgresql_connection_begin(struct postgresql_connection *connection, const char *begin,
                                 const char *setting)
{
    connection->begin[0] = begin;
    connection->begin[1] = setting;
    connection->is_used = false;
    connection->failure = POSTGRESQL_WORKS;
    connection->stale_syncs = connection->syncs;
}

enum error_code postgresql_connection_commit(struct postgresql_connection *connection,
                                             struct error *err)
{
    PGresult *result = NULL;
    enum error_code code = OK;

    if (connection->failure) {
        return postgresql_fail_again(connection, err);
    }
    if (!connection->is_used) {
        return OK;
    }
    connection->is_committing = true;
    connection->is_commit_unsure = false;
    code = postgresql_send_text(connection, "commit", err);
    if (!code) {
        code = postgresql_await(connection, &result, err);
    }
    connection->is_committing = false;
    /* Of a transaction that had failed it says ROLLBACK, and that this is success. */
    if (!code && (connection->is_commit_unsure || strcmp(PQcmdStatus(result), "COMMIT") != 0)) {
        code = postgresql_lose(connection, err);
    }
    PQclear(result);
    if (!code) {
        connection->is_used = false;
    }
    return code;
}

void postgresql_connection_end(struct postgresql_connection *connection)
{
    if (connection->is_used && connection->begin[0] && connection->failure != POSTGRESQL_IS_LOST) {
        connection->failure = POSTGRESQL_WORKS;
        /* By itself: behind a failure that nobody has seen it would be skipped. */
        if ((connection->unsynced > 0 && postgresql_sync(connection, NULL)) ||
            postgresql_send_text(connection, "rollback", NULL) ||
            postgresql_sync(connection, NULL)) {
            (void)postgresql_lose(connection, NULL);
        }
    }
    connection->is_used = false;
}

static enum error_code begin_now(struct postgresql_connection *connection, struct error *err)
{
    enum error_code code = OK;

    if (connection->failure) {
        return postgresql_fail_again(connection, err);
    }
    if (connection->is_used) {
        return OK;
    }
    connection->is_used = true;
    for (size_t i = 0; !code && i < ARRAY_LEN(connection->begin) && connection->begin[i]; i++) {
        code = postgresql_send_text(connection, connection->begin[i], err);
    }
    return code;
}

enum error_code postgresql_connection_run(struct postgresql_connection *connection,
                                          const struct sql_query *query, struct error *err)
{
    PGresult *result = NULL;
    enum error_code code = begin_now(connection, err);

    if (!code) {
        code = postgresql_send(connection, query, err);
    }
    if (!code && connection->unsynced >= UNSYNCED_MAX) {
        code = postgresql_await(connection, &result, err);
    }
    PQclear(result);
    return code;
}

enum error_code postgresql_connection_query(struct postgresql_connection *connection,
                                            const struct sql_query *query, PGresult **result_out,
                                            struct error *err)
{
    enum error_code code = begin_now(connection, err);

    if (!code) {
        code = postgresql_send(connection, query, err);
    }
    return code ? code : postgresql_await(connection, result_out, err);
}

/* Preparing comes before all of them: then a result is one of theirs by its place. */
enum error_code postgresql_connection_batch(struct postgresql_connection *connection,
                                            const struct sql_query *const *queries, size_t count,
                                            PGresult **results_out, struct error *err)
{
    struct postgresql_results results = {.results = results_out, .count = count};
    enum error_code code = begin_now(connection, err);

    for (size_t i = 0; i < count; i++) {
        results_out[i] = NULL;
    }
    for (size_t i = 0; i < count && !code; i++) {
        code = postgresql_prepare(connection, queries[i], err);
    }
    results.skipped = connection->unsynced;
    for (size_t i = 0; i < count && !code; i++) {
        code = postgresql_send(connection, queries[i], err);
    }
    return code ? code : postgresql_await_all(connection, &results, err);
}

static enum error_code await_script(struct postgresql_connection *connection, struct error *err)
{
    const int64_t deadline_ms = clock_monotonic_ms(&clock_system) + SCRIPT_TIMEOUT_MS;
    enum error_code code = postgresql_flush(connection, deadline_ms, err);
    PGresult *result = NULL;

    (void)atomic_fetch_add(&connection->counters->round_trips, 1);
    do {
        const enum error_code lost = postgresql_await_result(connection, deadline_ms, &result, err);

        if (lost) {
            return lost;
        }
        if (result && !code) {
            code = postgresql_check_result(connection, result, err);
        }
        PQclear(result);
    } while (result);
    return code;
}

/* Several statements at once are for the simple protocol, which has no pipeline. */
enum error_code postgresql_connection_script(struct postgresql_connection *connection,
                                             const char *text, struct error *err)
{
    PGresult *result = NULL;
    enum error_code code = begin_now(connection, err);

    if (!code) {
        code = postgresql_await(connection, &result, err);
    }
    PQclear(result);
    if (code) {
        return code;
    }
    if (!PQexitPipelineMode(connection->handle) || !PQsendQuery(connection->handle, text)) {
        return postgresql_lose(connection, err);
    }
    (void)atomic_fetch_add(&connection->counters->statements, 1);
    code = await_script(connection, err);
    if (connection->failure != POSTGRESQL_IS_LOST && !PQenterPipelineMode(connection->handle)) {
        return postgresql_lose(connection, err);
    }
    return code;
}

enum error_code postgresql_connection_skip_ids(struct sql_connection *connection, const char *table,
                                               const char *column, struct error *err)
{
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "select setval(pg_get_serial_sequence('%s', '%s'), "
                   "(select coalesce(max(%s), 0) + 1 from %s), false)",
                   table, column, column, table);

    return postgresql_connection_script(postgresql_connection_of(connection), text, err);
}
