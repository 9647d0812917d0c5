#pragma once

#include "blobs/blob_store.h"

/*
 * A store that fails on purpose: it passes every driver call (open, write, suspend, rehash,
 * publish, discard, read) on to another store, but for the one that it was told to fail. A failing
 * write leaves half of its bytes behind, as a full disk does. The inner store stays the caller's.
 */
struct blob_store *faulty_store_new(struct blob_store *inner);

/*
 * The call-th driver call from now on, counted from 1, returns that code, and all before and after
 * work; 0 is none.
 */
void faulty_store_fail_at(struct blob_store *store, unsigned call, enum error_code code);

/* All of them, from now on; OK: none. */
void faulty_store_fail_all(struct blob_store *store, enum error_code code);

/* How many driver calls there were since faulty_store_new or faulty_store_fail_at. */
unsigned faulty_store_calls(struct blob_store *store);

/*
 * From now on blobs are remote ones, although they are at hand in the inner store, which must be a
 * memory store. Links, if there are any, lead to https://layers.example.org/.
 */
void faulty_store_be_remote(struct blob_store *store, bool is_linked);

/* From now on the last byte of each blob is another one than was pushed. */
void faulty_store_damage(struct blob_store *store);

/* … and making links asks another server. */
void faulty_store_be_slow_with_links(struct blob_store *store);

/* From now on no blob may be larger. */
void faulty_store_limit_blobs(struct blob_store *store, uint64_t largest_bytes);
