#pragma once

#include <stdbool.h>

#include "base/attributes.h"
#include "registry/manifest_parser.h"
#include "registry/reference.h"
#include "registry/registry.h"

/* Whether a manifest's config is that of an image (image-spec "config.md", and Docker's). Pure. */
bool runnable_has_image_config(const struct manifest *manifest);

/*
 * Whether a manifest, all of whose references are there, is what a client runs: an image with
 * layers of an image or none, or an index with an entry in the repository that is one. Caches,
 * signatures, SBOMs, attestations, charts and whatever else states an artifact type are not, though
 * some of them have an image's config, and BuildKit's cache is an index of an image's layers.
 */
MUST_USE enum error_code runnable_find(struct registry *registry,
                                       const struct repository *repository,
                                       const struct manifest *manifest, bool *is_runnable_out,
                                       struct error *err);
