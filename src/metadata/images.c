#include "metadata/images.h"

#include "base/strbuf.h"
#include "metadata/metadata_private.h"

struct listing {
    const struct image_query *query;
    struct image_tag_list list;
};

static enum error_code list(struct sql_connection *connection, void *context, struct error *err);
static enum error_code find_image(struct sql_connection *connection, struct str prefix,
                                  struct digest *image_out, struct error *err);
static enum error_code list_tags(struct sql_connection *connection, const struct digest *image,
                                 struct listing *listing, struct error *err);
static enum error_code read_tag(const struct sql_rows *rows, struct arena *arena,
                                struct image_tag *tag, struct error *err);
static enum error_code not_found(struct str prefix, struct error *err);

enum error_code metadata_list_image_tags(struct metadata *metadata, const struct image_query *query,
                                         struct image_tag_list *list_out, struct error *err)
{
    struct listing listing = {.query = query};
    void *tags = NULL;
    enum error_code code =
        metadata_new_list(query->arena, query->limit, sizeof(*listing.list.tags), &tags, err);

    listing.list.tags = tags;
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
    const struct str prefix = listing->query->prefix;
    struct digest image;
    enum error_code code = find_image(connection, prefix, &image, err);

    if (!code) {
        code = list_tags(connection, &image, listing, err);
    }
    return code || listing->list.count > 0 || listing->query->after_sequence > 0
               ? code
               : not_found(prefix, err);
}

/* Two steps into the index: the first image with the prefix, and whether there is another one. */
static enum error_code find_image(struct sql_connection *connection, struct str prefix,
                                  struct digest *image_out, struct error *err)
{
    static const char behind_hexadecimal[] = "g";
    struct sql_query query = {
        .text = "select distinct coalesce(config_digest, digest) from manifest "
                "where coalesce(config_digest, digest) >= $1 "
                "and coalesce(config_digest, digest) < $2 order by 1 limit 2",
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    CLEANUP(strbuf_release) struct strbuf end;
    bool is_row = false;
    enum error_code code = OK;

    strbuf_init(&end, DIGEST_TEXT_BYTES + sizeof(behind_hexadecimal));
    strbuf_append(&end, prefix);
    strbuf_append_text(&end, behind_hexadecimal);
    query.values[0] = sql_text(prefix);
    query.values[1] = sql_text(strbuf_str(&end));
    code = sql_query_row(connection, &query, &rows, &is_row, err);
    if (code || !is_row) {
        return code ? code : not_found(prefix, err);
    }
    code = metadata_read_digest(rows, 0, image_out, err);
    if (!code) {
        code = sql_rows_next(rows, &is_row, err);
    }
    return code || !is_row ? code
                           : error_set_about(err, ABOUT_IMAGE, ERROR_CONFLICT,
                                             "several images begin with %.*s: give more of the id",
                                             STR_FORMAT(prefix));
}

static enum error_code list_tags(struct sql_connection *connection, const struct digest *image,
                                 struct listing *listing, struct error *err)
{
    const struct image_query *wanted = listing->query;
    struct digest_value digest;
    const struct sql_query query = {
        .text = "select repository.name, tag.name, tag.sequence from manifest "
                "join tag on tag.repository_id = manifest.repository_id "
                "and tag.digest = manifest.digest "
                "join repository on repository.id = tag.repository_id "
                "where coalesce(manifest.config_digest, manifest.digest) = $1 and tag.kind <> 2 "
                "and (repository.name, tag.sequence) > ($2, $3) "
                "order by repository.name, tag.sequence limit $4",
        .values = {metadata_digest_value(&digest, image), sql_text(wanted->after_repository),
                   sql_integer(wanted->after_sequence), sql_integer((int64_t)wanted->limit + 1)},
        .count = 4,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    struct image_tag_list *found = &listing->list;
    bool is_row = true;
    enum error_code code = sql_query(connection, &query, &rows, err);

    found->count = 0;
    found->has_more = false;
    while (!code && is_row && !found->has_more) {
        code = sql_rows_next(rows, &is_row, err);
        found->has_more = !code && is_row && found->count == wanted->limit;
        if (!code && is_row && !found->has_more) {
            code = read_tag(rows, wanted->arena, &found->tags[found->count++], err);
        }
    }
    return code;
}

static enum error_code read_tag(const struct sql_rows *rows, struct arena *arena,
                                struct image_tag *tag, struct error *err)
{
    const enum error_code code = metadata_read_text(rows, 0, arena, &tag->repository, err);

    tag->sequence = sql_rows_column(rows, 2).integer;
    return code ? code : metadata_read_text(rows, 1, arena, &tag->name, err);
}

static enum error_code not_found(struct str prefix, struct error *err)
{
    return error_set_about(err, ABOUT_IMAGE, ERROR_NOT_FOUND,
                           "no tagged image's id begins with %.*s", STR_FORMAT(prefix));
}
