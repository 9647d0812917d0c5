#include "http/address_shares.h"

#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/random.h"

enum { ADDRESSES_PER_BUCKET = 4 };

struct address_share {
    struct list_node node; /* first: of its bucket */
    struct in6_addr owner;
    unsigned count;
};

struct address_shares {
    struct hash_key key; /* so that nobody can choose addresses that meet in one bucket */
    size_t bucket_count;
    pthread_mutex_t mutex; /* guards what follows */
    struct list_node *buckets;
};

struct address_shares *address_shares_new(size_t addresses)
{
    struct address_shares *shares = memory_new(1, sizeof(*shares));

    hash_key_init(&shares->key);
    shares->bucket_count = addresses / ADDRESSES_PER_BUCKET + 1;
    shares->buckets = memory_new(shares->bucket_count, sizeof(*shares->buckets));
    for (size_t i = 0; i < shares->bucket_count; i++) {
        list_init(&shares->buckets[i]);
    }
    (void)pthread_mutex_init(&shares->mutex, NULL);
    return shares;
}

void address_shares_free(struct address_shares *shares)
{
    if (!shares) {
        return;
    }
    for (size_t i = 0; i < shares->bucket_count; i++) {
        assert(list_is_empty(&shares->buckets[i]));
    }
    (void)pthread_mutex_destroy(&shares->mutex);
    free(shares->buckets);
    free(shares);
}

static struct list_node *shares_bucket_of(const struct address_shares *shares,
                                          const struct in6_addr *owner)
{
    const struct str bytes = {(const char *)owner->s6_addr, sizeof(owner->s6_addr)};

    return &shares->buckets[hash_of(&shares->key, bytes) % shares->bucket_count];
}

static struct address_share *share_of(struct list_node *node)
{
    return (struct address_share *)node; /* its first member */
}

static struct address_share *find_or_add(struct list_node *bucket, const struct in6_addr *owner)
{
    struct address_share *share = NULL;

    for (struct list_node *node = bucket->next; node != bucket; node = node->next) {
        share = share_of(node);
        if (memcmp(&share->owner, owner, sizeof(*owner)) == 0) {
            return share;
        }
    }
    share = memory_new(1, sizeof(*share));
    share->owner = *owner;
    list_init(&share->node);
    list_append(bucket, &share->node);
    return share;
}

struct address_share *address_shares_take(struct address_shares *shares, struct str address,
                                          unsigned *count_out)
{
    const struct in6_addr owner = host_address_owner(address);
    struct list_node *bucket = shares_bucket_of(shares, &owner);
    struct address_share *share = NULL;

    (void)pthread_mutex_lock(&shares->mutex);
    share = find_or_add(bucket, &owner);
    *count_out = ++share->count;
    (void)pthread_mutex_unlock(&shares->mutex);
    return share;
}

void address_shares_give_back(struct address_shares *shares, struct address_share *share)
{
    if (!share) {
        return;
    }
    (void)pthread_mutex_lock(&shares->mutex);
    assert(share->count > 0);
    if (--share->count == 0) {
        list_remove(&share->node);
        free(share);
    }
    (void)pthread_mutex_unlock(&shares->mutex);
}
