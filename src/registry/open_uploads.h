#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/random.h"
#include "base/str.h"
#include "metadata/uploads.h"

/* The uploads that requests work on right now. An upload has at most one writer. */
struct open_uploads {
    pthread_mutex_t list_mutex; /* guards list */
    struct list_node list;
};

/* Whose an upload is, and what it takes that the metadata do not know yet. */
struct upload_use {
    struct str created_by; /* borrowed, as the next; no bytes: it counts for nobody */
    struct str team;
    size_t uploads; /* 1: the upload itself */
    uint64_t bytes;
};

/* Embedded in whoever has the upload open; at most one a request, so their number is bounded. */
struct open_upload {
    struct list_node node;
    char id[RANDOM_ID_BYTES];
    bool ends;     /* whoever has it open came to end it */
    bool rehashes; /* guarded by list_mutex: has a turn, see open_uploads_begin_rehash */

    struct upload_use use;  /* guarded by list_mutex */
    uint64_t granted_bytes; /* so many may be in use before that is looked up again */
};

void open_uploads_init(struct open_uploads *uploads);

/* None may be open. */
void open_uploads_release(struct open_uploads *uploads);

/* False if another one with the same id is open. */
bool open_uploads_enter(struct open_uploads *uploads, struct open_upload *upload);

/* Whether one with that id is open for something else than its end. */
bool open_uploads_is_going_on(struct open_uploads *uploads, const char *id);

enum { REHASHES_MAX = 2 };

/*
 * A turn at hashing all of an upload again, until it is left: one an identity at a time, and
 * REHASHES_MAX of all together. False: those ahead take their time.
 */
MUST_USE bool open_uploads_begin_rehash(struct open_uploads *uploads, struct open_upload *upload);
void open_uploads_leave(struct open_uploads *uploads, struct open_upload *upload);

void open_uploads_set_use(struct open_uploads *uploads, struct open_upload *upload,
                          const struct upload_use *use);

/* What open uploads of the same identity, and of the same team, take; with this one. */
struct upload_sums open_uploads_sum(struct open_uploads *uploads, const struct open_upload *upload);
