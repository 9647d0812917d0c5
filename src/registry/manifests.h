#pragma once

#include "base/arena.h"
#include "metadata/manifests.h"
#include "metadata/tags.h"
#include "registry/reference.h"
#include "registry/registry.h"

/* What to do while as many pushes as may look into layers do so. */
enum push_patience {
    PUSH_WAITS = 0,
    PUSH_GIVES_WAY_SOON, /* fail after some milliseconds */
    PUSH_GIVES_WAY,      /* fail at once */
};

struct manifest_upload {
    struct repository repository;
    struct reference reference;
    const struct str *tags;      /* beside a reference that is a digest: good ones, none twice */
    size_t tag_count;            /* PUSH_TAGS_MAX at most */
    const struct digest *stated; /* the content\'s, if the request also says it; else NULL */
    struct str media_type; /* the request's Content-Type; kept as the specification writes it */
    struct str content;
    struct actor identity;
    const struct scm_source *scm_source; /* as the pusher says, who may; NULL: as layers say */
    enum push_patience patience;
};

/* What a push came to. Filled also on failure, as far as its fields say. */
struct manifest_receipt {
    struct digest digest; /* of the content: OK only */
    bool has_subject;     /* OK only: OCI-Subject is to be sent */
    struct digest subject;
    struct str refused_tag; /* ERROR_CONFLICT: the first, if there are several */
    bool has_existing;      /* … is at existing, not at digest */
    struct digest existing;
    struct digest refused;  /* ERROR_CONFLICT: the digest that was pushed */
    struct digest *missing; /* ERROR_NOT_FOUND about REFERENCED: in the arena, bounded */
    size_t missing_count;
    bool has_given_way; /* ERROR_UNAVAILABLE: nothing was done, try again later */
};

/*
 * Stores a manifest under its digest and under the tags given, durably and all or none. The same
 * again is OK. Fails with ERROR_TOO_LARGE about MANIFEST; ERROR_INVALID about MANIFEST, about
 * DIGEST (the reference, or what is stated, is another digest than the content's) or about TAG;
 * ERROR_NOT_FOUND about REFERENCED (blobs or manifests it names are missing); ERROR_UNSUPPORTED
 * about MANIFEST (Docker schema 1); ERROR_CONFLICT about TAG (one is at another digest, or is
 * `latest`); ERROR_UNAVAILABLE if it has given way.
 */
MUST_USE enum error_code registry_push_manifest(struct registry *registry,
                                                const struct manifest_upload *upload,
                                                struct arena *arena,
                                                struct manifest_receipt *receipt_out,
                                                struct error *err);

/* A manifest, and what a cache may be told about the way it was found. */
struct manifest_found {
    struct manifest_record manifest;
    bool is_fixed; /* this reference will always mean this manifest */
};

/* Finds by digest or tag; `latest` is the newest tag that can be run.
 * ERROR_NOT_FOUND about MANIFEST, or about NAME if there is no such repository. */
MUST_USE enum error_code
registry_find_manifest(struct registry *registry, const struct repository *repository,
                       const struct reference *reference, struct arena *arena,
                       struct manifest_found *found_out, struct error *err);

/* See metadata_list_referrers. */
MUST_USE enum error_code registry_list_referrers(struct registry *registry,
                                                 const struct referrer_query *query,
                                                 struct arena *arena,
                                                 struct referrer_page *page_out, struct error *err);
