#include "base/side_hash.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/workers.h"

/* Hashing fewer takes as long as waking a thread up. */
enum { OFFERED_MIN_BYTES = 64 * 1024 };

struct side_hashers {
    pthread_mutex_t mutex; /* guards offers, spare and is_ending */
    struct list_node offers;
    unsigned spare; /* threads that wait, and for which there is no offer */
    bool is_ending;
    sem_t is_due; /* once for each offer, also one that was taken back, and for each end */
    unsigned count;
    pthread_t *threads;
};

static void side_hash_wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) < 0 && errno == EINTR) {
    }
}

/* The first offer; NULL if it was taken back. */
static struct side_hash *take_offer(struct side_hashers *hashers, bool *is_ending_out)
{
    struct side_hash *hash = NULL;

    (void)pthread_mutex_lock(&hashers->mutex);
    if (!list_is_empty(&hashers->offers)) {
        hash = (struct side_hash *)hashers->offers.next; /* its first member */
        list_remove(&hash->node);
    }
    *is_ending_out = hashers->is_ending;
    (void)pthread_mutex_unlock(&hashers->mutex);
    return hash;
}

static void become_spare(struct side_hashers *hashers)
{
    (void)pthread_mutex_lock(&hashers->mutex);
    hashers->spare++;
    (void)pthread_mutex_unlock(&hashers->mutex);
}

static void *side_hash_work(void *argument)
{
    struct side_hashers *hashers = argument;
    bool is_ending = false;

    scheduling_give_way();
    while (!is_ending) {
        struct side_hash *hash = NULL;

        become_spare(hashers);
        side_hash_wait_for(&hashers->is_due);
        hash = take_offer(hashers, &is_ending);
        if (hash) {
            hasher_update(hash->hasher, hash->bytes);
            (void)sem_post(&hash->is_done);
        }
    }
    return NULL;
}

enum error_code side_hashers_new(unsigned count, struct side_hashers **hashers_out,
                                 struct error *err)
{
    struct side_hashers *hashers = memory_new(1, sizeof(*hashers));

    (void)pthread_mutex_init(&hashers->mutex, NULL);
    (void)sem_init(&hashers->is_due, 0, 0);
    list_init(&hashers->offers);
    hashers->threads = memory_new(count, sizeof(*hashers->threads));
    for (; hashers->count < count; hashers->count++) {
        const int failure =
            pthread_create(&hashers->threads[hashers->count], NULL, side_hash_work, hashers);

        if (failure != 0) {
            side_hashers_free(hashers);
            return error_set(err, ERROR_UNAVAILABLE, "cannot start a thread: %s",
                             strerrordesc_np(failure));
        }
    }
    *hashers_out = hashers;
    return OK;
}

void side_hashers_free(struct side_hashers *hashers)
{
    if (!hashers) {
        return;
    }
    (void)pthread_mutex_lock(&hashers->mutex);
    assert(list_is_empty(&hashers->offers));
    hashers->is_ending = true;
    (void)pthread_mutex_unlock(&hashers->mutex);
    for (unsigned i = 0; i < hashers->count; i++) {
        (void)sem_post(&hashers->is_due);
    }
    for (unsigned i = 0; i < hashers->count; i++) {
        (void)pthread_join(hashers->threads[i], NULL);
    }
    (void)sem_destroy(&hashers->is_due);
    (void)pthread_mutex_destroy(&hashers->mutex);
    free(hashers->threads);
    free(hashers);
}

void side_hash_begin(struct side_hashers *hashers, struct side_hash *hash, struct hasher *hasher,
                     struct str bytes)
{
    *hash = (struct side_hash){.hasher = hasher, .bytes = bytes};
    list_init(&hash->node);
    if (!hashers || bytes.length < OFFERED_MIN_BYTES) {
        return;
    }
    (void)sem_init(&hash->is_done, 0, 0);
    (void)pthread_mutex_lock(&hashers->mutex);
    if (hashers->spare > 0) {
        hashers->spare--;
        list_append(&hashers->offers, &hash->node);
        hash->is_offered = true;
    }
    (void)pthread_mutex_unlock(&hashers->mutex);
    if (hash->is_offered) {
        (void)sem_post(&hashers->is_due);
    }
}

/* Whether nobody has begun with it. */
static bool take_back(struct side_hashers *hashers, struct side_hash *hash)
{
    bool is_back = false;

    (void)pthread_mutex_lock(&hashers->mutex);
    is_back = !list_is_empty(&hash->node);
    list_remove(&hash->node);
    (void)pthread_mutex_unlock(&hashers->mutex);
    return is_back;
}

void side_hash_end(struct side_hashers *hashers, struct side_hash *hash)
{
    if (!hash->is_offered || take_back(hashers, hash)) {
        hasher_update(hash->hasher, hash->bytes);
    } else {
        side_hash_wait_for(&hash->is_done);
    }
    if (hash->is_offered) {
        (void)sem_destroy(&hash->is_done);
    }
}
