#include "metadata/swept_blobs.h"

#include "metadata/metadata_private.h"

static void read_standing(struct row *row, void *into)
{
    enum blob_standing *standing = into;
    const bool is_named = row_bool(row);
    const bool is_swept = row_bool(row);

    *standing = is_swept ? BLOB_SWEPT : BLOB_UNNAMED;
    *standing = is_named ? BLOB_NAMED : *standing;
}

/* A manifest's digest may be named, and have been a swept blob's before. */
enum error_code metadata_find_blob_standing(struct metadata *metadata, const struct digest *digest,
                                            enum blob_standing *standing_out, struct error *err)
{
    struct digest_value text;
    const struct sql_query query = {
        .text = "select exists (select 1 from named_blob where digest = $1), "
                "exists (select 1 from swept_blob where digest = $1)",
        .values = {metadata_digest_value(&text, digest)},
        .count = 1,
    };
    enum blob_standing standing = BLOB_UNNAMED;
    const struct row_reader reader = {.read = read_standing, .into = &standing};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    *standing_out = code ? *standing_out : standing;
    return code;
}

struct sweeping {
    const struct blob_sweep *sweep;
    bool *swept_out;
};

static enum error_code sweep_one(struct sql_connection *connection, const struct digest *digest,
                                 int64_t swept_ms, bool *is_swept_out, struct error *err)
{
    struct digest_value text;
    const struct sql_query query = {
        .text = "insert into swept_blob (digest, swept_ms) select $1, $2 "
                "where not exists (select 1 from named_blob where digest = $1) "
                "on conflict (digest) do update set swept_ms = excluded.swept_ms returning 1",
        .values = {metadata_digest_value(&text, digest), sql_integer(swept_ms)},
        .count = 2,
    };

    return sql_run_for_row(connection, &query, is_swept_out, err);
}

static enum error_code sweep_all(struct sql_connection *connection, void *context,
                                 struct error *err)
{
    const struct sweeping *sweeping = context;
    const struct blob_sweep *sweep = sweeping->sweep;
    enum error_code code = OK;

    for (size_t i = 0; i < sweep->count && !code; i++) {
        code = sweep_one(connection, &sweep->digests[i], sweep->swept_ms, &sweeping->swept_out[i],
                         err);
    }
    return code;
}

enum error_code metadata_sweep_blobs(struct metadata *metadata, const struct blob_sweep *sweep,
                                     bool *swept_out, struct error *err)
{
    struct sweeping sweeping = {sweep, swept_out};

    return sql_write(metadata->sql, SQL_DURABLE, sweep_all, &sweeping, err);
}

enum error_code metadata_revive_blob(struct metadata *metadata, const struct digest *digest,
                                     struct error *err)
{
    struct digest_value text;
    const struct sql_query query = {
        .text = "delete from swept_blob where digest = $1",
        .values = {metadata_digest_value(&text, digest)},
        .count = 1,
    };
    enum blob_standing standing = BLOB_UNNAMED;
    const enum error_code code = metadata_find_blob_standing(metadata, digest, &standing, err);

    return code || standing != BLOB_SWEPT ? code : metadata_run(metadata, SQL_DURABLE, &query, err);
}
