#include "metadata/sources.h"

#include "metadata/metadata_private.h"

struct search {
    const struct tag_place *place;
    struct arena *arena;
    struct scm_record *record;
    bool is_there;
};

struct marking {
    const struct tag_place *place;
    const struct release_mark *mark;
    bool is_marked;
};

static enum error_code find(struct sql_connection *connection, void *context, struct error *err);
static enum error_code read_record(const struct sql_rows *rows, const struct search *search,
                                   struct error *err);
static enum error_code mark(struct sql_connection *connection, void *context, struct error *err);
static enum error_code find_tag(struct sql_connection *connection, const struct tag_place *place,
                                int64_t *repository_id_out, struct error *err);

enum error_code metadata_find_scm_source(struct metadata *metadata, const struct tag_place *place,
                                         struct arena *arena, struct scm_record *record_out,
                                         struct error *err)
{
    struct scm_record record = {0};
    struct search search = {place, arena, &record, false};
    const enum error_code code = sql_read(metadata->sql, find, &search, err);

    if (code) {
        return code;
    }
    if (!search.is_there) {
        return error_set_about(err, ABOUT_SOURCE, ERROR_NOT_FOUND,
                               "%.*s:%.*s does not tell what it was built from: it has no "
                               "scm-source.json in a layer",
                               STR_FORMAT(place->repository), STR_FORMAT(place->tag));
    }
    *record_out = record;
    return OK;
}

static enum error_code find(struct sql_connection *connection, void *context, struct error *err)
{
    struct search *search = context;
    const struct tag_place *place = search->place;
    struct digest_value digest;
    const struct sql_query query = {
        .text = "select scm_source.url, scm_source.revision, scm_source.author, scm_source.status, "
                "scm_source.created_ms from scm_source "
                "join repository on repository.id = scm_source.repository_id "
                "where repository.name = $1 and scm_source.tag = $2 and scm_source.digest = $3 "
                "order by scm_source.sequence desc limit 1",
        .values = {sql_text(place->repository), sql_text(place->tag),
                   metadata_digest_value(&digest, &place->digest)},
        .count = 3,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    const enum error_code code = sql_query_row(connection, &query, &rows, &search->is_there, err);

    return code || !search->is_there ? code : read_record(rows, search, err);
}

static enum error_code read_record(const struct sql_rows *rows, const struct search *search,
                                   struct error *err)
{
    struct scm_source *source = &search->record->source;
    struct str *const fields[] = {&source->url, &source->revision, &source->author,
                                  &source->status};
    enum error_code code = OK;

    for (size_t i = 0; i < ARRAY_LEN(fields) && !code; i++) {
        code = metadata_read_text(rows, (int)i, search->arena, fields[i], err);
    }
    search->record->created_ms = sql_rows_column(rows, ARRAY_LEN(fields)).integer;
    return code;
}

enum error_code metadata_mark_production_ready(struct metadata *metadata,
                                               const struct tag_place *place,
                                               const struct release_mark *mark_wanted,
                                               struct error *err)
{
    struct marking marking = {place, mark_wanted, false};
    const enum error_code code = sql_write(metadata->sql, SQL_DURABLE, mark, &marking, err);

    if (code || marking.is_marked) {
        return code;
    }
    return error_set(err, ERROR_CONFLICT, "%.*s:%.*s is marked as ready for production already",
                     STR_FORMAT(place->repository), STR_FORMAT(place->tag));
}

static enum error_code mark(struct sql_connection *connection, void *context, struct error *err)
{
    struct marking *marking = context;
    const struct tag_place *place = marking->place;
    struct digest_value digest;
    struct sql_query query = {
        .text = "insert into production_ready "
                "(repository_id, tag, digest, incident_id, marked_by, marked_ms) "
                "values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning repository_id",
        .values = {sql_null(), sql_text(place->tag), metadata_digest_value(&digest, &place->digest),
                   sql_text(marking->mark->incident_id), sql_text(marking->mark->marked_by),
                   sql_integer(marking->mark->marked_ms)},
        .count = 6,
    };
    int64_t id = 0;
    enum error_code code = find_tag(connection, place, &id, err);

    query.values[0] = sql_integer(id);
    return code ? code : sql_run_for_row(connection, &query, &marking->is_marked, err);
}

/* In the same transaction, since a snapshot may move in between. */
static enum error_code find_tag(struct sql_connection *connection, const struct tag_place *place,
                                int64_t *repository_id_out, struct error *err)
{
    struct digest_value digest;
    const struct sql_query query = {
        .text = "select repository.id from repository "
                "join tag on tag.repository_id = repository.id "
                "where repository.name = $1 and tag.name = $2 and tag.digest = $3",
        .values = {sql_text(place->repository), sql_text(place->tag),
                   metadata_digest_value(&digest, &place->digest)},
        .count = 3,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    bool is_row = false;
    const enum error_code code = sql_query_row(connection, &query, &rows, &is_row, err);

    if (code) {
        return code;
    }
    if (!is_row) {
        return error_set_about(err, ABOUT_TAG, ERROR_NOT_FOUND,
                               "%.*s:%.*s is not there any more, or has moved",
                               STR_FORMAT(place->repository), STR_FORMAT(place->tag));
    }
    *repository_id_out = sql_rows_column(rows, 0).integer;
    return OK;
}
