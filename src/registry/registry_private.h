#pragma once

#include "metadata/uploads.h"
#include "registry/open_uploads.h"
#include "registry/registry.h"
#include "registry/scanned_layers.h"

/* For the sources of this folder only. */
struct registry {
    struct registry_config config;
    struct open_uploads open_uploads;
    struct scanned_layers scanned_layers;
};

enum {
    /* An upload's row: id, repository, identity, login, hash. */
    UPLOAD_RECORD_ARENA_BYTES = 16 * 1024,
};

/* Whether it has rested for longer than its lifetime. */
bool upload_record_is_stale(const struct registry *registry, const struct upload_record *record);
