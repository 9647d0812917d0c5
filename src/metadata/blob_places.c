#include "metadata/blob_places.h"

#include "metadata/metadata_private.h"

struct search {
    const struct digest *digest;
    struct arena *arena;
    struct blob_place_record place;
    bool is_there;
};

static enum error_code add(struct sql_connection *connection, void *context, struct error *err);
static enum error_code find(struct sql_connection *connection, void *context, struct error *err);
static enum error_code read_place(const struct sql_rows *rows, struct search *search,
                                  struct error *err);

enum error_code metadata_add_blob_place(struct metadata *metadata,
                                        const struct blob_place_record *place, struct error *err)
{
    struct blob_place_record added = *place;

    return sql_write(metadata->sql, SQL_DURABLE, add, &added, err);
}

static enum error_code add(struct sql_connection *connection, void *context, struct error *err)
{
    const struct blob_place_record *place = context;
    struct digest_value digest;
    const struct sql_query query = {
        .text = "insert into blob_place (digest, location, size_bytes, created_ms) "
                "values ($1, $2, $3, $4) on conflict do nothing",
        .values = {metadata_digest_value(&digest, &place->digest), sql_text(place->location),
                   sql_integer((int64_t)place->size_bytes), sql_integer(place->created_ms)},
        .count = 4,
    };

    return sql_run(connection, &query, err);
}

enum error_code metadata_find_blob_place(struct metadata *metadata, const struct digest *digest,
                                         struct arena *arena, struct blob_place_record *place_out,
                                         struct error *err)
{
    struct search search = {.digest = digest, .arena = arena};
    char text[DIGEST_TEXT_BYTES];
    const enum error_code code = sql_read(metadata->sql, find, &search, err);

    if (code) {
        return code;
    }
    if (!search.is_there) {
        digest_format(digest, text);
        return error_set_about(err, ABOUT_BLOB, ERROR_NOT_FOUND, "there is no blob %s", text);
    }
    *place_out = search.place;
    return OK;
}

static enum error_code find(struct sql_connection *connection, void *context, struct error *err)
{
    struct search *search = context;
    struct digest_value digest;
    const struct sql_query query = {
        .text = "select digest, location, size_bytes, created_ms from blob_place where digest = $1",
        .values = {metadata_digest_value(&digest, search->digest)},
        .count = 1,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    const enum error_code code = sql_query_row(connection, &query, &rows, &search->is_there, err);

    return code || !search->is_there ? code : read_place(rows, search, err);
}

static enum error_code read_place(const struct sql_rows *rows, struct search *search,
                                  struct error *err)
{
    enum error_code code = metadata_read_digest(rows, 0, &search->place.digest, err);

    if (!code) {
        code = metadata_read_text(rows, 1, search->arena, &search->place.location, err);
    }
    search->place.size_bytes = (uint64_t)sql_rows_column(rows, 2).integer;
    search->place.created_ms = sql_rows_column(rows, 3).integer;
    return code;
}
