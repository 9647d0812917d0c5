#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"
#include "metadata/metadata.h"
#include "metadata/sources.h"
#include "metadata/sql.h"
#include "metadata/tags.h"

/* A manifest as it was pushed to one repository. */
struct manifest_record {
    struct digest digest;
    struct str media_type; /* its Content-Type */
    struct str content;    /* its bytes, exactly; absent where a function says so */
    uint64_t size_bytes;   /* of the content */
};

/* What else is kept of a manifest, taken from its content by the registry. */
struct manifest_facts {
    struct str artifact_type; /* of a referrer: what filters compare with; may be empty */
    struct str annotations;   /* a JSON object, or empty */
    bool has_subject;
    struct digest subject;
    bool has_config;
    struct digest config;      /* the "image id" of clients */
    uint64_t image_size_bytes; /* content, config and layers together; 0 for an index */
    struct str platforms;      /* `linux/arm64/v8`, each ended by a line feed; may be empty */
    bool is_runnable;          /* an image, or an index that has one */
};

struct named_blob {
    struct digest digest;
    uint64_t size_bytes;    /* 0: it may not be here */
    bool must_not_be_swept; /* it is of no use without it */
};

/* What a push changed: a manifest came to be in a repository, or a tag came to be or moved. */
struct push_change {
    struct str repository;
    struct str tag;                  /* empty: pushed by digest */
    const struct digest *old_digest; /* where the tag was; NULL: it is new, or there is none */
    struct digest new_digest;
    struct actor changed_by;
    int64_t changed_ms;
};

/*
 * What else is committed with a push: join runs in its transaction, behind all that the push
 * writes, so that what it writes there is kept if and only if the push is. Called for each tag that
 * came to be or moved, not by a push that changes nothing; called again where the database repeats
 * the transaction. If it fails, so does the push, with the same error.
 */
struct push_companion {
    enum error_code (*join)(struct sql_connection *connection, const struct push_change *change,
                            void *context, struct error *err);
    void *context;
};

/* A tag that a push sets. */
struct tag_push {
    struct str name;
    enum tag_kind kind;
    const struct digest *replaces; /* it may move, if it is at this digest now; NULL: it may not */
};

/* Twice what distribution-spec asks for; as long as can be, their names fit into 4 KiB of fields.
 */
enum { PUSH_TAGS_MAX = 20 };

/* A push: everything it creates comes to be in one transaction, or nothing does. */
struct manifest_push {
    struct str repository;
    struct manifest_record manifest; /* with content */
    struct manifest_facts facts;
    struct tag_push tags[PUSH_TAGS_MAX];
    size_t tag_count;               /* 0: pushed by digest */
    const struct named_blob *blobs; /* that the manifest names */
    size_t blob_count;
    const struct scm_claim *scm_claim; /* of each tag but those of signatures, what it was built
                                          from; NULL: nobody says */
    struct actor created_by;
    int64_t created_ms;                     /* wall clock */
    const struct push_companion *companion; /* NULL: nothing else */
};

enum push_outcome {
    PUSH_DONE,      /* all is there, durably: new, or it was already the same */
    PUSH_TAG_TAKEN, /* a tag is at another digest: nothing was stored */
};

/* A tag as a push found it. */
struct tag_found {
    bool is_there;
    bool is_taken;        /* at another digest, from which it may not move */
    struct digest digest; /* if is_there */
};

/*
 * Stores a manifest, its repository if that is new, and its tags. Durable once it returns OK.
 * With PUSH_TAG_TAKEN, found_out tells each of the tags, and one at least is taken.
 */
MUST_USE enum error_code metadata_push_manifest(struct metadata *metadata,
                                                const struct manifest_push *push,
                                                enum push_outcome *outcome_out,
                                                struct tag_found *found_out, struct error *err);

/* The manifest of that digest in that repository. ERROR_NOT_FOUND about MANIFEST. */
MUST_USE enum error_code metadata_find_manifest(struct metadata *metadata, struct str repository,
                                                const struct digest *digest, struct arena *arena,
                                                struct manifest_record *manifest_out,
                                                struct error *err);

/* A manifest that a tag is at. */
struct tagged_manifest {
    enum tag_kind kind; /* of the tag */
    struct manifest_record manifest;
};

/* In one statement what metadata_find_tag and metadata_find_manifest tell. ERROR_NOT_FOUND about
 * TAG. */
MUST_USE enum error_code metadata_find_tagged_manifest(struct metadata *metadata,
                                                       struct str repository, struct str name,
                                                       struct arena *arena,
                                                       struct tagged_manifest *tagged_out,
                                                       struct error *err);

/* The same of the tag that metadata_find_newest_tag finds. */
MUST_USE enum error_code metadata_find_newest_manifest(struct metadata *metadata,
                                                       struct str repository, struct arena *arena,
                                                       struct tagged_manifest *tagged_out,
                                                       struct error *err);

/* As metadata_find_manifest, without content. */
MUST_USE enum error_code
metadata_describe_manifest(struct metadata *metadata, struct str repository,
                           const struct digest *digest, struct arena *arena,
                           struct manifest_record *manifest_out, struct error *err);

/* Whether the repository has a manifest of that digest. */
MUST_USE enum error_code metadata_has_manifest(struct metadata *metadata, struct str repository,
                                               const struct digest *digest, bool *is_there_out,
                                               struct error *err);

/* … and whether that one can be run. */
MUST_USE enum error_code metadata_has_runnable(struct metadata *metadata, struct str repository,
                                               const struct digest *digest, bool *has_it_out,
                                               struct error *err);

/* A manifest that refers to another one as its subject. */
struct referrer {
    struct manifest_record manifest; /* without content */
    struct str artifact_type;
    struct str annotations;
    int64_t created_ms;
};

/* Where it stands in a list, which nothing changes any more. */
struct referrer_place {
    int64_t created_ms;
    struct digest digest;
};

struct referrer_page {
    struct referrer *referrers; /* in the arena, newest first */
    size_t count;
    bool has_more;
};

/* A page ends early when its manifests, or their annotations, come to this much. */
enum { REFERRER_PAGE_BYTES = 4 * 1024 * 1024 };

struct referrer_query {
    struct str repository;
    struct digest subject;
    struct str artifact_type;           /* empty: all */
    const struct referrer_place *after; /* NULL: from the newest; else what comes behind it */
    size_t limit;
};

/* No referrers (also of an unknown repository) is an empty page. */
MUST_USE enum error_code metadata_list_referrers(struct metadata *metadata,
                                                 const struct referrer_query *query,
                                                 struct arena *arena,
                                                 struct referrer_page *page_out, struct error *err);
