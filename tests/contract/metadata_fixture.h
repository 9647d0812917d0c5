#pragma once

#include "base/arena.h"
#include "metadata/manifests.h"
#include "metadata/metadata.h"
#include "metadata/tags.h"

/* How a driver opens its database: again and again the same one within a test, an empty one for
 * each test. */
struct metadata_driver {
    void (*begin)(void); /* before a test */
    struct metadata *(*open)(void);
    void (*end)(void); /* behind it */
};

/* What a test has: an open database and room for results. */
struct metadata_fixture {
    const struct metadata_driver *driver;
    struct metadata *metadata;
    struct arena arena;
};

/* Closes and opens the database, as a restart does. */
void metadata_fixture_reopen(struct metadata_fixture *fixture);

/* A push of the content to `repository`, under a tag or NULL. Borrows all. */
struct manifest_push push_of(const char *repository, const char *tag, const char *content);

/* Pushes and asserts that it is done. */
void must_push(struct metadata_fixture *fixture, const struct manifest_push *push);

/* As must_push of push_of. */
struct digest push_text(struct metadata_fixture *fixture, const char *repository, const char *tag,
                        const char *content);

/* Pushes and asserts that the tag is taken, by that digest. */
void must_be_taken(struct metadata_fixture *fixture, const struct manifest_push *push,
                   const struct digest *by);

/* Whether the repository has a manifest of that digest. */
bool has_manifest(struct metadata_fixture *fixture, const char *repository,
                  const struct digest *digest);
