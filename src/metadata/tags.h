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
