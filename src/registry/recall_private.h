#pragma once

#include "blobs/blob_store.h"
#include "registry/manifests.h"

/* For the sources of this folder only: keeps for recall.h what was found to be there, durably. */
void remember_manifest(struct registry *registry, const struct repository *repository,
                       const struct reference *reference, const struct manifest_found *found);
void remember_blob(struct registry *registry, const struct digest *digest,
                   const struct blob_content *blob);
