#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/digest.h"
#include "registry/manifest_parser.h"
#include "registry/manifests.h"
#include "registry/registry.h"
#include "registry/scm_source.h"

/*
 * Layers that were looked into and do not tell a source. A layer never changes, so none has to be
 * unpacked at each push of an image that is built on it. Bounded: what is forgotten is looked into
 * again. Used by many threads.
 */
enum { SCANNED_LAYERS_SLOTS = 4096 };

struct scanned_layers {
    pthread_mutex_t slots_lock;
    struct digest slots[SCANNED_LAYERS_SLOTS]; /* each where its digest says, or zero */
};

void scanned_layers_init(struct scanned_layers *layers);
void scanned_layers_release(struct scanned_layers *layers);

bool scanned_layers_has(struct scanned_layers *layers, const struct digest *digest);
void scanned_layers_add(struct scanned_layers *layers, const struct digest *digest);

enum {
    SOURCE_LAYER_MAX_BYTES = 16 * 1024 * 1024,     /* a larger layer is not looked into */
    SOURCE_UNPACKED_MAX_BYTES = 512 * 1024 * 1024, /* nor a layer beyond this much */
    SOURCE_MAX_ENTRIES = 200 * 1000,               /* … or this many files */
    SOURCE_MAX_LAYERS = 128,                       /* of an image, from the topmost */
    SOURCE_MAX_IMAGES = 4,                         /* of an index, from the first */
    SOURCE_TIME_MAX_MS = 5 * 1000,                 /* of one push altogether */
    SOURCE_SEARCHES_MAX = 4, /* at once: each takes up to 32 MiB of memory; others wait */
    SOURCE_PATIENCE_MS = 10, /* how long a thread may be held by waiting */
};

/* What is searched, for one push. */
struct source_search {
    struct registry *registry;
    struct str repository;
    const struct manifest *manifest; /* that is pushed */
    struct arena *arena;             /* for what is found */
};

/*
 * One of the searches that may take place at once, for a push that may need it; false: those ahead
 * take their time. To be given back.
 */
MUST_USE bool source_search_begin(struct registry *registry, enum push_patience patience);
void source_search_end(struct registry *registry);

/*
 * Looks for `scm-source.json` in the layers of an image, from the topmost, or in the images of an
 * index. *is_found_out says whether there is one that makes sense. What cannot be unpacked within
 * the bounds, or is no archive, does not tell; fails only if a layer cannot be read at all.
 */
MUST_USE enum error_code source_find(const struct source_search *search,
                                     struct scm_source *source_out, bool *is_found_out,
                                     struct error *err);
