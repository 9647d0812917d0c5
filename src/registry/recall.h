#pragma once

#include "registry/content_cache.h"
#include "registry/reference.h"
#include "registry/registry.h"

/*
 * What was found before and will be the same for ever, from memory: these never block. NULL if it
 * is not known here; then it may exist all the same. What is returned is given to content_release.
 * Whether the caller may see it is the caller's affair, each time.
 */

/* A manifest with its bytes: by digest, or by a tag that never moves. */
MUST_USE struct content *registry_recall_manifest(struct registry *registry,
                                                  const struct repository *repository,
                                                  const struct reference *reference);

/* That a blob is there, how large it is, and if it is small, its bytes. */
MUST_USE struct content *registry_recall_blob(struct registry *registry,
                                              const struct digest *digest);
