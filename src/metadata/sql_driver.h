#pragma once

#include "metadata/sql.h"

/*
 * What a database owes; the guide to the next driver. Instances embed struct sql, connections
 * struct sql_connection, rows struct sql_rows as first member. A connection is used by one thread
 * at a time. ERROR_UNAVAILABLE: busy or gone, trying again may help.
 */
struct sql_driver {
    void (*free)(struct sql *sql);

    /* Lends a connection, waiting for one if all are lent; for writing the only one, or one of
     * many. */
    enum error_code (*acquire)(struct sql *sql, bool writes, struct sql_connection **connection_out,
                               struct error *err);
    void (*release)(struct sql_connection *connection);

    /* One transaction. After a failed commit nothing of it may become visible later. */
    enum error_code (*begin)(struct sql_connection *connection, bool writes,
                             enum sql_durability durability, struct error *err);
    enum error_code (*commit)(struct sql_connection *connection, struct error *err);
    void (*rollback)(struct sql_connection *connection);

    /* As the functions of sql.h that are named alike. */
    enum error_code (*query)(struct sql_connection *connection, const struct sql_query *query,
                             struct sql_rows **rows_out, struct error *err);
    enum error_code (*next)(struct sql_rows *rows, bool *is_row_out, struct error *err);
    struct sql_value (*column)(const struct sql_rows *rows, int column);
    void (*close)(struct sql_rows *rows);
    enum error_code (*script)(struct sql_connection *connection, const char *text,
                              struct error *err);
};

struct sql {
    const struct sql_driver *driver;
};

struct sql_connection {
    struct sql *sql;
};

struct sql_rows {
    struct sql_connection *connection;
};
