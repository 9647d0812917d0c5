#pragma once

#include <stddef.h>

#include "blobs/blob_store.h"
#include "tests/contract/blob_store_contract.h"

/*
 * What the suite's files share: a fresh store for each test, and steps that fail the test if they
 * do not succeed. For those only.
 */
struct CMUnitTest;

extern const struct str hello;

/* Runs the tests, each in a store of its own. Returns how many failed. */
int run_in_fresh_stores(const struct blob_store_contract *contract, const char *group,
                        struct CMUnitTest *tests, size_t count);

/* The tests of blob_store_contract_uploads.c. */
int run_upload_tests(const struct blob_store_contract *contract);

/* The store of the test with this state. */
struct blob_store *store_in(void **state);

struct blob_writer *must_open(struct blob_store *store, const struct blob_upload *upload);
void must_write(struct blob_writer *writer, struct str bytes);
void must_commit(struct blob_writer *writer, const struct digest *digest);
void must_push(struct blob_store *store, struct str bytes);

/* A new upload that holds these bytes and rests. */
void must_suspend_new(struct blob_store *store, struct str bytes, struct blob_upload *upload_out);

/* The upload cannot be gone on with, and the store says so as it must. */
void must_be_gone(struct blob_store *store, const struct blob_upload *upload);

/* The same, of one that was committed or discarded, unless the store keeps objects. */
void must_be_given_up(void **state, const struct blob_upload *upload);
