#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "blobs/blob_store.h"

/* Bytes that look random and are the same for the same seed; the caller frees them. */
char *test_bytes_new(size_t length, unsigned seed);

/* Uploads and commits in one go, as a client with all at hand does. */
enum error_code test_blob_push(struct blob_store *store, struct str bytes, struct error *err);

/* Whether the store has a blob of that digest that holds exactly these bytes. */
bool test_blob_is(struct blob_store *store, const struct digest *digest, struct str bytes);

/* Whether the store has no such blob, and says so as it must. */
bool test_blob_is_missing(struct blob_store *store, const struct digest *digest);
