#pragma once

#include "blobs/blob_store.h"

/*
 * A store that has locations, with what keeps them and the tails of uploads, in memory: so that
 * tests can treat it as one whose locations follow from digests. Owns the inner store.
 */
struct blob_store *indexed_store_new(struct blob_store *inner);
