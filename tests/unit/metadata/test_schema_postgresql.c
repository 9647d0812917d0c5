/* The database refuses, too: what schema/postgresql promises even to a person with a shell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "metadata/metadata.h"
#include "tests/unit/metadata/postgresql_world.h"

static const char rows[] =
    "insert into repository (name, created_ms) values ('team/app', 1);"
    "insert into content values ('sha256:1', 'x'), ('sha256:2', 'y');"
    "insert into manifest (repository_id, digest, media_type, artifact_type, annotations, "
    "size_bytes, image_size_bytes, created_by, created_ms) "
    "select id, digest, '', '', '', 1, 1, 'jdoe', 1 from repository, content;"
    "insert into tag (repository_id, name, digest, kind, created_by, created_ms) "
    "select id, '1.0', 'sha256:1', 0, 'jdoe', 1 from repository;"
    "insert into tag_change (repository_id, name, new_digest, changed_by, changed_ms) "
    "select id, '1.0', 'sha256:1', 'jdoe', 1 from repository;"
    "insert into named_blob values ('sha256:1', 1);"
    "insert into scm_source (repository_id, tag, digest, origin, url, revision, author, status, "
    "created_by, created_ms) select id, '1.0', 'sha256:1', 0, '', '', '', '', '', 1 "
    "from repository;"
    "insert into production_ready (repository_id, tag, digest, incident_id, marked_by, marked_ms) "
    "select id, '1.0', 'sha256:1', 'INC-1', 'jdoe', 1 from repository;"
    "insert into blob_place values ('sha256:1', 'here', 1, 1, 1);"
    "insert into swept_place values ('there', 'sha256:3', 1, 1, 1, null);";

static void attempt(struct postgresql_world *world, const char *statement)
{
    char text[1024];

    (void)snprintf(text, sizeof(text),
                   "set client_min_messages = warning; do $do$ begin %s; raise exception 'was "
                   "done: %%', $text$%s$text$; "
                   "exception when raise_exception then "
                   "if sqlerrm not like 'immutable: %%' then raise; end if; end $do$",
                   statement, statement);
    (void)postgresql_server_ask(world->server, text); /* ends the test if it fails */
}

static const char upsert[] =
    "insert into tag (repository_id, name, digest, kind, created_by, created_ms) "
    "select id, '1.0', 'sha256:2', 0, 'jdoe', 1 from repository "
    "on conflict (repository_id, name) do update set digest = excluded.digest";

static void what_was_pushed_cannot_be_changed_by_hand(void **state)
{
    static const char *const attempts[] = {
        "delete from tag",
        "delete from manifest",
        "delete from content",
        "delete from repository",
        "delete from tag_change",
        "update tag set digest = 'sha256:2'",
        "update tag set name = '2.0'",
        "update tag set kind = 1",
        "update tag set is_runnable = 1",
        "update manifest set is_runnable = 1",
        "update manifest set media_type = 'other'",
        "update content set bytes = 'z'",
        "update repository set name = 'other/app'",
        "update tag_change set changed_by = 'nobody'",
        "update named_blob set size_bytes = 0",
        "delete from named_blob",
        "update scm_source set url = 'elsewhere'",
        "delete from scm_source",
        "update production_ready set incident_id = 'none'",
        "delete from production_ready",
        "delete from blob_place",
        "update blob_place set location = 'elsewhere'",
        "update blob_place set size_bytes = 0, touched_ms = 1",
        "update swept_place set location = 'elsewhere'",
        "delete from swept_place",
        upsert,
        "truncate repository cascade",
        "truncate content cascade",
        "truncate manifest cascade",
        "truncate tag",
        "truncate tag_change",
        "truncate named_blob",
        "truncate scm_source",
        "truncate production_ready",
        "truncate blob_place",
        "truncate swept_place",
    };
    struct postgresql_world *world = *state;
    const struct database_settings settings = {.url = world->config.url,
                                               .connections = 2,
                                               .prepared_statements = true,
                                               .timeout_ms = 30000,
                                               .retry_time_ms = 30000};
    struct metadata *metadata = NULL;
    struct error err = {0};

    if (metadata_open(&settings, NULL, &metadata, &err)) {
        fail_msg("%s", err.message);
    }
    (void)postgresql_server_ask(world->server, rows);
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        attempt(world, attempts[i]);
    }
    metadata_free(metadata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_pushed_cannot_be_changed_by_hand, postgresql_world_set_up),
    };

    return cmocka_run_group_tests(tests, postgresql_world_start, postgresql_world_end);
}
