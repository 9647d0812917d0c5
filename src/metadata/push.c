#include "metadata/manifests.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "metadata/metadata_private.h"
#include "metadata/push_agenda.h"

/* A push on its way through its transaction. */
struct push {
    const struct manifest_push *wanted;
    struct digest_value digest; /* of the manifest, as text */
    bool has_repository;
    int64_t repository_id;
    struct tag_found found[PUSH_TAGS_MAX];
    bool is_set[PUSH_TAGS_MAX];  /* by this push: it came to be, or moved */
    bool is_said[PUSH_TAGS_MAX]; /* where its image was built from */
    bool is_taken;               /* one of them, and it may not move */
    bool is_manifest_new;
};

static struct sql_query tag_query(const struct push *push, size_t i)
{
    return (struct sql_query){
        .text = "select tag.digest from repository join tag on tag.repository_id = repository.id "
                "where repository.name = $1 and tag.name = $2",
        .values = {sql_text(push->wanted->repository), sql_text(push->wanted->tags[i].name)},
        .count = 2,
    };
}

static void judge_tag(struct push *push, size_t i)
{
    const struct tag_push *tag = &push->wanted->tags[i];
    struct tag_found *found = &push->found[i];

    found->is_taken = found->is_there &&
                      !digest_equal(&found->digest, &push->wanted->manifest.digest) &&
                      !(tag->replaces && digest_equal(&found->digest, tag->replaces));
    push->is_taken = push->is_taken || found->is_taken;
}

/* The repository and all of the tags: who is refused hears of all at once. This may be repeated. */
static enum error_code look(struct sql_connection *connection, struct push *push, struct error *err)
{
    struct row_question questions[1 + PUSH_TAGS_MAX] = {
        {.query = {.text = "select id from repository where name = $1",
                   .values = {sql_text(push->wanted->repository)},
                   .count = 1},
         .reader = {.read = row_read_integer, .into = &push->repository_id}}};
    const size_t count = push->wanted->tag_count;
    enum error_code code = OK;

    push->is_taken = false;
    for (size_t i = 0; i < count; i++) {
        questions[1 + i].query = tag_query(push, i);
        questions[1 + i].reader =
            (struct row_reader){.read = row_read_digest, .into = &push->found[i].digest};
    }
    code = rows_find_all(connection, questions, 1 + count, err);
    push->has_repository = questions[0].is_found;
    for (size_t i = 0; i < count && !code; i++) {
        push->found[i].is_there = questions[1 + i].is_found;
        judge_tag(push, i);
    }
    return code;
}

/* ERROR_CONFLICT if one is at another digest and may not move. */
static enum error_code check_tags(struct push *push, struct error *err)
{
    return push->is_taken
               ? error_set_about(err, ABOUT_TAG, ERROR_CONFLICT, "a tag is at another digest")
               : OK;
}

static enum error_code add_repository(struct sql_connection *connection, struct push *push,
                                      struct error *err)
{
    const struct sql_query add = {
        .text = "insert into repository (name, created_ms) values ($1, $2) "
                "on conflict (name) do nothing",
        .values = {sql_text(push->wanted->repository), sql_integer(push->wanted->created_ms)},
        .count = 2,
    };
    const enum error_code code = sql_run(connection, &add, err);

    return code ? code
                : metadata_repository_id(connection, push->wanted->repository, &push->repository_id,
                                         err);
}

/* By their names, as blobs by their digests: pushes of the same tags do not wait in a circle. */
static void sort_tags(const struct manifest_push *wanted, size_t order_out[PUSH_TAGS_MAX])
{
    for (size_t i = 0; i < wanted->tag_count; i++) {
        size_t rank = i;

        for (; rank > 0 &&
               str_compare(wanted->tags[i].name, wanted->tags[order_out[rank - 1]].name) < 0;
             rank--) {
            order_out[rank] = order_out[rank - 1];
        }
        order_out[rank] = i;
    }
}

static enum error_code add_all(struct sql_connection *connection, struct push *push,
                               struct error *err)
{
    size_t order[PUSH_TAGS_MAX] = {0};
    struct push_agenda *agenda = memory_new(1, sizeof(*agenda));
    enum error_code code = OK;

    *agenda = (struct push_agenda){.connection = connection,
                                   .push = push->wanted,
                                   .digest = str_from(push->digest.text),
                                   .repository_id = push->repository_id};
    code = push_agenda_add_manifest(agenda, &push->is_manifest_new, err);
    if (!code) {
        code = push_agenda_add_blobs(agenda, err);
    }
    sort_tags(push->wanted, order);
    for (size_t i = 0; i < push->wanted->tag_count && !code; i++) {
        const size_t tag = order[i];

        push->is_set[tag] = false;
        code = push_agenda_add_tag(agenda, tag, &push->found[tag], &push->is_set[tag], err);
        if (!code) {
            code = push_agenda_look_for_source(agenda, tag, &push->is_said[tag], err);
        }
    }
    if (!code) {
        code = push_agenda_do(agenda, err);
    }
    free(agenda);
    return code;
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

/* It is the database that decides a race, not the check before: where writers are many, another
 * one may have been faster. */
static enum error_code settle_tag(struct sql_connection *connection, struct push *push, size_t i,
                                  struct error *err)
{
    struct tag_found *found = &push->found[i];
    const bool was_there =
        found->is_there && digest_equal(&found->digest, &push->wanted->manifest.digest);
    struct row_question question = {.query = tag_query(push, i),
                                    .reader = {.read = row_read_digest, .into = &found->digest}};
    enum error_code code = OK;

    if (push->is_set[i]) {
        code = record_change(connection, push, i, err);
    } else if (!was_there) {
        code = rows_find_all(connection, &question, 1, err);
        found->is_there = question.is_found;
        judge_tag(push, i);
        found->is_taken = !digest_equal(&found->digest, &push->wanted->manifest.digest);
        push->is_taken = push->is_taken || found->is_taken;
        code = code ? code : check_tags(push, err);
    }
    if (!code && !push->is_said[i]) {
        code = push_add_source(connection, push->repository_id, push->wanted, i, err);
    }
    return code;
}

static enum error_code push_join(struct sql_connection *connection, const struct push *push,
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

/*
 * Where the database is far away, three round trips: what is there, what is to be there, and the
 * commit. Writes nothing where all is there already: then nothing needs to be flushed either, since
 * what a transaction finds was flushed before it could be seen. A refused tag is found before
 * anything is written.
 */
static enum error_code store(struct sql_connection *connection, void *context, struct error *err)
{
    struct push *push = context;
    enum error_code code = look(connection, push, err);

    /* Each question sees a moment of its own: a push of several tags may have come between two. */
    if (!code && push->is_taken && push->wanted->tag_count > 1) {
        code = look(connection, push, err);
    }
    if (!code) {
        code = check_tags(push, err);
    }
    if (!code && !push->has_repository) {
        code = add_repository(connection, push, err);
    }
    if (!code) {
        code = add_all(connection, push, err);
    }
    for (size_t i = 0; i < push->wanted->tag_count && !code; i++) {
        code = settle_tag(connection, push, i, err);
    }
    return code ? code : push_join(connection, push, err);
}

enum error_code metadata_push_manifest(struct metadata *metadata, const struct manifest_push *push,
                                       enum push_outcome *outcome_out, struct tag_found *found_out,
                                       struct error *err)
{
    struct push pushing = {.wanted = push};
    enum error_code code = OK;

    assert(push->tag_count <= PUSH_TAGS_MAX);
    digest_format(&push->manifest.digest, pushing.digest.text);
    code = sql_write(metadata->sql, SQL_DURABLE, store, &pushing, err);
    if (code == ERROR_CONFLICT && pushing.is_taken) {
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
