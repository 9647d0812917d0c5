#include "metadata/transfer_tables.h"

#include "base/attributes.h"

enum {
    PAGE_ROWS = 500,
    PAGE_CONTENTS = 16, /* manifests have some megabytes at the most, usually */
};

#define FIRST_ID                                                                                   \
    {                                                                                              \
        .type = SQL_INTEGER, .integer = INT64_MIN                                                  \
    }
#define FIRST_TEXT                                                                                 \
    {                                                                                              \
        .type = SQL_TEXT                                                                           \
    }

static const struct transfer_table tables[] = {
    {
        .name = "repository",
        .select = "select id, name, created_ms from repository where id > $1 order by id limit $2",
        .insert = "insert into repository (id, name, created_ms) values ($1, $2, $3) "
                  "on conflict do nothing",
        .columns = 3,
        .key_columns = 1,
        .before_all = {FIRST_ID},
        .page_rows = PAGE_ROWS,
        .id = "id",
    },
    {
        .name = "content",
        .select = "select digest, bytes from content where digest > $1 order by digest limit $2",
        .insert = "insert into content (digest, bytes) values ($1, $2) on conflict do nothing",
        .columns = 2,
        .key_columns = 1,
        .before_all = {FIRST_TEXT},
        .page_rows = PAGE_CONTENTS,
        .has_content = true,
    },
    {
        .name = "named_blob",
        .select =
            "select digest, size_bytes from named_blob where digest > $1 order by digest limit $2",
        .insert =
            "insert into named_blob (digest, size_bytes) values ($1, $2) on conflict do nothing",
        .columns = 2,
        .key_columns = 1,
        .before_all = {FIRST_TEXT},
        .page_rows = PAGE_ROWS,
    },
    {
        .name = "manifest",
        .select =
            "select repository_id, digest, media_type, artifact_type, annotations, subject, "
            "config_digest, size_bytes, image_size_bytes, created_by, created_ms, platforms, "
            "is_runnable, created_by_kind from manifest where (repository_id, digest) > ($1, $2) "
            "order by repository_id, digest limit $3",
        .insert =
            "insert into manifest (repository_id, digest, media_type, artifact_type, annotations, "
            "subject, config_digest, size_bytes, image_size_bytes, created_by, created_ms, "
            "platforms, is_runnable, created_by_kind) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
            "on conflict do nothing",
        .columns = 14,
        .key_columns = 2,
        .before_all = {FIRST_ID, FIRST_TEXT},
        .page_rows = PAGE_ROWS,
    },
    {
        /* The one table whose rows change: a tag that may move has moved since an earlier run. */
        .name = "tag",
        .select = "select sequence, repository_id, name, digest, kind, created_by, created_ms, "
                  "is_runnable, created_by_kind from tag where sequence > $1 "
                  "order by sequence limit $2",
        .insert =
            "insert into tag (sequence, repository_id, name, digest, kind, created_by, created_ms, "
            "is_runnable, created_by_kind) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
            "on conflict (repository_id, name) do update set digest = excluded.digest, "
            "created_by = excluded.created_by, created_ms = excluded.created_ms, "
            "is_runnable = excluded.is_runnable, created_by_kind = excluded.created_by_kind "
            "where tag.digest <> excluded.digest or tag.created_ms <> excluded.created_ms",
        .columns = 9,
        .key_columns = 1,
        .before_all = {FIRST_ID},
        .page_rows = PAGE_ROWS,
        .id = "sequence",
    },
    {
        .name = "tag_change",
        .select = "select sequence, repository_id, name, old_digest, new_digest, changed_by, "
                  "changed_ms, changed_by_kind from tag_change where sequence > $1 "
                  "order by sequence limit $2",
        .insert = "insert into tag_change (sequence, repository_id, name, old_digest, new_digest, "
                  "changed_by, changed_ms, changed_by_kind) "
                  "values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        .columns = 8,
        .key_columns = 1,
        .before_all = {FIRST_ID},
        .page_rows = PAGE_ROWS,
        .id = "sequence",
    },
    {
        .name = "scm_source",
        .select =
            "select sequence, repository_id, tag, digest, origin, url, revision, author, status, "
            "created_by, created_ms, created_by_kind from scm_source where sequence > $1 "
            "order by sequence limit $2",
        .insert = "insert into scm_source (sequence, repository_id, tag, digest, origin, url, "
                  "revision, author, status, created_by, created_ms, created_by_kind) "
                  "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
                  "on conflict do nothing",
        .columns = 12,
        .key_columns = 1,
        .before_all = {FIRST_ID},
        .page_rows = PAGE_ROWS,
        .id = "sequence",
    },
    {
        .name = "production_ready",
        .select = "select repository_id, tag, digest, incident_id, marked_by, marked_ms, "
                  "marked_by_kind from production_ready "
                  "where (repository_id, tag, digest) > ($1, $2, $3) "
                  "order by repository_id, tag, digest limit $4",
        .insert = "insert into production_ready (repository_id, tag, digest, incident_id, "
                  "marked_by, marked_ms, marked_by_kind) values ($1, $2, $3, $4, $5, $6, $7) "
                  "on conflict do nothing",
        .columns = 7,
        .key_columns = 3,
        .before_all = {FIRST_ID, FIRST_TEXT, FIRST_TEXT},
        .page_rows = PAGE_ROWS,
    },
    {
        .name = "blob_place",
        .select = "select digest, location, size_bytes, created_ms, touched_ms from blob_place "
                  "where digest > $1 order by digest limit $2",
        .insert = "insert into blob_place (digest, location, size_bytes, created_ms, touched_ms) "
                  "values ($1, $2, $3, $4, $5) on conflict do nothing",
        .columns = 5,
        .key_columns = 1,
        .before_all = {FIRST_TEXT},
        .page_rows = PAGE_ROWS,
        .is_of_places = true,
    },
    {
        .name = "swept_blob",
        .select =
            "select digest, swept_ms from swept_blob where digest > $1 order by digest limit $2",
        .insert = "insert into swept_blob (digest, swept_ms) values ($1, $2) "
                  "on conflict do nothing",
        .columns = 2,
        .key_columns = 1,
        .before_all = {FIRST_TEXT},
        .page_rows = PAGE_ROWS,
        .is_of_places = true,
    },
    {
        .name = "swept_place",
        .select = "select location, digest, size_bytes, touched_ms, swept_ms, removed_ms "
                  "from swept_place where location > $1 order by location limit $2",
        .insert = "insert into swept_place (location, digest, size_bytes, touched_ms, swept_ms, "
                  "removed_ms) values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        .columns = 6,
        .key_columns = 1,
        .before_all = {FIRST_TEXT},
        .page_rows = PAGE_ROWS,
        .is_of_places = true,
    },
};

const struct transfer_table *transfer_tables(size_t *count_out)
{
    *count_out = ARRAY_LEN(tables);
    return tables;
}

enum error_code transfer_tables_skip_ids(struct sql_connection *connection, struct error *err)
{
    enum error_code code = OK;

    for (size_t i = 0; i < ARRAY_LEN(tables) && !code; i++) {
        if (tables[i].id) {
            code = sql_skip_ids(connection, tables[i].name, tables[i].id, err);
        }
    }
    return code;
}
