#pragma once

#include "aws/credentials.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "blobs/blob_store.h"
#include "blobs/s3_objects.h"
#include "metadata/metadata.h"
#include "outbound/http_client.h"
#include "server/settings.h"

/* Where layers are kept, and what that needs: a folder, or S3 if storage.s3.bucket is set. */
struct storage {
    struct blob_store *blobs;
    struct metrics *metrics;           /* borrowed */
    struct side_hashers *side_hashers; /* NULL on one core */
    struct http_client *http;          /* NULL, as the next, for a folder */
    struct aws_credentials *credentials;
    struct s3_client *bucket; /* only of storage_open_bucket */
};

/*
 * Opens it. S3 is not asked: a registry starts without it. Borrows settings, metadata
 * and metrics (NULL: nothing is counted). ERROR_INVALID as filesystem_store_new.
 */
MUST_USE enum error_code storage_open(const struct settings *settings, const char *folder,
                                      struct metadata *metadata, struct metrics *metrics,
                                      struct storage *storage_out, struct error *err);

/* The same beside a server that uses it, to read blobs from alone. ERROR_INVALID also if there is
 * no folder. */
MUST_USE enum error_code storage_join(const struct settings *settings, const char *folder,
                                      struct storage *storage_out, struct error *err);

/*
 * The bucket of storage.s3, for commands that look after its objects themselves. Else as
 * storage_open.
 */
MUST_USE enum error_code storage_open_bucket(const struct settings *settings,
                                             struct storage *storage_out,
                                             struct s3_objects *objects_out, struct error *err);

/* Accepts one that is all zero. */
void storage_release(struct storage *storage);

/* Adds to the report what the bucket can do, and to the problems what is wrong with it. Writes an
 * object of a few bytes. For a folder nothing. */
void storage_check(const struct settings *settings, struct strbuf *report,
                   struct problems *problems);
