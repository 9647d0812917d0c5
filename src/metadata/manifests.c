#include "metadata/manifests.h"

#include "metadata/metadata_private.h"

struct find {
    struct str repository;
    const struct digest *digest;
    struct arena *arena;
    struct manifest_record *manifest;
    bool is_there;
    bool must_be_runnable;
};

struct listing {
    const struct referrer_query *query;
    struct arena *arena;
    struct referrer_page page;
};

static enum error_code not_there(const struct find *find, struct error *err);
static enum error_code find(struct sql_connection *connection, void *context, struct error *err);
static enum error_code read_manifest(const struct sql_rows *rows, const struct find *find,
                                     struct error *err);
static enum error_code describe(struct sql_connection *connection, void *context,
                                struct error *err);
static enum error_code find_row(struct metadata *metadata, struct find *wanted, bool *is_there_out,
                                struct error *err);
static enum error_code has(struct sql_connection *connection, void *context, struct error *err);
static enum error_code list(struct sql_connection *connection, void *context, struct error *err);
static enum error_code read_referrers(struct sql_rows *rows, struct listing *listing,
                                      struct error *err);
static enum error_code read_referrer(const struct sql_rows *rows, struct arena *arena,
                                     struct referrer *referrer, struct error *err);

enum error_code metadata_find_manifest(struct metadata *metadata, struct str repository,
                                       const struct digest *digest, struct arena *arena,
                                       struct manifest_record *manifest_out, struct error *err)
{
    struct find wanted = {
        .repository = repository, .digest = digest, .arena = arena, .manifest = manifest_out};
    const enum error_code code = sql_read(metadata->sql, find, &wanted, err);

    return code || wanted.is_there ? code : not_there(&wanted, err);
}

static enum error_code not_there(const struct find *find, struct error *err)
{
    char text[DIGEST_TEXT_BYTES];

    digest_format(find->digest, text);
    return error_set_about(err, ABOUT_MANIFEST, ERROR_NOT_FOUND, "%.*s has no manifest %s",
                           STR_FORMAT(find->repository), text);
}

static enum error_code find(struct sql_connection *connection, void *context, struct error *err)
{
    struct find *wanted = context;
    struct digest_value digest;
    const struct sql_query query = {
        .text = "select manifest.media_type, content.bytes from repository "
                "join manifest on manifest.repository_id = repository.id "
                "join content on content.digest = manifest.digest "
                "where repository.name = $1 and manifest.digest = $2",
        .values = {sql_text(wanted->repository), metadata_digest_value(&digest, wanted->digest)},
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    const enum error_code code = sql_query_row(connection, &query, &rows, &wanted->is_there, err);

    return code || !wanted->is_there ? code : read_manifest(rows, wanted, err);
}

static enum error_code read_manifest(const struct sql_rows *rows, const struct find *find,
                                     struct error *err)
{
    struct manifest_record manifest = {.digest = *find->digest};
    enum error_code code = metadata_read_text(rows, 0, find->arena, &manifest.media_type, err);

    if (!code) {
        code = metadata_read_text(rows, 1, find->arena, &manifest.content, err);
    }
    if (!code) {
        manifest.size_bytes = manifest.content.length;
        *find->manifest = manifest;
    }
    return code;
}

enum error_code metadata_describe_manifest(struct metadata *metadata, struct str repository,
                                           const struct digest *digest, struct arena *arena,
                                           struct manifest_record *manifest_out, struct error *err)
{
    struct find wanted = {
        .repository = repository, .digest = digest, .arena = arena, .manifest = manifest_out};
    const enum error_code code = sql_read(metadata->sql, describe, &wanted, err);

    return code || wanted.is_there ? code : not_there(&wanted, err);
}

static enum error_code describe(struct sql_connection *connection, void *context, struct error *err)
{
    struct find *wanted = context;
    struct manifest_record manifest = {.digest = *wanted->digest};
    struct digest_value digest;
    const struct sql_query query = {
        .text = "select manifest.media_type, manifest.size_bytes from repository "
                "join manifest on manifest.repository_id = repository.id "
                "where repository.name = $1 and manifest.digest = $2",
        .values = {sql_text(wanted->repository), metadata_digest_value(&digest, wanted->digest)},
        .count = 2,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    enum error_code code = sql_query_row(connection, &query, &rows, &wanted->is_there, err);

    if (code || !wanted->is_there) {
        return code;
    }
    code = metadata_read_text(rows, 0, wanted->arena, &manifest.media_type, err);
    manifest.size_bytes = (uint64_t)sql_rows_column(rows, 1).integer;
    if (!code) {
        *wanted->manifest = manifest;
    }
    return code;
}

enum error_code metadata_has_manifest(struct metadata *metadata, struct str repository,
                                      const struct digest *digest, bool *is_there_out,
                                      struct error *err)
{
    return find_row(metadata, &(struct find){.repository = repository, .digest = digest},
                    is_there_out, err);
}

enum error_code metadata_has_runnable(struct metadata *metadata, struct str repository,
                                      const struct digest *digest, bool *has_it_out,
                                      struct error *err)
{
    struct find wanted = {.repository = repository, .digest = digest, .must_be_runnable = true};

    return find_row(metadata, &wanted, has_it_out, err);
}

static enum error_code find_row(struct metadata *metadata, struct find *wanted, bool *is_there_out,
                                struct error *err)
{
    const enum error_code code = sql_read(metadata->sql, has, wanted, err);

    if (!code) {
        *is_there_out = wanted->is_there;
    }
    return code;
}

static enum error_code has(struct sql_connection *connection, void *context, struct error *err)
{
    struct find *wanted = context;
    struct digest_value digest;
    const struct sql_query query = {
        .text = "select 1 from repository join manifest on manifest.repository_id = repository.id "
                "where repository.name = $1 and manifest.digest = $2 "
                "and manifest.is_runnable >= $3",
        .values = {sql_text(wanted->repository), metadata_digest_value(&digest, wanted->digest),
                   sql_integer(wanted->must_be_runnable)},
        .count = 3,
    };

    return sql_run_for_row(connection, &query, &wanted->is_there, err);
}

enum error_code metadata_list_referrers(struct metadata *metadata,
                                        const struct referrer_query *query, struct arena *arena,
                                        struct referrer_page *page_out, struct error *err)
{
    struct listing listing = {.query = query, .arena = arena};
    void *referrers = NULL;
    enum error_code code =
        metadata_new_list(arena, query->limit, sizeof(*listing.page.referrers), &referrers, err);

    listing.page.referrers = referrers;
    if (!code) {
        code = sql_read(metadata->sql, list, &listing, err);
    }
    if (!code) {
        *page_out = listing.page;
    }
    return code;
}

/*
 * One more than the limit is asked for: that it is there says that there is more. Which digests
 * they are is asked of the index alone: the whole rows at once would make SQLite search all
 * manifests of the repository.
 */
static enum error_code list(struct sql_connection *connection, void *context, struct error *err)
{
    struct listing *listing = context;
    const struct referrer_query *wanted = listing->query;
    const struct referrer_place newest = {.created_ms = INT64_MAX};
    const struct referrer_place *const after = wanted->after ? wanted->after : &newest;
    struct digest_value subject;
    struct digest_value digest;
    const struct sql_query query = {
        .text = "select manifest.digest, manifest.media_type, manifest.size_bytes, "
                "manifest.artifact_type, manifest.annotations, manifest.created_ms "
                "from repository join manifest as found on found.repository_id = repository.id "
                "join manifest on manifest.repository_id = found.repository_id "
                "and manifest.digest = found.digest "
                "where repository.name = $1 and found.subject = $2 "
                "and (found.created_ms, found.digest) < ($3, $4) "
                "and ($5 = '' or manifest.artifact_type = $5) "
                "order by found.created_ms desc, found.digest desc limit $6",
        .values = {sql_text(wanted->repository), metadata_digest_value(&subject, &wanted->subject),
                   sql_integer(after->created_ms), metadata_digest_value(&digest, &after->digest),
                   sql_text(wanted->artifact_type), sql_integer((int64_t)wanted->limit + 1)},
        .count = 6,
    };
    CLEANUP(sql_rows_close) struct sql_rows *rows = NULL;
    const enum error_code code = sql_query(connection, &query, &rows, err);

    return code ? code : read_referrers(rows, listing, err);
}

static enum error_code read_referrers(struct sql_rows *rows, struct listing *listing,
                                      struct error *err)
{
    struct referrer_page *page = &listing->page;
    enum error_code code = OK;
    size_t size_bytes = 0;
    bool is_row = true;

    page->count = 0;
    page->has_more = false;
    while (!code && is_row && !page->has_more) {
        code = sql_rows_next(rows, &is_row, err);
        if (code || !is_row) {
            break;
        }
        page->has_more = page->count == listing->query->limit || size_bytes >= REFERRER_PAGE_BYTES;
        if (!page->has_more) {
            code = read_referrer(rows, listing->arena, &page->referrers[page->count], err);
            size_bytes += page->referrers[page->count++].annotations.length;
        }
    }
    return code;
}

static enum error_code read_referrer(const struct sql_rows *rows, struct arena *arena,
                                     struct referrer *referrer, struct error *err)
{
    enum error_code code = metadata_read_digest(rows, 0, &referrer->manifest.digest, err);

    if (!code) {
        code = metadata_read_text(rows, 1, arena, &referrer->manifest.media_type, err);
    }
    if (!code) {
        referrer->manifest.size_bytes = (uint64_t)sql_rows_column(rows, 2).integer;
        code = metadata_read_text(rows, 3, arena, &referrer->artifact_type, err);
    }
    referrer->created_ms = sql_rows_column(rows, 5).integer;
    return code ? code : metadata_read_text(rows, 4, arena, &referrer->annotations, err);
}
