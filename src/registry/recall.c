#include "registry/recall.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "registry/recall_private.h"
#include "registry/registry_private.h"

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

static struct str tag_key(struct key *key, struct str repository, struct str tag);
static struct str manifest_key(struct key *key, struct str repository, const struct digest *digest);
static struct str blob_key(struct key *key, const struct digest *digest);
static void append(struct key *key, struct str bytes);
static void append_digest(struct key *key, const struct digest *digest);
static bool read_content(const struct blob_content *blob, char *buffer, struct str *bytes_out);

struct content *registry_recall_manifest(struct registry *registry,
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

struct content *registry_recall_blob(struct registry *registry, const struct digest *digest)
{
    struct key key;

    return registry->cache ? content_cache_take(registry->cache, blob_key(&key, digest)) : NULL;
}

void remember_manifest(struct registry *registry, const struct repository *repository,
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

/* The slashes of repositories and the characters of tags leave the NUL to tell them apart. */
static struct str tag_key(struct key *key, struct str repository, struct str tag)
{
    *key = (struct key){.bytes = "t", .length = 1};
    append(key, repository);
    append(key, (struct str){"", 1});
    append(key, tag);
    return (struct str){key->bytes, key->length};
}

static struct str manifest_key(struct key *key, struct str repository, const struct digest *digest)
{
    *key = (struct key){.bytes = "m", .length = 1};
    append_digest(key, digest);
    append(key, repository);
    return (struct str){key->bytes, key->length};
}

static struct str blob_key(struct key *key, const struct digest *digest)
{
    *key = (struct key){.bytes = "b", .length = 1};
    append_digest(key, digest);
    return (struct str){key->bytes, key->length};
}

static void append_digest(struct key *key, const struct digest *digest)
{
    const char algorithm = (char)digest->algorithm;

    append(key, (struct str){&algorithm, 1});
    append(key, (struct str){(const char *)digest->bytes, digest_size_bytes(digest->algorithm)});
}

static void append(struct key *key, struct str bytes)
{
    assert(bytes.length <= sizeof(key->bytes) - key->length);
    memcpy(key->bytes + key->length, bytes.bytes, bytes.length);
    key->length += bytes.length;
}

void remember_blob(struct registry *registry, const struct digest *digest,
                   const struct blob_content *blob)
{
    char buffer[BLOB_MAX_BYTES];
    struct key key;
    struct content content = {.digest = *digest, .size_bytes = blob->size_bytes};

    if (!registry->cache) {
        return;
    }
    if (blob->size_bytes <= sizeof(buffer)) {
        content.has_bytes = read_content(blob, buffer, &content.bytes);
        content.bytes = content.has_bytes ? content.bytes : (struct str){0};
    }
    content_cache_put(registry->cache, blob_key(&key, digest), &content);
}

/* False for what is shorter than it was a moment ago, too: whoever asks for it shall see that. */
static bool read_content(const struct blob_content *blob, char *buffer, struct str *bytes_out)
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
