#include "registry_world.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/memory.h"
#include "tests/support/blob_helper.h"
#include "tests/support/faulty_store.h"
#include "tests/support/memory_store.h"
#include "tests/support/temporary_folder.h"

enum {
    PATH_BYTES = 512,
    ARENA_BYTES = 64 * 1024 * 1024,
    TEXT_MAX_BYTES = 1024 * 1024,
    CACHE_BYTES = 1024 * 1024,
};

static void serve(struct registry_world *world, const struct registry_config *choices);
static const char *keep(struct registry_world *world, struct strbuf *text);
static sqlite3 *open_database(const struct registry_world *world);

int registry_world_set_up(void **state)
{
    struct registry_world *world = memory_new(1, sizeof(*world));
    char path[PATH_BYTES];

    fake_clock_init(&world->clock);
    arena_init(&world->arena, ARENA_BYTES);
    world->folder = temporary_folder_new();
    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", world->folder);
    assert_int_equal(metadata_open_sqlite(path, &world->metadata, NULL), OK);
    world->memory = memory_store_new();
    world->blobs = faulty_store_new(world->memory);
    world->metrics = metrics_new();
    registry_world_let_move(world, false, false);
    *state = world;
    return 0;
}

int registry_world_tear_down(void **state)
{
    struct registry_world *world = *state;

    registry_free(world->registry);
    metrics_free(world->metrics);
    blob_store_free(world->blobs);
    blob_store_free(world->memory);
    metadata_free(world->metadata);
    temporary_folder_free(world->folder);
    arena_release(&world->arena);
    free(world);
    return 0;
}

void registry_world_let_move(struct registry_world *world, bool snapshots_move,
                             bool signatures_grow)
{
    serve(world, &(struct registry_config){.settings = {.snapshots_move = snapshots_move,
                                                        .signatures = signatures_grow
                                                                          ? SIGNATURES_GROW
                                                                          : SIGNATURES_IMMUTABLE}});
}

void registry_world_remember(struct registry_world *world)
{
    serve(world, &(struct registry_config){.settings.cache_bytes = CACHE_BYTES});
}

void registry_world_limit(struct registry_world *world, const struct upload_limits *limits)
{
    serve(world, &(struct registry_config){.settings.upload_limits = *limits});
}

void registry_world_keep_free(struct registry_world *world, uint64_t reserve_bytes)
{
    world->free_space.reserve_bytes = reserve_bytes;
}

static void serve(struct registry_world *world, const struct registry_config *choices)
{
    struct registry_config config = *choices;

    config.metadata = world->metadata;
    config.blobs = world->blobs;
    config.clock = &world->clock.clock;
    config.settings.manifest_max_bytes = WORLD_MANIFEST_MAX_BYTES;
    config.settings.upload_lifetime_ms = WORLD_UPLOAD_LIFETIME_MS;
    config.settings.upload_age_ms = WORLD_UPLOAD_AGE_MS;
    config.free_space = &world->free_space;
    config.metrics = world->metrics;
    world->free_space = (struct free_space){.folders = {world->folder}, .clock = config.clock};
    registry_free(world->registry);
    world->registry = registry_new(&config);
}

void registry_world_run_sql(const struct registry_world *world, const char *sql)
{
    sqlite3 *database = open_database(world);

    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(database);
}

static sqlite3 *open_database(const struct registry_world *world)
{
    char path[PATH_BYTES];
    sqlite3 *database = NULL;

    (void)snprintf(path, sizeof(path), "%s/metadata.sqlite", world->folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    return database;
}

long long registry_world_count(const struct registry_world *world, const char *sql)
{
    sqlite3 *database = open_database(world);
    sqlite3_stmt *statement = NULL;
    long long count = 0;

    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    count = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return count;
}

struct digest registry_world_push_blob(struct registry_world *world, const char *content)
{
    return registry_world_push_bytes(world, str_from(content));
}

struct digest registry_world_push_bytes(struct registry_world *world, struct str bytes)
{
    assert_int_equal(test_blob_push(world->memory, bytes, NULL), OK);
    return hasher_digest_of(DIGEST_SHA256, bytes);
}

const char *registry_world_make_image(struct registry_world *world, const char *layers,
                                      const char *layer_type)
{
    const struct digest config = registry_world_push_blob(world, "{}");
    struct str rest = str_from(layers);
    struct str layer = {0};
    struct strbuf text;

    strbuf_init(&text, TEXT_MAX_BYTES);
    strbuf_append_format(
        &text, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[",
        registry_world_describe(world, "application/vnd.oci.image.config.v1+json", &config, 2));
    while (layers[0] && str_cut(&rest, ',', &layer)) {
        const char *content = arena_text(&world->arena, layer);
        const struct digest digest = registry_world_push_blob(world, content);

        strbuf_append_format(&text, "%s%s", layer.bytes == layers ? "" : ",",
                             registry_world_describe(world, layer_type, &digest, layer.length));
    }
    strbuf_append_text(&text, "]}");
    return keep(world, &text);
}

/* Moves a text into the arena. */
static const char *keep(struct registry_world *world, struct strbuf *text)
{
    const char *kept = arena_text(&world->arena, strbuf_str(text));

    assert_false(text->is_truncated);
    strbuf_release(text);
    return kept;
}

const char *registry_world_describe(struct registry_world *world, const char *media_type,
                                    const struct digest *digest, size_t size_bytes)
{
    char text[DIGEST_TEXT_BYTES];

    digest_format(digest, text);
    return arena_format(&world->arena, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}",
                        media_type, text, size_bytes);
}

enum error_code registry_world_push(struct registry_world *world, const char *repository,
                                    const char *reference, const char *content)
{
    return registry_world_push_as(world, repository, reference, content, OCI_IMAGE);
}

enum error_code registry_world_push_as(struct registry_world *world, const char *repository,
                                       const char *reference, const char *content,
                                       const char *media_type)
{
    struct manifest_upload upload = {
        .repository = repository_of(repository),
        .media_type = str_from(media_type),
        .content = str_from(content),
        .identity = {str_from("employee"), str_from("somebody")},
    };

    world->err = (struct error){0};
    assert_int_equal(reference_parse(str_from(reference), &upload.reference, NULL), OK);
    return registry_push_manifest(world->registry, &upload, &world->arena, &world->receipt,
                                  &world->err);
}

enum error_code registry_world_find(struct registry_world *world, const char *repository,
                                    const char *reference, struct manifest_found *found_out)
{
    const struct repository name = repository_of(repository);
    struct reference parsed;

    world->err = (struct error){0};
    assert_int_equal(reference_parse(str_from(reference), &parsed, NULL), OK);
    return registry_find_manifest(world->registry, &name, &parsed, &world->arena, found_out,
                                  &world->err);
}

bool registry_world_has(struct registry_world *world, const char *repository, const char *reference,
                        const char *content)
{
    struct manifest_found found;

    return registry_world_find(world, repository, reference, &found) == OK &&
           str_is(found.manifest.content, content);
}

struct digest digest_of(const char *content)
{
    return hasher_digest_of(DIGEST_SHA256, str_from(content));
}

const char *registry_world_digest_text(struct registry_world *world, const char *content)
{
    const struct digest digest = digest_of(content);
    char text[DIGEST_TEXT_BYTES];

    digest_format(&digest, text);
    return arena_text(&world->arena, str_from(text));
}

struct repository repository_of(const char *name)
{
    struct repository repository;

    assert_int_equal(repository_parse(str_from(name), &repository, NULL), OK);
    return repository;
}
