#include "metadata/sql.h"

#include "metadata/sql_driver.h"

struct sql_value sql_null(void)
{
    return (struct sql_value){.type = SQL_NULL};
}

struct sql_value sql_integer(int64_t integer)
{
    return (struct sql_value){.type = SQL_INTEGER, .integer = integer};
}

struct sql_value sql_text(struct str text)
{
    return (struct sql_value){.type = SQL_TEXT, .bytes = text};
}

struct sql_value sql_bytes(struct str bytes)
{
    return (struct sql_value){.type = SQL_BYTES, .bytes = bytes};
}

bool sql_is_repeated(const struct sql_connection *connection)
{
    return connection->is_repeated;
}

void sql_free(struct sql *sql)
{
    if (sql) {
        sql->driver->free(sql);
    }
}

enum error_code sql_read(struct sql *sql, sql_work *work, void *context, struct error *err)
{
    return sql->driver->read(sql, SQL_READ_MANY, work, context, err);
}

enum error_code sql_read_once(struct sql *sql, sql_work *work, void *context, struct error *err)
{
    return sql->driver->read(sql, SQL_READ_ONE, work, context, err);
}

enum error_code sql_write(struct sql *sql, enum sql_durability durability, sql_work *work,
                          void *context, struct error *err)
{
    return sql->driver->write(sql, durability, work, context, err);
}

enum error_code sql_query(struct sql_connection *connection, const struct sql_query *query,
                          struct sql_rows **rows_out, struct error *err)
{
    return connection->sql->driver->query(connection, query, rows_out, err);
}

enum error_code sql_rows_next(struct sql_rows *rows, bool *is_row_out, struct error *err)
{
    return rows->connection->sql->driver->next(rows, is_row_out, err);
}

enum error_code sql_query_row(struct sql_connection *connection, const struct sql_query *query,
                              struct sql_rows **rows_out, bool *is_row_out, struct error *err)
{
    const enum error_code code = sql_query(connection, query, rows_out, err);

    return code ? code : sql_rows_next(*rows_out, is_row_out, err);
}

struct sql_value sql_rows_column(const struct sql_rows *rows, int column)
{
    return rows->connection->sql->driver->column(rows, column);
}

void sql_rows_close(struct sql_rows **rows)
{
    if (*rows) {
        (*rows)->connection->sql->driver->close(*rows);
        *rows = NULL;
    }
}

enum error_code sql_run(struct sql_connection *connection, const struct sql_query *query,
                        struct error *err)
{
    return connection->sql->driver->run(connection, query, err);
}

enum error_code sql_run_for_row(struct sql_connection *connection, const struct sql_query *query,
                                bool *is_row_out, struct error *err)
{
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;

    return sql_query_row(connection, query, &rows, is_row_out, err);
}

enum error_code sql_batch_run(struct sql_connection *connection, const struct sql_batch *batch,
                              struct error *err)
{
    return connection->sql->driver->batch(connection, batch, err);
}

enum error_code sql_script(struct sql_connection *connection, const char *text, struct error *err)
{
    return connection->sql->driver->script(connection, text, err);
}

enum error_code sql_lock(struct sql_connection *connection, const char *tables, struct error *err)
{
    return connection->sql->driver->lock(connection, tables, err);
}

enum error_code sql_skip_ids(struct sql_connection *connection, const char *table,
                             const char *column, struct error *err)
{
    return connection->sql->driver->skip_ids(connection, table, column, err);
}
