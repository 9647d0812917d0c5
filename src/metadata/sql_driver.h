#pragma once

#include "metadata/sql.h"

/*
 * What a database owes; the guide to the next driver. Instances embed struct sql, connections
 * struct sql_connection, rows struct sql_rows as first member. A connection is used by one thread
 * at a time. ERROR_UNAVAILABLE: busy or gone, trying again may help.
 */
enum sql_reading { SQL_READ_MANY, SQL_READ_ONE /* query */ };

struct sql_driver {
    void (*free)(struct sql *sql);

    /*
     * As sql_read, sql_read_once and sql_write. How connections are shared is the driver's
     * business: it may keep callers waiting, call a work again that the database could not
     * serialize, put the works of several callers into one commit. What it may not: return OK
     * before the commit is as durable as asked, commit anything of a work that failed, or return
     * while the work may yet be called.
     */
    enum error_code (*read)(struct sql *sql, enum sql_reading reading, sql_work *work,
                            void *context, struct error *err);
    enum error_code (*write)(struct sql *sql, enum sql_durability durability, sql_work *work,
                             void *context, struct error *err);

    /* As the functions of sql.h that are named alike. */
    enum error_code (*query)(struct sql_connection *connection, const struct sql_query *query,
                             struct sql_rows **rows_out, struct error *err);
    enum error_code (*run)(struct sql_connection *connection, const struct sql_query *query,
                           struct error *err);
    enum error_code (*next)(struct sql_rows *rows, bool *is_row_out, struct error *err);
    struct sql_value (*column)(const struct sql_rows *rows, int column);
    void (*close)(struct sql_rows *rows);
    enum error_code (*batch)(struct sql_connection *connection, const struct sql_batch *batch,
                             struct error *err);
    enum error_code (*script)(struct sql_connection *connection, const char *text,
                              struct error *err);
    enum error_code (*lock)(struct sql_connection *connection, const char *tables,
                            struct error *err);
    enum error_code (*skip_ids)(struct sql_connection *connection, const char *table,
                                const char *column, struct error *err);
};

struct sql {
    const struct sql_driver *driver;
};

struct sql_connection {
    struct sql *sql;
    bool is_repeated; /* see sql_is_repeated */
};

struct sql_rows {
    struct sql_connection *connection;
};
