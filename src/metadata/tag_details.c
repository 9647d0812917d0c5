#include "metadata/tag_details.h"

#include "metadata/metadata_private.h"

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
    struct tag_position position;
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
        return metadata_no_such_tag(repository, name, err);
    }
    if (!code) {
        *tag_out = tag;
    }
    return code;
}
