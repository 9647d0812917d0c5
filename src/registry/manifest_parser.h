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
#include "registry/descriptor.h"

enum { MANIFEST_MAX_DESCRIPTORS = 10000 };

/* The formats that are taken (OCI image specification 1.1; Docker Image Manifest V2, Schema 2). */
enum manifest_format {
    MANIFEST_OCI_IMAGE,
    MANIFEST_OCI_INDEX,
    MANIFEST_DOCKER_IMAGE,
    MANIFEST_DOCKER_LIST,
};

/* A manifest, taken apart. */
struct manifest {
    enum manifest_format format;
    const char *media_type; /* as the specification writes it */
    struct manifest_facts facts;
    struct descriptor subject;      /* if facts.has_subject */
    struct digest annotations;      /* a hash of them as JSON; zero if there are none */
    bool is_index;                  /* descriptors are of manifests or blobs, else all of blobs */
    struct descriptor *descriptors; /* config first, if there is one; in the arena */
    size_t descriptor_count;
    size_t first_layer; /* where layers, or an index' entries, begin */
};

/*
 * Reads a manifest that was sent with that Content-Type. Pure. ERROR_UNSUPPORTED about MANIFEST for
 * Docker's schema 1, whatever it was sent as; ERROR_INVALID about MANIFEST for whatever else is not
 * a manifest as the specifications say, or is ambiguous (CVE-2021-41190; descriptor.h);
 * ERROR_TOO_LARGE about MANIFEST beyond the limits above. Members that may be missing may be null.
 */
MUST_USE enum error_code manifest_parse(struct str content, struct str content_type,
                                        struct arena *arena, struct manifest *manifest_out,
                                        struct error *err);

/* Whether it is that of one of the formats that are taken. */
bool manifest_is_media_type(struct str media_type);
