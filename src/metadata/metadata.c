#include "metadata/metadata.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "metadata/metadata_private.h"
#include "metadata/migrate.h"
#include "metadata/sql_postgresql.h"
#include "metadata/sql_sqlite.h"

/* Longer than a standby takes to be promoted, shorter than a supervisor's patience. */
enum { START_MS = 30 * 1000 };

/* NULL: it is no SQLite. */
static const char *sqlite_path(const struct database_settings *settings, const char *default_path)
{
    static const char prefix[] = "sqlite:";

    if (!settings->url) {
        return default_path;
    }
    return str_starts_with(str_from(settings->url), prefix) ? settings->url + sizeof(prefix) - 1
                                                            : NULL;
}

static enum error_code open_database(const struct database_settings *settings, const char *path,
                                     struct sql **sql_out, struct error *err)
{
    const struct postgresql_config config = {
        .url = settings->url,
        .user = settings->user,
        .password = settings->password,
        .passwords = settings->passwords,
        .connections = settings->connections,
        .timeout_ms = settings->timeout_ms,
        .start_ms = START_MS,
        .retry_ms = settings->retry_time_ms,
        .prepared_statements = settings->prepared_statements,
    };

    return path ? sql_sqlite_open(path, sql_out, err) : sql_postgresql_open(&config, sql_out, err);
}

static enum error_code bring_up(struct sql *sql, migrating *steps, const char *path,
                                struct error *err)
{
    size_t count = 0;
    const struct migration *const migrations =
        path ? sql_sqlite_migrations(&count) : sql_postgresql_migrations(&count);

    return steps(sql, migrations, count, err);
}

static enum error_code open_and_migrate(const struct database_settings *settings,
                                        const char *default_path, migrating *steps,
                                        struct metadata **metadata_out, struct error *err)
{
    const char *const path = sqlite_path(settings, default_path);
    struct sql *sql = NULL;
    enum error_code code = open_database(settings, path, &sql, err);

    if (!code) {
        code = bring_up(sql, steps, path, err);
    }
    if (code) {
        sql_free(sql);
        return code;
    }
    *metadata_out = memory_new(1, sizeof(**metadata_out));
    (*metadata_out)->sql = sql;
    return OK;
}

enum error_code metadata_open(const struct database_settings *settings, const char *default_path,
                              struct metadata **metadata_out, struct error *err)
{
    return open_and_migrate(settings, default_path, migrate, metadata_out, err);
}

enum error_code metadata_join(const struct database_settings *settings, const char *default_path,
                              struct metadata **metadata_out, struct error *err)
{
    const char *const path = sqlite_path(settings, default_path);

    if (path && access(path, F_OK) != 0) {
        return error_set(err, ERROR_INVALID, "there is no database %s", path);
    }
    return open_and_migrate(settings, default_path, migrate_check, metadata_out, err);
}

enum error_code metadata_open_to_fill(const struct database_settings *settings,
                                      const char *default_path, struct metadata **metadata_out,
                                      struct error *err)
{
    return open_and_migrate(settings, default_path, migrate_to_fill, metadata_out, err);
}

enum error_code metadata_open_sqlite(const char *path, struct metadata **metadata_out,
                                     struct error *err)
{
    static const struct database_settings none = {0};

    return metadata_open(&none, path, metadata_out, err);
}

enum error_code metadata_join_sqlite(const char *path, struct metadata **metadata_out,
                                     struct error *err)
{
    static const struct database_settings none = {0};

    return metadata_join(&none, path, metadata_out, err);
}

void metadata_free(struct metadata *metadata)
{
    if (metadata) {
        sql_free(metadata->sql);
        free(metadata);
    }
}

struct sql_value metadata_digest_value(struct digest_value *storage, const struct digest *digest)
{
    if (!digest) {
        return sql_null();
    }
    digest_format(digest, storage->text);
    return sql_text(str_from(storage->text));
}

/* One query, and what its rows go to. */
struct single {
    const struct sql_query *query;
    const struct row_reader *reader;
    struct row_page *page;
    bool is_row;
};

static enum error_code find_row(struct sql_connection *connection, void *context, struct error *err)
{
    const struct single *single = context;

    return rows_find(connection, single->query, single->reader, err);
}

enum error_code metadata_find_row(struct metadata *metadata, const struct sql_query *query,
                                  const struct row_reader *reader, struct error *err)
{
    struct single single = {.query = query, .reader = reader};

    return sql_read_once(metadata->sql, find_row, &single, err);
}

static enum error_code read_page(struct sql_connection *connection, void *context,
                                 struct error *err)
{
    const struct single *single = context;

    return rows_page(connection, single->query, single->page, err);
}

enum error_code metadata_read_page(struct metadata *metadata, const struct sql_query *query,
                                   struct row_page *page, struct error *err)
{
    struct single single = {.query = query, .page = page};

    return sql_read_once(metadata->sql, read_page, &single, err);
}

static enum error_code run(struct sql_connection *connection, void *context, struct error *err)
{
    struct single *single = context;

    return sql_run_for_row(connection, single->query, &single->is_row, err);
}

enum error_code metadata_has_row(struct metadata *metadata, const struct sql_query *query,
                                 bool *is_row_out, struct error *err)
{
    struct single single = {.query = query};
    const enum error_code code = sql_read_once(metadata->sql, run, &single, err);

    *is_row_out = code ? *is_row_out : single.is_row;
    return code;
}

enum error_code metadata_run(struct metadata *metadata, enum sql_durability durability,
                             const struct sql_query *query, struct error *err)
{
    bool is_row = false;

    return metadata_run_for_row(metadata, durability, query, &is_row, err);
}

enum error_code metadata_run_for_row(struct metadata *metadata, enum sql_durability durability,
                                     const struct sql_query *query, bool *is_row_out,
                                     struct error *err)
{
    struct single single = {.query = query};
    const enum error_code code = sql_write(metadata->sql, durability, run, &single, err);

    *is_row_out = code ? *is_row_out : single.is_row;
    return code;
}

enum error_code metadata_repository_id(struct sql_connection *connection, struct str repository,
                                       int64_t *id_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select id from repository where name = $1",
        .values = {sql_text(repository)},
        .count = 1,
    };
    const struct row_reader reader = {.read = row_read_integer, .into = id_out};
    const enum error_code code = rows_find(connection, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        return error_set_about(err, ABOUT_NAME, ERROR_NOT_FOUND,
                               "there is no repository %.*s: nothing was pushed to it",
                               STR_FORMAT(repository));
    }
    return code;
}

static void metadata_read_name(struct row *row, void *into)
{
    struct str *name = into;

    *name = row_text(row);
}

struct row_page metadata_names(const struct name_query *query)
{
    return (struct row_page){.read = metadata_read_name,
                             .item_bytes = sizeof(struct str),
                             .limit = query->limit,
                             .arena = query->arena};
}

enum error_code metadata_read_names(struct metadata *metadata, const struct sql_query *query,
                                    const struct name_query *wanted, struct name_page *page_out,
                                    struct error *err)
{
    struct row_page page = metadata_names(wanted);
    const enum error_code code = metadata_read_page(metadata, query, &page, err);

    if (!code) {
        *page_out = (struct name_page){page.items, page.count, page.has_more};
    }
    return code;
}
