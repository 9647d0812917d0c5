#include "metadata/manifests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/metadata/postgresql_world.h"

enum {
    LARGE_BYTES = 1 << 20,
    REFERRERS = 24,
    PATIENCE_MS = 60000,
    BLOCK_BYTES = 8192, /* of PostgreSQL, each one a read */
};

static struct metadata *open_metadata(struct postgresql_world *world)
{
    static struct database_settings settings;
    struct metadata *metadata = NULL;

    settings = (struct database_settings){
        .url = world->config.url, .connections = 1, .timeout_ms = 30000, .retry_time_ms = 30000};
    assert_int_equal(metadata_open(&settings, NULL, &metadata, NULL), OK);
    return metadata;
}

/* Letters that cannot be compressed, another text for each seed. */
static void fill(char *text, uint32_t seed)
{
    for (size_t i = 0; i < LARGE_BYTES; i++) {
        seed = seed * 1664525 + 1013904223;
        text[i] = (char)(' ' + (seed >> 24) % 64);
    }
}

static void push_referrers(struct postgresql_world *world, const struct digest *subject)
{
    struct metadata *metadata = open_metadata(world);
    char *text = malloc(LARGE_BYTES);

    for (uint32_t i = 0; i < REFERRERS; i++) {
        struct manifest_push push = {.repository = str_from("team/app"),
                                     .facts = {.has_subject = true, .subject = *subject},
                                     .created_by = {str_from("employee"), str_from("alice")}};
        enum push_outcome outcome = PUSH_TAG_TAKEN;
        struct tag_found found;

        fill(text, i);
        push.manifest.content = (struct str){text, LARGE_BYTES};
        push.manifest.digest = hasher_digest_of(DIGEST_SHA256, push.manifest.content);
        push.facts.annotations = push.manifest.content;
        assert_int_equal(metadata_push_manifest(metadata, &push, &outcome, &found, NULL), OK);
    }
    free(text);
    metadata_free(metadata);
}

/* How many blocks of manifests' texts were ever read; known once those who did have ended. */
static long blocks_read(struct postgresql_world *world)
{
    const int64_t deadline_ms = clock_monotonic_ms(&clock_system) + PATIENCE_MS;

    while (strcmp(postgresql_server_ask(world->server,
                                        "select count(*) from pg_stat_activity where datname = "
                                        "current_database() and pid <> pg_backend_pid() "
                                        "and backend_type = 'client backend'"),
                  "0") != 0) {
        assert_true(clock_monotonic_ms(&clock_system) < deadline_ms);
    }
    return strtol(postgresql_server_ask(world->server,
                                        "select toast_blks_read + toast_blks_hit "
                                        "from pg_statio_user_tables where relname = 'manifest'"),
                  NULL, 10);
}

/* libpq keeps the whole result: what is not wanted must not be in it. */
static void a_page_of_referrers_asks_for_no_more_than_it_may_hold(void **state)
{
    const struct digest subject = hasher_digest_of(DIGEST_SHA256, str_from("subject"));
    const struct referrer_query query = {
        .repository = str_from("team/app"), .subject = subject, .limit = REFERRERS};
    struct referrer_page page = {0};
    struct metadata *metadata = NULL;
    struct arena arena;
    long before = 0;

    push_referrers(*state, &subject);
    before = blocks_read(*state);
    metadata = open_metadata(*state);
    arena_init(&arena, (size_t)16 * LARGE_BYTES);
    assert_int_equal(metadata_list_referrers(metadata, &query, &arena, &page, NULL), OK);
    assert_int_equal(page.count, REFERRER_PAGE_BYTES / LARGE_BYTES);
    assert_true(page.has_more);
    arena_release(&arena);
    metadata_free(metadata);
    assert_in_range(blocks_read(*state) - before, 1, 2 * REFERRER_PAGE_BYTES / BLOCK_BYTES);
}

#define TEST(name) cmocka_unit_test_setup(name, postgresql_world_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_of_referrers_asks_for_no_more_than_it_may_hold),
    };

    return cmocka_run_group_tests(tests, postgresql_world_start, postgresql_world_end);
}
