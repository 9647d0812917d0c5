#include "metadata/tags.h"

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

    return code == ERROR_NOT_FOUND ? metadata_no_such_tag(repository, name, err) : code;
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
