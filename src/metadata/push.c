#include "metadata/manifests.h"

#include <assert.h>

#include "metadata/metadata_private.h"
#include "metadata/push_facts.h"

/* A push on its way through its transaction. */
struct push {
    const struct manifest_push *wanted;
    struct digest_value digest; /* of the manifest, as text */
    int64_t repository_id;
    struct tag_found found[PUSH_TAGS_MAX];
    bool is_set[PUSH_TAGS_MAX]; /* by this push: it came to be, or moved */
    bool is_taken;              /* one of them, and it may not move */
    bool is_manifest_new;
};

static enum error_code store(struct sql_connection *connection, void *context, struct error *err);
static enum error_code find_or_add_repository(struct sql_connection *connection, struct push *push,
                                              struct error *err);
static enum error_code add_content(struct sql_connection *connection, const struct push *push,
                                   struct error *err);
static enum error_code add_manifest(struct sql_connection *connection, struct push *push,
                                    struct error *err);
static enum error_code check_tags(struct sql_connection *connection, struct push *push,
                                  struct error *err);
static enum error_code find_tag(struct sql_connection *connection, struct push *push, size_t i,
                                struct error *err);
static enum error_code set_tags(struct sql_connection *connection, struct push *push,
                                struct error *err);
static enum error_code set_tag(struct sql_connection *connection, struct push *push, size_t i,
                               struct error *err);
static enum error_code put_tag(struct sql_connection *connection, const struct push *push, size_t i,
                               bool *is_set_out, struct error *err);
static enum error_code add_tag(struct sql_connection *connection, const struct push *push, size_t i,
                               bool *is_set_out, struct error *err);
static enum error_code move_tag(struct sql_connection *connection, const struct push *push,
                                size_t i, bool *is_set_out, struct error *err);
static enum error_code record_change(struct sql_connection *connection, const struct push *push,
                                     size_t i, struct error *err);
static enum error_code join(struct sql_connection *connection, const struct push *push,
                            struct error *err);

enum error_code metadata_push_manifest(struct metadata *metadata, const struct manifest_push *push,
                                       enum push_outcome *outcome_out, struct tag_found *found_out,
                                       struct error *err)
{
    struct push pushing = {.wanted = push};
    enum error_code code = OK;

    assert(push->tag_count <= PUSH_TAGS_MAX);
    digest_format(&push->manifest.digest, pushing.digest.text);
    code = sql_write(metadata->sql, SQL_DURABLE, store, &pushing, err);
    if (code && pushing.is_taken) {
        *outcome_out = PUSH_TAG_TAKEN;
        for (size_t i = 0; i < push->tag_count; i++) {
            found_out[i] = pushing.found[i];
        }
        return OK;
    }
    if (!code) {
        *outcome_out = PUSH_DONE;
    }
    return code;
}

/*
 * Writes nothing where all is there already: then nothing needs to be flushed either, since what a
 * transaction finds was flushed before it could be seen. A refused tag is found before anything is
 * written.
 */
static enum error_code store(struct sql_connection *connection, void *context, struct error *err)
{
    struct push *push = context;
    enum error_code code = find_or_add_repository(connection, push, err);

    push->is_taken = false; /* this may be repeated */
    if (!code) {
        code = check_tags(connection, push, err);
    }
    if (!code) {
        code = add_content(connection, push, err);
    }
    if (!code) {
        code = add_manifest(connection, push, err);
    }
    if (!code) {
        code = push_add_blobs(connection, push->wanted, err);
    }
    if (!code) {
        code = set_tags(connection, push, err);
    }
    return code ? code : join(connection, push, err);
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

/* ERROR_CONFLICT if one is at another digest and may not move. All are looked up even so: who is
 * refused hears of all at once. */
static enum error_code check_tags(struct sql_connection *connection, struct push *push,
                                  struct error *err)
{
    enum error_code code = OK;

    for (size_t i = 0; i < push->wanted->tag_count && !code; i++) {
        code = find_tag(connection, push, i, err);
        push->is_taken = push->is_taken || push->found[i].is_taken;
    }
    if (code || !push->is_taken) {
        return code;
    }
    return error_set_about(err, ABOUT_TAG, ERROR_CONFLICT, "a tag is at another digest");
}

static void read_digest(struct row *row, void *into)
{
    struct digest *digest = into;

    *digest = row_digest(row);
}

static enum error_code find_tag(struct sql_connection *connection, struct push *push, size_t i,
                                struct error *err)
{
    const struct tag_push *tag = &push->wanted->tags[i];
    struct tag_found *found = &push->found[i];
    const struct sql_query query = {
        .text = "select digest from tag where repository_id = $1 and name = $2",
        .values = {sql_integer(push->repository_id), sql_text(tag->name)},
        .count = 2,
    };
    const struct row_reader reader = {.read = read_digest, .into = &found->digest};
    const enum error_code code = rows_find(connection, &query, &reader, err);

    found->is_there = !code;
    found->is_taken = !code && !digest_equal(&found->digest, &push->wanted->manifest.digest) &&
                      !(tag->replaces && digest_equal(&found->digest, tag->replaces));
    return code == ERROR_NOT_FOUND ? OK : code;
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

static enum error_code add_manifest(struct sql_connection *connection, struct push *push,
                                    struct error *err)
{
    const struct manifest_push *wanted = push->wanted;
    const struct manifest_facts *facts = &wanted->facts;
    struct digest_value subject;
    struct digest_value config;
    const struct sql_query query = {
        .text =
            "insert into manifest (repository_id, digest, media_type, artifact_type, annotations, "
            "subject, config_digest, size_bytes, image_size_bytes, created_by, created_ms, "
            "platforms, is_runnable, created_by_kind) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
            "on conflict (repository_id, digest) do nothing returning digest",
        .values = {sql_integer(push->repository_id), sql_text(str_from(push->digest.text)),
                   sql_text(wanted->manifest.media_type), sql_text(facts->artifact_type),
                   sql_text(facts->annotations),
                   metadata_digest_value(&subject, facts->has_subject ? &facts->subject : NULL),
                   metadata_digest_value(&config, facts->has_config ? &facts->config : NULL),
                   sql_integer((int64_t)wanted->manifest.content.length),
                   sql_integer((int64_t)facts->image_size_bytes), sql_text(wanted->created_by.name),
                   sql_integer(wanted->created_ms), sql_text(facts->platforms),
                   sql_integer(facts->is_runnable), sql_text(wanted->created_by.kind)},
        .count = 14,
    };

    return sql_run_for_row(connection, &query, &push->is_manifest_new, err);
}

static enum error_code set_tags(struct sql_connection *connection, struct push *push,
                                struct error *err)
{
    enum error_code code = OK;

    for (size_t i = 0; i < push->wanted->tag_count && !code; i++) {
        code = set_tag(connection, push, i, err);
        if (!code) {
            code = push_add_source(connection, push->repository_id, push->wanted, i, err);
        }
    }
    return code;
}

/* It is the database that decides a race, not the check before: where writers are many, another
 * one may have been faster. */
static enum error_code set_tag(struct sql_connection *connection, struct push *push, size_t i,
                               struct error *err)
{
    const struct digest *wanted = &push->wanted->manifest.digest;
    struct tag_found *found = &push->found[i];
    enum error_code code = OK;

    push->is_set[i] = false;
    if (found->is_there && digest_equal(&found->digest, wanted)) {
        return OK;
    }
    code = put_tag(connection, push, i, &push->is_set[i], err);
    if (code) {
        return code;
    }
    if (push->is_set[i]) {
        return record_change(connection, push, i, err);
    }
    code = find_tag(connection, push, i, err);
    if (code || digest_equal(&found->digest, wanted)) {
        return code;
    }
    push->is_taken = found->is_taken = true;
    return error_set_about(err, ABOUT_TAG, ERROR_CONFLICT, "another push of the tag was faster");
}

static enum error_code put_tag(struct sql_connection *connection, const struct push *push, size_t i,
                               bool *is_set_out, struct error *err)
{
    return push->found[i].is_there ? move_tag(connection, push, i, is_set_out, err)
                                   : add_tag(connection, push, i, is_set_out, err);
}

static enum error_code add_tag(struct sql_connection *connection, const struct push *push, size_t i,
                               bool *is_set_out, struct error *err)
{
    const struct manifest_push *wanted = push->wanted;
    const struct tag_push *tag = &wanted->tags[i];
    const struct sql_query query = {
        .text = "insert into tag (repository_id, name, digest, kind, created_by, created_ms, "
                "is_runnable, created_by_kind) values ($1, $2, $3, $4, $5, $6, $7, $8) "
                "on conflict (repository_id, name) do nothing returning sequence",
        .values = {sql_integer(push->repository_id), sql_text(tag->name),
                   sql_text(str_from(push->digest.text)), sql_integer(tag->kind),
                   sql_text(wanted->created_by.name), sql_integer(wanted->created_ms),
                   sql_integer(wanted->facts.is_runnable), sql_text(wanted->created_by.kind)},
        .count = 8,
    };

    return sql_run_for_row(connection, &query, is_set_out, err);
}

static enum error_code move_tag(struct sql_connection *connection, const struct push *push,
                                size_t i, bool *is_set_out, struct error *err)
{
    const struct manifest_push *wanted = push->wanted;
    const struct tag_push *tag = &wanted->tags[i];
    struct digest_value existing;
    const struct sql_query query = {
        .text = "update tag set digest = $1, created_by = $2, created_ms = $3, is_runnable = $7, "
                "created_by_kind = $8 "
                "where repository_id = $4 and name = $5 and digest = $6 returning sequence",
        .values = {sql_text(str_from(push->digest.text)), sql_text(wanted->created_by.name),
                   sql_integer(wanted->created_ms), sql_integer(push->repository_id),
                   sql_text(tag->name), metadata_digest_value(&existing, &push->found[i].digest),
                   sql_integer(wanted->facts.is_runnable), sql_text(wanted->created_by.kind)},
        .count = 8,
    };

    return sql_run_for_row(connection, &query, is_set_out, err);
}

static enum error_code record_change(struct sql_connection *connection, const struct push *push,
                                     size_t i, struct error *err)
{
    const struct manifest_push *wanted = push->wanted;
    const struct tag_found *found = &push->found[i];
    struct digest_value old_digest;
    const struct sql_query query = {
        .text = "insert into tag_change "
                "(repository_id, name, old_digest, new_digest, changed_by, changed_ms, "
                "changed_by_kind) values ($1, $2, $3, $4, $5, $6, $7)",
        .values = {sql_integer(push->repository_id), sql_text(wanted->tags[i].name),
                   metadata_digest_value(&old_digest, found->is_there ? &found->digest : NULL),
                   sql_text(str_from(push->digest.text)), sql_text(wanted->created_by.name),
                   sql_integer(wanted->created_ms), sql_text(wanted->created_by.kind)},
        .count = 7,
    };

    return sql_run(connection, &query, err);
}

static enum error_code join(struct sql_connection *connection, const struct push *push,
                            struct error *err)
{
    const struct manifest_push *wanted = push->wanted;
    struct push_change change = {
        .repository = wanted->repository,
        .new_digest = wanted->manifest.digest,
        .changed_by = wanted->created_by,
        .changed_ms = wanted->created_ms,
    };
    enum error_code code = OK;

    if (!wanted->companion) {
        return OK;
    }
    if (wanted->tag_count == 0 && push->is_manifest_new) {
        return wanted->companion->join(connection, &change, wanted->companion->context, err);
    }
    for (size_t i = 0; i < wanted->tag_count && !code; i++) {
        if (push->is_set[i]) {
            change.tag = wanted->tags[i].name;
            change.old_digest = push->found[i].is_there ? &push->found[i].digest : NULL;
            code = wanted->companion->join(connection, &change, wanted->companion->context, err);
        }
    }
    return code;
}
