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

#include "base/digest.h"
#include "metadata/blob_places.h"
#include "metadata/manifests.h"
#include "metadata/repositories.h"
#include "metadata/sources.h"
#include "metadata/swept_blobs.h"
#include "metadata/tags.h"
#include "metadata/uploads.h"
#include "tests/support/old_schema.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 4096 };

struct fixture {
    char *folder;
    char path[PATH_BYTES];
    struct metadata *metadata;
};

static struct manifest_push push_of(const char *repository, const char *tag, const char *content)
{
    return (struct manifest_push){
        .repository = str_from(repository),
        .manifest = {.digest = hasher_digest_of(DIGEST_SHA256, str_from(content)),
                     .media_type = str_from("type"),
                     .content = str_from(content)},
        .tags = {{.name = str_from(tag)}},
        .tag_count = tag ? 1 : 0,
        .created_by = {str_from("employee"), str_from("somebody")},
        .created_ms = 1,
    };
}

static void must_push(struct metadata *metadata, const struct manifest_push *push)
{
    enum push_outcome outcome = PUSH_TAG_TAKEN;
    struct tag_found found;

    assert_int_equal(metadata_push_manifest(metadata, push, &outcome, &found, NULL), OK);
    assert_int_equal(outcome, PUSH_DONE);
}

static void push(struct fixture *fixture)
{
    const struct scm_claim claim = {{str_from("git:x"), str_from("1"), {0}, {0}}, SCM_OF_LAYER};
    struct manifest_push wanted = push_of("team/app", "1.0", "content");
    struct blob_place_record place = {.location = STR_LITERAL("somewhere")};

    wanted.scm_claim = &claim;
    must_push(fixture->metadata, &wanted);
    place.digest = wanted.manifest.digest;
    assert_int_equal(metadata_add_blob_place(fixture->metadata, &place, NULL), OK);
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

static void run_by_hand(const struct fixture *fixture, const char *script)
{
    sqlite3 *handle = NULL;

    assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, script, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(handle);
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
        "update tag set is_runnable = 1",
        "update manifest set is_runnable = 1",
        "update manifest set media_type = 'other'",
        "update content set bytes = x'00'",
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
    };
    const struct release_mark mark = {
        str_from("INC-1"), {str_from("employee"), str_from("jdoe")}, 1};
    const struct tag_place place = {str_from("team/app"), str_from("1.0"),
                                    hasher_digest_of(DIGEST_SHA256, str_from("content"))};
    struct fixture *fixture = *state;
    sqlite3 *handle = NULL;

    assert_int_equal(metadata_mark_production_ready(fixture->metadata, &place, &mark, NULL), OK);
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

enum { STATEMENTS_MAX = 64, STATEMENT_BYTES = 2048 };

/* What SQLite was asked since recording began, each text once. */
static struct {
    char texts[STATEMENTS_MAX][STATEMENT_BYTES];
    size_t count;
    bool is_on;
} recorded;

static int record(unsigned type, void *context, void *handle, void *expanded)
{
    const char *text = sqlite3_sql(handle);

    (void)type;
    (void)context;
    (void)expanded;
    for (size_t i = 0; i < recorded.count; i++) {
        if (strcmp(recorded.texts[i], text) == 0) {
            return 0;
        }
    }
    if (recorded.is_on) {
        assert_true(recorded.count < STATEMENTS_MAX);
        assert_true(snprintf(recorded.texts[recorded.count++], STATEMENT_BYTES, "%s", text) <
                    STATEMENT_BYTES);
    }
    return 0;
}

/* SQLite calls it for each connection that is opened. */
static int record_connection(sqlite3 *handle, char **message, const void *routines)
{
    (void)message;
    (void)routines;
    return sqlite3_trace_v2(handle, SQLITE_TRACE_STMT, record, NULL);
}

static void read_all(struct metadata *metadata, struct arena *arena)
{
    const struct str app = str_from("team/app");
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from("content"));
    const struct name_query names = {app, {0}, 10, arena};
    const struct referrer_place place = {1, digest};
    const struct referrer_query referrers = {
        .repository = app, .subject = digest, .after = &place, .limit = 10};
    const struct tag_history_query changes = {app, str_from("1.0"), 0, 10, arena};
    const struct stale_upload_query stale = {1, 10, arena};
    struct manifest_record manifest;
    struct tag_record tag;
    struct upload_record upload;
    struct name_page page;
    struct referrer_page referrer_page;
    struct tag_history history;
    struct upload_list uploads;
    struct upload_sums sums;
    bool is_there = false;

    assert_int_equal(metadata_find_manifest(metadata, app, &digest, arena, &manifest, NULL), OK);
    assert_int_equal(metadata_has_manifest(metadata, app, &digest, &is_there, NULL), OK);
    assert_int_equal(metadata_list_referrers(metadata, &referrers, arena, &referrer_page, NULL),
                     OK);
    assert_int_equal(metadata_find_tag(metadata, app, str_from("1.0"), arena, &tag, NULL), OK);
    assert_int_equal(metadata_find_newest_tag(metadata, app, arena, &tag, NULL), OK);
    assert_int_equal(metadata_list_tags(metadata, &names, &page, NULL), OK);
    assert_int_equal(metadata_list_tag_changes(metadata, &changes, &history, NULL), OK);
    assert_int_equal(metadata_list_repositories(metadata, &names, &page, NULL), OK);
    assert_int_equal(metadata_has_repository(metadata, app, &is_there, NULL), OK);
    assert_int_equal(metadata_find_upload(metadata, app, str_from("one"), arena, &upload, NULL),
                     ERROR_NOT_FOUND);
    assert_int_equal(metadata_list_stale_uploads(metadata, &stale, &uploads, NULL), OK);
    assert_int_equal(metadata_sum_uploads(metadata, app, app, &sums, NULL), OK);
}

/* What Pier One's own API asks. */
static void read_details(struct metadata *metadata, struct arena *arena)
{
    const struct str app = str_from("team/app");
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from("content"));
    const struct name_query names = {str_from("team"), {0}, 10, arena};
    const struct tag_detail_query details = {
        .repository = app, .newest = 1, .limit = 10, .arena = arena};
    const struct tag_place place = {app, str_from("1.0"), digest};
    const struct image_query image = {.prefix = str_from("sha256:"), .limit = 10, .arena = arena};
    struct name_page page;
    struct tag_detail_page detail_page;
    struct tag_detail detail;
    struct scm_record record;
    struct image_tag_list tags;
    struct registry_statistics all;
    struct team_statistics of_team;

    assert_int_equal(metadata_list_teams(metadata, &names, &page, NULL), OK);
    assert_int_equal(metadata_list_artifacts(metadata, &names, &page, NULL), OK);
    assert_int_equal(metadata_list_tag_details(metadata, &details, &detail_page, NULL), OK);
    assert_int_equal(metadata_find_tag_detail(metadata, app, place.tag, arena, &detail, NULL), OK);
    assert_int_equal(metadata_find_scm_source(metadata, &place, arena, &record, NULL), OK);
    assert_int_equal(metadata_list_image_tags(metadata, &image, &tags, NULL), OK);
    assert_int_equal(metadata_count_all(metadata, &all, NULL), OK);
    assert_int_equal(metadata_count_team(metadata, names.repository, &of_team, NULL), OK);
}

/* What a push asks. */
static void read_for_pushes(struct metadata *metadata, struct arena *arena)
{
    const struct str app = str_from("team/app");
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from("content"));
    const struct upload_owner_query owner = {.repository = app, .created_by = app, .login = app};
    struct ended_upload ended;
    struct blob_place_record place;
    struct str name;
    struct strbuf tail;
    bool has_it = false;

    strbuf_init(&tail, 1024);
    assert_int_equal(metadata_read_upload_tail(metadata, app, 0, &tail, NULL), OK);
    assert_int_equal(metadata_find_upload_owner(metadata, &owner, arena, &name, NULL),
                     ERROR_NOT_FOUND);
    assert_int_equal(metadata_find_ended_upload(metadata, app, app, arena, &ended, NULL),
                     ERROR_NOT_FOUND);
    assert_int_equal(metadata_find_blob_place(metadata, &digest, arena, &place, NULL), OK);
    assert_int_equal(metadata_has_runnable(metadata, app, &digest, &has_it, NULL), OK);
    strbuf_release(&tail);
}

static void write_all(struct metadata *metadata)
{
    const struct scm_claim claim = {{str_from("git:x"), str_from("1"), {0}, {0}}, SCM_OF_PUSHER};
    const struct release_mark mark = {
        str_from("INC-1"), {str_from("employee"), str_from("jdoe")}, 1};
    const struct upload_record upload = {.id = str_from("two"), .state = str_from("state")};
    const struct upload_ending ending = {.id = upload.id};
    const struct digest first = hasher_digest_of(DIGEST_SHA256, str_from("content"));
    const struct digest unnamed = hasher_digest_of(DIGEST_SHA256, str_from("unnamed"));
    const struct blob_sweep sweep = {&unnamed, 1, 1};
    const struct named_blob named = {first, 1, true};
    struct manifest_push snapshot = push_of("team/new", "1-SNAPSHOT", "content");
    bool is_swept = false;

    const struct tag_place place = {snapshot.repository, snapshot.tags[0].name, first};

    snapshot.tags[0].kind = TAG_SNAPSHOT;
    snapshot.scm_claim = &claim;
    snapshot.blobs = &named;
    snapshot.blob_count = 1;
    must_push(metadata, &snapshot);
    assert_int_equal(metadata_mark_production_ready(metadata, &place, &mark, NULL), OK);
    snapshot.manifest = push_of("team/new", "1-SNAPSHOT", "another content").manifest;
    snapshot.tags[0].replaces = &first;
    must_push(metadata, &snapshot);
    assert_int_equal(metadata_save_upload(metadata, &upload, NULL), OK);
    assert_int_equal(metadata_end_upload(metadata, &ending, NULL), OK);
    assert_int_equal(metadata_forget_ended_uploads(metadata, 1, 1, NULL), OK);
    assert_int_equal(metadata_remove_upload(metadata, upload.id, NULL), OK);
    assert_int_equal(metadata_sweep_blobs(metadata, &sweep, &is_swept, NULL), OK);
    assert_int_equal(metadata_revive_blob(metadata, &unnamed, NULL), OK);
}

/* The indexes there are for one query each. What finds another way is as slow as a scan. */
static struct {
    const char *name;
    bool is_used;
} indexes[] = {
    {"manifest_by_subject", false}, {"tag_by_age", false},        {"tag_change_by_tag", false},
    {"upload_by_age", false},       {"scm_source_by_tag", false}, {"manifest_by_image", false},
    {"tag_by_digest", false},       {"tag_by_rank", false},
};

/* What may be slow: it is asked for once in a while, by a person. */
static bool may_scan(const char *query)
{
    return strstr(query, "repository.name, tag.sequence"); /* sorts the tags of one image */
}

/* A page that was found by an index is put in order again, and its bytes are summed. */
static bool is_of_page(const char *query, const char *detail)
{
    return strstr(query, "as bytes_before") &&
           (strstr(detail, "SCAN found") || strstr(detail, "SCAN (subquery") ||
            strstr(detail, "TEMP B-TREE"));
}

static void check_step(const char *query, const char *detail)
{
    const bool is_scan = strstr(detail, "SCAN") && !strstr(detail, "SCAN CONSTANT ROW");

    if ((is_scan || strstr(detail, "TEMP B-TREE")) && !may_scan(query) &&
        !is_of_page(query, detail)) {
        fail_msg("%s: %s", query, detail);
    }
    for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
        indexes[i].is_used = indexes[i].is_used || strstr(detail, indexes[i].name);
    }
}

static void check_plan(sqlite3 *handle, const char *query)
{
    sqlite3_stmt *statement = NULL;
    char explained[STATEMENT_BYTES + 32];

    (void)snprintf(explained, sizeof(explained), "explain query plan %s", query);
    if (sqlite3_prepare_v2(handle, explained, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", query, sqlite3_errmsg(handle));
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
        check_step(query, (const char *)sqlite3_column_text(statement, 3));
    }
    (void)sqlite3_finalize(statement);
}

static bool is_planned(const char *statement)
{
    static const char *const beginnings[] = {"select", "insert", "update", "delete"};
    bool is_one = false;

    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        is_one = is_one || strncmp(statement, beginnings[i], strlen(beginnings[i])) == 0;
    }
    return is_one;
}

/* What all functions of the metadata ask when they are called. */
static void record_all(const char *path)
{
    void (*const hook)(void) = (void (*)(void))record_connection; /* as SQLite declares it */
    struct metadata *metadata = NULL;
    struct arena arena;

    arena_init(&arena, 1 << 20);
    assert_int_equal(sqlite3_auto_extension(hook), SQLITE_OK);
    assert_int_equal(metadata_open_sqlite(path, &metadata, NULL), OK);
    recorded.is_on = true;
    read_all(metadata, &arena);
    read_details(metadata, &arena);
    read_for_pushes(metadata, &arena);
    write_all(metadata);
    recorded.is_on = false;
    (void)sqlite3_cancel_auto_extension(hook);
    metadata_free(metadata);
    arena_release(&arena);
}

/* They go by indexes: their cost does not grow with what is stored. */
static void nothing_that_is_asked_scans_a_table(void **state)
{
    enum { QUERIES = 46 }; /* all but of token keys, which are few: a new one belongs above */
    struct fixture *fixture = *state;
    sqlite3 *handle = NULL;
    size_t planned = 0;

    record_all(fixture->path);
    assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
    for (size_t i = 0; i < recorded.count; i++) {
        if (is_planned(recorded.texts[i])) {
            check_plan(handle, recorded.texts[i]);
            planned++;
        }
    }
    (void)sqlite3_close(handle);
    assert_int_equal(planned, QUERIES);
    for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
        if (!indexes[i].is_used) {
            fail_msg("no query uses %s", indexes[i].name);
        }
    }
}

/* By hand, since none comes in through the front door. */
static void digest_that_is_none_is_our_fault(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct tag_record tag;
    struct arena arena;

    arena_init(&arena, 1 << 20);
    run_by_hand(fixture, "insert into tag (repository_id, name, digest, kind, created_by, "
                         "created_ms) values (1, '2.0', 'sha256:0', 0, '', 0)");
    assert_int_equal(metadata_find_tag(fixture->metadata, str_from("team/app"), str_from("2.0"),
                                       &arena, &tag, &err),
                     ERROR_INTERNAL);
    assert_non_null(strstr(err.message, "digest"));
    arena_release(&arena);
}

/* As a program without sums left it. */
static void database_from_before_is_summed(void **state)
{
    struct fixture *fixture = *state;
    struct registry_statistics all;
    struct team_statistics team;
    struct upload_sums sums;
    struct strbuf script;

    strbuf_init(&script, 4096);
    old_schema_append(&script, 5);
    strbuf_append_text(&script,
                       "insert into upload values ('1', 'team/app', 'jdoe', 7, x'', 1, 1, x''),"
                       "('2', 'team/other', 'jdoe', 8, x'', 1, 1, x'')");
    metadata_free(fixture->metadata);
    run_by_hand(fixture, script.text);
    strbuf_release(&script);
    assert_int_equal(metadata_open_sqlite(fixture->path, &fixture->metadata, NULL), OK);
    assert_int_equal(
        metadata_sum_uploads(fixture->metadata, str_from("jdoe"), str_from("team"), &sums, NULL),
        OK);
    assert_int_equal(sums.of_identity.uploads, 2);
    assert_int_equal(sums.of_identity.bytes, 15);
    assert_int_equal(sums.of_team.uploads, 2);
    assert_int_equal(sums.of_team.bytes, 15);
    assert_int_equal(metadata_count_all(fixture->metadata, &all, NULL), OK);
    assert_int_equal(all.teams, 1);
    assert_int_equal(all.storage_bytes, sizeof("content") - 1);
    assert_int_equal(metadata_count_team(fixture->metadata, str_from("team"), &team, NULL), OK);
    assert_int_equal(team.artifacts, 1);
    assert_int_equal(team.tags, 1);
}

/* What did not say which kind of somebody it was is not made to. */
static void who_changed_a_tag_before_kinds_were_kept_is_of_no_known_kind(void **state)
{
    struct fixture *fixture = *state;
    struct tag_history history;
    struct arena arena;
    const struct tag_history_query query = {str_from("team/app"), str_from("1.0"), 0, 10, &arena};
    struct strbuf script;

    arena_init(&arena, 1 << 20);
    strbuf_init(&script, 1 << 16);
    metadata_free(fixture->metadata);
    old_schema_append(&script, 11);
    run_by_hand(fixture, script.text);
    assert_int_equal(metadata_open_sqlite(fixture->path, &fixture->metadata, NULL), OK);
    assert_int_equal(metadata_list_tag_changes(fixture->metadata, &query, &history, NULL), OK);
    assert_int_equal(history.count, 1);
    assert_true(str_is(history.changes[0].changed_by.kind, "unknown"));
    assert_true(str_is(history.changes[0].changed_by.name, "somebody"));
    strbuf_release(&script);
    arena_release(&arena);
}

static void database_of_a_newer_program_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct metadata *metadata = NULL;
    struct error err = {0};

    run_by_hand(fixture, "insert into schema_version values (99, 'future')");
    assert_int_equal(metadata_open_sqlite(fixture->path, &metadata, &err), ERROR_INVALID);
    assert_null(metadata);
    assert_non_null(strstr(err.message, "99"));
    assert_non_null(strstr(err.message, "newer"));
}

/* Neither "there is none" nor an empty list. */
static void failing_database_is_never_an_answer(void **state)
{
    struct fixture *fixture = *state;
    struct metadata *metadata = fixture->metadata;
    const struct str app = str_from("team/app");
    const struct digest digest = hasher_digest_of(DIGEST_SHA256, str_from("content"));
    struct arena arena;
    const struct name_query names = {app, {0}, 10, &arena};
    const struct referrer_query referrers = {.repository = app, .subject = digest, .limit = 10};
    const struct tag_history_query changes = {app, str_from("1.0"), 0, 10, &arena};
    const struct stale_upload_query stale = {1, 10, &arena};
    const struct upload_record saved = {.id = str_from("one")};
    struct manifest_record manifest;
    struct tag_record tag;
    struct upload_record upload;
    struct name_page page;
    struct referrer_page referrer_page;
    struct tag_history history;
    struct upload_list uploads;
    bool is_there = false;

    arena_init(&arena, 1 << 20);
    run_by_hand(fixture, "alter table repository rename to gone;"
                         "alter table upload rename to gone_too");
    const enum error_code codes[] = {
        metadata_find_manifest(metadata, app, &digest, &arena, &manifest, NULL),
        metadata_has_manifest(metadata, app, &digest, &is_there, NULL),
        metadata_list_referrers(metadata, &referrers, &arena, &referrer_page, NULL),
        metadata_find_tag(metadata, app, str_from("1.0"), &arena, &tag, NULL),
        metadata_find_newest_tag(metadata, app, &arena, &tag, NULL),
        metadata_list_tags(metadata, &names, &page, NULL),
        metadata_list_tag_changes(metadata, &changes, &history, NULL),
        metadata_list_repositories(metadata, &names, &page, NULL),
        metadata_has_repository(metadata, app, &is_there, NULL),
        metadata_find_upload(metadata, app, str_from("one"), &arena, &upload, NULL),
        metadata_list_stale_uploads(metadata, &stale, &uploads, NULL),
        metadata_save_upload(metadata, &saved, NULL),
        metadata_remove_upload(metadata, str_from("one"), NULL),
    };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        assert_int_equal(codes[i], ERROR_INTERNAL);
    }
    arena_release(&arena);
}

/* Wherever it fails on its way: all or nothing. */
static void push_that_fails_leaves_nothing(void **state)
{
    static const char *const tables[] = {"repository", "tag", "content", "manifest", "tag_change"};
    struct fixture *fixture = *state;
    const struct manifest_push wanted = push_of("team/new", "1.0", "another content");
    enum push_outcome outcome = PUSH_TAG_TAKEN;
    struct tag_found found;
    bool is_there = true;

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        char script[64];

        (void)snprintf(script, sizeof(script), "alter table %s rename to gone", tables[i]);
        run_by_hand(fixture, script);
        assert_int_equal(metadata_push_manifest(fixture->metadata, &wanted, &outcome, &found, NULL),
                         ERROR_INTERNAL);
        assert_int_equal(outcome, PUSH_TAG_TAKEN);
        (void)snprintf(script, sizeof(script), "alter table gone rename to %s", tables[i]);
        run_by_hand(fixture, script);
        assert_int_equal(
            metadata_has_repository(fixture->metadata, wanted.repository, &is_there, NULL), OK);
        assert_false(is_there);
    }
    must_push(fixture->metadata, &wanted);
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
        cmocka_unit_test_setup_teardown(nothing_that_is_asked_scans_a_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(digest_that_is_none_is_our_fault, set_up, tear_down),
        cmocka_unit_test_setup_teardown(database_from_before_is_summed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            who_changed_a_tag_before_kinds_were_kept_is_of_no_known_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(database_of_a_newer_program_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failing_database_is_never_an_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(push_that_fails_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_of_something_else_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
