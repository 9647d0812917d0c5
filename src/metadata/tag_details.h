#pragma once

#include "metadata/tags.h"

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
