#include "metadata/images.h"

#include "base/strbuf.h"
#include "metadata/metadata_private.h"

struct image_tags {
    const struct image_query *query;
    struct row_page page;
};

static enum error_code no_such_image(struct str prefix, struct error *err)
{
    return error_set_about(err, ABOUT_IMAGE, ERROR_NOT_FOUND,
                           "no tagged image's id begins with %.*s", STR_FORMAT(prefix));
}

static void read_image(struct row *row, void *into)
{
    struct digest *image = into;

    *image = row_digest(row);
}

/* Two steps into the index: the first image with the prefix, and whether there is another one. */
static enum error_code find_image(struct sql_connection *connection,
                                  const struct image_query *wanted, struct digest *image_out,
                                  struct error *err)
{
    static const char behind_hexadecimal[] = "g";
    struct sql_query query = {
        .text = "select distinct coalesce(config_digest, digest) from manifest "
                "where coalesce(config_digest, digest) >= $1 "
                "and coalesce(config_digest, digest) < $2 order by 1 limit 2",
        .count = 2,
    };
    struct row_page page = {
        .read = read_image, .item_bytes = sizeof(*image_out), .limit = 1, .items = image_out};
    CLEANUP(strbuf_release) struct strbuf end;
    enum error_code code = OK;

    strbuf_init(&end, DIGEST_TEXT_BYTES + sizeof(behind_hexadecimal));
    strbuf_append(&end, wanted->prefix);
    strbuf_append_text(&end, behind_hexadecimal);
    query.values[0] = sql_text(wanted->prefix);
    query.values[1] = sql_text(strbuf_str(&end));
    code = rows_page(connection, &query, &page, err);
    if (code || page.count == 0) {
        return code ? code : no_such_image(wanted->prefix, err);
    }
    return page.has_more ? error_set_about(err, ABOUT_IMAGE, ERROR_CONFLICT,
                                           "several images begin with %.*s: give more of the id",
                                           STR_FORMAT(wanted->prefix))
                         : OK;
}

static void read_image_tag(struct row *row, void *into)
{
    struct image_tag *tag = into;

    tag->repository = row_text(row);
    tag->name = row_text(row);
    tag->sequence = row_integer(row);
}

static enum error_code list_tags_of(struct sql_connection *connection, const struct digest *image,
                                    struct image_tags *tags, struct error *err)
{
    const struct image_query *wanted = tags->query;
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

    return rows_page(connection, &query, &tags->page, err);
}

static enum error_code list_image_tags(struct sql_connection *connection, void *context,
                                       struct error *err)
{
    struct image_tags *tags = context;
    struct digest image;
    enum error_code code = find_image(connection, tags->query, &image, err);

    if (!code) {
        code = list_tags_of(connection, &image, tags, err);
    }
    return code || tags->page.count > 0 || tags->query->after_sequence > 0
               ? code
               : no_such_image(tags->query->prefix, err);
}

enum error_code metadata_list_image_tags(struct metadata *metadata, const struct image_query *query,
                                         struct image_tag_list *list_out, struct error *err)
{
    struct image_tags tags = {.query = query,
                              .page = {.read = read_image_tag,
                                       .item_bytes = sizeof(struct image_tag),
                                       .limit = query->limit,
                                       .arena = query->arena}};
    const enum error_code code = sql_read(metadata->sql, list_image_tags, &tags, err);

    if (!code) {
        *list_out = (struct image_tag_list){tags.page.items, tags.page.count, tags.page.has_more};
    }
    return code;
}
