#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/str.h"
#include "metadata/manifests.h"
#include "metadata/metadata.h"

/* Where a blob is, in a store that leaves blobs where they landed. */
struct blob_place_record {
    struct digest digest;
    struct str location; /* the store's own name of it */
    uint64_t size_bytes;
    int64_t
        touched_ms; /* when anybody last pushed it, or asked for it before a manifest named it */
};

/*
 * Durable; the blob is not swept any more (swept_blobs.h). If the digest has a place already, that
 * stays and counts as touched: this is success too. ERROR_NOT_FOUND about UPLOAD if the location is
 * one that was swept: its bytes may be gone.
 */
MUST_USE enum error_code metadata_add_blob_place(struct metadata *metadata,
                                                 const struct blob_place_record *place,
                                                 struct error *err);

/* The location is in the arena. ERROR_NOT_FOUND about BLOB. */
MUST_USE enum error_code metadata_find_blob_place(struct metadata *metadata,
                                                  const struct digest *digest, struct arena *arena,
                                                  struct blob_place_record *place_out,
                                                  struct error *err);

/* Some of many, in order, in the caller's arena. */
struct blob_place_list {
    struct blob_place_record *places;
    size_t count;
};

enum { BLOB_PLACE_LIST_MAX = 100 };

/* Places of blobs that no manifest names and that were not touched since then. */
struct unnamed_place_query {
    const struct digest *after; /* the last one of the list before; NULL: from the beginning on */
    int64_t untouched_since_ms;
    struct arena *arena;
};

/* Ordered by digest; none: there are no more. */
MUST_USE enum error_code metadata_list_unnamed_places(struct metadata *metadata,
                                                      const struct unnamed_place_query *query,
                                                      struct blob_place_list *list_out,
                                                      struct error *err);

/* Places that were swept (swept_blobs.h) and whose bytes may still be there: those behind that
 * location, in order; none: there are no more. */
MUST_USE enum error_code metadata_list_swept_places(struct metadata *metadata, struct str after,
                                                    struct arena *arena,
                                                    struct blob_place_list *list_out,
                                                    struct error *err);

/*
 * The place counts as touched now, or a minute ago at most: nothing is written for who comes all
 * the time. ERROR_NOT_FOUND about BLOB if there is none, or none any more.
 */
MUST_USE enum error_code metadata_touch_blob_place(struct metadata *metadata,
                                                   const struct digest *digest, int64_t now_ms,
                                                   struct error *err);

/* Blobs that manifests name, and that are none themselves. One without a size is not known to have
 * been there. */
enum { NAMED_BLOB_PAGE_MAX = 100 };

struct named_blob_page {
    struct named_blob blobs[NAMED_BLOB_PAGE_MAX];
    size_t count;
};

/* Those behind `after` (NULL: all), in order; none: there are no more. */
MUST_USE enum error_code metadata_list_named_blobs(struct metadata *metadata,
                                                   const struct digest *after,
                                                   struct named_blob_page *page_out,
                                                   struct error *err);

/* How many there are, and how many bytes they have. */
MUST_USE enum error_code metadata_count_named_blobs(struct metadata *metadata, uint64_t *count_out,
                                                    uint64_t *bytes_out, struct error *err);
