#include "registry/content_cache.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/memory.h"
#include "base/random.h"
#include "registry/registry_private.h"

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

enum { CACHE_HITS, CACHE_MISSES, CACHE_EVICTIONS, CACHE_ENTRIES, CACHE_BYTES };

static const struct metric cache_metrics[] = {
    [CACHE_HITS] = {METRIC_COUNTER, "hits_total", "Lookups that found what they were for"},
    [CACHE_MISSES] = {METRIC_COUNTER, "misses_total", "Lookups that found nothing"},
    [CACHE_EVICTIONS] = {METRIC_COUNTER, "evictions_total", "Entries that made room for others"},
    [CACHE_ENTRIES] = {METRIC_GAUGE, "entries", "Entries that are kept"},
    [CACHE_BYTES] = {METRIC_GAUGE, "bytes", "Memory that they take"},
};
static const struct metric_table cache_table = {"pierone_content_cache", NULL, cache_metrics,
                                                ARRAY_LEN(cache_metrics)};

struct content_cache {
    struct metric_group *metrics;
    struct hash_key key;
    size_t buckets;     /* of a shard */
    size_t shard_bytes; /* the most that one holds */
    struct shard shards[SHARDS];
};

enum {
    /* Configurations and small layers; larger ones are better sent from files. */
    BLOB_MAX_BYTES = 64 * 1024,
    KEY_MAX_BYTES = 2 + DIGEST_MAX_BYTES + REPOSITORY_MAX_LENGTH + TAG_MAX_LENGTH,
};

/* What an entry is known by: a letter, for what it is, and parts that cannot be mistaken. */
struct key {
    char bytes[KEY_MAX_BYTES];
    size_t length;
};

struct content_cache *content_cache_new(size_t limit_bytes, struct metrics *metrics)
{
    struct content_cache *cache = memory_new(1, sizeof(*cache));

    cache->metrics = metrics_add_group(metrics, &cache_table, NULL);
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

static struct entry **content_cache_bucket_of(const struct content_cache *cache,
                                              const struct shard *shard, uint64_t hash)
{
    return &shard->buckets[hash / SHARDS % cache->buckets];
}

static void content_cache_release(struct entry *entry)
{
    if (atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) == 1) {
        free(entry);
    }
}

static void evict(struct content_cache *cache, struct shard *shard, struct entry *entry)
{
    struct entry **link = content_cache_bucket_of(cache, shard, entry->hash);

    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    list_remove(&entry->age);
    shard->used_bytes -= entry->size_bytes;
    metric_subtract(cache->metrics, CACHE_ENTRIES, 1);
    metric_subtract(cache->metrics, CACHE_BYTES, entry->size_bytes);
    content_cache_release(entry);
}

static struct entry *entry_of(struct list_node *age)
{
    return (struct entry *)(void *)((char *)age - offsetof(struct entry, age));
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

static struct shard *shard_of(struct content_cache *cache, uint64_t hash)
{
    return &cache->shards[hash & (SHARDS - 1)];
}

static struct entry *content_cache_find(struct entry *entry, uint64_t hash, struct str key)
{
    while (entry && (entry->hash != hash ||
                     !str_equal((struct str){entry->bytes, entry->key_length}, key))) {
        entry = entry->next;
    }
    return entry;
}

struct content *content_cache_take(struct content_cache *cache, struct str key)
{
    const uint64_t hash = hash_of(&cache->key, key);
    struct shard *shard = shard_of(cache, hash);
    struct entry *entry = NULL;

    (void)pthread_mutex_lock(&shard->entries_mutex);
    entry = content_cache_find(*content_cache_bucket_of(cache, shard, hash), hash, key);
    if (entry) {
        (void)atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        list_remove(&entry->age);
        list_append(&shard->by_age, &entry->age);
    }
    (void)pthread_mutex_unlock(&shard->entries_mutex);
    metric_add(cache->metrics, entry ? CACHE_HITS : CACHE_MISSES, 1);
    return entry ? &entry->content : NULL;
}

static struct str append_copy(char **end, struct str bytes)
{
    const struct str copy = {*end, bytes.length};

    if (bytes.length > 0) {
        memcpy(*end, bytes.bytes, bytes.length);
        *end += bytes.length;
    }
    return copy;
}

/* With one reference, the caller's. */
static struct entry *entry_new(uint64_t hash, struct str key, const struct content *content)
{
    const size_t size_bytes =
        sizeof(struct entry) + key.length + content->media_type.length + content->bytes.length;
    struct entry *entry = memory_new(1, size_bytes);
    char *end = entry->bytes;

    (void)append_copy(&end, key);
    entry->content = *content;
    entry->content.media_type = append_copy(&end, content->media_type);
    entry->content.bytes = append_copy(&end, content->bytes);
    list_init(&entry->age);
    entry->hash = hash;
    entry->size_bytes = size_bytes + ALLOCATION_OVERHEAD_BYTES;
    entry->key_length = key.length;
    atomic_init(&entry->references, 1);
    return entry;
}

static void content_cache_make_room(struct content_cache *cache, struct shard *shard, size_t bytes)
{
    while (shard->used_bytes + bytes > cache->shard_bytes && !list_is_empty(&shard->by_age)) {
        metric_add(cache->metrics, CACHE_EVICTIONS, 1);
        evict(cache, shard, entry_of(shard->by_age.next));
    }
}

void content_cache_put(struct content_cache *cache, struct str key, const struct content *content)
{
    const uint64_t hash = hash_of(&cache->key, key);
    struct shard *shard = shard_of(cache, hash);
    struct entry **bucket = content_cache_bucket_of(cache, shard, hash);
    struct entry *entry = NULL;

    if (key.length + content->media_type.length + content->bytes.length >
        cache->shard_bytes / SMALLEST_PARTS) {
        return;
    }
    entry = entry_new(hash, key, content);
    (void)pthread_mutex_lock(&shard->entries_mutex);
    if (!content_cache_find(*bucket, hash, key)) {
        content_cache_make_room(cache, shard, entry->size_bytes);
        (void)atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
        entry->next = *bucket;
        *bucket = entry;
        list_append(&shard->by_age, &entry->age);
        shard->used_bytes += entry->size_bytes;
        metric_add(cache->metrics, CACHE_ENTRIES, 1);
        metric_add(cache->metrics, CACHE_BYTES, entry->size_bytes);
    }
    (void)pthread_mutex_unlock(&shard->entries_mutex);
    content_cache_release(entry);
}

void content_release(struct content *content)
{
    if (content) {
        content_cache_release((struct entry *)content); /* its first member */
    }
}

static void append_part(struct key *key, struct str bytes)
{
    assert(bytes.length <= sizeof(key->bytes) - key->length);
    memcpy(key->bytes + key->length, bytes.bytes, bytes.length);
    key->length += bytes.length;
}

/* The slashes of repositories and the characters of tags leave the NUL to tell them apart. */
static struct str tag_key(struct key *key, struct str repository, struct str tag)
{
    *key = (struct key){.bytes = "t", .length = 1};
    append_part(key, repository);
    append_part(key, (struct str){"", 1});
    append_part(key, tag);
    return (struct str){key->bytes, key->length};
}

static void append_digest(struct key *key, const struct digest *digest)
{
    const char algorithm = (char)digest->algorithm;

    append_part(key, (struct str){&algorithm, 1});
    append_part(key,
                (struct str){(const char *)digest->bytes, digest_size_bytes(digest->algorithm)});
}

static struct str manifest_key(struct key *key, struct str repository, const struct digest *digest)
{
    *key = (struct key){.bytes = "m", .length = 1};
    append_digest(key, digest);
    append_part(key, repository);
    return (struct str){key->bytes, key->length};
}

struct content *registry_cached_manifest(struct registry *registry,
                                         const struct repository *repository,
                                         const struct reference *reference)
{
    struct content_cache *cache = registry->cache;
    struct digest digest = reference->digest;
    struct key key = {.length = 0};

    if (!cache) {
        return NULL;
    }
    if (!reference->is_digest) {
        struct content *tag =
            content_cache_take(cache, tag_key(&key, repository->name, reference->tag));

        if (!tag) {
            return NULL;
        }
        digest = tag->digest;
        content_release(tag);
    }
    return content_cache_take(cache, manifest_key(&key, repository->name, &digest));
}

static struct str blob_key(struct key *key, const struct digest *digest)
{
    *key = (struct key){.bytes = "b", .length = 1};
    append_digest(key, digest);
    return (struct str){key->bytes, key->length};
}

struct content *registry_cached_blob(struct registry *registry, const struct digest *digest)
{
    struct key key;

    return registry->cache ? content_cache_take(registry->cache, blob_key(&key, digest)) : NULL;
}

void content_cache_manifest(struct registry *registry, const struct repository *repository,
                            const struct reference *reference, const struct manifest_found *found)
{
    const struct manifest_record *manifest = &found->manifest;
    struct key key;
    struct content content = {
        .digest = manifest->digest,
        .size_bytes = manifest->size_bytes,
        .has_bytes = true,
        .media_type = manifest->media_type,
        .bytes = manifest->content,
    };

    if (!registry->cache) {
        return;
    }
    /* A tag that moves: the manifest that it means now will be that of its digest all the same. */
    content_cache_put(registry->cache, manifest_key(&key, repository->name, &manifest->digest),
                      &content);
    if (!reference->is_digest && found->is_fixed) {
        content = (struct content){.digest = manifest->digest, .size_bytes = manifest->size_bytes};
        content_cache_put(registry->cache, tag_key(&key, repository->name, reference->tag),
                          &content);
    }
}

/* False for what is shorter than it was a moment ago, too: whoever asks for it shall see that. */
static bool content_cache_read_content(const struct blob_content *blob, char *buffer,
                                       struct str *bytes_out)
{
    const size_t length = (size_t)blob->size_bytes;
    size_t offset = 0;
    ssize_t count = 1;

    if (blob->kind == BLOB_IN_MEMORY) {
        *bytes_out = blob->bytes;
        return true;
    }
    while (offset < length && count > 0) {
        count = pread(blob->fd, buffer + offset, length - offset, (off_t)offset);
        offset += count > 0 ? (size_t)count : 0;
    }
    *bytes_out = (struct str){buffer, offset};
    return offset == length;
}

void content_cache_blob(struct registry *registry, const struct digest *digest,
                        const struct blob_content *blob)
{
    char buffer[BLOB_MAX_BYTES];
    struct key key;
    struct content content = {.digest = *digest, .size_bytes = blob->size_bytes};

    if (!registry->cache) {
        return;
    }
    if (blob->size_bytes <= sizeof(buffer)) {
        content.has_bytes = content_cache_read_content(blob, buffer, &content.bytes);
        content.bytes = content.has_bytes ? content.bytes : (struct str){0};
    }
    content_cache_put(registry->cache, blob_key(&key, digest), &content);
}
