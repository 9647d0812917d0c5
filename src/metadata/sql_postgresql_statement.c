#include "metadata/sql_postgresql_statement.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "metadata/sql_postgresql_wait.h"

enum {
    VALUES_MAX = ARRAY_LEN(((struct sql_query *)NULL)->values),
    /* pg_type.oid of PostgreSQL; they never change */
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_TEXT = 25,
};

/* Values as libpq takes them. */
struct parameters {
    uint32_t types; /* all of them, two bits each */
    int count;
    Oid oids[VALUES_MAX];
    const char *bytes[VALUES_MAX];
    int lengths[VALUES_MAX];
    int formats[VALUES_MAX];
    unsigned char integers[VALUES_MAX][sizeof(int64_t)];
};

static void write_integer(int64_t integer, unsigned char bytes_out[sizeof(int64_t)])
{
    uint64_t rest = (uint64_t)integer;

    for (size_t i = sizeof(integer); i > 0; i--) {
        bytes_out[i - 1] = rest & UINT8_MAX;
        rest >>= CHAR_BIT;
    }
}

/* Integers and bytes go as they are, in the order of the network; text is text in both formats. */
static void set_parameter(const struct sql_value *value, struct parameters *parameters, int i)
{
    static const Oid oids[] = {
        [SQL_NULL] = 0, [SQL_INTEGER] = OID_INT8, [SQL_TEXT] = OID_TEXT, [SQL_BYTES] = OID_BYTEA};

    parameters->types |= (uint32_t)value->type << (2 * i);
    parameters->oids[i] = oids[value->type];
    parameters->formats[i] = 1;
    parameters->bytes[i] = value->bytes.length > 0 ? value->bytes.bytes : "";
    parameters->lengths[i] = (int)value->bytes.length;
    if (value->type == SQL_INTEGER) {
        write_integer(value->integer, parameters->integers[i]);
        parameters->bytes[i] = (const char *)parameters->integers[i];
        parameters->lengths[i] = sizeof(parameters->integers[i]);
    }
    if (value->type == SQL_NULL) {
        parameters->bytes[i] = NULL;
    }
}

static void set_parameters(const struct sql_query *query, struct parameters *parameters_out)
{
    parameters_out->types = 0;
    parameters_out->count = (int)query->count;
    for (int i = 0; i < parameters_out->count; i++) {
        set_parameter(&query->values[i], parameters_out, i);
    }
}

static const struct postgresql_prepared *
find_prepared(const struct postgresql_connection *connection, const char *text,
              const struct parameters *parameters)
{
    for (size_t i = 0; i < connection->prepared_count; i++) {
        const struct postgresql_prepared *prepared = &connection->prepared[i];

        if (prepared->text == text && prepared->types == parameters->types) {
            return prepared;
        }
    }
    return NULL;
}

static enum error_code count_sent(struct postgresql_connection *connection, int is_sent,
                                  struct error *err)
{
    if (!is_sent) {
        return postgresql_lose(connection, err);
    }
    connection->unsynced++;
    (void)atomic_fetch_add(&connection->counters->statements, 1);
    return OK;
}

enum error_code postgresql_send(struct postgresql_connection *connection,
                                const struct sql_query *query, struct error *err)
{
    const struct postgresql_prepared *prepared = NULL;
    struct parameters values;
    enum error_code code = postgresql_prepare(connection, query, err);
    int is_sent = 0;

    if (code) {
        return code;
    }
    set_parameters(query, &values);
    prepared = connection->prepares ? find_prepared(connection, query->text, &values) : NULL;
    is_sent = prepared
                  ? PQsendQueryPrepared(connection->handle, prepared->name, values.count,
                                        values.bytes, values.lengths, values.formats, 1)
                  : PQsendQueryParams(connection->handle, query->text, values.count, values.oids,
                                      values.bytes, values.lengths, values.formats, 1);
    return count_sent(connection, is_sent, err);
}

/* The same text may stand in two places of the program. */
static bool has_name(const struct postgresql_connection *connection, const char *name)
{
    for (size_t i = 0; i < connection->prepared_count; i++) {
        if (strcmp(connection->prepared[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * Named by what it says: behind a proxy, another program's statement of that name may be what is
 * found, and must be the same. One too many is not prepared.
 */
static enum error_code prepare(struct postgresql_connection *connection, const char *text,
                               const struct parameters *parameters, struct error *err)
{
    struct postgresql_prepared prepared = {.text = text, .types = parameters->types};
    const struct digest hash = hasher_digest_of(DIGEST_SHA256, str_from(text));
    char digest[DIGEST_TEXT_BYTES];

    if (connection->prepared_count == POSTGRESQL_PREPARED_MAX) {
        return OK;
    }
    digest_format(&hash, digest);
    (void)snprintf(prepared.name, sizeof(prepared.name), "p%.24s_%x_%u",
                   digest + sizeof("sha256:") - 1, parameters->types, connection->prepared_round);
    if (!has_name(connection, prepared.name)) {
        if (!PQsendPrepare(connection->handle, prepared.name, text, parameters->count,
                           parameters->oids)) {
            return postgresql_lose(connection, err);
        }
        connection->unsynced++;
    }
    connection->prepared[connection->prepared_count++] = prepared;
    return OK;
}

/* Goes along with the first use. */
enum error_code postgresql_prepare(struct postgresql_connection *connection,
                                   const struct sql_query *query, struct error *err)
{
    struct parameters parameters;

    if (!connection->prepares) {
        return OK;
    }
    set_parameters(query, &parameters);
    return find_prepared(connection, query->text, &parameters)
               ? OK
               : prepare(connection, query->text, &parameters, err);
}

enum error_code postgresql_send_text(struct postgresql_connection *connection, const char *text,
                                     struct error *err)
{
    return count_sent(
        connection, PQsendQueryParams(connection->handle, text, 0, NULL, NULL, NULL, NULL, 1), err);
}
