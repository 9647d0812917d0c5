#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"
#include "metadata/metadata.h"

enum tag_kind {
    TAG_VERSION = 0, /* never moves */
    TAG_SNAPSHOT,    /* may move, if settings let it */
    TAG_SIGNATURE,   /* sha256-<hex>…: belongs to another manifest, never counts as the newest */
};

struct tag_record {
    struct str name;
    struct digest digest;
    enum tag_kind kind;
    struct str created_by;
    int64_t created_ms;
};

/* ERROR_NOT_FOUND about TAG. */
MUST_USE enum error_code metadata_find_tag(struct metadata *metadata, struct str repository,
                                           struct str name, struct arena *arena,
                                           struct tag_record *tag_out, struct error *err);

/* The newest of what can be run, or where nothing can, of all: by creation time, ties by sequence,
 * without signature tags. ERROR_NOT_FOUND about TAG. */
MUST_USE enum error_code metadata_find_newest_tag(struct metadata *metadata, struct str repository,
                                                  struct arena *arena, struct tag_record *tag_out,
                                                  struct error *err);

/* Which names to list: those behind `after` (empty: from the first), at most limit. */
struct name_query {
    struct str repository; /* of tags; else unused */
    struct str after;
    size_t limit;
    struct arena *arena; /* for the page */
};

struct name_page {
    struct str *names; /* in the arena, ordered by byte value */
    size_t count;
    bool has_more;
};

/* ERROR_NOT_FOUND about NAME if there is no such repository. */
MUST_USE enum error_code metadata_list_tags(struct metadata *metadata,
                                            const struct name_query *query,
                                            struct name_page *page_out, struct error *err);

/* A tag that came to be (no old digest) or moved. */
struct tag_change {
    bool has_old;
    struct digest old_digest;
    struct digest new_digest;
    struct actor changed_by;
    int64_t changed_ms;
    int64_t sequence; /* its place among all changes */
};

/* Which changes of a tag to list: those behind that place (0: from the first), at most limit. */
struct tag_history_query {
    struct str repository;
    struct str name;
    int64_t after_sequence;
    size_t limit;
    struct arena *arena; /* for the history */
};

/* Oldest first. */
struct tag_history {
    struct tag_change *changes;
    size_t count;
    bool has_more;
};

/* What became of a tag. No such tag: nothing. */
MUST_USE enum error_code metadata_list_tag_changes(struct metadata *metadata,
                                                   const struct tag_history_query *query,
                                                   struct tag_history *history_out,
                                                   struct error *err);

/* A tag with what is known of the manifest that it is at. */
struct tag_detail {
    struct tag_record tag;
    int64_t sequence; /* its place among tags of the same time */
    struct str media_type;
    bool has_config;
    struct digest config;      /* the "image id" of clients */
    uint64_t image_size_bytes; /* content, config and layers together; 0 for an index */
    struct str platforms;      /* `linux/arm64/v8`, each ended by a line feed; may be empty */
    bool is_production_ready;
    struct str incident_id; /* … what for */
    int64_t marked_ms;      /* … since when */
};

/* Which tags to list: those created behind that place (0, 0: from the first), at most limit; of the
 * newest ones only, if newest is not 0. */
struct tag_detail_query {
    struct str repository;
    int64_t after_ms;
    int64_t after_sequence;
    int64_t newest;
    size_t limit;
    struct arena *arena; /* for the page */
};

/* The texts of a page's tags, platforms above all: it ends early when they are large. */
enum { TAG_PAGE_TEXT_BYTES = 4 * 1024 * 1024 };

/* Oldest first, without signature tags. */
struct tag_detail_page {
    struct tag_detail *tags;
    size_t count;
    bool has_more;
};

/* ERROR_NOT_FOUND about NAME if there is no such repository. */
MUST_USE enum error_code metadata_list_tag_details(struct metadata *metadata,
                                                   const struct tag_detail_query *query,
                                                   struct tag_detail_page *page_out,
                                                   struct error *err);

/* ERROR_NOT_FOUND about TAG. */
MUST_USE enum error_code metadata_find_tag_detail(struct metadata *metadata, struct str repository,
                                                  struct str name, struct arena *arena,
                                                  struct tag_detail *tag_out, struct error *err);

/* A tag of an image, wherever it is. */
struct image_tag {
    struct str repository;
    struct str name;
    int64_t sequence; /* of its creation */
};

struct image_query {
    struct str prefix; /* of an image's id, `sha256:…`: the digest of its config, or its own */
    struct str after_repository; /* only what comes behind this tag; the first page: none */
    int64_t after_sequence;
    size_t limit;
    struct arena *arena; /* for the list */
};

/* In the order of repositories, and in each as they were created. */
struct image_tag_list {
    struct image_tag *tags;
    size_t count;
    bool has_more;
};

/* The tags of the one image that has that prefix, at most limit. ERROR_NOT_FOUND about IMAGE (on
 * the first page), or ERROR_CONFLICT about IMAGE if it is the prefix of several. */
MUST_USE enum error_code metadata_list_image_tags(struct metadata *metadata,
                                                  const struct image_query *query,
                                                  struct image_tag_list *list_out,
                                                  struct error *err);
