#include "registry/registry.h"

#include <stdlib.h>

#include "base/memory.h"
#include "registry/registry_private.h"
#include "registry/source_finder.h"

struct registry *registry_new(const struct registry_config *config)
{
    struct registry *registry = memory_new(1, sizeof(*registry));

    registry->config = *config;
    open_uploads_init(&registry->open_uploads);
    scanned_layers_init(&registry->scanned_layers);
    (void)sem_init(&registry->source_searches, 0, SOURCE_SEARCHES_MAX);
    registry->parsing = memory_budget_new(PARSING_MAX_BYTES);
    registry->cache =
        config->settings.cache_bytes > 0 ? content_cache_new(config->settings.cache_bytes) : NULL;
    return registry;
}

void registry_free(struct registry *registry)
{
    if (registry) {
        open_uploads_release(&registry->open_uploads);
        scanned_layers_release(&registry->scanned_layers);
        (void)sem_destroy(&registry->source_searches);
        memory_budget_free(registry->parsing);
        content_cache_free(registry->cache);
        free(registry);
    }
}
