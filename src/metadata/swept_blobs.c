#include "metadata/swept_blobs.h"

#include <assert.h>

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

/*
 * A push writes to named_blob before it looks at what was swept, and whoever pushes a blob to
 * blob_place: so either finds what a sweep did, or is found by it.
 */
static const char swept_tables[] = "blob_place, swept_blob, named_blob";

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
    enum error_code code = sql_lock(connection, swept_tables, err);

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

/* Of a list that is no longer than BLOB_PLACE_LIST_MAX. */
struct place_sweeping {
    const struct place_sweep *sweep;
    bool is_swept[BLOB_PLACE_LIST_MAX];
};

/*
 * What was listed may have been named, touched, or swept by others since. Bytes that are another
 * digest's too, in another algorithm, are not judged by one of them.
 */
static enum error_code sweep_place(struct sql_connection *connection,
                                   const struct place_sweep *sweep, const struct digest *blob,
                                   bool *is_swept_out, struct error *err)
{
    struct digest_value digest;
    const struct sql_query note = {
        .text = "insert into swept_place (location, digest, size_bytes, touched_ms, swept_ms) "
                "select location, digest, size_bytes, touched_ms, $3 from blob_place "
                "where digest = $1 and touched_ms < $2 "
                "and not exists (select 1 from named_blob where digest = $1) "
                "and not exists (select 1 from blob_place as other where "
                "other.location = blob_place.location and other.digest <> $1) returning 1",
        .values = {metadata_digest_value(&digest, blob), sql_integer(sweep->untouched_since_ms),
                   sql_integer(sweep->swept_ms)},
        .count = 3,
    };
    const struct sql_query removal = {
        .text = "delete from blob_place where digest = $1",
        .values = {sql_text(str_from(digest.text))},
        .count = 1,
    };
    enum error_code code = sql_run_for_row(connection, &note, is_swept_out, err);

    if (code || !*is_swept_out) {
        return code;
    }
    code = sql_run(connection, &removal, err);
    return code ? code : sweep_one(connection, blob, sweep->swept_ms, is_swept_out, err);
}

static enum error_code sweep_places(struct sql_connection *connection, void *context,
                                    struct error *err)
{
    struct place_sweeping *sweeping = context;
    const struct place_sweep *sweep = sweeping->sweep;
    enum error_code code = sql_lock(connection, swept_tables, err);

    for (size_t i = 0; i < sweep->list->count && !code; i++) {
        code = sweep_place(connection, sweep, &sweep->list->places[i].digest,
                           &sweeping->is_swept[i], err);
    }
    return code;
}

enum error_code metadata_sweep_places(struct metadata *metadata, const struct place_sweep *sweep,
                                      struct error *err)
{
    struct blob_place_list *list = sweep->list;
    struct place_sweeping sweeping = {.sweep = sweep};
    size_t count = 0;
    enum error_code code = OK;

    assert(list->count <= BLOB_PLACE_LIST_MAX);
    code = sql_write(metadata->sql, SQL_DURABLE, sweep_places, &sweeping, err);
    if (code) {
        return code;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (sweeping.is_swept[i]) {
            list->places[count++] = list->places[i];
        }
    }
    list->count = count;
    return OK;
}

enum error_code metadata_end_swept_place(struct metadata *metadata, struct str location,
                                         int64_t removed_ms, bool *is_first_out, struct error *err)
{
    const struct sql_query query = {
        .text = "update swept_place set removed_ms = $2 "
                "where location = $1 and removed_ms is null returning 1",
        .values = {sql_text(location), sql_integer(removed_ms)},
        .count = 2,
    };

    return metadata_run_for_row(metadata, SQL_DURABLE, &query, is_first_out, err);
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
