#include "metadata/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metadata/blob_places.h"
#include "metadata/manifests.h"
#include "metadata/metadata_private.h"
#include "metadata/repositories.h"
#include "metadata/tags.h"
#include "tests/support/postgresql_server.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 4096, IMAGES = 30, TAGS = IMAGES * PUSH_TAGS_MAX /* more than a page */ };

/* NULL where PostgreSQL is not installed: then the destination is SQLite. */
static struct postgresql_server *server;

struct fixture {
    char *folder;
    struct database_settings settings[2];
    char urls[2][PATH_BYTES];
    struct metadata *from;
    struct metadata *to;
    struct transfer transfer;
    uint64_t told;
};

static void tell(void *context, const char *table, uint64_t rows)
{
    struct fixture *fixture = context;

    assert_non_null(table);
    fixture->told = rows;
}

static void name_database(struct fixture *fixture, int i, bool is_postgresql)
{
    if (is_postgresql && server) {
        (void)snprintf(fixture->urls[i], PATH_BYTES, "%s", postgresql_server_create(server));
    } else {
        (void)snprintf(fixture->urls[i], PATH_BYTES, "sqlite:%s/%d.sqlite", fixture->folder, i);
    }
    fixture->settings[i] = (struct database_settings){.url = fixture->urls[i],
                                                      .connections = 4,
                                                      .prepared_statements = true,
                                                      .timeout_ms = 10000,
                                                      .retry_time_ms = 10000};
}

static int set_up_pair(void **state, bool is_source_postgresql)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct error err = {0};

    fixture->folder = temporary_folder_new();
    name_database(fixture, 0, is_source_postgresql);
    name_database(fixture, 1, !is_source_postgresql);
    if (metadata_open(&fixture->settings[0], NULL, &fixture->from, &err) ||
        metadata_open_to_fill(&fixture->settings[1], NULL, &fixture->to, &err)) {
        fail_msg("%s", err.message);
    }
    fixture->transfer = (struct transfer){
        .from = fixture->from, .to = fixture->to, .context = fixture, .tell = tell};
    *state = fixture;
    return 0;
}

static int set_up(void **state)
{
    return set_up_pair(state, false);
}

static int set_up_back(void **state)
{
    return set_up_pair(state, true);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    metadata_free(fixture->to);
    metadata_free(fixture->from);
    temporary_folder_free(fixture->folder);
    free(fixture);
    return 0;
}

static struct digest digest_of(const char *content)
{
    return hasher_digest_of(DIGEST_SHA256, str_from(content));
}

/* A manifest that names one blob, `layer of CONTENT`. */
static enum push_outcome push_tags(struct metadata *metadata, const struct tag_push *tags,
                                   size_t count, const char *content)
{
    char layer[64];
    const int length = snprintf(layer, sizeof(layer), "layer of %s", content);
    const struct named_blob named = {.digest = digest_of(layer), .size_bytes = (uint64_t)length};
    struct manifest_push wanted = {
        .repository = str_from("team/app"),
        .manifest = {.digest = digest_of(content),
                     .media_type = str_from("type"),
                     .content = str_from(content)},
        .tag_count = count,
        .blobs = &named,
        .blob_count = 1,
        .created_by = {str_from("employee"), str_from("jdoe")},
        .created_ms = 1431013791231,
    };
    struct tag_found found[PUSH_TAGS_MAX];
    enum push_outcome outcome = PUSH_TAG_TAKEN;

    memcpy(wanted.tags, tags, count * sizeof(*tags));
    assert_int_equal(metadata_push_manifest(metadata, &wanted, &outcome, found, NULL), OK);
    return outcome;
}

/* Under one tag. Replaces what a snapshot is at. */
static enum push_outcome push(struct metadata *metadata, const char *tag, const char *content,
                              const char *replaced)
{
    const struct digest old = digest_of(replaced ? replaced : "");
    const struct tag_push pushed = {.name = str_from(tag),
                                    .kind = strstr(tag, "SNAPSHOT") ? TAG_SNAPSHOT : TAG_VERSION,
                                    .replaces = replaced ? &old : NULL};

    return push_tags(metadata, &pushed, 1, content);
}

static void move(struct fixture *fixture)
{
    struct error err = {0};

    if (transfer_begin(&fixture->transfer, &err) || transfer_copy(&fixture->transfer, &err) ||
        transfer_compare(&fixture->transfer, &err) || transfer_end(&fixture->transfer, &err)) {
        fail_msg("%s", err.message);
    }
}

static void fill(struct fixture *fixture, int images)
{
    char names[PUSH_TAGS_MAX][32];
    struct tag_push tags[PUSH_TAGS_MAX];
    char content[32];

    for (int i = 0; i < images; i++) {
        (void)snprintf(content, sizeof(content), "content %d", i);
        for (int k = 0; k < PUSH_TAGS_MAX; k++) {
            (void)snprintf(names[k], sizeof(names[k]), "%d.%d", i, k);
            tags[k] = (struct tag_push){.name = str_from(names[k])};
        }
        assert_int_equal(push_tags(fixture->from, tags, PUSH_TAGS_MAX, content), PUSH_DONE);
    }
    assert_int_equal(push(fixture->from, "1-SNAPSHOT", "first", NULL), PUSH_DONE);
    assert_int_equal(push(fixture->from, "1-SNAPSHOT", "second", "first"), PUSH_DONE);
}

static uint64_t count_changes(struct metadata *metadata, const char *tag)
{
    struct arena arena;
    struct tag_history history = {0};
    struct tag_history_query query = {
        .repository = str_from("team/app"), .name = str_from(tag), .limit = 10, .arena = &arena};

    arena_init(&arena, 1024 * 1024);
    assert_int_equal(metadata_list_tag_changes(metadata, &query, &history, NULL), OK);
    arena_release(&arena);
    return history.count;
}

static void all_is_there_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct registry_statistics before = {0};
    struct registry_statistics after = {0};

    fill(fixture, IMAGES);
    move(fixture);
    assert_int_equal(fixture->told, TAGS + 2);
    assert_int_equal(metadata_count_all(fixture->from, &before, NULL), OK);
    assert_int_equal(metadata_count_all(fixture->to, &after, NULL), OK);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(count_changes(fixture->to, "1-SNAPSHOT"), 2);
    assert_int_equal(push(fixture->to, "1.0", "another", NULL), PUSH_TAG_TAKEN);
    assert_int_equal(push(fixture->to, "99.0", "another", NULL), PUSH_DONE);
    assert_int_equal(push(fixture->to, "1-SNAPSHOT", "first", "second"), PUSH_DONE);
    assert_int_equal(count_changes(fixture->to, "1-SNAPSHOT"), 3);
}

/* Whoever opens it, and whatever for: until the end it is nobody's. */
static void half_of_a_registry_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    struct metadata *metadata = NULL;
    struct error err = {0};

    fill(fixture, 1);
    assert_int_equal(transfer_begin(&fixture->transfer, NULL), OK);
    assert_int_equal(metadata_open(&fixture->settings[1], NULL, &metadata, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "not all of it has come: run `pieroned migrate`"));
    assert_int_equal(metadata_join(&fixture->settings[1], NULL, &metadata, &err), ERROR_INVALID);
    assert_int_equal(metadata_open_to_fill(&fixture->settings[1], NULL, &metadata, &err), OK);
    metadata_free(metadata);
    move(fixture);
    assert_int_equal(metadata_open(&fixture->settings[1], NULL, &metadata, &err), OK);
    metadata_free(metadata);
}

/* What came in between is told by comparing, and comes along with the next run: a tag that moved,
 * too. */
static void what_is_pushed_meanwhile_is_found_and_comes_next(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    fill(fixture, 1);
    assert_int_equal(transfer_begin(&fixture->transfer, NULL), OK);
    assert_int_equal(transfer_copy(&fixture->transfer, NULL), OK);
    assert_int_equal(push(fixture->from, "1-SNAPSHOT", "third", "second"), PUSH_DONE);
    assert_int_equal(transfer_compare(&fixture->transfer, &err), ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "something was pushed meanwhile"));
    move(fixture);
    assert_int_equal(count_changes(fixture->to, "1-SNAPSHOT"), 3);
    assert_int_equal(push(fixture->to, "1-SNAPSHOT", "fourth", "third"), PUSH_DONE);
}

static void registry_that_is_there_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    fill(fixture, 1);
    assert_int_equal(push(fixture->to, "1.0", "mine", NULL), PUSH_DONE);
    assert_int_equal(transfer_begin(&fixture->transfer, &err), ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "there is a registry in the destination already"));
    assert_int_equal(push(fixture->to, "1.1", "mine", NULL), PUSH_DONE);
}

/* A registry is known by its first repository, and when that came to be. */
static void half_of_another_registry_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    const struct sql_query other = {
        .text = "update schema_version set name = 'other/app of 1' where version = 1000000000"};

    assert_int_equal(transfer_begin(&fixture->transfer, NULL), OK);
    fill(fixture, 1);
    assert_int_equal(transfer_begin(&fixture->transfer, NULL), OK); /* it had none before */
    assert_int_equal(metadata_run(fixture->to, SQL_DURABLE, &other, NULL), OK);
    assert_int_equal(transfer_begin(&fixture->transfer, &err), ERROR_CONFLICT);
    assert_non_null(strstr(err.message, "began with other/app of 1"));
}

static void damaged_manifest_is_named(void **state)
{
    static const struct sql_query damage = {
        .text = "insert into content (digest, bytes) values ($1, $2)",
        .values = {{.type = SQL_TEXT,
                    .bytes = STR_LITERAL("sha256:00000000000000000000000000000000"
                                         "00000000000000000000000000000000")},
                   {.type = SQL_BYTES, .bytes = STR_LITERAL("other")}},
        .count = 2,
    };
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(metadata_run(fixture->from, SQL_DURABLE, &damage, NULL), OK);
    assert_int_equal(transfer_begin(&fixture->transfer, NULL), OK);
    assert_int_equal(transfer_copy(&fixture->transfer, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "the manifest sha256:000000"));
}

static void places_move_where_blobs_stay(void **state)
{
    const struct blob_place_record place = {.digest = digest_of("layer of first"),
                                            .location = STR_LITERAL("uploads/1"),
                                            .size_bytes = 14,
                                            .touched_ms = 1431013791231};
    struct blob_place_record found;
    struct fixture *fixture = *state;
    struct arena arena;

    arena_init(&arena, 4096);
    fill(fixture, 1);
    assert_int_equal(metadata_add_blob_place(fixture->from, &place, NULL), OK);
    assert_int_equal(transfer_begin(&fixture->transfer, NULL), OK);
    assert_int_equal(transfer_copy(&fixture->transfer, NULL), OK);
    assert_int_equal(metadata_find_blob_place(fixture->to, &place.digest, &arena, &found, NULL),
                     ERROR_NOT_FOUND);
    fixture->transfer.keeps_places = true;
    move(fixture);
    assert_int_equal(metadata_find_blob_place(fixture->to, &place.digest, &arena, &found, NULL),
                     OK);
    assert_true(str_equal(found.location, place.location));
    arena_release(&arena);
}

static void blobs_are_listed_and_manifests_are_none(void **state)
{
    struct fixture *fixture = *state;
    struct named_blob_page page;
    struct digest last;
    uint64_t count = 0;
    uint64_t bytes = 0;
    uint64_t listed = 0;
    uint64_t listed_bytes = 0;

    fill(fixture, 2);
    assert_int_equal(metadata_count_named_blobs(fixture->from, &count, &bytes, NULL), OK);
    assert_int_equal(count, 4);
    do {
        assert_int_equal(
            metadata_list_named_blobs(fixture->from, listed > 0 ? &last : NULL, &page, NULL), OK);
        for (size_t i = 0; i < page.count; i++) {
            last = page.blobs[i].digest;
            listed_bytes += page.blobs[i].size_bytes;
        }
        listed += page.count;
    } while (page.count > 0);
    assert_int_equal(listed, count);
    assert_int_equal(listed_bytes, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_is_there_and_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_is_there_and_goes_on, set_up_back, tear_down),
        cmocka_unit_test_setup_teardown(half_of_a_registry_is_not_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_of_a_registry_is_not_opened, set_up_back, tear_down),
        cmocka_unit_test_setup_teardown(what_is_pushed_meanwhile_is_found_and_comes_next, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_pushed_meanwhile_is_found_and_comes_next,
                                        set_up_back, tear_down),
        cmocka_unit_test_setup_teardown(registry_that_is_there_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_of_another_registry_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_manifest_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(places_move_where_blobs_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blobs_are_listed_and_manifests_are_none, set_up, tear_down),
    };
    int failures = 0;

    server = postgresql_is_installed() ? postgresql_server_new("fsync = off") : NULL;
    failures = cmocka_run_group_tests(tests, NULL, NULL);
    if (server) {
        postgresql_server_free(server);
    }
    return failures;
}
