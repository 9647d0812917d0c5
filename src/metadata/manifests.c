#include "metadata/manifests.h"

#include "metadata/metadata_private.h"

static enum error_code find_manifest(struct metadata *metadata, const struct sql_query *query,
                                     const struct row_reader *reader, struct error *err)
{
    const enum error_code code = metadata_find_row(metadata, query, reader, err);

    if (code == ERROR_NOT_FOUND) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_NOT_FOUND, "%.*s has no manifest %.*s",
                               STR_FORMAT(query->values[0].bytes),
                               STR_FORMAT(query->values[1].bytes));
    }
    return code;
}

static void read_manifest(struct row *row, void *into)
{
    struct manifest_record *manifest = into;

    manifest->media_type = row_text(row);
    manifest->content = row_text(row);
    manifest->size_bytes = manifest->content.length;
}

enum error_code metadata_find_manifest(struct metadata *metadata, struct str repository,
                                       const struct digest *digest, struct arena *arena,
                                       struct manifest_record *manifest_out, struct error *err)
{
    struct digest_value text;
    const struct sql_query query = {
        .text = "select manifest.media_type, content.bytes from repository "
                "join manifest on manifest.repository_id = repository.id "
                "join content on content.digest = manifest.digest "
                "where repository.name = $1 and manifest.digest = $2",
        .values = {sql_text(repository), metadata_digest_value(&text, digest)},
        .count = 2,
    };
    struct manifest_record manifest = {.digest = *digest};
    const struct row_reader reader = {read_manifest, &manifest, arena};
    const enum error_code code = find_manifest(metadata, &query, &reader, err);

    if (!code) {
        *manifest_out = manifest;
    }
    return code;
}

static void read_tagged(struct row *row, void *into)
{
    struct tagged_manifest *tagged = into;

    tagged->kind = (enum tag_kind)row_integer(row);
    tagged->manifest.digest = row_digest(row);
    read_manifest(row, &tagged->manifest);
}

static enum error_code manifest_find_tagged(struct metadata *metadata,
                                            const struct sql_query *query, struct arena *arena,
                                            struct tagged_manifest *tagged_out, struct error *err)
{
    struct tagged_manifest tagged;
    const struct row_reader reader = {read_tagged, &tagged, arena};
    const enum error_code code = metadata_find_row(metadata, query, &reader, err);

    if (!code) {
        *tagged_out = tagged;
    }
    return code;
}

enum error_code metadata_find_tagged_manifest(struct metadata *metadata, struct str repository,
                                              struct str name, struct arena *arena,
                                              struct tagged_manifest *tagged_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select tag.kind, tag.digest, manifest.media_type, content.bytes from repository "
                "join tag on tag.repository_id = repository.id "
                "join manifest on manifest.repository_id = tag.repository_id "
                "and manifest.digest = tag.digest "
                "join content on content.digest = manifest.digest "
                "where repository.name = $1 and tag.name = $2",
        .values = {sql_text(repository), sql_text(name)},
        .count = 2,
    };
    const enum error_code code = manifest_find_tagged(metadata, &query, arena, tagged_out, err);

    if (code == ERROR_NOT_FOUND) {
        return error_set_about(err, ABOUT_TAG, ERROR_NOT_FOUND, "%.*s has no tag %.*s",
                               STR_FORMAT(repository), STR_FORMAT(name));
    }
    return code;
}

/* Which tag it is comes first, from the index alone; kind <> 2 is as literally as in that. */
enum error_code metadata_find_newest_manifest(struct metadata *metadata, struct str repository,
                                              struct arena *arena,
                                              struct tagged_manifest *tagged_out, struct error *err)
{
    const struct sql_query query = {
        .text = "select found.kind, found.digest, manifest.media_type, content.bytes from "
                "(select tag.repository_id, tag.kind, tag.digest "
                "from repository join tag on tag.repository_id = repository.id "
                "where repository.name = $1 and tag.kind <> 2 "
                "order by tag.is_runnable desc, tag.created_ms desc, tag.sequence desc limit 1) "
                "as found join manifest on manifest.repository_id = found.repository_id "
                "and manifest.digest = found.digest "
                "join content on content.digest = manifest.digest",
        .values = {sql_text(repository)},
        .count = 1,
    };
    const enum error_code code = manifest_find_tagged(metadata, &query, arena, tagged_out, err);

    if (code == ERROR_NOT_FOUND) {
        return error_set_about(err, ABOUT_TAG, ERROR_NOT_FOUND,
                               "%.*s has no tag that could be the latest", STR_FORMAT(repository));
    }
    return code;
}

static void read_description(struct row *row, void *into)
{
    struct manifest_record *manifest = into;

    manifest->media_type = row_text(row);
    manifest->size_bytes = row_size(row);
}

enum error_code metadata_describe_manifest(struct metadata *metadata, struct str repository,
                                           const struct digest *digest, struct arena *arena,
                                           struct manifest_record *manifest_out, struct error *err)
{
    struct digest_value text;
    const struct sql_query query = {
        .text = "select manifest.media_type, manifest.size_bytes from repository "
                "join manifest on manifest.repository_id = repository.id "
                "where repository.name = $1 and manifest.digest = $2",
        .values = {sql_text(repository), metadata_digest_value(&text, digest)},
        .count = 2,
    };
    struct manifest_record manifest = {.digest = *digest};
    const struct row_reader reader = {read_description, &manifest, arena};
    const enum error_code code = find_manifest(metadata, &query, &reader, err);

    if (!code) {
        *manifest_out = manifest;
    }
    return code;
}

static enum error_code has(struct metadata *metadata, struct str repository,
                           const struct digest *digest, bool must_be_runnable, bool *is_there_out,
                           struct error *err)
{
    struct digest_value text;
    const struct sql_query query = {
        .text = "select 1 from repository join manifest on manifest.repository_id = repository.id "
                "where repository.name = $1 and manifest.digest = $2 "
                "and manifest.is_runnable >= $3",
        .values = {sql_text(repository), metadata_digest_value(&text, digest),
                   sql_integer(must_be_runnable)},
        .count = 3,
    };

    return metadata_has_row(metadata, &query, is_there_out, err);
}

enum error_code metadata_has_manifest(struct metadata *metadata, struct str repository,
                                      const struct digest *digest, bool *is_there_out,
                                      struct error *err)
{
    return has(metadata, repository, digest, false, is_there_out, err);
}

enum error_code metadata_has_runnable(struct metadata *metadata, struct str repository,
                                      const struct digest *digest, bool *has_it_out,
                                      struct error *err)
{
    return has(metadata, repository, digest, true, has_it_out, err);
}

static void read_referrer(struct row *row, void *into)
{
    struct referrer *referrer = into;

    referrer->manifest.digest = row_digest(row);
    referrer->manifest.media_type = row_text(row);
    referrer->manifest.size_bytes = row_size(row);
    referrer->artifact_type = row_text(row);
    referrer->annotations = row_long_text(row);
    if (row->long_bytes < referrer->manifest.size_bytes) {
        row->long_bytes = referrer->manifest.size_bytes; /* by which the query counts */
    }
    referrer->created_ms = row_integer(row);
}

/*
 * Which digests they are is asked of the index alone: the whole rows at once would make SQLite
 * search all manifests of the repository. A driver may keep all that a query gives: so this gives
 * none behind the one that is too much for the page. What says so is the length of contents, which
 * is known without reading them.
 */
enum error_code metadata_list_referrers(struct metadata *metadata,
                                        const struct referrer_query *query, struct arena *arena,
                                        struct referrer_page *page_out, struct error *err)
{
    const struct referrer_place newest = {.created_ms = INT64_MAX};
    const struct referrer_place *const after = query->after ? query->after : &newest;
    struct digest_value subject;
    struct digest_value digest;
    const struct sql_query search = {
        .text =
            "select manifest.digest, manifest.media_type, manifest.size_bytes, "
            "manifest.artifact_type, manifest.annotations, manifest.created_ms from ("
            "select found.repository_id, found.digest, found.created_ms, "
            "sum(length(content.bytes)) over (order by found.created_ms desc, found.digest desc "
            "rows between unbounded preceding and 1 preceding) as bytes_before from ("
            "select found.repository_id, found.digest, found.created_ms "
            "from repository join manifest as found on found.repository_id = repository.id "
            "join manifest on manifest.repository_id = found.repository_id "
            "and manifest.digest = found.digest "
            "where repository.name = $1 and found.subject = $2 "
            "and (found.created_ms, found.digest) < ($3, $4) "
            "and ($5 = '' or manifest.artifact_type = $5) "
            "order by found.created_ms desc, found.digest desc limit $6) as found "
            "join content on content.digest = found.digest) as found "
            "join manifest on manifest.repository_id = found.repository_id "
            "and manifest.digest = found.digest "
            "where coalesce(found.bytes_before, 0) <= $7 "
            "order by found.created_ms desc, found.digest desc",
        .values = {sql_text(query->repository), metadata_digest_value(&subject, &query->subject),
                   sql_integer(after->created_ms), metadata_digest_value(&digest, &after->digest),
                   sql_text(query->artifact_type), sql_integer((int64_t)query->limit + 1),
                   sql_integer(REFERRER_PAGE_BYTES)},
        .count = 7,
    };
    struct row_page page = {.read = read_referrer,
                            .item_bytes = sizeof(struct referrer),
                            .limit = query->limit,
                            .long_bytes_limit = REFERRER_PAGE_BYTES,
                            .arena = arena};
    const enum error_code code = metadata_read_page(metadata, &search, &page, err);

    if (!code) {
        *page_out = (struct referrer_page){page.items, page.count, page.has_more};
    }
    return code;
}
