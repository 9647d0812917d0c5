#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/str.h"
#include "metadata/uploads.h"
#include "registry/registry.h"

/* What is counted of uploads, here and by whoever has one open. */
enum upload_metric {
    UPLOAD_BEGUN,
    UPLOAD_COMMITTED,
    UPLOAD_CANCELLED,
    UPLOAD_BYTES,
    UPLOAD_OPEN,
};

/* The uploads that requests work on right now. An upload has at most one writer. */
struct open_uploads {
    struct metric_group *metrics;
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
    struct list_node node; /* first */
    char id[RANDOM_ID_BYTES];
    bool ends;     /* whoever has it open came to end it */
    bool rehashes; /* guarded by list_mutex: has a turn, see open_uploads_begin_rehash */

    struct upload_use use;  /* guarded by list_mutex */
    uint64_t granted_bytes; /* so many may be in use before that is looked up again */
};

/* metrics (NULL: nothing is counted) outlive them. */
void open_uploads_init(struct open_uploads *uploads, struct metrics *metrics);

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

/*
 * How many uploads an identity and a team may have open, with how many bytes in them, and whether
 * there is room on the disk at all: for uploads.c only. What rests is summed by the metadata, what
 * requests have written since by looking through open uploads.
 */

/* Whose the upload is. A new one is refused (ERROR_TOO_MANY) where there are too many already. Both
 * texts are borrowed until the upload is left. */
MUST_USE enum error_code upload_quota_begin(struct registry *registry, struct open_upload *open,
                                            struct str created_by, struct str repository,
                                            struct error *err);
void upload_quota_resume(struct registry *registry, struct open_upload *open, struct str created_by,
                         struct str repository);

/* Whether so many bytes more may come. ERROR_TOO_MANY, ERROR_NO_SPACE. */
MUST_USE enum error_code upload_quota_check(struct registry *registry,
                                            const struct open_upload *open, uint64_t more_bytes,
                                            struct error *err);

/* The same for a piece that is about to be written: looked up only now and then. */
MUST_USE enum error_code upload_quota_take(struct registry *registry, struct open_upload *open,
                                           uint64_t bytes, struct error *err);

/* All that was written is known to the metadata. */
void upload_quota_saved(struct registry *registry, struct open_upload *open);

/* What was written since it was last saved is gone. */
void upload_quota_dropped(struct registry *registry, struct open_upload *open);
