#include "metadata/sources.h"

#include <string.h>

#include "metadata/metadata_private.h"

static void read_record(struct row *row, void *into)
{
    struct scm_record *record = into;

    record->source.url = row_text(row);
    record->source.revision = row_text(row);
    record->source.author = row_text(row);
    record->source.status = row_text(row);
    record->created_ms = row_integer(row);
}

enum error_code metadata_find_scm_source(struct metadata *metadata, const struct tag_place *place,
                                         struct arena *arena, struct scm_record *record_out,
                                         struct error *err)
{
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
    struct scm_record record;
    const struct row_reader reader = {read_record, &record, arena};
    const enum error_code code = metadata_find_row(metadata, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        return error_set_about(err, ABOUT_SOURCE, ERROR_NOT_FOUND,
                               "%.*s:%.*s does not tell what it was built from: it has no "
                               "scm-source.json in a layer",
                               STR_FORMAT(place->repository), STR_FORMAT(place->tag));
    }
    if (!code) {
        *record_out = record;
    }
    return code;
}

struct marking {
    const struct tag_place *place;
    const struct release_mark *mark;
    bool is_marked;
};

/* In the same transaction, since a snapshot may move in between. */
static enum error_code find_repository_of(struct sql_connection *connection,
                                          const struct tag_place *place, int64_t *id_out,
                                          struct error *err)
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
    const struct row_reader reader = {.read = row_read_integer, .into = id_out};
    const enum error_code code = rows_find(connection, &query, &reader, err);

    if (code == ERROR_NOT_FOUND) {
        return error_set_about(err, ABOUT_TAG, ERROR_NOT_FOUND,
                               "%.*s:%.*s is not there any more, or has moved",
                               STR_FORMAT(place->repository), STR_FORMAT(place->tag));
    }
    return code;
}

/* Done again, as nobody heard that it was done, it finds its own. */
static enum error_code mark(struct sql_connection *connection, void *context, struct error *err)
{
    struct marking *marking = context;
    const struct tag_place *place = marking->place;
    struct digest_value digest;
    struct sql_query query = {
        .text =
            "insert into production_ready "
            "(repository_id, tag, digest, incident_id, marked_by, marked_ms, marked_by_kind) "
            "values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning repository_id",
        .values = {sql_null(), sql_text(place->tag), metadata_digest_value(&digest, &place->digest),
                   sql_text(marking->mark->incident_id), sql_text(marking->mark->marked_by.name),
                   sql_integer(marking->mark->marked_ms), sql_text(marking->mark->marked_by.kind)},
        .count = 7,
    };
    struct sql_query look = {
        .text = "select 1 from production_ready where repository_id = $1 and tag = $2 "
                "and digest = $3 and incident_id = $4 and marked_by = $5 and marked_ms = $6 "
                "and marked_by_kind = $7",
        .count = 7,
    };
    int64_t id = 0;
    enum error_code code = find_repository_of(connection, place, &id, err);

    query.values[0] = sql_integer(id);
    memcpy(look.values, query.values, sizeof(look.values));
    if (!code) {
        code = sql_run_for_row(connection, &query, &marking->is_marked, err);
    }
    return code || marking->is_marked || !sql_is_repeated(connection)
               ? code
               : sql_run_for_row(connection, &look, &marking->is_marked, err);
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
