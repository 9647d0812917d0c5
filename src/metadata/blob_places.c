#include "metadata/blob_places.h"

#include "metadata/metadata_private.h"

enum { TOUCH_STEP_MS = 60 * 1000 };

static enum error_code place_add(struct sql_connection *connection, void *context,
                                 struct error *err)
{
    const struct blob_place_record *place = context;
    struct digest_value digest;
    const struct sql_query addition = {
        .text = "insert into blob_place (digest, location, size_bytes, created_ms, touched_ms) "
                "select $1, $2, $3, $4, $4 "
                "where not exists (select 1 from swept_place where location = $2) "
                "on conflict (digest) do update set touched_ms = "
                "case when blob_place.touched_ms > excluded.touched_ms "
                "then blob_place.touched_ms else excluded.touched_ms end returning 1",
        .values = {metadata_digest_value(&digest, &place->digest), sql_text(place->location),
                   sql_integer((int64_t)place->size_bytes), sql_integer(place->touched_ms)},
        .count = 4,
    };
    const struct sql_query revival = {
        .text = "delete from swept_blob where digest = $1",
        .values = {sql_text(str_from(digest.text))},
        .count = 1,
    };
    bool is_usable = false;
    const enum error_code code = sql_run_for_row(connection, &addition, &is_usable, err);

    if (code || is_usable) {
        return code ? code : sql_run(connection, &revival, err);
    }
    return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                           "the bytes of this upload were swept: begin again");
}

enum error_code metadata_add_blob_place(struct metadata *metadata,
                                        const struct blob_place_record *place, struct error *err)
{
    struct blob_place_record added = *place;

    return sql_write(metadata->sql, SQL_DURABLE, place_add, &added, err);
}

static void read_place(struct row *row, void *into)
{
    struct blob_place_record *place = into;

    place->digest = row_digest(row);
    place->location = row_text(row);
    place->size_bytes = row_size(row);
    place->touched_ms = row_integer(row);
}

static enum error_code no_such_blob(const struct digest_value *digest, struct error *err)
{
    return error_set_about(err, ABOUT_BLOB, ERROR_NOT_FOUND, "there is no blob %s", digest->text);
}

enum error_code metadata_find_blob_place(struct metadata *metadata, const struct digest *digest,
                                         struct arena *arena, struct blob_place_record *place_out,
                                         struct error *err)
{
    struct digest_value text;
    const struct sql_query query = {
        .text = "select digest, location, size_bytes, touched_ms from blob_place where digest = $1",
        .values = {metadata_digest_value(&text, digest)},
        .count = 1,
    };
    struct blob_place_record place;
    const struct row_reader reader = {read_place, &place, arena};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        return no_such_blob(&text, err);
    }
    if (!code) {
        *place_out = place;
    }
    return code;
}

static enum error_code read_list(struct metadata *metadata, const struct sql_query *query,
                                 struct arena *arena, struct blob_place_list *list_out,
                                 struct error *err)
{
    struct row_page page = {.read = read_place,
                            .item_bytes = sizeof(struct blob_place_record),
                            .limit = BLOB_PLACE_LIST_MAX,
                            .arena = arena};
    const enum error_code code = metadata_read_page(metadata, query, &page, err);

    if (!code) {
        *list_out = (struct blob_place_list){page.items, page.count};
    }
    return code;
}

enum error_code metadata_list_unnamed_places(struct metadata *metadata,
                                             const struct unnamed_place_query *query,
                                             struct blob_place_list *list_out, struct error *err)
{
    struct digest_value after;
    const struct sql_query places = {
        .text = "select digest, location, size_bytes, touched_ms from blob_place "
                "where digest > coalesce($1, '') and touched_ms < $2 and not exists "
                "(select 1 from named_blob where named_blob.digest = blob_place.digest) "
                "order by digest limit $3",
        .values = {metadata_digest_value(&after, query->after),
                   sql_integer(query->untouched_since_ms), sql_integer(BLOB_PLACE_LIST_MAX)},
        .count = 3,
    };

    return read_list(metadata, &places, query->arena, list_out, err);
}

enum error_code metadata_list_swept_places(struct metadata *metadata, struct str after,
                                           struct arena *arena, struct blob_place_list *list_out,
                                           struct error *err)
{
    const struct sql_query places = {
        .text = "select digest, location, size_bytes, touched_ms from swept_place "
                "where location > $1 and removed_ms is null order by location limit $2",
        .values = {sql_text(after), sql_integer(BLOB_PLACE_LIST_MAX)},
        .count = 2,
    };

    return read_list(metadata, &places, arena, list_out, err);
}

/* A sweep may take it after it was looked at. */
enum error_code metadata_touch_blob_place(struct metadata *metadata, const struct digest *digest,
                                          int64_t now_ms, struct error *err)
{
    struct digest_value text;
    const struct sql_query look = {
        .text = "select touched_ms from blob_place where digest = $1",
        .values = {metadata_digest_value(&text, digest)},
        .count = 1,
    };
    const struct sql_query touch = {
        .text = "update blob_place set touched_ms = $2 where digest = $1 returning 1",
        .values = {sql_text(str_from(text.text)), sql_integer(now_ms)},
        .count = 2,
    };
    int64_t touched_ms = 0;
    const struct row_reader reader = {.read = row_read_integer, .into = &touched_ms};
    enum error_code code = metadata_find_row(metadata, &look, &reader, err);
    bool is_there = code != ERROR_NOT_FOUND;

    if (!code && touched_ms < now_ms - TOUCH_STEP_MS) {
        code = metadata_run_for_row(metadata, SQL_RELAXED, &touch, &is_there, err);
    }
    return is_there ? code : no_such_blob(&text, err);
}

static void read_named_blob(struct row *row, void *into)
{
    struct named_blob *blob = into;

    *blob = (struct named_blob){.digest = row_digest(row)};
    blob->size_bytes = row_size(row);
}

enum error_code metadata_list_named_blobs(struct metadata *metadata, const struct digest *after,
                                          struct named_blob_page *page_out, struct error *err)
{
    struct digest_value text;
    const struct sql_query query = {
        .text = "select digest, size_bytes from named_blob where digest > coalesce($1, '') "
                "and not exists (select 1 from content where content.digest = named_blob.digest) "
                "order by digest limit $2",
        .values = {metadata_digest_value(&text, after), sql_integer(NAMED_BLOB_PAGE_MAX)},
        .count = 2,
    };
    struct row_page page = {.read = read_named_blob,
                            .item_bytes = sizeof(struct named_blob),
                            .limit = NAMED_BLOB_PAGE_MAX,
                            .items = page_out->blobs};
    const enum error_code code = metadata_read_page(metadata, &query, &page, err);

    page_out->count = page.count;
    return code;
}

struct sum {
    uint64_t count;
    uint64_t bytes;
};

static void read_sum(struct row *row, void *into)
{
    struct sum *sum = into;

    sum->count = row_size(row);
    sum->bytes = row_size(row);
}

enum error_code metadata_count_named_blobs(struct metadata *metadata, uint64_t *count_out,
                                           uint64_t *bytes_out, struct error *err)
{
    static const struct sql_query query = {
        .text =
            "select count(*), cast(coalesce(sum(size_bytes), 0) as bigint) from named_blob "
            "where not exists (select 1 from content where content.digest = named_blob.digest)"};
    struct sum sum = {0};
    const struct row_reader reader = {.read = read_sum, .into = &sum};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    if (!code) {
        *count_out = sum.count;
        *bytes_out = sum.bytes;
    }
    return code;
}
