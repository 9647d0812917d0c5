#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "blobs/blob_store.h"
#include "metadata/metadata.h"
#include "registry/registry_settings.h"

/*
 * The use cases of a registry: what may be pushed, what a tag means, what is there. Knows neither
 * HTTP nor SQL. The functions are in blobs.h, uploads.h, manifests.h and tags.h of this folder; all
 * of them may block. One handle serves many threads.
 */
struct registry;

struct registry_config {
    struct metadata *metadata; /* not owned */
    struct blob_store *blobs;  /* not owned */
    const struct clock *clock;
    struct free_space *free_space; /* what pushes leave alone; not owned, NULL: nothing */
    struct registry_settings settings;
};

struct registry *registry_new(const struct registry_config *config);

/* NULL is accepted. */
void registry_free(struct registry *registry);
