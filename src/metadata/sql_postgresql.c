#include "metadata/sql_postgresql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "metadata/sql_postgresql_pool.h"

enum {
    COLLISIONS_MAX = 20,
    PAUSE_MS = 4, /* after the first collision */
    /* pg_type.oid of PostgreSQL; they never change */
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
};

/* schema/postgresql/NNN-….sql, embedded by the build */
extern const char schema_postgresql_013[];

struct postgresql {
    struct sql sql; /* first */
    struct postgresql_config config;
    struct postgresql_counters counters;
    struct postgresql_pool *pool;
};

static struct postgresql *postgresql_of(struct sql *sql)
{
    return (struct postgresql *)sql; /* its first member */
}

struct postgresql_rows {
    struct sql_rows rows; /* first */
    PGresult *result;
    int row; /* the one that is read */
};

static struct postgresql_rows *postgresql_rows_of(struct sql_rows *rows)
{
    return (struct postgresql_rows *)rows; /* its first member */
}

/* What a call is asked to do. */
struct transaction {
    const char *begin;
    const char *setting;
    const char *repeated_setting; /* when it is done again */
    bool is_write;
    sql_work *work;
    void *context;
};

static const struct migration migrations[] = {
    [12] = {"initial", schema_postgresql_013, 0},
};

const struct migration *sql_postgresql_migrations(size_t *count_out)
{
    *count_out = ARRAY_LEN(migrations);
    return migrations;
}

/* Asked as every statement is, so behind a proxy, too. */
static enum error_code check_durability(struct sql_connection *connection, void *context,
                                        struct error *err)
{
    static const struct sql_query question = {
        .text = "select 1 where current_setting('synchronous_commit') = 'off'"};
    bool is_off = false;
    const enum error_code code = sql_run_for_row(connection, &question, &is_off, err);

    (void)context;
    return code || !is_off
               ? code
               : error_set(err, ERROR_INVALID,
                           "the database would lose pushes that were acknowledged: "
                           "synchronous_commit is off for this role, database or server; "
                           "set it to on");
}

static void postgresql_free(struct sql *sql)
{
    struct postgresql *database = postgresql_of(sql);

    postgresql_pool_free(database->pool);
    free(database);
}

/* Whatever the work makes of a failure of the database's, that is what counts. */
static enum error_code try_once(struct postgresql *database, const struct transaction *transaction,
                                int64_t deadline_ms, bool is_repeated,
                                enum postgresql_failure *failure_out, struct error *err)
{
    struct postgresql_connection *connection = NULL;
    enum error_code code = postgresql_pool_lend(database->pool, deadline_ms, &connection, err);

    *failure_out = POSTGRESQL_WORKS;
    if (code) {
        return code;
    }
    connection->connection.is_repeated = is_repeated;
    postgresql_connection_begin(connection, transaction->begin,
                                is_repeated ? transaction->repeated_setting : transaction->setting);
    code = transaction->work(&connection->connection, transaction->context, err);
    if (connection->failure || (!code && transaction->is_write)) {
        code = postgresql_connection_commit(connection, err); /* or says what it was */
    }
    *failure_out = connection->failure;
    postgresql_connection_end(connection);
    if (connection->failure == POSTGRESQL_WORKS && *failure_out == POSTGRESQL_IS_LOST) {
        connection->failure = POSTGRESQL_IS_LOST;
    }
    postgresql_pool_give_back(database->pool, connection);
    return code;
}

/* Random, or those who collided would do so again. */
static void pause_after(unsigned collisions)
{
    uint32_t number = 0;

    random_fill(&number, sizeof(number));
    clock_pause(number % (PAUSE_MS * collisions));
}

static bool postgresql_is_retryable(enum postgresql_failure failure)
{
    return failure == POSTGRESQL_COLLIDES || failure == POSTGRESQL_FORGETS ||
           failure == POSTGRESQL_IS_LOST;
}

/*
 * A commit that nobody heard of is done again: works do the same once and twice, and what was
 * committed they find done.
 */
static enum error_code try_again_and_again(struct postgresql *database,
                                           const struct transaction *transaction, int64_t time_ms,
                                           struct error *err)
{
    const int64_t deadline_ms = clock_monotonic_ms(&clock_system) + time_ms;
    enum postgresql_failure failure = POSTGRESQL_WORKS;
    enum error_code code = OK;
    unsigned collisions = 0;
    bool is_repeated = false;

    do {
        is_repeated = is_repeated || failure == POSTGRESQL_IS_LOST;
        code = try_once(database, transaction, deadline_ms, is_repeated, &failure, err);
        if (failure == POSTGRESQL_FORGETS) {
            postgresql_pool_stop_preparing(database->pool);
        } else if (failure == POSTGRESQL_COLLIDES) {
            pause_after(++collisions);
        }
    } while (postgresql_is_retryable(failure) && collisions < COLLISIONS_MAX &&
             clock_monotonic_ms(&clock_system) < deadline_ms);
    return code;
}

static enum error_code run_transaction(struct sql *sql, const struct transaction *transaction,
                                       struct error *err)
{
    struct postgresql *database = postgresql_of(sql);

    return try_again_and_again(database, transaction, database->config.retry_ms, err);
}

static enum error_code postgresql_read(struct sql *sql, enum sql_reading reading, sql_work *work,
                                       void *context, struct error *err)
{
    const struct transaction transaction = {
        .begin =
            reading == SQL_READ_ONE ? NULL : "begin isolation level repeatable read, read only",
        .work = work,
        .context = context,
    };

    return run_transaction(sql, &transaction, err);
}

/* Said for the transaction alone, which proxies allow. */
static const char without_flush[] = "select set_config('synchronous_commit', 'off', true)";

/*
 * A work that finds done what a commit did of which nobody heard, writes nothing, and then nothing
 * would be waited for: not the disk, nor a standby. Behind this, the commit waits for both.
 */
static const char with_flush[] =
    "select pg_logical_emit_message(true, text 'pieroned', text 'again')";

static enum error_code postgresql_write(struct sql *sql, enum sql_durability durability,
                                        sql_work *work, void *context, struct error *err)
{
    const struct transaction transaction = {
        .begin = "begin isolation level read committed",
        .setting = durability == SQL_RELAXED ? without_flush : NULL,
        .repeated_setting = durability == SQL_RELAXED ? without_flush : with_flush,
        .is_write = true,
        .work = work,
        .context = context,
    };

    return run_transaction(sql, &transaction, err);
}

static enum error_code postgresql_query(struct sql_connection *connection,
                                        const struct sql_query *query, struct sql_rows **rows_out,
                                        struct error *err)
{
    PGresult *result = NULL;
    const enum error_code code =
        postgresql_connection_query(postgresql_connection_of(connection), query, &result, err);
    struct postgresql_rows *rows = NULL;

    if (code) {
        return code;
    }
    rows = memory_new(1, sizeof(*rows));
    rows->rows.connection = connection;
    rows->result = result;
    rows->row = -1;
    *rows_out = &rows->rows;
    return OK;
}

static enum error_code postgresql_run(struct sql_connection *connection,
                                      const struct sql_query *query, struct error *err)
{
    return postgresql_connection_run(postgresql_connection_of(connection), query, err);
}

static enum error_code postgresql_next(struct sql_rows *rows, bool *is_row_out, struct error *err)
{
    struct postgresql_rows *read = postgresql_rows_of(rows);

    (void)err;
    *is_row_out = read->row + 1 < PQntuples(read->result);
    read->row += *is_row_out ? 1 : 0;
    return OK;
}

/* In the order of the network, two's complement. */
static int64_t integer_at(const char *bytes, size_t length)
{
    const unsigned char *const digits = (const unsigned char *)bytes;
    uint64_t number = length > 1 && digits[0] > 0x7f ? UINT64_MAX : 0;

    for (size_t i = 0; i < length; i++) {
        number = number << 8 | digits[i];
    }
    return (int64_t)number;
}

static struct sql_value postgresql_column(const struct sql_rows *rows, int column)
{
    const struct postgresql_rows *read =
        (const struct postgresql_rows *)rows; /* its first member */
    const struct str value = {PQgetvalue(read->result, read->row, column),
                              (size_t)PQgetlength(read->result, read->row, column)};

    if (PQgetisnull(read->result, read->row, column)) {
        return sql_null();
    }
    switch (PQftype(read->result, column)) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return sql_integer(integer_at(value.bytes, value.length));
    case OID_BYTEA:
        return sql_bytes(value);
    default:
        return sql_text(value);
    }
}

static void postgresql_close(struct sql_rows *rows)
{
    PQclear(postgresql_rows_of(rows)->result);
    free(rows);
}

/* The part of a batch that begins there. */
static enum error_code run_part(struct sql_connection *connection, const struct sql_batch *batch,
                                size_t begin, struct error *err)
{
    const struct sql_query *queries[POSTGRESQL_BATCH_MAX] = {0};
    PGresult *results[POSTGRESQL_BATCH_MAX];
    const size_t left = batch->count - begin;
    const size_t count = left < POSTGRESQL_BATCH_MAX ? left : POSTGRESQL_BATCH_MAX;
    enum error_code code = OK;

    /* cppcheck-suppress knownConditionTrueFalse; it takes the condition for the count */
    for (size_t i = 0; i < count; i++) {
        queries[i] = batch->query(batch->context, begin + i);
    }
    code = postgresql_connection_batch(postgresql_connection_of(connection), queries, count,
                                       results, err);
    /* cppcheck-suppress knownConditionTrueFalse; as above */
    for (size_t i = 0; i < count; i++) {
        struct postgresql_rows rows = {{connection}, results[i], -1};

        if (!code) {
            code = batch->take(batch->context, begin + i, &rows.rows, err);
        }
        PQclear(results[i]);
    }
    return code;
}

static enum error_code postgresql_batch(struct sql_connection *connection,
                                        const struct sql_batch *batch, struct error *err)
{
    enum error_code code = OK;

    for (size_t i = 0; i < batch->count && !code; i += POSTGRESQL_BATCH_MAX) {
        code = run_part(connection, batch, i, err);
    }
    return code;
}

static enum error_code postgresql_script(struct sql_connection *connection, const char *text,
                                         struct error *err)
{
    return postgresql_connection_script(postgresql_connection_of(connection), text, err);
}

/* Both end with the transaction, as proxies demand. */
static enum error_code postgresql_lock(struct sql_connection *connection, const char *tables,
                                       struct error *err)
{
    char text[256] = "select pg_advisory_xact_lock(1346979154)";

    if (tables) {
        (void)snprintf(text, sizeof(text), "lock table %s in share row exclusive mode", tables);
    }
    return postgresql_script(connection, text, err);
}

static const struct sql_driver postgresql_driver = {
    .free = postgresql_free,
    .read = postgresql_read,
    .write = postgresql_write,
    .query = postgresql_query,
    .run = postgresql_run,
    .next = postgresql_next,
    .column = postgresql_column,
    .close = postgresql_close,
    .batch = postgresql_batch,
    .script = postgresql_script,
    .lock = postgresql_lock,
    .skip_ids = postgresql_connection_skip_ids,
};

enum error_code sql_postgresql_open(const struct postgresql_config *config, struct sql **sql_out,
                                    struct error *err)
{
    const struct transaction transaction = {
        .begin = "begin", .is_write = true, .work = check_durability};
    struct postgresql *database = memory_new(1, sizeof(*database));
    enum error_code code = OK;

    database->sql.driver = &postgresql_driver;
    database->config = *config;
    database->pool = postgresql_pool_new(&database->sql, &database->config, &database->counters);
    code = try_again_and_again(database, &transaction, config->start_ms, err);
    if (code) {
        postgresql_free(&database->sql);
        return code;
    }
    *sql_out = &database->sql;
    return OK;
}

void sql_postgresql_count(const struct sql *sql, uint64_t *statements_out,
                          uint64_t *round_trips_out)
{
    const struct postgresql *database = (const struct postgresql *)sql; /* its first member */

    *statements_out = atomic_load(&database->counters.statements);
    *round_trips_out = atomic_load(&database->counters.round_trips);
}
