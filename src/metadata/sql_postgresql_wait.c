#include "metadata/sql_postgresql_wait.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"

enum error_code postgresql_sync(struct postgresql_connection *connection, struct error *err)
{
    if (!PQpipelineSync(connection->handle)) {
        return postgresql_lose(connection, err);
    }
    connection->syncs++;
    connection->unsynced = 0;
    return OK;
}

enum error_code postgresql_await(struct postgresql_connection *connection, PGresult **last_out,
                                 struct error *err)
{
    const struct postgresql_results last = {
        .skipped = connection->unsynced > 0 ? connection->unsynced - 1 : 0,
        .count = 1,
        .results = last_out,
    };

    *last_out = NULL;
    return postgresql_await_all(connection, &last, err);
}

static bool is_failure(const PGresult *result)
{
    return PQresultStatus(result) == PGRES_FATAL_ERROR ||
           PQresultStatus(result) == PGRES_PIPELINE_ABORTED;
}

/* Preparing may have been among what the server skipped. */
static void forget_unsure(struct postgresql_connection *connection)
{
    if (connection->prepared_count > connection->prepared_sure) {
        connection->prepared_count = connection->prepared_sure;
        connection->prepared_round++;
    }
}

/* Whether the statement is one of those whose results are wanted. */
static bool results_keep(const struct postgresql_results *results, size_t statement,
                         PGresult *result)
{
    if (statement < results->skipped || statement - results->skipped >= results->count) {
        return false;
    }
    results->results[statement - results->skipped] = result;
    return true;
}

/* Of a statement; `code` is the failure of one before it. */
static enum error_code wait_take_result(struct postgresql_connection *connection,
                                        const struct postgresql_results *results, size_t statement,
                                        PGresult *result, enum error_code code, struct error *err)
{
    if (is_failure(result)) {
        forget_unsure(connection);
    }
    if (!code && connection->stale_syncs == 0) {
        code = postgresql_check_result(connection, result, err);
    }
    if (code || !results_keep(results, statement, result)) {
        PQclear(result);
    }
    return code;
}

/* Up to the next sync; what comes behind a failure is skipped by the server. */
static enum error_code wait_take_batch(struct postgresql_connection *connection,
                                       int64_t deadline_ms,
                                       const struct postgresql_results *results, struct error *err)
{
    enum error_code code = OK;
    size_t count = 0;

    while (connection->failure != POSTGRESQL_IS_LOST) {
        PGresult *result = NULL;
        const enum error_code lost = postgresql_await_result(connection, deadline_ms, &result, err);

        if (lost) {
            return lost;
        }
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            connection->syncs--;
            connection->stale_syncs -= connection->stale_syncs > 0 ? 1 : 0;
            return code;
        }
        if (result) { /* none: the end of a statement */
            code = wait_take_result(connection, results, count++, result, code, err);
        }
    }
    return postgresql_fail_again(connection, err);
}

/* The first counts, unless a later one costs the connection. */
static enum error_code note_failure(struct postgresql_connection *connection,
                                    enum postgresql_failure failure, enum error_code code,
                                    const struct error *reason, struct error *err)
{
    if (!connection->failure || failure == POSTGRESQL_IS_LOST) {
        connection->failure = failure;
        connection->failure_code = code;
        connection->failure_error = *reason;
    }
    return postgresql_fail_again(connection, err);
}

/*
 * The server tells when it has become a standby, or was told to take no more writes: what it says
 * from then on may be old.
 */
static enum error_code check_primary(struct postgresql_connection *connection, struct error *err)
{
    static const char *const names[] = {"in_hot_standby", "default_transaction_read_only"};
    struct error reason = {0};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = PQparameterStatus(connection->handle, names[i]);

        if (value && strcmp(value, "on") == 0) {
            (void)error_set(&reason, ERROR_UNAVAILABLE, "the database takes no writes any more");
            return note_failure(connection, POSTGRESQL_IS_LOST, ERROR_UNAVAILABLE, &reason, err);
        }
    }
    return OK;
}

enum error_code postgresql_await_all(struct postgresql_connection *connection,
                                     const struct postgresql_results *results, struct error *err)
{
    static const struct postgresql_results none = {0};
    const int64_t deadline_ms = clock_monotonic_ms(&clock_system) + connection->timeout_ms;
    enum error_code code = postgresql_sync(connection, err);

    if (!code) {
        code = postgresql_flush(connection, deadline_ms, err);
    }
    (void)atomic_fetch_add(&connection->counters->round_trips, 1);
    while (!code && connection->syncs > 0) {
        code =
            wait_take_batch(connection, deadline_ms, connection->syncs == 1 ? results : &none, err);
    }
    if (!code) {
        connection->prepared_sure = connection->prepared_count;
        code = check_primary(connection, err);
    }
    for (size_t i = 0; i < results->count && code; i++) {
        PQclear(results->results[i]);
        results->results[i] = NULL;
    }
    return code;
}

/* A server that does not answer in time is asked to stop when the connection is closed. */
static enum error_code wait_for_socket(struct postgresql_connection *connection, short events,
                                       int64_t deadline_ms, struct error *err)
{
    const int64_t left_ms = deadline_ms - clock_monotonic_ms(&clock_system);
    struct pollfd socket = {.fd = PQsocket(connection->handle), .events = events};
    struct error reason = {0};

    if (left_ms > 0 && poll(&socket, 1, (int)left_ms) != 0) {
        return OK; /* a signal, too, has us look again */
    }
    connection->is_late = true;
    (void)error_set(&reason, ERROR_UNAVAILABLE, "the database did not answer in time");
    return note_failure(connection, POSTGRESQL_IS_LOST, ERROR_UNAVAILABLE, &reason, err);
}

enum error_code postgresql_await_result(struct postgresql_connection *connection,
                                        int64_t deadline_ms, PGresult **result_out,
                                        struct error *err)
{
    while (PQisBusy(connection->handle)) {
        const enum error_code code = wait_for_socket(connection, POLLIN, deadline_ms, err);

        if (code) {
            return code;
        }
        if (!PQconsumeInput(connection->handle)) {
            return postgresql_lose(connection, err);
        }
    }
    *result_out = PQgetResult(connection->handle);
    return !*result_out && PQstatus(connection->handle) != CONNECTION_OK
               ? postgresql_lose(connection, err)
               : OK;
}

/* The server may wait until we read before it reads on. */
enum error_code postgresql_flush(struct postgresql_connection *connection, int64_t deadline_ms,
                                 struct error *err)
{
    int result = 0;

    while ((result = PQflush(connection->handle)) > 0) {
        const enum error_code code =
            wait_for_socket(connection, POLLIN | POLLOUT, deadline_ms, err);

        if (code) {
            return code;
        }
        if (!PQconsumeInput(connection->handle)) {
            return postgresql_lose(connection, err);
        }
    }
    return result < 0 ? postgresql_lose(connection, err) : OK;
}

enum error_code postgresql_check_result(struct postgresql_connection *connection,
                                        const PGresult *result, struct error *err)
{
    struct error reason = {0};
    const ExecStatusType status = PQresultStatus(result);
    enum error_code code = OK;

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        return OK;
    }
    code = postgresql_error_set(result, &reason);
    return note_failure(connection, postgresql_failure_of(postgresql_state_of(result)), code,
                        &reason, err);
}

enum error_code postgresql_lose(struct postgresql_connection *connection, struct error *err)
{
    struct error reason = {0};
    const enum error_code code = postgresql_error_set_lost(connection->handle, &reason);

    return note_failure(connection, POSTGRESQL_IS_LOST, code, &reason, err);
}

enum error_code postgresql_fail_again(const struct postgresql_connection *connection,
                                      struct error *err)
{
    if (err) {
        *err = connection->failure_error;
    }
    return connection->failure_code;
}
