#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/random.h"

/* The uploads that requests work on right now. An upload has at most one writer. */
struct open_uploads {
    pthread_mutex_t list_mutex; /* guards list */
    struct list_node list;
};

/* Embedded in whoever has the upload open; at most one a request, so their number is bounded. */
struct open_upload {
    struct list_node node;
    char id[RANDOM_ID_BYTES];
};

void open_uploads_init(struct open_uploads *uploads);

/* None may be open. */
void open_uploads_release(struct open_uploads *uploads);

/* False if another one with the same id is open. */
bool open_uploads_enter(struct open_uploads *uploads, struct open_upload *upload);
void open_uploads_leave(struct open_uploads *uploads, struct open_upload *upload);
