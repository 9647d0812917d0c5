#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/digest.h"
#include "base/metrics.h"
#include "base/str.h"
#include "registry/manifests.h"
#include "registry/reference.h"
#include "registry/registry.h"

/*
 * What a name stands for that can never stand for anything else: so nothing is ever invalidated,
 * and no instance has to tell another. Bounded in memory; what was not asked for the longest goes
 * first. Safe for threads; never blocks for longer than it takes to copy an entry.
 */
struct content_cache;

/* A digest, and maybe the bytes behind it. */
struct content {
    struct digest digest;
    uint64_t size_bytes;
    bool has_bytes;        /* else only what is above is known */
    struct str media_type; /* may be empty */
    struct str bytes;
};

/* limit_bytes: for all entries with what it takes to find them. metrics (NULL: nothing is counted)
 * outlives it. */
MUST_USE struct content_cache *content_cache_new(size_t limit_bytes, struct metrics *metrics);

/* All that was taken must be released. NULL is accepted. */
void content_cache_free(struct content_cache *cache);

/* What is known under that key, to be read only and given to content_release; NULL if nothing is.
 */
MUST_USE struct content *content_cache_take(struct content_cache *cache, struct str key);

/* Remembers a copy, unless something is known already or it is too large to be worth it. */
void content_cache_put(struct content_cache *cache, struct str key, const struct content *content);

/* Also after others took its place in the cache. NULL is accepted. */
void content_release(struct content *content);

/*
 * What was found before and will be the same for ever, from memory: these never block. NULL if it
 * is not known here; then it may exist all the same. What is returned is given to content_release.
 * Whether the caller may see it is the caller's affair, each time.
 */

/* A manifest with its bytes: by digest, or by a tag that never moves. */
MUST_USE struct content *registry_cached_manifest(struct registry *registry,
                                                  const struct repository *repository,
                                                  const struct reference *reference);

/* That a blob is there, how large it is, and if it is small, its bytes. */
MUST_USE struct content *registry_cached_blob(struct registry *registry,
                                              const struct digest *digest);

/* Keeps for these what was found to be there, durably. */
void content_cache_manifest(struct registry *registry, const struct repository *repository,
                            const struct reference *reference, const struct manifest_found *found);
void content_cache_blob(struct registry *registry, const struct digest *digest,
                        const struct blob_content *blob);
