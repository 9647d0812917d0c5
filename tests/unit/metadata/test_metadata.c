/* What is of this database alone; the rest is in tests/contract/metadata_contract.c. */
#include "metadata/metadata.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/hasher.h"
#include "metadata/manifests.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 4096 };

struct fixture {
    char *folder;
    char path[PATH_BYTES];
    struct metadata *metadata;
};

static void push(struct fixture *fixture)
{
    const struct manifest_push push = {
        .repository = str_from("team/app"),
        .manifest = {.digest = hasher_digest_of(DIGEST_SHA256, str_from("content")),
                     .media_type = str_from("type"),
                     .content = str_from("content")},
        .tag = str_from("1.0"),
        .created_by = str_from("somebody"),
        .created_ms = 1,
    };
    enum push_outcome outcome = PUSH_TAG_TAKEN;
    struct digest existing;

    assert_int_equal(metadata_push_manifest(fixture->metadata, &push, &outcome, &existing, NULL),
                     OK);
    assert_int_equal(outcome, PUSH_DONE);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    fixture->folder = temporary_folder_new();
    (void)snprintf(fixture->path, PATH_BYTES, "%s/metadata.sqlite", fixture->folder);
    assert_int_equal(metadata_open_sqlite(fixture->path, &fixture->metadata, NULL), OK);
    push(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    metadata_free(fixture->metadata);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

/* What an operator with a shell would meet. */
static void what_was_pushed_cannot_be_changed_by_hand(void **state)
{
    static const char *const attempts[] = {
        "delete from tag",
        "delete from manifest",
        "delete from content",
        "delete from repository",
        "delete from tag_change",
        "update tag set digest = 'sha256:0'",
        "update tag set name = '2.0'",
        "update tag set kind = 1",
        "update manifest set media_type = 'other'",
        "update content set bytes = x'00'",
        "update repository set name = 'other/app'",
        "update tag_change set changed_by = 'nobody'",
    };
    struct fixture *fixture = *state;
    sqlite3 *handle = NULL;

    assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        assert_int_equal(sqlite3_exec(handle, attempts[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
        assert_string_equal(sqlite3_errmsg(handle), "immutable");
    }
    (void)sqlite3_close(handle);
}

static void pushing_the_same_again_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct stat before;
    struct stat after;
    char log[PATH_BYTES + 8];

    (void)snprintf(log, sizeof(log), "%s-wal", fixture->path);
    push(fixture);
    assert_int_equal(stat(log, &before), 0);
    push(fixture);
    assert_int_equal(stat(log, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

/* Every query that a request makes. */
static const char *const queries[] = {
    "select id from repository where name = $1",
    "select name from repository where name > $1 order by name limit $2",
    "select digest from tag where repository_id = $1 and name = $2",
    "select name from tag where repository_id = $1 and name > $2 order by name limit $3",
    "select tag.name from repository join tag on tag.repository_id = repository.id "
    "where repository.name = $1 and tag.kind <> 2 "
    "order by tag.created_ms desc, tag.sequence desc limit 1",
    "select manifest.media_type, content.bytes from repository "
    "join manifest on manifest.repository_id = repository.id "
    "join content on content.digest = manifest.digest "
    "where repository.name = $1 and manifest.digest = $2",
    "select manifest.digest from repository "
    "join manifest on manifest.repository_id = repository.id "
    "where repository.name = $1 and manifest.subject = $2 and manifest.digest > $3 "
    "and ($4 = '' or manifest.artifact_type = $4) order by manifest.digest limit $5",
    "select old_digest from repository "
    "join tag_change on tag_change.repository_id = repository.id "
    "where repository.name = $1 and tag_change.name = $2 order by tag_change.sequence limit $3",
    "select id from upload where id = $1 and repository = $2",
    "select id from upload where updated_ms < $1 order by updated_ms, id limit $2",
};

static void must_not_scan(sqlite3 *handle, const char *query)
{
    sqlite3_stmt *statement = NULL;
    char explained[1024];

    (void)snprintf(explained, sizeof(explained), "explain query plan %s", query);
    assert_int_equal(sqlite3_prepare_v2(handle, explained, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(statement, 3);

        if (strstr(detail, "SCAN") || strstr(detail, "TEMP B-TREE")) {
            fail_msg("%s: %s", query, detail);
        }
    }
    (void)sqlite3_finalize(statement);
}

/* They go by indexes: their cost does not grow with what is stored. */
static void no_query_scans_a_table(void **state)
{
    struct fixture *fixture = *state;
    sqlite3 *handle = NULL;

    assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        must_not_scan(handle, queries[i]);
    }
    (void)sqlite3_close(handle);
}

static void a_file_of_something_else_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct metadata *metadata = NULL;
    struct error err = {0};
    char path[PATH_BYTES + 8];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s.text", fixture->path);
    file = fopen(path, "we");
    (void)fputs("this is no database, and long enough not to be taken for an empty one........."
                "...........................",
                file);
    (void)fclose(file);
    assert_int_equal(metadata_open_sqlite(path, &metadata, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, path));
    assert_null(metadata);
    metadata_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_pushed_cannot_be_changed_by_hand, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(pushing_the_same_again_writes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_query_scans_a_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_of_something_else_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
