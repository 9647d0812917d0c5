#pragma once

#include "metadata/tags.h"

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
