#include "metadata/migrate.h"

#include "metadata/rows.h"

struct step {
    const struct migration *migrations;
    size_t count;
    bool is_done;
};

static enum error_code run_next(struct sql_connection *connection, void *context,
                                struct error *err);
static enum error_code find_version(struct sql_connection *connection, void *context,
                                    struct error *err);
static enum error_code read_version(struct sql_connection *connection, int64_t *version_out,
                                    struct error *err);

enum error_code migrate(struct sql *sql, const struct migration *migrations, size_t count,
                        struct error *err)
{
    struct step step = {.migrations = migrations, .count = count};
    enum error_code code = OK;

    while (!code && !step.is_done) {
        code = sql_write(sql, SQL_DURABLE, run_next, &step, err);
    }
    return code;
}

enum error_code migrate_check(struct sql *sql, const struct migration *migrations, size_t count,
                              struct error *err)
{
    int64_t version = 0;
    const enum error_code code = sql_read(sql, find_version, &version, err);

    (void)migrations;
    if (code || version == (int64_t)count) {
        return code;
    }
    return error_set(err, ERROR_INVALID,
                     "the database has schema version %lld, and this program's is %zu: use the "
                     "program of the server that runs here, or start this one's first",
                     (long long)version, count);
}

static enum error_code find_version(struct sql_connection *connection, void *context,
                                    struct error *err)
{
    return read_version(connection, context, err);
}

/* The version is read inside the writing transaction: of two programs, the second finds the step
 * done. */
static enum error_code run_next(struct sql_connection *connection, void *context, struct error *err)
{
    struct step *step = context;
    struct sql_query record = {.text = "insert into schema_version (version, name) values ($1, $2)",
                               .count = 2};
    enum error_code code = OK;
    int64_t version = 0;

    code = sql_lock(connection, NULL, err);
    if (!code) {
        code = sql_script(connection,
                          "create table if not exists schema_version "
                          "(version integer primary key, name text not null)",
                          err);
    }
    if (!code) {
        code = read_version(connection, &version, err);
    }
    if (code) {
        return code;
    }
    if (version > (int64_t)step->count) {
        return error_set(
            err, ERROR_INVALID,
            "the database has schema version %lld, and this program knows %zu: it was used "
            "by a newer one; run that",
            (long long)version, step->count);
    }
    step->is_done = version == (int64_t)step->count;
    if (step->is_done) {
        return OK;
    }
    while (!step->migrations[version].script) {
        version++;
    }
    code = sql_script(connection, step->migrations[version].script, err);
    if (code) {
        return code;
    }
    record.values[0] = sql_integer(version + 1);
    record.values[1] = sql_text(str_from(step->migrations[version].name));
    return sql_run(connection, &record, err);
}

static enum error_code read_version(struct sql_connection *connection, int64_t *version_out,
                                    struct error *err)
{
    static const struct sql_query query = {
        .text = "select coalesce(max(version), 0) from schema_version"};
    const struct row_reader reader = {.read = row_read_integer, .into = version_out};

    return rows_find(connection, &query, &reader, err);
}
