#include "metadata/migrate.h"

#include "metadata/rows.h"

struct step {
    const struct migration *migrations;
    size_t count;
    bool fills; /* see migrate_to_fill */
    bool is_done;
};

/* What a database says of itself. */
struct schema_state {
    size_t count; /* of the program that asks */
    bool fills;   /* … and whether it does */
    int64_t version;
    bool is_usable; /* by it, although it is newer */
};

static const char own_tables[] =
    "create table if not exists schema_version (version integer primary key, name text not null);"
    "create table if not exists schema_compatibility "
    "(version integer primary key, oldest integer not null)";

static enum error_code refuse_half(struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "a registry is being moved to this database, and not all of it has come: run "
                     "`pieroned migrate` to its end, which says so, or name another database");
}

static enum error_code read_version(struct sql_connection *connection, struct schema_state *state,
                                    struct error *err)
{
    static const struct sql_query newest = {
        .text = "select coalesce(max(version), 0) from schema_version"};
    static const struct sql_query newest_of_schema = {
        .text = "select coalesce(max(version), 0) from schema_version where version < 1000000000"};
    const struct row_reader reader = {.read = row_read_integer, .into = &state->version};
    const enum error_code code =
        rows_find(connection, state->fills ? &newest_of_schema : &newest, &reader, err);

    return !code && state->version == MIGRATE_BEING_FILLED ? refuse_half(err) : code;
}

struct newer {
    int64_t steps;
    int64_t oldest;
};

static void read_newer(struct row *row, void *into)
{
    struct newer *newer = into;

    newer->steps = row_integer(row);
    newer->oldest = row_integer(row);
}

/* Each step that the program does not know has to say that it may stay. */
static enum error_code find_usable(struct sql_connection *connection, struct schema_state *state,
                                   struct error *err)
{
    const struct sql_query query = {
        .text = "select count(*), coalesce(max(oldest), 0) from schema_compatibility "
                "where version > $1",
        .values = {sql_integer((int64_t)state->count)},
        .count = 1,
    };
    struct newer newer = {0};
    const struct row_reader reader = {.read = read_newer, .into = &newer};
    const enum error_code code = rows_find(connection, &query, &reader, err);

    state->is_usable = newer.steps == state->version - (int64_t)state->count &&
                       newer.oldest <= (int64_t)state->count;
    return code;
}

static enum error_code migrate_find_state(struct sql_connection *connection, void *context,
                                          struct error *err)
{
    struct schema_state *state = context;
    const enum error_code code = read_version(connection, state, err);

    return code || state->version <= (int64_t)state->count ? code
                                                           : find_usable(connection, state, err);
}

static enum error_code record_step(struct sql_connection *connection,
                                   const struct migration *migration, int64_t version,
                                   struct error *err)
{
    const struct sql_query record = {
        .text = "insert into schema_version (version, name) values ($1, $2)",
        .values = {sql_integer(version), sql_text(str_from(migration->name))},
        .count = 2,
    };
    const struct sql_query compatibility = {
        .text = "insert into schema_compatibility (version, oldest) values ($1, $2)",
        .values = {sql_integer(version),
                   sql_integer(migration->oldest > 0 ? migration->oldest : version)},
        .count = 2,
    };
    const enum error_code code = sql_run(connection, &record, err);

    return code ? code : sql_run(connection, &compatibility, err);
}

/* The version is read inside the writing transaction: of two programs, the second finds the step
 * done. */
static enum error_code run_next(struct sql_connection *connection, void *context, struct error *err)
{
    struct step *step = context;
    struct schema_state state = {.count = step->count, .fills = step->fills};
    enum error_code code = sql_lock(connection, NULL, err);
    int64_t version = 0;

    if (!code) {
        code = sql_script(connection, own_tables, err);
    }
    if (!code) {
        code = migrate_find_state(connection, &state, err);
    }
    if (code) {
        return code;
    }
    version = state.version;
    if (version > (int64_t)step->count && !state.is_usable) {
        return error_set(
            err, ERROR_INVALID,
            "the database has schema version %lld, and this program knows %zu: it was used "
            "by a newer one; run that",
            (long long)version, step->count);
    }
    step->is_done = version >= (int64_t)step->count;
    if (step->is_done) {
        return OK;
    }
    while (!step->migrations[version].script) {
        version++;
    }
    code = sql_script(connection, step->migrations[version].script, err);
    return code ? code : record_step(connection, &step->migrations[version], version + 1, err);
}

static enum error_code run_all(struct sql *sql, struct step *step, struct error *err)
{
    enum error_code code = OK;

    while (!code && !step->is_done) {
        code = sql_write(sql, SQL_DURABLE, run_next, step, err);
    }
    return code;
}

enum error_code migrate(struct sql *sql, const struct migration *migrations, size_t count,
                        struct error *err)
{
    struct step step = {.migrations = migrations, .count = count};

    return run_all(sql, &step, err);
}

enum error_code migrate_to_fill(struct sql *sql, const struct migration *migrations, size_t count,
                                struct error *err)
{
    struct step step = {.migrations = migrations, .count = count, .fills = true};

    return run_all(sql, &step, err);
}

enum error_code migrate_check(struct sql *sql, const struct migration *migrations, size_t count,
                              struct error *err)
{
    struct schema_state state = {.count = count};
    const enum error_code code = sql_read(sql, migrate_find_state, &state, err);

    (void)migrations;
    if (code || state.version == (int64_t)count || state.is_usable) {
        return code;
    }
    return error_set(err, ERROR_INVALID,
                     "the database has schema version %lld, and this program's is %zu: use the "
                     "program of the server that runs here, or start this one's first",
                     (long long)state.version, count);
}
