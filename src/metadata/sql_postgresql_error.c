#include "metadata/sql_postgresql_error.h"

#include <string.h>

#include "base/attributes.h"
#include "base/str.h"

enum { RETRY_AFTER_S = 1 };

/* SQLSTATEs, or their classes: what they begin with. The first that fits counts. */
static const struct {
    const char *state;
    enum postgresql_failure failure;
    enum error_code code;
} states[] = {
    {"08P01", POSTGRESQL_FORGETS, ERROR_UNAVAILABLE},  /* PgBouncer, of statements it never saw */
    {"08", POSTGRESQL_IS_LOST, ERROR_UNAVAILABLE},     /* connection_exception */
    {"0A000", POSTGRESQL_IS_LOST, ERROR_UNAVAILABLE},  /* the plan is of an older schema */
    {"22021", POSTGRESQL_REFUSES, ERROR_INVALID},      /* text that is no UTF-8, or has a NUL */
    {"25006", POSTGRESQL_IS_LOST, ERROR_UNAVAILABLE},  /* read_only_sql_transaction */
    {"26000", POSTGRESQL_FORGETS, ERROR_UNAVAILABLE},  /* invalid_sql_statement_name */
    {"42P05", POSTGRESQL_FORGETS, ERROR_UNAVAILABLE},  /* duplicate_prepared_statement */
    {"40001", POSTGRESQL_COLLIDES, ERROR_UNAVAILABLE}, /* serialization_failure */
    {"40P01", POSTGRESQL_COLLIDES, ERROR_UNAVAILABLE}, /* deadlock_detected */
    {"53100", POSTGRESQL_REFUSES, ERROR_NO_SPACE},     /* disk_full */
    {"53", POSTGRESQL_IS_LOST, ERROR_UNAVAILABLE},     /* insufficient_resources */
    {"55P03", POSTGRESQL_COLLIDES, ERROR_UNAVAILABLE}, /* lock_not_available */
    {"57014", POSTGRESQL_REFUSES, ERROR_UNAVAILABLE},  /* query_canceled: took too long */
    {"57", POSTGRESQL_IS_LOST, ERROR_UNAVAILABLE},     /* it stops, has crashed, is starting */
    {"58", POSTGRESQL_IS_LOST, ERROR_UNAVAILABLE},     /* system_error */
    {"XX", POSTGRESQL_IS_LOST, ERROR_INTERNAL},        /* internal_error, data_corrupted */
    {"", POSTGRESQL_REFUSES, ERROR_INTERNAL},          /* what we asked for is wrong */
};

static size_t postgresql_find_state(struct str state)
{
    size_t i = 0;

    while (!str_starts_with(state, states[i].state)) {
        i++;
    }
    return i;
}

enum postgresql_failure postgresql_failure_of(struct str state)
{
    return state.length == 0 ? POSTGRESQL_IS_LOST : states[postgresql_find_state(state)].failure;
}

struct str postgresql_state_of(const PGresult *result)
{
    return str_from(PQresultErrorField(result, PG_DIAG_SQLSTATE));
}

enum error_code postgresql_error_set(const PGresult *result, struct error *err)
{
    const struct str state = postgresql_state_of(result);
    const char *const message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    enum error_code code = ERROR_UNAVAILABLE;

    if (state.length == 0) {
        code = error_set(err, code, "the connection to the database was lost");
    } else {
        code = error_set(err, states[postgresql_find_state(state)].code,
                         "the database says: %s (%.*s)", message ? message : "nothing",
                         STR_FORMAT(state));
    }
    if (err && code == ERROR_UNAVAILABLE) {
        err->retry_after_s = RETRY_AFTER_S;
    }
    return code;
}

/* libpq writes a line for each server that it tried. */
enum error_code postgresql_error_set_lost(const PGconn *handle, struct error *err)
{
    struct str rest = str_from(PQerrorMessage(handle));
    struct str line = {0};

    (void)str_cut(&rest, '\n', &line);
    (void)error_set(err, ERROR_UNAVAILABLE, "the database cannot be reached: %.*s",
                    STR_FORMAT(line));
    if (err) {
        err->retry_after_s = RETRY_AFTER_S;
    }
    return ERROR_UNAVAILABLE;
}
