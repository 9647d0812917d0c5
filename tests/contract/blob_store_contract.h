#pragma once

#include <stdbool.h>

#include "blobs/blob_store.h"

/* How the suite gets at a driver. */
struct blob_store_contract {
    const char *driver; /* its name, for the report */

    /* Bytes of uploads that were given up stay: that these cannot go on is their owner's affair. */
    bool keeps_objects;

    /* An empty store for one test, and its end with all that it left anywhere. */
    struct blob_store *(*open)(void *context);
    void (*close)(struct blob_store *store, void *context);
    void *context;
};

/* Tests what blob_store.h promises, which every driver must keep. Returns how many tests failed. */
int blob_store_contract_run(const struct blob_store_contract *contract);
