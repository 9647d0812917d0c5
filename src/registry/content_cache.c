#include "registry/content_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/random.h"

enum {
    SHARDS = 8,                    /* so that threads seldom meet; a power of two */
    BYTES_PER_BUCKET = 512,        /* about an entry for each */
    SMALLEST_PARTS = 8,            /* an entry takes at most that part of its shard */
    ALLOCATION_OVERHEAD_BYTES = 16 /* of malloc */
};

struct entry {
    struct content content; /* first: what is taken is this */
    struct list_node age;   /* in the shard's list */
    struct entry *next;     /* in the bucket */
    uint64_t hash;
    size_t size_bytes; /* all of it */
    atomic_uint references;
    size_t key_length;
    char bytes[]; /* key, media type, bytes */
};

struct shard {
    pthread_mutex_t entries_mutex; /* guards all below */
    struct entry **buckets;
    struct list_node by_age; /* the one that was not asked for the longest first */
    size_t used_bytes;
};

struct content_cache {
    struct hash_key key;
    size_t buckets;     /* of a shard */
    size_t shard_bytes; /* the most that one holds */
    struct shard shards[SHARDS];
};

static struct shard *shard_of(struct content_cache *cache, uint64_t hash);
static struct entry **bucket_of(const struct content_cache *cache, const struct shard *shard,
                                uint64_t hash);
static struct entry *find(struct entry *entry, uint64_t hash, struct str key);
static struct entry *entry_new(uint64_t hash, struct str key, const struct content *content);
static struct str append(char **end, struct str bytes);
static void make_room(struct content_cache *cache, struct shard *shard, size_t bytes);
static void evict(struct content_cache *cache, struct shard *shard, struct entry *entry);
static struct entry *entry_of(struct list_node *age);
static void release(struct entry *entry);

struct content_cache *content_cache_new(size_t limit_bytes)
{
    struct content_cache *cache = memory_new(1, sizeof(*cache));

    hash_key_init(&cache->key);
    cache->shard_bytes = limit_bytes / SHARDS;
    cache->buckets = cache->shard_bytes / BYTES_PER_BUCKET + 1;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];

        (void)pthread_mutex_init(&shard->entries_mutex, NULL);
        shard->buckets = memory_new(cache->buckets, sizeof(struct entry *));
        list_init(&shard->by_age);
    }
    return cache;
}

void content_cache_free(struct content_cache *cache)
{
    for (size_t i = 0; cache && i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];

        while (!list_is_empty(&shard->by_age)) {
            evict(cache, shard, entry_of(shard->by_age.next));
        }
        (void)pthread_mutex_destroy(&shard->entries_mutex);
        free(shard->buckets);
    }
    free(cache);
}

struct content *content_cache_take(struct content_cache *cache, struct str key)
{
    const uint64_t hash = hash_of(&cache->key, key);
    struct shard *shard = shard_of(cache, hash);
    struct entry *entry = NULL;

    (void)pthread_mutex_lock(&shard->entries_mutex);
    entry = find(*bucket_of(cache, shard, hash), hash, key);
    if (entry) {
        (void)atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        list_remove(&entry->age);
        list_append(&shard->by_age, &entry->age);
    }
    (void)pthread_mutex_unlock(&shard->entries_mutex);
    return entry ? &entry->content : NULL;
}

static struct shard *shard_of(struct content_cache *cache, uint64_t hash)
{
    return &cache->shards[hash & (SHARDS - 1)];
}

static struct entry **bucket_of(const struct content_cache *cache, const struct shard *shard,
                                uint64_t hash)
{
    return &shard->buckets[hash / SHARDS % cache->buckets];
}

static struct entry *find(struct entry *entry, uint64_t hash, struct str key)
{
    while (entry && (entry->hash != hash ||
                     !str_equal((struct str){entry->bytes, entry->key_length}, key))) {
        entry = entry->next;
    }
    return entry;
}

void content_cache_put(struct content_cache *cache, struct str key, const struct content *content)
{
    const uint64_t hash = hash_of(&cache->key, key);
    struct shard *shard = shard_of(cache, hash);
    struct entry **bucket = bucket_of(cache, shard, hash);
    struct entry *entry = NULL;

    if (key.length + content->media_type.length + content->bytes.length >
        cache->shard_bytes / SMALLEST_PARTS) {
        return;
    }
    entry = entry_new(hash, key, content);
    (void)pthread_mutex_lock(&shard->entries_mutex);
    if (!find(*bucket, hash, key)) {
        make_room(cache, shard, entry->size_bytes);
        (void)atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        entry->next = *bucket;
        *bucket = entry;
        list_append(&shard->by_age, &entry->age);
        shard->used_bytes += entry->size_bytes;
    }
    (void)pthread_mutex_unlock(&shard->entries_mutex);
    release(entry);
}

/* With one reference, the caller's. */
static struct entry *entry_new(uint64_t hash, struct str key, const struct content *content)
{
    const size_t size_bytes =
        sizeof(struct entry) + key.length + content->media_type.length + content->bytes.length;
    struct entry *entry = memory_new(1, size_bytes);
    char *end = entry->bytes;

    (void)append(&end, key);
    entry->content = *content;
    entry->content.media_type = append(&end, content->media_type);
    entry->content.bytes = append(&end, content->bytes);
    list_init(&entry->age);
    entry->hash = hash;
    entry->size_bytes = size_bytes + ALLOCATION_OVERHEAD_BYTES;
    entry->key_length = key.length;
    atomic_init(&entry->references, 1);
    return entry;
}

static struct str append(char **end, struct str bytes)
{
    const struct str copy = {*end, bytes.length};

    if (bytes.length > 0) {
        memcpy(*end, bytes.bytes, bytes.length);
        *end += bytes.length;
    }
    return copy;
}

static void make_room(struct content_cache *cache, struct shard *shard, size_t bytes)
{
    while (shard->used_bytes + bytes > cache->shard_bytes && !list_is_empty(&shard->by_age)) {
        evict(cache, shard, entry_of(shard->by_age.next));
    }
}

static void evict(struct content_cache *cache, struct shard *shard, struct entry *entry)
{
    struct entry **place = bucket_of(cache, shard, entry->hash);

    while (*place != entry) {
        place = &(*place)->next;
    }
    *place = entry->next;
    list_remove(&entry->age);
    shard->used_bytes -= entry->size_bytes;
    release(entry);
}

static struct entry *entry_of(struct list_node *age)
{
    return (struct entry *)(void *)((char *)age - offsetof(struct entry, age));
}

void content_release(struct content *content)
{
    if (content) {
        release((struct entry *)content); /* its first member */
    }
}

static void release(struct entry *entry)
{
    if (atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) == 1) {
        free(entry);
    }
}
