#include "metadata/push_agenda.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "metadata/metadata_private.h"
#include "metadata/sql_postgresql.h"
#include "metadata/tags.h"
#include "registry/content_cache.h"
#include "registry/manifests.h"
#include "registry/registry.h"
#include "tests/support/memory_store.h"
#include "tests/unit/metadata/postgresql_world.h"

/* What pushes and pulls cost where the database is another machine's: grown, they are slower. */
struct cost {
    uint64_t statements;
    uint64_t round_trips;
};

static struct metadata *open_metadata(struct postgresql_world *world)
{
    static struct database_settings settings;
    struct metadata *metadata = NULL;

    settings = (struct database_settings){.url = world->config.url,
                                          .connections = 1,
                                          .timeout_ms = 30000,
                                          .retry_time_ms = 30000,
                                          .prepared_statements = true};
    assert_int_equal(metadata_open(&settings, NULL, &metadata, NULL), OK);
    return metadata;
}

static struct cost count(const struct metadata *metadata)
{
    struct cost cost;

    sql_postgresql_count(metadata->sql, &cost.statements, &cost.round_trips);
    return cost;
}

static void assert_cost(const struct metadata *metadata, struct cost before, uint64_t statements,
                        uint64_t round_trips)
{
    const struct cost now = count(metadata);

    assert_int_equal(now.statements - before.statements, statements);
    assert_int_equal(now.round_trips - before.round_trips, round_trips);
}

/* An image with a config and a layer, under a tag. */
static void push(struct metadata *metadata, const char *content, const char *tag)
{
    struct named_blob blobs[2] = {{.must_not_be_swept = true}, {.must_not_be_swept = true}};
    struct manifest_push push = {
        .repository = str_from("team/app"),
        .manifest = {.digest = hasher_digest_of(DIGEST_SHA256, str_from(content)),
                     .content = str_from(content)},
        .tags = {{.name = str_from(tag)}},
        .tag_count = 1,
        .blobs = blobs,
        .blob_count = ARRAY_LEN(blobs),
        .created_by = {str_from("employee"), str_from("alice")},
    };
    enum push_outcome outcome = PUSH_TAG_TAKEN;
    struct tag_found found;
    char text[64];

    for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
        (void)snprintf(text, sizeof(text), "%s %zu", content, i);
        blobs[i].digest = hasher_digest_of(DIGEST_SHA256, str_from(text));
    }
    assert_int_equal(metadata_push_manifest(metadata, &push, &outcome, &found, NULL), OK);
    assert_int_equal(outcome, PUSH_DONE);
}

static void a_push_costs_three_round_trips(void **state)
{
    struct metadata *metadata = open_metadata(*state);
    struct cost before = {0};

    push(metadata, "first", "1");
    before = count(metadata);
    push(metadata, "second", "2");
    /* begin; repository, tag; content, manifest, its digest, twice standing and digest, the tag;
     * its history, commit */
    assert_cost(metadata, before, 13, 3);
    metadata_free(metadata);
}

static void a_first_push_adds_a_repository(void **state)
{
    struct metadata *metadata = open_metadata(*state);
    const struct cost before = count(metadata);

    push(metadata, "first", "1");
    assert_cost(metadata, before, 15, 4);
    metadata_free(metadata);
}

/* As two pushes that take the same rows in different orders would wait for each other. */
static void rows_are_taken_in_one_order_whatever_the_manifests(void **state)
{
    struct postgresql_world *world = *state;
    struct metadata *metadata = open_metadata(world);
    struct named_blob blobs[8] = {0};
    struct manifest_push push = {
        .repository = str_from("team/app"),
        .manifest = {.digest = hasher_digest_of(DIGEST_SHA256, str_from("many")),
                     .content = str_from("many")},
        .tags = {{.name = str_from("b")}, {.name = str_from("c")}, {.name = str_from("a")}},
        .tag_count = 3,
        .blobs = blobs,
        .blob_count = ARRAY_LEN(blobs),
        .created_by = {str_from("employee"), str_from("alice")},
    };
    enum push_outcome outcome = PUSH_TAG_TAKEN;
    struct tag_found found[PUSH_TAGS_MAX];

    for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
        blobs[i].digest.bytes[0] = (uint8_t)(i % 2 == 0 ? 100 - i : 100 + i);
        blobs[i].must_not_be_swept = true;
    }
    assert_int_equal(metadata_push_manifest(metadata, &push, &outcome, found, NULL), OK);
    /* ctid is the place in a table of which nothing was ever deleted; the manifest is the first. */
    assert_string_equal(
        postgresql_server_ask(world->server,
                              "select array_agg(digest order by ctid) = array_agg(digest order by "
                              "digest) from (select ctid, digest from named_blob order by ctid "
                              "offset 1) as blobs"),
        "t");
    assert_string_equal(
        postgresql_server_ask(world->server, "select string_agg(name, ' ' order by ctid) from tag"),
        "a b c");
    metadata_free(metadata);
}

/* The trigger is another push that was faster, and of which then nothing can be read. */
static void a_database_that_fails_is_no_tag_that_is_taken(void **state)
{
    struct postgresql_world *world = *state;
    struct metadata *metadata = open_metadata(world);
    const struct manifest_push push = {
        .repository = str_from("team/app"),
        .manifest = {.digest = hasher_digest_of(DIGEST_SHA256, str_from("content")),
                     .content = str_from("content")},
        .tags = {{.name = str_from("1")}},
        .tag_count = 1,
        .created_by = {str_from("employee"), str_from("alice")},
    };
    enum push_outcome outcome = PUSH_DONE;
    struct tag_found found;

    (void)postgresql_server_ask(world->server,
                                "create function hide() returns trigger language plpgsql as $$ "
                                "begin perform set_config('search_path', 'nowhere', true); "
                                "return null; end $$");
    (void)postgresql_server_ask(world->server, "create trigger hides before insert on tag "
                                               "for each row execute function hide()");
    assert_int_equal(metadata_push_manifest(metadata, &push, &outcome, &found, NULL),
                     ERROR_INTERNAL);
    metadata_free(metadata);
}

static struct reference tag_of(const char *tag)
{
    struct reference reference;

    assert_int_equal(reference_parse(str_from(tag), &reference, NULL), OK);
    return reference;
}

/* Of a tag that never moves, the second one is from memory. */
static void a_pull_by_tag_costs_one_statement_and_then_none(void **state)
{
    struct metadata *metadata = open_metadata(*state);
    struct blob_store *blobs = memory_store_new();
    const struct registry_config config = {.metadata = metadata,
                                           .blobs = blobs,
                                           .clock = &clock_system,
                                           .settings.cache_bytes = 1024 * 1024};
    struct registry *registry = registry_new(&config);
    const struct reference tags[] = {tag_of("1"), tag_of("latest")};
    struct repository repository;
    struct manifest_found found;
    struct content *known = NULL;
    struct cost before = {0};
    struct arena arena;

    arena_init(&arena, 4096);
    assert_int_equal(repository_parse(str_from("team/app"), &repository, NULL), OK);
    push(metadata, "first", "1");
    before = count(metadata);
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        assert_int_equal(
            registry_find_manifest(registry, &repository, &tags[i], &arena, &found, NULL), OK);
        assert_true(str_is(found.manifest.content, "first"));
        assert_cost(metadata, before, i + 1, i + 1);
    }
    known = registry_cached_manifest(registry, &repository, &tags[0]);
    assert_non_null(known);
    assert_cost(metadata, before, ARRAY_LEN(tags), ARRAY_LEN(tags));
    content_release(known);
    arena_release(&arena);
    registry_free(registry);
    blob_store_free(blobs);
    metadata_free(metadata);
}

static void a_question_costs_one_statement(void **state)
{
    struct metadata *metadata = open_metadata(*state);
    struct manifest_record manifest;
    struct tag_record tag;
    struct cost before = {0};
    struct arena arena;

    arena_init(&arena, 4096);
    push(metadata, "first", "1");
    before = count(metadata);
    assert_int_equal(
        metadata_find_tag(metadata, str_from("team/app"), str_from("1"), &arena, &tag, NULL), OK);
    assert_cost(metadata, before, 1, 1);
    assert_int_equal(metadata_find_manifest(metadata, str_from("team/app"), &tag.digest, &arena,
                                            &manifest, NULL),
                     OK);
    assert_cost(metadata, before, 2, 2);
    arena_release(&arena);
    metadata_free(metadata);
}

#define TEST(name) cmocka_unit_test_setup(name, postgresql_world_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_push_costs_three_round_trips),
        TEST(a_first_push_adds_a_repository),
        TEST(rows_are_taken_in_one_order_whatever_the_manifests),
        TEST(a_database_that_fails_is_no_tag_that_is_taken),
        TEST(a_pull_by_tag_costs_one_statement_and_then_none),
        TEST(a_question_costs_one_statement),
    };

    return cmocka_run_group_tests(tests, postgresql_world_start, postgresql_world_end);
}
