#include "metadata/blob_places.h"

#include "metadata/metadata_private.h"

enum error_code metadata_add_blob_place(struct metadata *metadata,
                                        const struct blob_place_record *place, struct error *err)
{
    struct digest_value digest;
    const struct sql_query query = {
        .text = "insert into blob_place (digest, location, size_bytes, created_ms) "
                "values ($1, $2, $3, $4) on conflict do nothing",
        .values = {metadata_digest_value(&digest, &place->digest), sql_text(place->location),
                   sql_integer((int64_t)place->size_bytes), sql_integer(place->created_ms)},
        .count = 4,
    };

    return metadata_run(metadata, SQL_DURABLE, &query, err);
}

static void read_place(struct row *row, void *into)
{
    struct blob_place_record *place = into;

    place->digest = row_digest(row);
    place->location = row_text(row);
    place->size_bytes = row_size(row);
    place->created_ms = row_integer(row);
}

enum error_code metadata_find_blob_place(struct metadata *metadata, const struct digest *digest,
                                         struct arena *arena, struct blob_place_record *place_out,
                                         struct error *err)
{
    struct digest_value text;
    const struct sql_query query = {
        .text = "select digest, location, size_bytes, created_ms from blob_place where digest = $1",
        .values = {metadata_digest_value(&text, digest)},
        .count = 1,
    };
    struct blob_place_record place;
    const struct row_reader reader = {read_place, &place, arena};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        return error_set_about(err, ABOUT_BLOB, ERROR_NOT_FOUND, "there is no blob %s", text.text);
    }
    if (!code) {
        *place_out = place;
    }
    return code;
}
