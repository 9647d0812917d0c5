#include "metadata/tags.h"

#include "metadata/name_list.h"

struct find {
    struct str repository;
    struct str name;
    struct arena *arena;
    struct tag_record *tag;
    bool is_there;
};

struct listing {
    const struct tag_history_query *query;
    struct tag_history history;
};

static enum error_code find_by_name(struct sql_connection *connection, void *context,
                                    struct error *err);
static enum error_code find_newest(struct sql_connection *connection, void *context,
                                   struct error *err);
static enum error_code find(struct sql_connection *connection, const struct sql_query *query,
                            struct find *wanted, struct error *err);
static enum error_code read_tag(const struct sql_rows *rows, const struct find *find,
                                struct error *err);
static enum error_code list_tags(struct sql_connection *connection, void *context,
                                 struct error *err);
static enum error_code list_changes(struct sql_connection *connection, void *context,
                                    struct error *err);
static enum error_code read_change(const struct sql_rows *rows, struct arena *arena,
                                   struct tag_change *change, struct error *err);

enum error_code metadata_find_tag(struct metadata *metadata, struct str repository, struct str name,
                                  struct arena *arena, struct tag_record *tag_out,
                                  struct error *err)
{
    struct find wanted = {repository, name, arena, tag_out, false};
    const enum error_code code = sql_read(metadata->sql, find_by_name, &wanted, err);

    if (code || wanted.is_there) {
        return code;
    }
    return error_set_about(err, ABOUT_TAG, ERROR_NOT_FOUND, "%.*s has no tag %.*s",
                           STR_FORMAT(repository), STR_FORMAT(name));
}

static enum error_code find_by_name(struct sql_connection *connection, void *context,
                                    struct error *err)
{
    struct find *wanted = context;
    const struct sql_query query = {
        .text = "select tag.name, tag.digest, tag.kind, tag.created_by, tag.created_ms "
                "from repository join tag on tag.repository_id = repository.id "
                "where repository.name = $1 and tag.name = $2",
        .values = {sql_text(wanted->repository), sql_text(wanted->name)},
        .count = 2,
    };

    return find(connection, &query, wanted, err);
}

static enum error_code find(struct sql_connection *connection, const struct sql_query *query,
                            struct find *wanted, struct error *err)
{
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    const enum error_code code = sql_query_row(connection, query, &rows, &wanted->is_there, err);

    return code || !wanted->is_there ? code : read_tag(rows, wanted, err);
}

static enum error_code read_tag(const struct sql_rows *rows, const struct find *find,
                                struct error *err)
{
    struct tag_record tag = {0};
    enum error_code code = metadata_read_text(rows, 0, find->arena, &tag.name, err);

    if (!code) {
        code = metadata_read_digest(rows, 1, &tag.digest, err);
    }
    if (!code) {
        code = metadata_read_text(rows, 3, find->arena, &tag.created_by, err);
    }
    if (!code) {
        tag.kind = (enum tag_kind)sql_rows_column(rows, 2).integer;
        tag.created_ms = sql_rows_column(rows, 4).integer;
        *find->tag = tag;
    }
    return code;
}

enum error_code metadata_find_newest_tag(struct metadata *metadata, struct str repository,
                                         struct arena *arena, struct tag_record *tag_out,
                                         struct error *err)
{
    struct find wanted = {.repository = repository, .arena = arena, .tag = tag_out};
    const enum error_code code = sql_read(metadata->sql, find_newest, &wanted, err);

    if (code || wanted.is_there) {
        return code;
    }
    return error_set_about(err, ABOUT_TAG, ERROR_NOT_FOUND,
                           "%.*s has no tag that could be the latest", STR_FORMAT(repository));
}

static enum error_code find_newest(struct sql_connection *connection, void *context,
                                   struct error *err)
{
    struct find *wanted = context;
    /* kind <> 2 (TAG_SIGNATURE) as literally as in the index that this uses. */
    const struct sql_query query = {
        .text = "select tag.name, tag.digest, tag.kind, tag.created_by, tag.created_ms "
                "from repository join tag on tag.repository_id = repository.id "
                "where repository.name = $1 and tag.kind <> 2 "
                "order by tag.is_runnable desc, tag.created_ms desc, tag.sequence desc limit 1",
        .values = {sql_text(wanted->repository)},
        .count = 1,
    };

    return find(connection, &query, wanted, err);
}

enum error_code metadata_list_tags(struct metadata *metadata, const struct name_query *query,
                                   struct name_page *page_out, struct error *err)
{
    return name_list_fill(metadata, list_tags, query, page_out, err);
}

static enum error_code list_tags(struct sql_connection *connection, void *context,
                                 struct error *err)
{
    struct name_list *wanted = context;
    int64_t id = 0;
    struct sql_query query = {
        .text = "select name from tag where repository_id = $1 and name > $2 "
                "order by name limit $3",
        .values = {sql_null(), sql_text(wanted->query->after),
                   sql_integer((int64_t)wanted->query->limit + 1)},
        .count = 3,
    };
    const enum error_code code =
        metadata_repository_id(connection, wanted->query->repository, &id, err);

    if (code) {
        return code;
    }
    query.values[0] = sql_integer(id);
    return name_list_read(connection, &query, wanted, err);
}

enum error_code metadata_list_tag_changes(struct metadata *metadata,
                                          const struct tag_history_query *query,
                                          struct tag_history *history_out, struct error *err)
{
    struct listing listing = {.query = query};
    void *changes = NULL;
    enum error_code code = metadata_new_list(query->arena, query->limit,
                                             sizeof(*listing.history.changes), &changes, err);

    listing.history.changes = changes;
    if (!code) {
        code = sql_read(metadata->sql, list_changes, &listing, err);
    }
    if (!code) {
        *history_out = listing.history;
    }
    return code;
}

static enum error_code list_changes(struct sql_connection *connection, void *context,
                                    struct error *err)
{
    struct listing *listing = context;
    const struct tag_history_query *wanted = listing->query;
    struct tag_history *history = &listing->history;
    const struct sql_query query = {
        .text = "select old_digest, new_digest, changed_by, changed_ms "
                "from repository join tag_change on tag_change.repository_id = repository.id "
                "where repository.name = $1 and tag_change.name = $2 "
                "order by tag_change.sequence limit $3",
        .values = {sql_text(wanted->repository), sql_text(wanted->name),
                   sql_integer((int64_t)wanted->limit)},
        .count = 3,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    enum error_code code = sql_query(connection, &query, &rows, err);
    bool is_row = true;

    history->count = 0;
    while (!code && is_row) {
        code = sql_rows_next(rows, &is_row, err);
        if (!code && is_row) {
            code = read_change(rows, wanted->arena, &history->changes[history->count++], err);
        }
    }
    return code;
}

static enum error_code read_change(const struct sql_rows *rows, struct arena *arena,
                                   struct tag_change *change, struct error *err)
{
    enum error_code code = OK;

    change->has_old = sql_rows_column(rows, 0).type != SQL_NULL;
    if (change->has_old) {
        code = metadata_read_digest(rows, 0, &change->old_digest, err);
    }
    if (!code) {
        code = metadata_read_digest(rows, 1, &change->new_digest, err);
    }
    change->changed_ms = sql_rows_column(rows, 3).integer;
    return code ? code : metadata_read_text(rows, 2, arena, &change->changed_by, err);
}
