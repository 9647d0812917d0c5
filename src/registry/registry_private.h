#pragma once

#include <semaphore.h>

#include "base/memory.h"
#include "metadata/uploads.h"
#include "registry/content_cache.h"
#include "registry/open_uploads.h"
#include "registry/registry.h"
#include "registry/source_finder.h"

/* For the sources of this folder only. */
struct upload_key;

struct registry {
    struct registry_config config;
    struct open_uploads open_uploads;
    struct scanned_layers scanned_layers;
    sem_t source_searches;         /* how many more may begin */
    struct memory_budget *parsing; /* what parsed manifests may take together */
    struct content_cache *cache;   /* NULL: none */
};

enum {
    /* A manifest with as many values as it may have takes nearly all of it. */
    PARSING_MAX_BYTES = 64 * 1024 * 1024,
    /* The hash of an upload and where its bytes are. */
    UPLOAD_STATE_MAX_BYTES = HASHER_SAVED_BYTES + BLOB_UPLOAD_NOTES_MAX_BYTES,
    /* An upload's row: id, repository, identity, login, state. */
    UPLOAD_RECORD_ARENA_BYTES = 16 * 1024 + UPLOAD_STATE_MAX_BYTES,
    /* The same without the state. */
    UPLOAD_ENTRY_ARENA_BYTES = 16 * 1024,
};

/* Gives a writer the bytes that its store could not keep when the upload came to rest, on any
 * instance: read only once there is memory for them. */
MUST_USE enum error_code blob_give_tail(struct registry *registry, struct blob_writer *writer,
                                        const struct blob_upload *rested, struct error *err);

/* Publishes what was written under its digest, which is right, and keeps where it lies. Unless the
 * metadata know that it lies somewhere already: then it is touched only, and *is_there_out set. */
MUST_USE enum error_code blob_publish(struct registry *registry, struct blob_writer *writer,
                                      const struct blob_upload *rested, const struct digest *digest,
                                      bool *is_there_out, struct error *err);

/* Whether it may be gone on with. As upload_open. */
MUST_USE enum error_code upload_record_check(const struct registry *registry,
                                             const struct upload_key *key,
                                             const struct upload_record *record, struct error *err);

/* Tells other instances, where they have not heard it for long (*touched_ms), that a request still
 * works on it: what is not touched for its lifetime, any of them discards. */
void upload_record_keep_awake(const struct registry *registry, struct str id, int64_t *touched_ms);
