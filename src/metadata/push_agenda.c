#include "metadata/push_agenda.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static enum error_code refuse_swept(const struct digest_value *digest, struct error *err)
{
    return error_set_about(err, ABOUT_REFERENCED, ERROR_NOT_FOUND,
                           "the manifest names %s, which nobody named for too long: push it again",
                           digest->text);
}

enum error_code push_agenda_do(struct push_agenda *agenda, struct error *err)
{
    const size_t count = agenda->count;
    const enum error_code code = rows_find_all(agenda->connection, agenda->steps, count, err);

    agenda->count = 0;
    for (size_t i = 0; i < count && !code; i++) {
        if (agenda->is_sweep[i] && agenda->steps[i].is_found) {
            return refuse_swept(&agenda->digests[i][0], err);
        }
        if (agenda->found_out[i]) {
            *agenda->found_out[i] = agenda->steps[i].is_found;
        }
    }
    return code;
}

/* An empty step, behind the others. */
static enum error_code begin_step(struct push_agenda *agenda, size_t *step_out, struct error *err)
{
    const enum error_code code =
        agenda->count == PUSH_AGENDA_STEPS ? push_agenda_do(agenda, err) : OK;

    if (!code) {
        *step_out = agenda->count++;
        agenda->steps[*step_out] = (struct row_question){0};
        agenda->found_out[*step_out] = NULL;
        agenda->is_sweep[*step_out] = false;
    }
    return code;
}

static struct sql_query content_query(const struct push_agenda *agenda)
{
    return (struct sql_query){
        .text =
            "insert into content (digest, bytes) values ($1, $2) on conflict (digest) do nothing",
        .values = {sql_text(agenda->digest), sql_bytes(agenda->push->manifest.content)},
        .count = 2,
    };
}

static struct sql_query manifest_query(const struct push_agenda *agenda,
                                       struct digest_value digests[2])
{
    const struct manifest_push *push = agenda->push;
    const struct manifest_facts *facts = &push->facts;

    return (struct sql_query){
        .text =
            "insert into manifest (repository_id, digest, media_type, artifact_type, annotations, "
            "subject, config_digest, size_bytes, image_size_bytes, created_by, created_ms, "
            "platforms, is_runnable, created_by_kind) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
            "on conflict (repository_id, digest) do nothing returning digest",
        .values = {sql_integer(agenda->repository_id), sql_text(agenda->digest),
                   sql_text(push->manifest.media_type), sql_text(facts->artifact_type),
                   sql_text(facts->annotations),
                   metadata_digest_value(&digests[0], facts->has_subject ? &facts->subject : NULL),
                   metadata_digest_value(&digests[1], facts->has_config ? &facts->config : NULL),
                   sql_integer((int64_t)push->manifest.content.length),
                   sql_integer((int64_t)facts->image_size_bytes), sql_text(push->created_by.name),
                   sql_integer(push->created_ms), sql_text(facts->platforms),
                   sql_integer(facts->is_runnable), sql_text(push->created_by.kind)},
        .count = 14,
    };
}

enum error_code push_agenda_add_manifest(struct push_agenda *agenda, bool *is_new_out,
                                         struct error *err)
{
    size_t step = 0;
    enum error_code code = begin_step(agenda, &step, err);

    if (!code) {
        agenda->steps[step].query = content_query(agenda);
        code = begin_step(agenda, &step, err);
    }
    if (!code) {
        agenda->steps[step].query = manifest_query(agenda, agenda->digests[step]);
        agenda->found_out[step] = is_new_out;
    }
    return code;
}

/* That it was there before this transaction is no more than a hint. */
static enum error_code check_standing(struct push_agenda *agenda, const struct digest *digest,
                                      struct error *err)
{
    size_t step = 0;
    const enum error_code code = begin_step(agenda, &step, err);

    if (!code) {
        agenda->steps[step].query = (struct sql_query){
            .text = "select 1 from swept_blob where digest = $1 "
                    "and not exists (select 1 from named_blob where digest = $1)",
            .values = {metadata_digest_value(&agenda->digests[step][0], digest)},
            .count = 1,
        };
        agenda->is_sweep[step] = true;
    }
    return code;
}

static enum error_code add_blob(struct push_agenda *agenda, const struct digest *digest,
                                uint64_t size_bytes, struct error *err)
{
    size_t step = 0;
    const enum error_code code = begin_step(agenda, &step, err);

    if (!code) {
        agenda->steps[step].query = (struct sql_query){
            .text = "insert into named_blob (digest, size_bytes) values ($1, $2) "
                    "on conflict (digest) do nothing",
            .values = {metadata_digest_value(&agenda->digests[step][0], digest),
                       sql_integer((int64_t)size_bytes)},
            .count = 2,
        };
    }
    return code;
}

static int compare_blobs(const void *a, const void *b)
{
    const struct digest *const first = &(*(const struct named_blob *const *)a)->digest;
    const struct digest *const second = &(*(const struct named_blob *const *)b)->digest;

    return memcmp(first->bytes, second->bytes, sizeof(first->bytes));
}

/* In one order whatever the manifest says: pushes of the same blobs would wait for each other. */
static const struct named_blob **sort_blobs(const struct manifest_push *push)
{
    const struct named_blob **blobs = memory_new(push->blob_count + 1, sizeof(const void *));

    for (size_t i = 0; i < push->blob_count; i++) {
        blobs[i] = &push->blobs[i];
    }
    qsort(blobs, push->blob_count, sizeof(const void *), compare_blobs);
    return blobs;
}

/* The manifest first: from then on no sweep is at work (see swept_blobs.c). */
enum error_code push_agenda_add_blobs(struct push_agenda *agenda, struct error *err)
{
    const struct manifest_push *push = agenda->push;
    const struct named_blob **blobs = sort_blobs(push);
    enum error_code code =
        add_blob(agenda, &push->manifest.digest, push->manifest.content.length, err);

    for (size_t i = 0; i < push->blob_count && !code; i++) {
        code = blobs[i]->must_not_be_swept ? check_standing(agenda, &blobs[i]->digest, err) : OK;
        if (!code) {
            code = add_blob(agenda, &blobs[i]->digest, blobs[i]->size_bytes, err);
        }
    }
    free(blobs);
    return code;
}

static struct sql_query creation_query(const struct push_agenda *agenda, size_t tag)
{
    const struct manifest_push *push = agenda->push;

    return (struct sql_query){
        .text = "insert into tag (repository_id, name, digest, kind, created_by, created_ms, "
                "is_runnable, created_by_kind) values ($1, $2, $3, $4, $5, $6, $7, $8) "
                "on conflict (repository_id, name) do nothing returning sequence",
        .values = {sql_integer(agenda->repository_id), sql_text(push->tags[tag].name),
                   sql_text(agenda->digest), sql_integer(push->tags[tag].kind),
                   sql_text(push->created_by.name), sql_integer(push->created_ms),
                   sql_integer(push->facts.is_runnable), sql_text(push->created_by.kind)},
        .count = 8,
    };
}

static struct sql_query move_query(const struct push_agenda *agenda, size_t tag,
                                   struct sql_value from)
{
    const struct manifest_push *push = agenda->push;

    return (struct sql_query){
        .text = "update tag set digest = $1, created_by = $2, created_ms = $3, is_runnable = $7, "
                "created_by_kind = $8 "
                "where repository_id = $4 and name = $5 and digest = $6 returning sequence",
        .values = {sql_text(agenda->digest), sql_text(push->created_by.name),
                   sql_integer(push->created_ms), sql_integer(agenda->repository_id),
                   sql_text(push->tags[tag].name), from, sql_integer(push->facts.is_runnable),
                   sql_text(push->created_by.kind)},
        .count = 8,
    };
}

enum error_code push_agenda_add_tag(struct push_agenda *agenda, size_t tag,
                                    const struct tag_found *found, bool *is_set_out,
                                    struct error *err)
{
    size_t step = 0;
    enum error_code code = OK;

    *is_set_out = false;
    if (found->is_there && digest_equal(&found->digest, &agenda->push->manifest.digest)) {
        return OK;
    }
    code = begin_step(agenda, &step, err);
    if (!code) {
        agenda->steps[step].query =
            found->is_there
                ? move_query(agenda, tag,
                             metadata_digest_value(&agenda->digests[step][0], &found->digest))
                : creation_query(agenda, tag);
        agenda->found_out[step] = is_set_out;
    }
    return code;
}

/* The same layers say the same: nothing that came behind them is to be overruled by them. */
static void compare_source(struct row *row, void *into)
{
    struct push_source *source = into;
    const struct scm_claim *claim = source->claim;
    bool is_equal = str_equal(row_borrowed_text(row), claim->source.url);

    is_equal &= str_equal(row_borrowed_text(row), claim->source.revision);
    is_equal &= str_equal(row_borrowed_text(row), claim->source.author);
    is_equal &= str_equal(row_borrowed_text(row), claim->source.status);
    *source->is_said_out = claim->origin == SCM_OF_LAYER || is_equal;
}

enum error_code push_agenda_look_for_source(struct push_agenda *agenda, size_t tag,
                                            bool *is_said_out, struct error *err)
{
    const struct manifest_push *push = agenda->push;
    struct push_source *source = &agenda->sources[tag];
    size_t step = 0;
    enum error_code code = OK;

    *is_said_out = !push->scm_claim || push->tags[tag].kind == TAG_SIGNATURE;
    if (*is_said_out) {
        return OK;
    }
    code = begin_step(agenda, &step, err);
    if (!code) {
        *source = (struct push_source){push->scm_claim, is_said_out};
        agenda->steps[step] = (struct row_question){
            .query = {.text = "select url, revision, author, status from scm_source "
                              "where repository_id = $1 and tag = $2 and digest = $3 "
                              "order by sequence desc limit 1",
                      .values = {sql_integer(agenda->repository_id), sql_text(push->tags[tag].name),
                                 sql_text(agenda->digest)},
                      .count = 3},
            .reader = {.read = compare_source, .into = source},
        };
    }
    return code;
}

enum error_code push_add_source(struct sql_connection *connection, int64_t repository_id,
                                const struct manifest_push *push, size_t tag, struct error *err)
{
    const struct scm_claim *claim = push->scm_claim;
    struct digest_value digest;
    const struct sql_query query = {
        .text = "insert into scm_source (repository_id, tag, digest, origin, url, revision, "
                "author, status, created_by, created_ms, created_by_kind) "
                "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        .values = {sql_integer(repository_id), sql_text(push->tags[tag].name),
                   metadata_digest_value(&digest, &push->manifest.digest),
                   sql_integer(claim->origin), sql_text(claim->source.url),
                   sql_text(claim->source.revision), sql_text(claim->source.author),
                   sql_text(claim->source.status), sql_text(push->created_by.name),
                   sql_integer(push->created_ms), sql_text(push->created_by.kind)},
        .count = 11,
    };

    return sql_run(connection, &query, err);
}
