#pragma once

#include "metadata/manifests.h"
#include "registry/manifest_parser.h"
#include "registry/registry.h"

/* A pushed manifest whose tags are at others. */
struct tag_mover {
    struct registry *registry;
    struct str repository;
    const struct manifest *manifest;
    struct digest digest;
};

/*
 * Whether one of its tags may leave `existing` under the registry's settings: a snapshot that
 * moves, a signature tag that grows. ERROR_CONFLICT about TAG with both digests and what to do
 * instead, if not.
 */
MUST_USE enum error_code tag_mover_check(const struct tag_mover *mover, const struct tag_push *tag,
                                         const struct digest *existing, struct error *err);
