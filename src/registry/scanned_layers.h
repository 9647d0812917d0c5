#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/digest.h"

/*
 * Layers that were looked into and do not tell a source. A layer never changes, so none has to be
 * unpacked at each push of an image that is built on it. Bounded: what is forgotten is looked into
 * again. Used by many threads.
 */
enum { SCANNED_LAYERS_SLOTS = 4096 };

struct scanned_layers {
    pthread_mutex_t slots_lock;
    struct digest slots[SCANNED_LAYERS_SLOTS]; /* each at its digest's place, or zero */
};

void scanned_layers_init(struct scanned_layers *layers);
void scanned_layers_release(struct scanned_layers *layers);

bool scanned_layers_has(struct scanned_layers *layers, const struct digest *digest);
void scanned_layers_add(struct scanned_layers *layers, const struct digest *digest);
