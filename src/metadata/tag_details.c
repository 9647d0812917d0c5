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

struct listing {
    const struct tag_detail_query *query;
    struct tag_detail_page page;
};

struct search {
    struct str repository;
    struct str name;
    struct arena *arena;
    struct tag_detail *tag;
    bool is_there;
};

static enum error_code list(struct sql_connection *connection, void *context, struct error *err);
static enum error_code find_place_before(struct sql_connection *connection, struct sql_query *query,
                                         int64_t newest, struct error *err);
static enum error_code read_page(struct sql_rows *rows, struct listing *listing, struct error *err);
static size_t text_bytes_of(const struct sql_rows *rows);
static enum error_code read_tag(const struct sql_rows *rows, struct arena *arena,
                                struct tag_detail *tag, struct error *err);
static enum error_code find(struct sql_connection *connection, void *context, struct error *err);

enum error_code metadata_list_tag_details(struct metadata *metadata,
                                          const struct tag_detail_query *query,
                                          struct tag_detail_page *page_out, struct error *err)
{
    struct listing listing = {.query = query};
    void *tags = NULL;
    enum error_code code =
        metadata_new_list(query->arena, query->limit, sizeof(*listing.page.tags), &tags, err);

    listing.page.tags = tags;
    if (!code) {
        code = sql_read(metadata->sql, list, &listing, err);
    }
    if (!code) {
        *page_out = listing.page;
    }
    return code;
}

static enum error_code list(struct sql_connection *connection, void *context, struct error *err)
{
    struct listing *listing = context;
    const struct tag_detail_query *wanted = listing->query;
    struct sql_query query = {
        .text = COLUMNS "where tag.repository_id = $1 and tag.kind <> 2 "
                        "and (tag.created_ms, tag.sequence) > ($2, $3) "
                        "order by tag.created_ms, tag.sequence limit $4",
        .values = {sql_null(), sql_integer(wanted->after_ms), sql_integer(wanted->after_sequence),
                   sql_integer((int64_t)wanted->limit + 1)},
        .count = 4,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    int64_t id = 0;
    enum error_code code = metadata_repository_id(connection, wanted->repository, &id, err);

    query.values[0] = sql_integer(id);
    if (!code && wanted->newest > 0) {
        code = find_place_before(connection, &query, wanted->newest, err);
    }
    if (!code) {
        code = sql_query(connection, &query, &rows, err);
    }
    return code ? code : read_page(rows, listing, err);
}

/* Of the tag that is just older than the newest ones; if there is none, all are wanted. */
static enum error_code find_place_before(struct sql_connection *connection, struct sql_query *query,
                                         int64_t newest, struct error *err)
{
    const struct sql_query search = {
        .text = "select created_ms, sequence from tag where repository_id = $1 and kind <> 2 "
                "order by created_ms desc, sequence desc limit 1 offset $2",
        .values = {query->values[0], sql_integer(newest)},
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;
    const enum error_code code = sql_query_row(connection, &search, &rows, &is_row, err);

    if (!code && is_row) {
        query->values[1] = sql_integer(sql_rows_column(rows, 0).integer);
        query->values[2] = sql_integer(sql_rows_column(rows, 1).integer);
    }
    return code;
}

static enum error_code read_page(struct sql_rows *rows, struct listing *listing, struct error *err)
{
    const struct tag_detail_query *wanted = listing->query;
    struct tag_detail_page *page = &listing->page;
    enum error_code code = OK;
    size_t text_bytes = 0;
    bool is_row = true;

    page->count = 0;
    page->has_more = false;
    while (!code && is_row && !page->has_more) {
        code = sql_rows_next(rows, &is_row, err);
        if (code || !is_row) {
            break;
        }
        text_bytes += text_bytes_of(rows);
        page->has_more =
            page->count == wanted->limit || (page->count > 0 && text_bytes > TAG_PAGE_TEXT_BYTES);
        if (!page->has_more) {
            code = read_tag(rows, wanted->arena, &page->tags[page->count++], err);
        }
    }
    return code;
}

static size_t text_bytes_of(const struct sql_rows *rows)
{
    static const int columns[] = {0, 3, 6, 9, 10};
    size_t bytes = 0;

    for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
        bytes += sql_rows_column(rows, columns[i]).bytes.length;
    }
    return bytes;
}

static enum error_code read_tag(const struct sql_rows *rows, struct arena *arena,
                                struct tag_detail *tag, struct error *err)
{
    enum error_code code = metadata_read_text(rows, 0, arena, &tag->tag.name, err);

    tag->tag.kind = (enum tag_kind)sql_rows_column(rows, 2).integer;
    tag->tag.created_ms = sql_rows_column(rows, 4).integer;
    tag->sequence = sql_rows_column(rows, 5).integer;
    tag->has_config = sql_rows_column(rows, 7).type != SQL_NULL;
    tag->image_size_bytes = (uint64_t)sql_rows_column(rows, 8).integer;
    tag->is_production_ready = sql_rows_column(rows, 10).type != SQL_NULL;
    tag->marked_ms = sql_rows_column(rows, 11).integer;
    if (!code) {
        code = metadata_read_digest(rows, 1, &tag->tag.digest, err);
    }
    if (!code) {
        code = metadata_read_text(rows, 3, arena, &tag->tag.created_by, err);
    }
    if (!code) {
        code = metadata_read_text(rows, 6, arena, &tag->media_type, err);
    }
    if (!code) {
        code = metadata_read_text(rows, 9, arena, &tag->platforms, err);
    }
    if (!code && tag->is_production_ready) {
        code = metadata_read_text(rows, 10, arena, &tag->incident_id, err);
    }
    if (!code && tag->has_config) {
        code = metadata_read_digest(rows, 7, &tag->config, err);
    }
    return code;
}

enum error_code metadata_find_tag_detail(struct metadata *metadata, struct str repository,
                                         struct str name, struct arena *arena,
                                         struct tag_detail *tag_out, struct error *err)
{
    struct tag_detail found = {0};
    struct search search = {repository, name, arena, &found, false};
    const enum error_code code = sql_read(metadata->sql, find, &search, err);

    if (code) {
        return code;
    }
    if (!search.is_there) {
        return error_set_about(err, ABOUT_TAG, ERROR_NOT_FOUND, "%.*s has no tag %.*s",
                               STR_FORMAT(repository), STR_FORMAT(name));
    }
    *tag_out = found;
    return OK;
}

static enum error_code find(struct sql_connection *connection, void *context, struct error *err)
{
    struct search *search = context;
    const struct sql_query query = {
        .text = COLUMNS "join repository on repository.id = tag.repository_id "
                        "where repository.name = $1 and tag.name = $2",
        .values = {sql_text(search->repository), sql_text(search->name)},
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    const enum error_code code = sql_query_row(connection, &query, &rows, &search->is_there, err);

    return code || !search->is_there ? code : read_tag(rows, search->arena, search->tag, err);
}
