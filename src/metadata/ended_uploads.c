#include "metadata/ended_uploads.h"

#include "metadata/metadata_private.h"

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
        return metadata_no_such_upload(repository, err);
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
