#pragma once

#include <semaphore.h>
#include <stdbool.h>

#include "base/attributes.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/list.h"
#include "base/str.h"

/*
 * Threads that hash what another one is busy with meanwhile, mostly writing it, so that one upload
 * uses more than one processor. Used by many threads at once. They let others go first, as workers
 * do. NULL stands for none of them: all works the same, on one thread.
 */
struct side_hashers;

/* Bytes that go through a hash. Belongs to whoever began it. */
struct side_hash {
    struct list_node node;
    struct hasher *hasher;
    struct str bytes;
    bool is_offered;
    sem_t is_done; /* of one that is offered */
};

MUST_USE enum error_code side_hashers_new(unsigned count, struct side_hashers **hashers_out,
                                          struct error *err);

/* Nothing may be under way. NULL is accepted. */
void side_hashers_free(struct side_hashers *hashers);

/*
 * Begins to hash; until side_hash_end neither the bytes may change nor may anybody look at the
 * hasher. Few bytes, and those for which nobody has time, are hashed at the end.
 */
void side_hash_begin(struct side_hashers *hashers, struct side_hash *hash, struct hasher *hasher,
                     struct str bytes);

/* Returns when they are hashed. */
void side_hash_end(struct side_hashers *hashers, struct side_hash *hash);
