#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/free_space.h"
#include "base/log.h"
#include "blobs/blob_store.h"
#include "metadata/metadata.h"
#include "metadata/uploads.h"

/*
 * The use cases of a registry: what may be pushed, what a tag means, what is there. Knows neither
 * HTTP nor SQL. The functions are in blobs.h, uploads.h, manifests.h and tags.h of this folder; all
 * of them may block. One handle serves many threads.
 */
struct registry;

/* The most that may be unfinished at once; 0: any number. */
struct upload_limits {
    struct upload_sum of_identity;
    struct upload_sum of_team;
};

struct registry_config {
    struct metadata *metadata; /* not owned */
    struct blob_store *blobs;  /* not owned */
    const struct clock *clock;
    size_t manifest_max_bytes;
    int64_t upload_lifetime_ms; /* an upload that rests longer is discarded */
    int64_t upload_age_ms;      /* one that began longer ago is no more gone on with */
    struct upload_limits upload_limits;
    struct free_space *free_space; /* what pushes leave alone; not owned, NULL: nothing */
    size_t cache_bytes;            /* for what is asked for again (recall.h); 0: nothing is kept */
    bool snapshots_move;           /* tags ending in -SNAPSHOT may move */
    bool signatures_grow;          /* signature tags may be replaced by supersets */
};

struct registry *registry_new(const struct registry_config *config);

/* NULL is accepted. */
void registry_free(struct registry *registry);
