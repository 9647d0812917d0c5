#include "metadata/uploads.h"

#include "metadata/metadata_private.h"

struct find {
    struct str repository;
    struct str id;
    struct arena *arena;
    struct upload_record *upload;
    bool is_there;
};

struct tail_search {
    struct str id;
    uint64_t offset_bytes;
    struct strbuf *tail;
};

struct owner_search {
    const struct upload_owner_query *query;
    struct arena *arena;
    struct str *owner_out;
    bool is_there;
};

struct summing {
    struct str created_by;
    struct str team;
    struct upload_sums sums;
};

struct listing {
    const struct stale_upload_query *query;
    struct upload_list list;
};

static enum error_code save(struct sql_connection *connection, void *context, struct error *err);
static enum error_code save_tail(struct sql_connection *connection,
                                 const struct upload_record *upload, struct error *err);
static enum error_code find(struct sql_connection *connection, void *context, struct error *err);
static enum error_code read_upload(const struct sql_rows *rows, struct arena *arena,
                                   struct upload_record *upload_out, struct error *err);
static enum error_code read_tail(struct sql_connection *connection, void *context,
                                 struct error *err);
static enum error_code find_owner(struct sql_connection *connection, void *context,
                                  struct error *err);
static enum error_code remove_one(struct sql_connection *connection, void *context,
                                  struct error *err);
static enum error_code sum_both(struct sql_connection *connection, void *context,
                                struct error *err);
static enum error_code sum_one(struct sql_connection *connection, int64_t kind, struct str name,
                               struct upload_sum *sum_out, struct error *err);
static enum error_code list(struct sql_connection *connection, void *context, struct error *err);

enum error_code metadata_save_upload(struct metadata *metadata, const struct upload_record *upload,
                                     struct error *err)
{
    struct upload_record saved = *upload;

    return sql_write(metadata->sql, SQL_RELAXED, save, &saved, err);
}

static enum error_code save(struct sql_connection *connection, void *context, struct error *err)
{
    const struct upload_record *upload = context;
    const struct sql_query query = {
        .text = "insert into upload "
                "(id, repository, created_by, offset_bytes, state, created_ms, updated_ms, login, "
                "login_ends_ms) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do "
                "update set "
                "offset_bytes = excluded.offset_bytes, state = excluded.state, "
                "updated_ms = excluded.updated_ms",
        .values = {sql_text(upload->id), sql_text(upload->repository), sql_text(upload->created_by),
                   sql_integer((int64_t)upload->offset_bytes), sql_bytes(upload->state),
                   sql_integer(upload->created_ms), sql_integer(upload->updated_ms),
                   sql_bytes(upload->login), sql_integer(upload->login_ends_ms)},
        .count = 9,
    };
    const enum error_code code = sql_run(connection, &query, err);

    return code || !upload->is_tail_new ? code : save_tail(connection, upload, err);
}

static enum error_code save_tail(struct sql_connection *connection,
                                 const struct upload_record *upload, struct error *err)
{
    const struct sql_query removal = {
        .text = "delete from upload_tail where upload_id = $1",
        .values = {sql_text(upload->id)},
        .count = 1,
    };
    const struct sql_query addition = {
        .text = "insert into upload_tail (upload_id, bytes) values ($1, $2) "
                "on conflict (upload_id) do update set bytes = excluded.bytes",
        .values = {sql_text(upload->id), sql_bytes(upload->tail)},
        .count = 2,
    };

    return sql_run(connection, upload->tail.length == 0 ? &removal : &addition, err);
}

enum error_code metadata_find_upload(struct metadata *metadata, struct str repository,
                                     struct str id, struct arena *arena,
                                     struct upload_record *upload_out, struct error *err)
{
    struct find wanted = {repository, id, arena, upload_out, false};
    const enum error_code code = sql_read(metadata->sql, find, &wanted, err);

    return code || wanted.is_there ? code : metadata_no_such_upload(repository, err);
}

enum error_code metadata_no_such_upload(struct str repository, struct error *err)
{
    return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                           "%.*s has no such upload: it is finished or expired, begin again",
                           STR_FORMAT(repository));
}

static enum error_code find(struct sql_connection *connection, void *context, struct error *err)
{
    struct find *wanted = context;
    const struct sql_query query = {
        .text = "select id, repository, created_by, offset_bytes, state, created_ms, updated_ms, "
                "login, login_ends_ms from upload where id = $1 and repository = $2",
        .values = {sql_text(wanted->id), sql_text(wanted->repository)},
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    const enum error_code code = sql_query_row(connection, &query, &rows, &wanted->is_there, err);

    return code || !wanted->is_there ? code : read_upload(rows, wanted->arena, wanted->upload, err);
}

static enum error_code read_upload(const struct sql_rows *rows, struct arena *arena,
                                   struct upload_record *upload_out, struct error *err)
{
    struct upload_record upload = {
        .offset_bytes = (uint64_t)sql_rows_column(rows, 3).integer,
        .created_ms = sql_rows_column(rows, 5).integer,
        .updated_ms = sql_rows_column(rows, 6).integer,
        .login_ends_ms = sql_rows_column(rows, 8).integer,
    };
    enum error_code code = metadata_read_text(rows, 0, arena, &upload.id, err);

    if (!code) {
        code = metadata_read_text(rows, 1, arena, &upload.repository, err);
    }
    if (!code) {
        code = metadata_read_text(rows, 2, arena, &upload.created_by, err);
    }
    if (!code) {
        code = metadata_read_text(rows, 4, arena, &upload.state, err);
    }
    if (!code) {
        code = metadata_read_text(rows, 7, arena, &upload.login, err);
    }
    if (!code) {
        *upload_out = upload;
    }
    return code;
}

enum error_code metadata_read_upload_tail(struct metadata *metadata, struct str id,
                                          uint64_t offset_bytes, struct strbuf *tail,
                                          struct error *err)
{
    struct tail_search search = {id, offset_bytes, tail};

    return sql_read(metadata->sql, read_tail, &search, err);
}

static enum error_code read_tail(struct sql_connection *connection, void *context,
                                 struct error *err)
{
    const struct tail_search *search = context;
    const struct sql_query query = {
        .text = "select bytes from upload_tail where upload_id = $1 and exists "
                "(select 1 from upload where id = $1 and offset_bytes = $2)",
        .values = {sql_text(search->id), sql_integer((int64_t)search->offset_bytes)},
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_there = false;
    const enum error_code code = sql_query_row(connection, &query, &rows, &is_there, err);

    strbuf_clear(search->tail); /* this may be repeated */
    if (!code && is_there) {
        strbuf_append(search->tail, sql_rows_column(rows, 0).bytes);
    }
    return code;
}

enum error_code metadata_find_upload_owner(struct metadata *metadata,
                                           const struct upload_owner_query *query,
                                           struct arena *arena, struct str *owner_out,
                                           struct error *err)
{
    struct owner_search search = {query, arena, owner_out, false};
    const enum error_code code = sql_read(metadata->sql, find_owner, &search, err);

    if (code || search.is_there) {
        return code;
    }
    return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND, "they have no upload here");
}

static enum error_code find_owner(struct sql_connection *connection, void *context,
                                  struct error *err)
{
    struct owner_search *search = context;
    const struct upload_owner_query *wanted = search->query;
    const struct sql_query query = {
        .text = "select created_by from upload where repository = $1 and updated_ms >= $2 "
                "and created_ms >= $5 and ((created_by = $3 and $3 <> '' and created_ms < $6) "
                "or (login = $4 and login_ends_ms >= $7)) limit 1",
        .values = {sql_text(wanted->repository), sql_integer(wanted->updated_since_ms),
                   sql_text(wanted->created_by),
                   wanted->login.length > 0 ? sql_bytes(wanted->login) : sql_null(),
                   sql_integer(wanted->created_since_ms), sql_integer(wanted->created_before_ms),
                   sql_integer(wanted->login_ended_since_ms)},
        .count = 7,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    const enum error_code code = sql_query_row(connection, &query, &rows, &search->is_there, err);

    return code || !search->is_there
               ? code
               : metadata_read_text(rows, 0, search->arena, search->owner_out, err);
}

enum error_code metadata_remove_upload(struct metadata *metadata, struct str id, struct error *err)
{
    struct find wanted = {.id = id};

    return sql_write(metadata->sql, SQL_RELAXED, remove_one, &wanted, err);
}

static enum error_code remove_one(struct sql_connection *connection, void *context,
                                  struct error *err)
{
    const struct find *wanted = context;
    const struct sql_query query = {
        .text = "delete from upload where id = $1",
        .values = {sql_text(wanted->id)},
        .count = 1,
    };

    return sql_run(connection, &query, err);
}

enum error_code metadata_sum_uploads(struct metadata *metadata, struct str created_by,
                                     struct str team, struct upload_sums *sums_out,
                                     struct error *err)
{
    struct summing summing = {.created_by = created_by, .team = team};
    const enum error_code code = sql_read(metadata->sql, sum_both, &summing, err);

    if (!code) {
        *sums_out = summing.sums;
    }
    return code;
}

static enum error_code sum_both(struct sql_connection *connection, void *context, struct error *err)
{
    struct summing *summing = context;
    struct upload_sums *sums = &summing->sums;
    const enum error_code code =
        sum_one(connection, 0, summing->created_by, &sums->of_identity, err);

    return code ? code : sum_one(connection, 1, summing->team, &sums->of_team, err);
}

static enum error_code sum_one(struct sql_connection *connection, int64_t kind, struct str name,
                               struct upload_sum *sum_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select uploads, bytes from upload_sum where kind = $1 and name = $2",
        .values = {sql_integer(kind), sql_text(name)},
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_there = false;
    const enum error_code code = sql_query_row(connection, &query, &rows, &is_there, err);

    *sum_out = (struct upload_sum){0};
    if (!code && is_there) {
        sum_out->uploads = (size_t)sql_rows_column(rows, 0).integer;
        sum_out->bytes = (uint64_t)sql_rows_column(rows, 1).integer;
    }
    return code;
}

enum error_code metadata_list_stale_uploads(struct metadata *metadata,
                                            const struct stale_upload_query *query,
                                            struct upload_list *list_out, struct error *err)
{
    struct listing listing = {.query = query};
    void *uploads = NULL;
    enum error_code code =
        metadata_new_list(query->arena, query->limit, sizeof(*listing.list.uploads), &uploads, err);

    listing.list.uploads = uploads;
    if (!code) {
        code = sql_read(metadata->sql, list, &listing, err);
    }
    if (!code) {
        *list_out = listing.list;
    }
    return code;
}

static enum error_code list(struct sql_connection *connection, void *context, struct error *err)
{
    struct listing *listing = context;
    const struct stale_upload_query *wanted = listing->query;
    struct upload_list *found = &listing->list;
    const struct sql_query query = {
        .text = "select id, repository, created_by, offset_bytes, substr(state, 1, 0), created_ms, "
                "updated_ms, "
                "login, login_ends_ms from upload where updated_ms < $1 order by updated_ms, id "
                "limit $2",
        .values = {sql_integer(wanted->updated_before_ms), sql_integer((int64_t)wanted->limit)},
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    enum error_code code = sql_query(connection, &query, &rows, err);
    bool is_row = true;

    found->count = 0;
    while (!code && is_row) {
        code = sql_rows_next(rows, &is_row, err);
        if (!code && is_row) {
            code = read_upload(rows, wanted->arena, &found->uploads[found->count++], err);
        }
    }
    return code;
}
