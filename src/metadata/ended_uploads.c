#include "metadata/ended_uploads.h"

#include "metadata/metadata_private.h"

struct search {
    struct str repository;
    struct str id;
    struct arena *arena;
    struct ended_upload *ended_out;
    bool is_there;
};

struct forgetting {
    int64_t before_ms;
    size_t limit;
};

static enum error_code end(struct sql_connection *connection, void *context, struct error *err);
static enum error_code find(struct sql_connection *connection, void *context, struct error *err);
static enum error_code read_ended(const struct sql_rows *rows, struct arena *arena,
                                  struct ended_upload *ended_out, struct error *err);
static enum error_code read_texts(const struct sql_rows *rows, struct arena *arena,
                                  struct upload_record *upload, struct error *err);
static enum error_code forget(struct sql_connection *connection, void *context, struct error *err);

enum error_code metadata_end_upload(struct metadata *metadata, const struct upload_ending *ending,
                                    struct error *err)
{
    struct upload_ending ended = *ending;

    return sql_write(metadata->sql, SQL_RELAXED, end, &ended, err);
}

static enum error_code end(struct sql_connection *connection, void *context, struct error *err)
{
    const struct upload_ending *ending = context;
    struct digest_value digest;
    const struct sql_query addition = {
        .text = "insert into ended_upload "
                "(id, repository, created_by, created_ms, login, login_ends_ms, digest, ended_ms) "
                "select id, repository, created_by, created_ms, login, login_ends_ms, $2, $3 "
                "from upload where id = $1 on conflict do nothing",
        .values = {sql_text(ending->id), metadata_digest_value(&digest, ending->digest),
                   sql_integer(ending->ended_ms)},
        .count = 3,
    };
    const struct sql_query removal = {
        .text = "delete from upload where id = $1",
        .values = {sql_text(ending->id)},
        .count = 1,
    };
    const enum error_code code = sql_run(connection, &addition, err);

    return code ? code : sql_run(connection, &removal, err);
}

enum error_code metadata_find_ended_upload(struct metadata *metadata, struct str repository,
                                           struct str id, struct arena *arena,
                                           struct ended_upload *ended_out, struct error *err)
{
    struct search search = {repository, id, arena, ended_out, false};
    const enum error_code code = sql_read(metadata->sql, find, &search, err);

    return code || search.is_there ? code : metadata_no_such_upload(repository, err);
}

static enum error_code find(struct sql_connection *connection, void *context, struct error *err)
{
    struct search *search = context;
    const struct sql_query query = {
        .text = "select id, repository, created_by, created_ms, login, login_ends_ms, digest, "
                "ended_ms, digest is not null from ended_upload where id = $1 and repository = $2",
        .values = {sql_text(search->id), sql_text(search->repository)},
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    const enum error_code code = sql_query_row(connection, &query, &rows, &search->is_there, err);

    return code || !search->is_there ? code
                                     : read_ended(rows, search->arena, search->ended_out, err);
}

static enum error_code read_ended(const struct sql_rows *rows, struct arena *arena,
                                  struct ended_upload *ended_out, struct error *err)
{
    struct ended_upload ended = {
        .upload = {.created_ms = sql_rows_column(rows, 3).integer,
                   .login_ends_ms = sql_rows_column(rows, 5).integer,
                   .updated_ms = sql_rows_column(rows, 7).integer},
        .is_blob = sql_rows_column(rows, 8).integer != 0,
    };
    enum error_code code = read_texts(rows, arena, &ended.upload, err);

    if (!code && ended.is_blob) {
        code = metadata_read_digest(rows, 6, &ended.digest, err);
    }
    if (!code) {
        *ended_out = ended;
    }
    return code;
}

static enum error_code read_texts(const struct sql_rows *rows, struct arena *arena,
                                  struct upload_record *upload, struct error *err)
{
    enum error_code code = metadata_read_text(rows, 0, arena, &upload->id, err);

    if (!code) {
        code = metadata_read_text(rows, 1, arena, &upload->repository, err);
    }
    if (!code) {
        code = metadata_read_text(rows, 2, arena, &upload->created_by, err);
    }
    if (!code) {
        code = metadata_read_text(rows, 4, arena, &upload->login, err);
    }
    return code;
}

enum error_code metadata_forget_ended_uploads(struct metadata *metadata, int64_t before_ms,
                                              size_t limit, struct error *err)
{
    struct forgetting forgetting = {before_ms, limit};

    return sql_write(metadata->sql, SQL_RELAXED, forget, &forgetting, err);
}

static enum error_code forget(struct sql_connection *connection, void *context, struct error *err)
{
    const struct forgetting *forgetting = context;
    const struct sql_query query = {
        .text = "delete from ended_upload where id in (select id from ended_upload "
                "where ended_ms < $1 order by ended_ms limit $2)",
        .values = {sql_integer(forgetting->before_ms), sql_integer((int64_t)forgetting->limit)},
        .count = 2,
    };

    return sql_run(connection, &query, err);
}
