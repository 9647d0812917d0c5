#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "metadata/metadata.h"
#include "registry/manifests.h"
#include "registry/registry.h"
#include "tests/support/fake_clock.h"

#define OCI_IMAGE "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define LAYER_TAR "application/vnd.oci.image.layer.v1.tar"
#define LAYER_COSIGN "application/vnd.dev.cosign.simplesigning.v1+json"

enum {
    WORLD_MANIFEST_MAX_BYTES = 256 * 1024,
    WORLD_UPLOAD_LIFETIME_MS = 60 * 1000,
    WORLD_UPLOAD_AGE_MS = 24 * 60 * 60 * 1000,
};

/* A registry with blobs in memory, metadata in a folder of its own, and a clock that stands. */
struct registry_world {
    struct fake_clock clock;
    char *folder;
    struct metadata *metadata;
    struct blob_store *memory;
    struct blob_store *blobs;     /* passes on to memory, but for what it is told to fail */
    struct free_space free_space; /* no reserve at first */
    struct metrics *metrics;
    struct registry *registry;
    struct arena arena; /* for results; lives as long as the test */
    struct error err;   /* of the last push */
    struct manifest_receipt receipt;
};

/* For cmocka: a new world for each test. */
int registry_world_set_up(void **state);
int registry_world_tear_down(void **state);
#define WORLD_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, registry_world_set_up, registry_world_tear_down)

/* The same registry under other settings, as after a restart; nothing moves at first. */
void registry_world_let_move(struct registry_world *world, bool snapshots_move,
                             bool signatures_grow);

/* The same registry again, which now remembers (content_cache.h), and nothing yet. */
void registry_world_remember(struct registry_world *world);

/* The same registry again, with limits to what is unfinished. */
void registry_world_limit(struct registry_world *world, const struct upload_limits *limits);

/* From now on pushes leave so much of the disk free. */
void registry_world_keep_free(struct registry_world *world, uint64_t reserve_bytes);

/*
 * Runs SQL on the database behind the registry's back: `alter table tag rename to gone` makes all
 * that needs the table fail.
 */
void registry_world_run_sql(const struct registry_world *world, const char *sql);

/* The number that a `select` gives. */
long long registry_world_count(const struct registry_world *world, const char *sql);

/* Pushes a blob; its digest. */
struct digest registry_world_push_blob(struct registry_world *world, const char *content);

struct digest registry_world_push_bytes(struct registry_world *world, struct str bytes);

/*
 * An image manifest whose config is `{}` and whose layers are the comma-separated texts, all of
 * them pushed. Lives as long as the test, as what the functions below give.
 */
const char *registry_world_make_image(struct registry_world *world, const char *layers,
                                      const char *layer_type);

/* A descriptor as JSON. */
const char *registry_world_describe(struct registry_world *world, const char *media_type,
                                    const struct digest *digest, size_t size_bytes);

/* Pushes to a name and a tag or digest; see world->receipt and world->err. */
enum error_code registry_world_push(struct registry_world *world, const char *repository,
                                    const char *reference, const char *content);

/* The same with another Content-Type than that of an image. */
enum error_code registry_world_push_as(struct registry_world *world, const char *repository,
                                       const char *reference, const char *content,
                                       const char *media_type);

/* Looks a tag or digest up; see world->err. */
enum error_code registry_world_find(struct registry_world *world, const char *repository,
                                    const char *reference, struct manifest_found *found_out);

/* Whether that is what is found there now. */
bool registry_world_has(struct registry_world *world, const char *repository, const char *reference,
                        const char *content);

/* The sha256 of a text. */
struct digest digest_of(const char *content);

/* `sha256:…` of a text, borrowed from the world. */
const char *registry_world_digest_text(struct registry_world *world, const char *content);

/* A name that is good. */
struct repository repository_of(const char *name);
