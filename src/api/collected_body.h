#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"
#include "base/error.h"
#include "base/list.h"
#include "base/str.h"

/*
 * The memory that bodies which are collected may take together, most of all those of manifests.
 * Whoever sends takes all that a body needs before its first byte. Nobody, known by name or else by
 * address, may hold more than a quarter; and a quarter of it is left to small bodies, as nearly all
 * are, whatever the large ones do.
 */
struct body_memory {
    pthread_mutex_t mutex; /* guards what follows */
    size_t limit_bytes;
    size_t left_bytes;
    struct list_node holders;
};

/* What one body holds. Zeroed: nothing yet. */
struct body_share {
    struct list_node node;
    struct str owner; /* borrowed for as long as it holds something */
    size_t bytes;
};

enum {
    BODY_SMALL_BYTES = 64 * 1024,
    BODY_MEMORY_BYTES = 64 * 1024 * 1024, /* or so much as four of the largest take */
    BODY_OWNERS = 4,
};

void body_memory_init(struct body_memory *memory, size_t largest_bytes);

/* All must have been given back. */
void body_memory_release(struct body_memory *memory);

/* Makes a share so large. False: not now, and it is as before. */
MUST_USE bool body_memory_take(struct body_memory *memory, struct body_share *share, size_t bytes);

/* Gives all of it back. */
void body_memory_give(struct body_memory *memory, struct body_share *share);

struct call;

/*
 * A request's body that is collected in call->body, within the memory that all of them share
 *. It has to arrive in a time that its size allows for: what it holds, others wait
 * for.
 */

/* How many bytes of it may be received now; 0: ask again a moment later. Not for longer than some
 * time: then appending says what is wrong. */
size_t collected_body_room(struct call *call);

/* ERROR_UNAVAILABLE if there was no memory for it. */
MUST_USE enum error_code collected_body_append(struct call *call, struct str bytes,
                                               struct error *err);

/* Forgets it, and gives its memory back. */
void collected_body_release(struct call *call);
