#include "metadata/uploads.h"

#include "metadata/metadata_private.h"

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

static enum error_code upload_add(struct sql_connection *connection,
                                  const struct upload_record *upload, struct error *err)
{
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

    return sql_run(connection, &query, err);
}

static enum error_code no_such_upload(struct str repository, struct error *err)
{
    return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                           "%.*s has no such upload: it is finished or expired, begin again",
                           STR_FORMAT(repository));
}

/* Somebody else ended it, or went on with it. */
static enum error_code say_why_not(struct sql_connection *connection,
                                   const struct upload_record *upload, struct error *err)
{
    const struct sql_query query = {
        .text = "select 1 from upload where id = $1",
        .values = {sql_text(upload->id)},
        .count = 1,
    };
    bool is_there = false;
    const enum error_code code = sql_run_for_row(connection, &query, &is_there, err);

    if (code || !is_there) {
        return code ? code : no_such_upload(upload->repository, err);
    }
    return error_set_about(err, ABOUT_UPLOAD, ERROR_CONFLICT,
                           "another request went on with this upload meanwhile: ask how far it is");
}

/* Done twice, as when nobody heard of the first commit, it finds its own work. */
static enum error_code go_on(struct sql_connection *connection, const struct upload_record *upload,
                             struct error *err)
{
    const struct sql_query query = {
        .text = "update upload set offset_bytes = $3, state = $4, updated_ms = $5 "
                "where id = $1 and (offset_bytes = $2 or (offset_bytes = $3 and state = $4)) "
                "returning id",
        .values = {sql_text(upload->id), sql_integer((int64_t)upload->from_bytes),
                   sql_integer((int64_t)upload->offset_bytes), sql_bytes(upload->state),
                   sql_integer(upload->updated_ms)},
        .count = 5,
    };
    bool is_there = false;
    const enum error_code code = sql_run_for_row(connection, &query, &is_there, err);

    return code || is_there ? code : say_why_not(connection, upload, err);
}

static enum error_code save(struct sql_connection *connection, void *context, struct error *err)
{
    const struct upload_record *upload = context;
    const enum error_code code =
        upload->goes_on ? go_on(connection, upload, err) : upload_add(connection, upload, err);

    return code || !upload->is_tail_new ? code : save_tail(connection, upload, err);
}

enum error_code metadata_save_upload(struct metadata *metadata, const struct upload_record *upload,
                                     struct error *err)
{
    struct upload_record saved = *upload;

    /* Bytes that are forgotten would make the whole another blob; an upload that is, none. */
    return sql_write(metadata->sql, upload->goes_on ? SQL_REPLICATED : SQL_RELAXED, save, &saved,
                     err);
}

enum error_code metadata_touch_upload(struct metadata *metadata, struct str id, int64_t now_ms,
                                      struct error *err)
{
    const struct sql_query query = {
        .text = "update upload set updated_ms = $2 where id = $1 and updated_ms < $2",
        .values = {sql_text(id), sql_integer(now_ms)},
        .count = 2,
    };

    return metadata_run(metadata, SQL_RELAXED, &query, err);
}

static void read_upload(struct row *row, void *into)
{
    struct upload_record *upload = into;

    *upload = (struct upload_record){.id = row_text(row)};
    upload->repository = row_text(row);
    upload->created_by = row_text(row);
    upload->offset_bytes = row_size(row);
    upload->state = row_text(row);
    upload->created_ms = row_integer(row);
    upload->updated_ms = row_integer(row);
    upload->login = row_text(row);
    upload->login_ends_ms = row_integer(row);
}

enum error_code metadata_find_upload(struct metadata *metadata, struct str repository,
                                     struct str id, struct arena *arena,
                                     struct upload_record *upload_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select id, repository, created_by, offset_bytes, state, created_ms, updated_ms, "
                "login, login_ends_ms from upload where id = $1 and repository = $2",
        .values = {sql_text(id), sql_text(repository)},
        .count = 2,
    };
    struct upload_record upload;
    const struct row_reader reader = {read_upload, &upload, arena};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        return no_such_upload(repository, err);
    }
    if (!code) {
        *upload_out = upload;
    }
    return code;
}

static void read_tail(struct row *row, void *into)
{
    struct strbuf *tail = into;

    strbuf_clear(tail); /* this may be repeated */
    strbuf_append(tail, row_borrowed_text(row));
}

enum error_code metadata_read_upload_tail(struct metadata *metadata, struct str id,
                                          uint64_t offset_bytes, struct strbuf *tail,
                                          struct error *err)
{
    const struct sql_query query = {
        .text = "select bytes from upload_tail where upload_id = $1 and exists "
                "(select 1 from upload where id = $1 and offset_bytes = $2)",
        .values = {sql_text(id), sql_integer((int64_t)offset_bytes)},
        .count = 2,
    };
    const struct row_reader reader = {.read = read_tail, .into = tail};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        strbuf_clear(tail);
        return OK;
    }
    return code;
}

static void read_owner(struct row *row, void *into)
{
    struct str *owner = into;

    *owner = row_text(row);
}

enum error_code metadata_find_upload_owner(struct metadata *metadata,
                                           const struct upload_owner_query *query,
                                           struct arena *arena, struct str *owner_out,
                                           struct error *err)
{
    const struct sql_query search = {
        .text = "select created_by from upload where repository = $1 and updated_ms >= $2 "
                "and created_ms >= $5 and ((created_by = $3 and $3 <> '' and created_ms < $6) "
                "or (login = $4 and login_ends_ms >= $7)) limit 1",
        .values = {sql_text(query->repository), sql_integer(query->updated_since_ms),
                   sql_text(query->created_by),
                   query->login.length > 0 ? sql_bytes(query->login) : sql_null(),
                   sql_integer(query->created_since_ms), sql_integer(query->created_before_ms),
                   sql_integer(query->login_ended_since_ms)},
        .count = 7,
    };
    struct str owner;
    const struct row_reader reader = {read_owner, &owner, arena};
    const enum error_code code = metadata_find_row(metadata, &search, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND, "they have no upload here");
    }
    if (!code) {
        *owner_out = owner;
    }
    return code;
}

enum error_code metadata_remove_upload(struct metadata *metadata, struct str id, struct error *err)
{
    const struct sql_query query = {
        .text = "delete from upload where id = $1",
        .values = {sql_text(id)},
        .count = 1,
    };

    return metadata_run(metadata, SQL_RELAXED, &query, err);
}

static void read_sums(struct row *row, void *into)
{
    struct upload_sums *sums = into;

    sums->of_identity.uploads = row_size(row);
    sums->of_identity.bytes = row_size(row);
    sums->of_team.uploads = row_size(row);
    sums->of_team.bytes = row_size(row);
}

enum error_code metadata_sum_uploads(struct metadata *metadata, struct str created_by,
                                     struct str team, struct upload_sums *sums_out,
                                     struct error *err)
{
    const struct sql_query query = {
        .text = "select (select uploads from upload_sum where kind = 0 and name = $1), "
                "(select bytes from upload_sum where kind = 0 and name = $1), "
                "(select uploads from upload_sum where kind = 1 and name = $2), "
                "(select bytes from upload_sum where kind = 1 and name = $2)",
        .values = {sql_text(created_by), sql_text(team)},
        .count = 2,
    };
    struct upload_sums sums = {0};
    const struct row_reader reader = {.read = read_sums, .into = &sums};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    if (!code) {
        *sums_out = sums;
    }
    return code;
}

enum error_code metadata_list_stale_uploads(struct metadata *metadata,
                                            const struct stale_upload_query *query,
                                            struct upload_list *list_out, struct error *err)
{
    const struct sql_query stale = {
        .text = "select id, repository, created_by, offset_bytes, null, created_ms, updated_ms, "
                "login, login_ends_ms from upload where updated_ms < $1 order by updated_ms, id "
                "limit $2",
        .values = {sql_integer(query->updated_before_ms), sql_integer((int64_t)query->limit)},
        .count = 2,
    };
    struct row_page page = {.read = read_upload,
                            .item_bytes = sizeof(struct upload_record),
                            .limit = query->limit,
                            .arena = query->arena};
    const enum error_code code = metadata_read_page(metadata, &stale, &page, err);

    if (!code) {
        *list_out = (struct upload_list){page.items, page.count};
    }
    return code;
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

enum error_code metadata_end_upload(struct metadata *metadata, const struct upload_ending *ending,
                                    struct error *err)
{
    struct upload_ending ended = *ending;

    return sql_write(metadata->sql, SQL_RELAXED, end, &ended, err);
}

static void read_ended(struct row *row, void *into)
{
    struct ended_upload *ended = into;
    struct upload_record *upload = &ended->upload;

    *ended = (struct ended_upload){.upload = {.id = row_text(row)}};
    upload->repository = row_text(row);
    upload->created_by = row_text(row);
    upload->created_ms = row_integer(row);
    upload->login = row_text(row);
    upload->login_ends_ms = row_integer(row);
    ended->is_blob = row_optional_digest(row, &ended->digest);
    upload->updated_ms = row_integer(row);
}

enum error_code metadata_find_ended_upload(struct metadata *metadata, struct str repository,
                                           struct str id, struct arena *arena,
                                           struct ended_upload *ended_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select id, repository, created_by, created_ms, login, login_ends_ms, digest, "
                "ended_ms from ended_upload where id = $1 and repository = $2",
        .values = {sql_text(id), sql_text(repository)},
        .count = 2,
    };
    struct ended_upload ended;
    const struct row_reader reader = {read_ended, &ended, arena};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        return no_such_upload(repository, err);
    }
    if (!code) {
        *ended_out = ended;
    }
    return code;
}

enum error_code metadata_forget_ended_uploads(struct metadata *metadata, int64_t before_ms,
                                              size_t limit, struct error *err)
{
    const struct sql_query query = {
        .text = "delete from ended_upload where id in (select id from ended_upload "
                "where ended_ms < $1 order by ended_ms limit $2)",
        .values = {sql_integer(before_ms), sql_integer((int64_t)limit)},
        .count = 2,
    };

    return metadata_run(metadata, SQL_RELAXED, &query, err);
}
