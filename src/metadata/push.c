#include "metadata/manifests.h"
#include "metadata/metadata_private.h"

/* A push on its way through its transaction. */
struct push {
    const struct manifest_push *wanted;
    struct digest_value digest; /* of the manifest, as text */
    int64_t repository_id;
    struct digest existing; /* ERROR_CONFLICT: where the tag is */
};

static enum error_code store(struct sql_connection *connection, void *context, struct error *err);
static enum error_code find_or_add_repository(struct sql_connection *connection, struct push *push,
                                              struct error *err);
static enum error_code add_content(struct sql_connection *connection, const struct push *push,
                                   struct error *err);
static enum error_code add_manifest(struct sql_connection *connection, const struct push *push,
                                    struct error *err);
static enum error_code set_tag(struct sql_connection *connection, struct push *push,
                               struct error *err);
static enum error_code find_tag_digest(struct sql_connection *connection, const struct push *push,
                                       bool *is_there_out, struct digest *digest_out,
                                       struct error *err);
static enum error_code add_tag(struct sql_connection *connection, struct push *push,
                               struct error *err);
static enum error_code move_tag(struct sql_connection *connection, struct push *push,
                                struct error *err);
static enum error_code record_change(struct sql_connection *connection, const struct push *push,
                                     const struct digest *old_digest, struct error *err);

enum error_code metadata_push_manifest(struct metadata *metadata, const struct manifest_push *push,
                                       enum push_outcome *outcome_out, struct digest *existing_out,
                                       struct error *err)
{
    struct push pushing = {.wanted = push};
    enum error_code code = OK;

    digest_format(&push->manifest.digest, pushing.digest.text);
    code = sql_write(metadata->sql, SQL_DURABLE, store, &pushing, err);
    if (code == ERROR_CONFLICT) {
        *outcome_out = PUSH_TAG_TAKEN;
        *existing_out = pushing.existing;
        return OK;
    }
    if (!code) {
        *outcome_out = PUSH_DONE;
    }
    return code;
}

/* Writes nothing where all is there already: then nothing needs to be flushed either. */
static enum error_code store(struct sql_connection *connection, void *context, struct error *err)
{
    struct push *push = context;
    enum error_code code = find_or_add_repository(connection, push, err);

    if (!code) {
        code = add_content(connection, push, err);
    }
    if (!code) {
        code = add_manifest(connection, push, err);
    }
    if (!code && push->wanted->tag.length > 0) {
        code = set_tag(connection, push, err);
    }
    return code;
}

static enum error_code find_or_add_repository(struct sql_connection *connection, struct push *push,
                                              struct error *err)
{
    const struct sql_query add = {
        .text = "insert into repository (name, created_ms) values ($1, $2) "
                "on conflict (name) do nothing",
        .values = {sql_text(push->wanted->repository), sql_integer(push->wanted->created_ms)},
        .count = 2,
    };
    enum error_code code =
        metadata_repository_id(connection, push->wanted->repository, &push->repository_id, err);

    if (code != ERROR_NOT_FOUND) {
        return code;
    }
    code = sql_run(connection, &add, err);
    if (!code) {
        code =
            metadata_repository_id(connection, push->wanted->repository, &push->repository_id, err);
    }
    return code;
}

static enum error_code add_content(struct sql_connection *connection, const struct push *push,
                                   struct error *err)
{
    const struct sql_query query = {
        .text =
            "insert into content (digest, bytes) values ($1, $2) on conflict (digest) do nothing",
        .values = {sql_text(str_from(push->digest.text)),
                   sql_bytes(push->wanted->manifest.content)},
        .count = 2,
    };

    return sql_run(connection, &query, err);
}

static enum error_code add_manifest(struct sql_connection *connection, const struct push *push,
                                    struct error *err)
{
    const struct manifest_push *wanted = push->wanted;
    const struct manifest_facts *facts = &wanted->facts;
    struct digest_value subject;
    struct digest_value config;
    const struct sql_query query = {
        .text =
            "insert into manifest (repository_id, digest, media_type, artifact_type, annotations, "
            "subject, config_digest, size_bytes, image_size_bytes, created_by, created_ms) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
            "on conflict (repository_id, digest) do nothing",
        .values = {sql_integer(push->repository_id), sql_text(str_from(push->digest.text)),
                   sql_text(wanted->manifest.media_type), sql_text(facts->artifact_type),
                   sql_text(facts->annotations),
                   metadata_digest_value(&subject, facts->has_subject ? &facts->subject : NULL),
                   metadata_digest_value(&config, facts->has_config ? &facts->config : NULL),
                   sql_integer((int64_t)wanted->manifest.content.length),
                   sql_integer((int64_t)facts->image_size_bytes), sql_text(wanted->created_by),
                   sql_integer(wanted->created_ms)},
        .count = 11,
    };

    return sql_run(connection, &query, err);
}

static enum error_code set_tag(struct sql_connection *connection, struct push *push,
                               struct error *err)
{
    const struct digest *wanted = &push->wanted->manifest.digest;
    const struct digest *replaces = push->wanted->replaces;
    enum error_code code = OK;
    bool is_there = false;

    code = find_tag_digest(connection, push, &is_there, &push->existing, err);
    if (!code && !is_there) {
        code = add_tag(connection, push, err);
        is_there = code == ERROR_CONFLICT;
    }
    if ((code && code != ERROR_CONFLICT) || !is_there || digest_equal(&push->existing, wanted)) {
        return code == ERROR_CONFLICT ? OK : code;
    }
    if (replaces && digest_equal(&push->existing, replaces)) {
        return move_tag(connection, push, err);
    }
    return error_set_about(err, ABOUT_TAG, ERROR_CONFLICT, "the tag is at another digest");
}

static enum error_code find_tag_digest(struct sql_connection *connection, const struct push *push,
                                       bool *is_there_out, struct digest *digest_out,
                                       struct error *err)
{
    const struct sql_query query = {
        .text = "select digest from tag where repository_id = $1 and name = $2",
        .values = {sql_integer(push->repository_id), sql_text(push->wanted->tag)},
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    enum error_code code = sql_query(connection, &query, &rows, err);

    if (!code) {
        code = sql_rows_next(rows, is_there_out, err);
    }
    return code || !*is_there_out ? code : metadata_read_digest(rows, 0, digest_out, err);
}

/* ERROR_CONFLICT, with push->existing set: another transaction was faster. */
static enum error_code add_tag(struct sql_connection *connection, struct push *push,
                               struct error *err)
{
    const struct manifest_push *wanted = push->wanted;
    const struct sql_query query = {
        .text = "insert into tag (repository_id, name, digest, kind, created_by, created_ms) "
                "values ($1, $2, $3, $4, $5, $6) "
                "on conflict (repository_id, name) do nothing returning sequence",
        .values = {sql_integer(push->repository_id), sql_text(wanted->tag),
                   sql_text(str_from(push->digest.text)), sql_integer(wanted->tag_kind),
                   sql_text(wanted->created_by), sql_integer(wanted->created_ms)},
        .count = 6,
    };
    bool is_added = false;
    bool is_there = false;
    enum error_code code = sql_run_for_row(connection, &query, &is_added, err);

    if (code) {
        return code;
    }
    if (is_added) {
        return record_change(connection, push, NULL, err);
    }
    code = find_tag_digest(connection, push, &is_there, &push->existing, err);
    return code ? code : ERROR_CONFLICT;
}

static enum error_code move_tag(struct sql_connection *connection, struct push *push,
                                struct error *err)
{
    const struct manifest_push *wanted = push->wanted;
    struct digest_value old_digest;
    const struct sql_query query = {
        .text = "update tag set digest = $1, created_by = $2, created_ms = $3 "
                "where repository_id = $4 and name = $5 and digest = $6 returning sequence",
        .values = {sql_text(str_from(push->digest.text)), sql_text(wanted->created_by),
                   sql_integer(wanted->created_ms), sql_integer(push->repository_id),
                   sql_text(wanted->tag), metadata_digest_value(&old_digest, wanted->replaces)},
        .count = 6,
    };
    bool is_moved = false;
    enum error_code code = sql_run_for_row(connection, &query, &is_moved, err);

    if (code) {
        return code;
    }
    if (!is_moved) {
        return error_set_about(err, ABOUT_TAG, ERROR_CONFLICT, "the tag has moved meanwhile");
    }
    return record_change(connection, push, wanted->replaces, err);
}

static enum error_code record_change(struct sql_connection *connection, const struct push *push,
                                     const struct digest *old_digest, struct error *err)
{
    const struct manifest_push *wanted = push->wanted;
    struct digest_value old_text;
    const struct sql_query query = {
        .text = "insert into tag_change "
                "(repository_id, name, old_digest, new_digest, changed_by, changed_ms) "
                "values ($1, $2, $3, $4, $5, $6)",
        .values = {sql_integer(push->repository_id), sql_text(wanted->tag),
                   metadata_digest_value(&old_text, old_digest),
                   sql_text(str_from(push->digest.text)), sql_text(wanted->created_by),
                   sql_integer(wanted->created_ms)},
        .count = 6,
    };

    return sql_run(connection, &query, err);
}
