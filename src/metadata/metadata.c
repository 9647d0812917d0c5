#include "metadata/metadata.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "metadata/metadata_private.h"
#include "metadata/migrate.h"
#include "metadata/sql_sqlite.h"

/* schema/sqlite/NNN-….sql, embedded by the build */
extern const char schema_sqlite_001[];
extern const char schema_sqlite_002[];
extern const char schema_sqlite_003[];
extern const char schema_sqlite_004[];
extern const char schema_sqlite_005[];
extern const char schema_sqlite_006[];
extern const char schema_sqlite_007[];
extern const char schema_sqlite_008[];
extern const char schema_sqlite_009[];
extern const char schema_sqlite_010[];
extern const char schema_sqlite_011[];

static enum error_code open_sqlite(const char *path,
                                   enum error_code (*bring_up)(struct sql *sql,
                                                               const struct migration *migrations,
                                                               size_t count, struct error *err),
                                   struct metadata **metadata_out, struct error *err);

enum error_code metadata_open_sqlite(const char *path, struct metadata **metadata_out,
                                     struct error *err)
{
    return open_sqlite(path, migrate, metadata_out, err);
}

enum error_code metadata_join_sqlite(const char *path, struct metadata **metadata_out,
                                     struct error *err)
{
    if (access(path, F_OK) != 0) {
        return error_set(err, ERROR_INVALID, "there is no database %s", path);
    }
    return open_sqlite(path, migrate_check, metadata_out, err);
}

static enum error_code open_sqlite(const char *path,
                                   enum error_code (*bring_up)(struct sql *sql,
                                                               const struct migration *migrations,
                                                               size_t count, struct error *err),
                                   struct metadata **metadata_out, struct error *err)
{
    const struct migration migrations[] = {
        {"initial", schema_sqlite_001},
        {"tokens", schema_sqlite_002},
        {"sources", schema_sqlite_003},
        {"blob-places", schema_sqlite_004},
        {"upload-tails", schema_sqlite_005},
        {"upload-sums", schema_sqlite_006},
        {"sums", schema_sqlite_007},
        {"runnable", schema_sqlite_008},
        {"swept-blobs", schema_sqlite_009},
        {"ended-uploads", schema_sqlite_010},
        {"referrers-by-age", schema_sqlite_011},
    };
    struct metadata *metadata = NULL;
    struct sql *sql = NULL;
    enum error_code code = sql_sqlite_open(path, &sql, err);

    if (!code) {
        code = bring_up(sql, migrations, ARRAY_LEN(migrations), err);
    }
    if (code) {
        sql_free(sql);
        return code;
    }
    metadata = memory_new(1, sizeof(*metadata));
    metadata->sql = sql;
    *metadata_out = metadata;
    return OK;
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

enum error_code metadata_read_digest(const struct sql_rows *rows, int column,
                                     struct digest *digest_out, struct error *err)
{
    if (digest_parse(sql_rows_column(rows, column).bytes, digest_out, NULL)) {
        return error_set(err, ERROR_INTERNAL, "the database holds a digest that is none");
    }
    return OK;
}

enum error_code metadata_read_text(const struct sql_rows *rows, int column, struct arena *arena,
                                   struct str *text_out, struct error *err)
{
    const struct str value = sql_rows_column(rows, column).bytes;
    const char *copy = arena_text(arena, value);

    if (!copy) {
        return error_set(err, ERROR_TOO_LARGE, "the answer is larger than a request's memory");
    }
    *text_out = (struct str){copy, value.length};
    return OK;
}

enum error_code metadata_new_list(struct arena *arena, size_t limit, size_t size, void **list_out,
                                  struct error *err)
{
    *list_out = arena_new(arena, limit, size);
    if (!*list_out) {
        return error_set(err, ERROR_TOO_LARGE, "a list of %zu is larger than a request's memory",
                         limit);
    }
    return OK;
}

enum error_code metadata_repository_id(struct sql_connection *connection, struct str repository,
                                       int64_t *id_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select id from repository where name = $1",
        .values = {sql_text(repository)},
        .count = 1,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;
    const enum error_code code = sql_query_row(connection, &query, &rows, &is_row, err);

    if (code) {
        return code;
    }
    if (!is_row) {
        return error_set_about(err, ABOUT_NAME, ERROR_NOT_FOUND,
                               "there is no repository %.*s: nothing was pushed to it",
                               STR_FORMAT(repository));
    }
    *id_out = sql_rows_column(rows, 0).integer;
    return OK;
}
