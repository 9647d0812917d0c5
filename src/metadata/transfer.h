#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "base/digest.h"
#include "base/error.h"
#include "metadata/metadata.h"

/*
 * Moves all that one database knows into another, whatever kinds the two are: rows as they are,
 * with their ids and times. What is unfinished (uploads) and what serves the moment alone (keys of
 * tokens) stays behind. The destination is marked from begin to end, and nobody but
 * metadata_open_to_fill opens it so; whatever breaks off is begun again, and finds what is there.
 */
struct transfer {
    struct metadata *from; /* of metadata_join: nothing is pushed to it meanwhile */
    struct metadata *to;   /* of metadata_open_to_fill */
    bool keeps_places;     /* the blobs stay where they are: what is known of that moves, too */
    void *context;
    void (*tell)(void *context, const char *table, uint64_t rows); /* so many went by */
};

/*
 * Marks the destination. ERROR_CONFLICT if a registry is there already, or another one is being
 * moved there.
 */
MUST_USE enum error_code transfer_begin(const struct transfer *transfer, struct error *err);

/*
 * Copies all rows. Needs the memory of some hundred rows, and of some manifests. ERROR_INVALID if
 * the bytes of a manifest are not those of its digest.
 */
MUST_USE enum error_code transfer_copy(const struct transfer *transfer, struct error *err);

/* Reads all rows on both sides. ERROR_CONFLICT names the first that are not the same. */
MUST_USE enum error_code transfer_compare(const struct transfer *transfer, struct error *err);

/* Takes the mark away: the destination is a registry from here on. */
MUST_USE enum error_code transfer_end(const struct transfer *transfer, struct error *err);
