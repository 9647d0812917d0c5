#include "metadata/tags.h"

#include "base/strbuf.h"
#include "metadata/metadata_private.h"

static void read_tag(struct row *row, void *into)
{
    struct tag_record *tag = into;

    tag->name = row_text(row);
    tag->digest = row_digest(row);
    tag->kind = (enum tag_kind)row_integer(row);
    tag->created_by = row_text(row);
    tag->created_ms = row_integer(row);
}

static enum error_code no_such_tag(struct str repository, struct str name, struct error *err)
{
    return error_set_about(err, ABOUT_TAG, ERROR_NOT_FOUND, "%.*s has no tag %.*s",
                           STR_FORMAT(repository), STR_FORMAT(name));
}

static enum error_code find_tag(struct metadata *metadata, const struct sql_query *query,
                                struct arena *arena, struct tag_record *tag_out, struct error *err)
{
    struct tag_record tag;
    const struct row_reader reader = {read_tag, &tag, arena};
    const enum error_code code = metadata_find_row(metadata, query, &reader, err);

    if (!code) {
        *tag_out = tag;
    }
    return code;
}

enum error_code metadata_find_tag(struct metadata *metadata, struct str repository, struct str name,
                                  struct arena *arena, struct tag_record *tag_out,
                                  struct error *err)
{
    const struct sql_query query = {
        .text = "select tag.name, tag.digest, tag.kind, tag.created_by, tag.created_ms "
                "from repository join tag on tag.repository_id = repository.id "
                "where repository.name = $1 and tag.name = $2",
        .values = {sql_text(repository), sql_text(name)},
        .count = 2,
    };
    const enum error_code code = find_tag(metadata, &query, arena, tag_out, err);

    return code == ERROR_NOT_FOUND ? no_such_tag(repository, name, err) : code;
}

enum error_code metadata_find_newest_tag(struct metadata *metadata, struct str repository,
                                         struct arena *arena, struct tag_record *tag_out,
                                         struct error *err)
{
    /* kind <> 2 (TAG_SIGNATURE) as literally as in the index that this uses. */
    const struct sql_query query = {
        .text = "select tag.name, tag.digest, tag.kind, tag.created_by, tag.created_ms "
                "from repository join tag on tag.repository_id = repository.id "
                "where repository.name = $1 and tag.kind <> 2 "
                "order by tag.is_runnable desc, tag.created_ms desc, tag.sequence desc limit 1",
        .values = {sql_text(repository)},
        .count = 1,
    };
    const enum error_code code = find_tag(metadata, &query, arena, tag_out, err);

    if (code == ERROR_NOT_FOUND) {
        return error_set_about(err, ABOUT_TAG, ERROR_NOT_FOUND,
                               "%.*s has no tag that could be the latest", STR_FORMAT(repository));
    }
    return code;
}

/* Names of a repository's tags on their way. */
struct tag_names {
    const struct name_query *query;
    struct row_page page;
};

static enum error_code list_tags(struct sql_connection *connection, void *context,
                                 struct error *err)
{
    struct tag_names *names = context;
    const struct name_query *wanted = names->query;
    struct sql_query query = {
        .text = "select name from tag where repository_id = $1 and name > $2 "
                "order by name limit $3",
        .values = {sql_null(), sql_text(wanted->after), sql_integer((int64_t)wanted->limit + 1)},
        .count = 3,
    };
    int64_t id = 0;
    const enum error_code code = metadata_repository_id(connection, wanted->repository, &id, err);

    query.values[0] = sql_integer(id);
    return code ? code : rows_page(connection, &query, &names->page, err);
}

enum error_code metadata_list_tags(struct metadata *metadata, const struct name_query *query,
                                   struct name_page *page_out, struct error *err)
{
    struct tag_names names = {query, metadata_names(query)};
    const enum error_code code = sql_read(metadata->sql, list_tags, &names, err);

    if (!code) {
        *page_out = (struct name_page){names.page.items, names.page.count, names.page.has_more};
    }
    return code;
}

static void read_change(struct row *row, void *into)
{
    struct tag_change *change = into;

    change->has_old = row_optional_digest(row, &change->old_digest);
    change->new_digest = row_digest(row);
    change->changed_by.kind = row_text(row);
    change->changed_by.name = row_text(row);
    change->changed_ms = row_integer(row);
    change->sequence = row_integer(row);
}

enum error_code metadata_list_tag_changes(struct metadata *metadata,
                                          const struct tag_history_query *query,
                                          struct tag_history *history_out, struct error *err)
{
    const struct sql_query changes = {
        .text = "select old_digest, new_digest, changed_by_kind, changed_by, changed_ms, "
                "tag_change.sequence "
                "from repository join tag_change on tag_change.repository_id = repository.id "
                "where repository.name = $1 and tag_change.name = $2 "
                "and tag_change.sequence > $3 order by tag_change.sequence limit $4",
        .values = {sql_text(query->repository), sql_text(query->name),
                   sql_integer(query->after_sequence), sql_integer((int64_t)query->limit + 1)},
        .count = 4,
    };
    struct row_page page = {.read = read_change,
                            .item_bytes = sizeof(struct tag_change),
                            .limit = query->limit,
                            .arena = query->arena};
    const enum error_code code = metadata_read_page(metadata, &changes, &page, err);

    if (!code) {
        *history_out = (struct tag_history){page.items, page.count, page.has_more};
    }
    return code;
}

#define COLUMNS                                                                                    \
    "select tag.name, tag.digest, tag.kind, tag.created_by, tag.created_ms, tag.sequence, "        \
    "manifest.media_type, manifest.config_digest, manifest.image_size_bytes, "                     \
    "manifest.platforms, production_ready.incident_id, production_ready.marked_ms "                \
    "from tag join manifest on manifest.repository_id = tag.repository_id "                        \
    "and manifest.digest = tag.digest "                                                            \
    "left join production_ready on production_ready.repository_id = tag.repository_id "            \
    "and production_ready.tag = tag.name and production_ready.digest = tag.digest "

static void read_detail(struct row *row, void *into)
{
    struct tag_detail *tag = into;

    tag->tag.name = row_text(row);
    tag->tag.digest = row_digest(row);
    tag->tag.kind = (enum tag_kind)row_integer(row);
    tag->tag.created_by = row_long_text(row);
    tag->tag.created_ms = row_integer(row);
    tag->sequence = row_integer(row);
    tag->media_type = row_text(row);
    tag->has_config = row_optional_digest(row, &tag->config);
    tag->image_size_bytes = row_size(row);
    tag->platforms = row_long_text(row);
    tag->is_production_ready = !row_is_null(row);
    tag->incident_id = row_long_text(row);
    tag->marked_ms = row_integer(row);
}

struct detail_list {
    const struct tag_detail_query *query;
    struct row_page page;
};

/* A tag's place among those of its repository. */
struct tag_position {
    int64_t created_ms;
    int64_t sequence;
};

static void read_position(struct row *row, void *into)
{
    struct tag_position *position = into;

    position->created_ms = row_integer(row);
    position->sequence = row_integer(row);
}

/* Of the tag that is just older than the newest ones; if there is none, all are wanted. */
static enum error_code find_position_before(struct sql_connection *connection,
                                            struct sql_query *query, int64_t newest,
                                            struct error *err)
{
    const struct sql_query search = {
        .text = "select created_ms, sequence from tag where repository_id = $1 and kind <> 2 "
                "order by created_ms desc, sequence desc limit 1 offset $2",
        .values = {query->values[0], sql_integer(newest)},
        .count = 2,
    };
    struct tag_position position = {0};
    const struct row_reader reader = {.read = read_position, .into = &position};
    const enum error_code code = rows_find(connection, &search, &reader, err);

    if (!code) {
        query->values[1] = sql_integer(position.created_ms);
        query->values[2] = sql_integer(position.sequence);
    }
    return code == ERROR_NOT_FOUND ? OK : code;
}

static enum error_code list_details(struct sql_connection *connection, void *context,
                                    struct error *err)
{
    struct detail_list *list = context;
    const struct tag_detail_query *wanted = list->query;
    struct sql_query query = {
        .text = COLUMNS "where tag.repository_id = $1 and tag.kind <> 2 "
                        "and (tag.created_ms, tag.sequence) > ($2, $3) "
                        "order by tag.created_ms, tag.sequence limit $4",
        .values = {sql_null(), sql_integer(wanted->after_ms), sql_integer(wanted->after_sequence),
                   sql_integer((int64_t)wanted->limit + 1)},
        .count = 4,
    };
    int64_t id = 0;
    enum error_code code = metadata_repository_id(connection, wanted->repository, &id, err);

    query.values[0] = sql_integer(id);
    if (!code && wanted->newest > 0) {
        code = find_position_before(connection, &query, wanted->newest, err);
    }
    return code ? code : rows_page(connection, &query, &list->page, err);
}

enum error_code metadata_list_tag_details(struct metadata *metadata,
                                          const struct tag_detail_query *query,
                                          struct tag_detail_page *page_out, struct error *err)
{
    struct detail_list list = {.query = query,
                               .page = {.read = read_detail,
                                        .item_bytes = sizeof(struct tag_detail),
                                        .limit = query->limit,
                                        .long_bytes_limit = TAG_PAGE_TEXT_BYTES,
                                        .arena = query->arena}};
    const struct row_page *page = &list.page;
    const enum error_code code = sql_read(metadata->sql, list_details, &list, err);

    if (!code) {
        *page_out = (struct tag_detail_page){page->items, page->count, page->has_more};
    }
    return code;
}

enum error_code metadata_find_tag_detail(struct metadata *metadata, struct str repository,
                                         struct str name, struct arena *arena,
                                         struct tag_detail *tag_out, struct error *err)
{
    const struct sql_query query = {
        .text = COLUMNS "join repository on repository.id = tag.repository_id "
                        "where repository.name = $1 and tag.name = $2",
        .values = {sql_text(repository), sql_text(name)},
        .count = 2,
    };
    struct tag_detail tag = {0};
    const struct row_reader reader = {read_detail, &tag, arena};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        return no_such_tag(repository, name, err);
    }
    if (!code) {
        *tag_out = tag;
    }
    return code;
}

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
