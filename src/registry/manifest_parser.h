#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"
#include "metadata/manifests.h"

enum {
    MANIFEST_MAX_DESCRIPTORS = 10000,
    MANIFEST_MAX_ANNOTATIONS_BYTES = 8 * 1024 * 1024, /* as JSON, escaped */
};

/* The formats that are taken (OCI image specification 1.1; Docker Image Manifest V2, Schema 2). */
enum manifest_format {
    MANIFEST_OCI_IMAGE,
    MANIFEST_OCI_INDEX,
    MANIFEST_DOCKER_IMAGE,
    MANIFEST_DOCKER_LIST,
};

/* Something that a manifest names. Borrows from the arena. */
struct descriptor {
    struct digest digest;
    uint64_t size_bytes;
    struct str media_type;
    bool may_be_elsewhere;     /* a non-distributable layer: it need not be here */
    struct digest annotations; /* a hash of them as JSON; zero if there are none */
};

/* A manifest, taken apart. */
struct manifest {
    enum manifest_format format;
    struct manifest_facts facts;
    bool is_index;                  /* descriptors are of manifests or blobs, else all of blobs */
    struct descriptor *descriptors; /* config first, if there is one; in the arena */
    size_t descriptor_count;
    size_t first_layer; /* where layers, or an index' entries, begin */
};

/*
 * Reads a manifest that was sent with that Content-Type. Pure. ERROR_UNSUPPORTED about MANIFEST for
 * Docker's schema 1; ERROR_INVALID about MANIFEST for whatever else is not a manifest as the
 * specifications say, or is ambiguous (CVE-2021-41190); ERROR_TOO_LARGE about MANIFEST beyond the
 * limits above.
 */
MUST_USE enum error_code manifest_parse(struct str content, struct str content_type,
                                        struct arena *arena, struct manifest *manifest_out,
                                        struct error *err);
