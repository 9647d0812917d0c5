#include "metadata/push_facts.h"

#include "metadata/metadata_private.h"

struct comparison {
    const struct scm_source *source;
    bool is_equal;
};

static enum error_code add_blob(struct sql_connection *connection, const struct named_blob *blob,
                                struct error *err);
static enum error_code check_standing(struct sql_connection *connection,
                                      const struct named_blob *blob, struct error *err);
static enum error_code is_said(struct sql_connection *connection, int64_t repository_id,
                               const struct manifest_push *push, size_t tag, bool *is_said_out,
                               struct error *err);
static void compare_source(struct row *row, void *into);

enum error_code push_add_blobs(struct sql_connection *connection, const struct manifest_push *push,
                               struct error *err)
{
    const struct named_blob manifest = {.digest = push->manifest.digest,
                                        .size_bytes = push->manifest.content.length};
    enum error_code code = add_blob(connection, &manifest, err);

    for (size_t i = 0; i < push->blob_count && !code; i++) {
        code = check_standing(connection, &push->blobs[i], err);
        if (!code) {
            code = add_blob(connection, &push->blobs[i], err);
        }
    }
    return code;
}

/* That it was there before this transaction is no more than a hint. */
static enum error_code check_standing(struct sql_connection *connection,
                                      const struct named_blob *blob, struct error *err)
{
    struct digest_value digest;
    const struct sql_query query = {
        .text = "select 1 from swept_blob where digest = $1 "
                "and not exists (select 1 from named_blob where digest = $1)",
        .values = {metadata_digest_value(&digest, &blob->digest)},
        .count = 1,
    };
    bool is_swept = false;
    enum error_code code = OK;

    if (blob->must_not_be_swept) {
        code = sql_run_for_row(connection, &query, &is_swept, err);
    }
    if (code || !is_swept) {
        return code;
    }
    return error_set_about(err, ABOUT_REFERENCED, ERROR_NOT_FOUND,
                           "the manifest names %s, which nobody named for too long: push it again",
                           digest.text);
}

static enum error_code add_blob(struct sql_connection *connection, const struct named_blob *blob,
                                struct error *err)
{
    struct digest_value digest;
    const struct sql_query query = {
        .text = "insert into named_blob (digest, size_bytes) values ($1, $2) "
                "on conflict (digest) do nothing",
        .values = {metadata_digest_value(&digest, &blob->digest),
                   sql_integer((int64_t)blob->size_bytes)},
        .count = 2,
    };

    return sql_run(connection, &query, err);
}

enum error_code push_add_source(struct sql_connection *connection, int64_t repository_id,
                                const struct manifest_push *push, size_t tag, struct error *err)
{
    const struct scm_claim *claim = push->scm_claim;
    struct digest_value digest;
    bool is_there = false;
    enum error_code code = OK;

    if (!claim || push->tags[tag].kind == TAG_SIGNATURE) {
        return OK;
    }
    code = is_said(connection, repository_id, push, tag, &is_there, err);
    if (code || is_there) {
        return code;
    }
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

static enum error_code is_said(struct sql_connection *connection, int64_t repository_id,
                               const struct manifest_push *push, size_t tag, bool *is_said_out,
                               struct error *err)
{
    const struct scm_claim *claim = push->scm_claim;
    struct digest_value digest;
    const struct sql_query query = {
        .text = "select url, revision, author, status, origin from scm_source "
                "where repository_id = $1 and tag = $2 and digest = $3 "
                "order by sequence desc limit 1",
        .values = {sql_integer(repository_id), sql_text(push->tags[tag].name),
                   metadata_digest_value(&digest, &push->manifest.digest)},
        .count = 3,
    };
    struct comparison comparison = {.source = &claim->source};
    const struct row_reader reader = {.read = compare_source, .into = &comparison};
    const enum error_code code = rows_find(connection, &query, &reader, err);

    /* The same layers say the same: nothing that came behind them is to be overruled by them. */
    *is_said_out = !code && (claim->origin == SCM_OF_LAYER || comparison.is_equal);
    return code == ERROR_NOT_FOUND ? OK : code;
}

static void compare_source(struct row *row, void *into)
{
    struct comparison *comparison = into;
    const struct scm_source *source = comparison->source;

    comparison->is_equal = str_equal(row_borrowed_text(row), source->url);
    comparison->is_equal &= str_equal(row_borrowed_text(row), source->revision);
    comparison->is_equal &= str_equal(row_borrowed_text(row), source->author);
    comparison->is_equal &= str_equal(row_borrowed_text(row), source->status);
}
