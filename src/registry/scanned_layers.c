#include "registry/scanned_layers.h"

#include <string.h>

static struct digest *slot_of(struct scanned_layers *layers, const struct digest *digest);

void scanned_layers_init(struct scanned_layers *layers)
{
    *layers = (struct scanned_layers){0};
    (void)pthread_mutex_init(&layers->slots_lock, NULL);
}

void scanned_layers_release(struct scanned_layers *layers)
{
    (void)pthread_mutex_destroy(&layers->slots_lock);
}

bool scanned_layers_has(struct scanned_layers *layers, const struct digest *digest)
{
    bool is_there = false;

    (void)pthread_mutex_lock(&layers->slots_lock);
    is_there = digest_equal(slot_of(layers, digest), digest);
    (void)pthread_mutex_unlock(&layers->slots_lock);
    return is_there;
}

/* A digest is as good as random by itself. */
static struct digest *slot_of(struct scanned_layers *layers, const struct digest *digest)
{
    unsigned number = 0;

    memcpy(&number, digest->bytes, sizeof(number));
    return &layers->slots[number % SCANNED_LAYERS_SLOTS];
}

void scanned_layers_add(struct scanned_layers *layers, const struct digest *digest)
{
    (void)pthread_mutex_lock(&layers->slots_lock);
    *slot_of(layers, digest) = *digest;
    (void)pthread_mutex_unlock(&layers->slots_lock);
}
