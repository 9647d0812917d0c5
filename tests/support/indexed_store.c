#include "tests/support/indexed_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "blobs/blob_driver.h"

/* Where a blob is. Entries stay until the end, so that they may be read without the mutex. */
struct index_entry {
    struct index_entry *next;
    struct digest digest;
    struct blob_location location;
};

/* What an upload left behind when it last came to rest. */
struct index_tail {
    struct index_tail *next;
    char id[RANDOM_ID_BYTES];
    uint64_t offset_bytes;
    struct strbuf bytes;
};

struct indexed_store {
    struct blob_store base;
    struct blob_store *inner;
    pthread_mutex_t lists_mutex; /* guards all below */
    struct index_entry *entries;
    struct index_tail *tails;
};

struct indexed_writer {
    struct blob_writer base;
    struct blob_writer *inner;
    uint64_t rested_bytes; /* its offset when it was opened */
};

static struct indexed_store *indexed_store_of(struct blob_store *base)
{
    return (struct indexed_store *)base; /* its first member */
}

static struct indexed_writer *indexed_writer_of(struct blob_writer *base)
{
    return (struct indexed_writer *)base; /* its first member */
}

static const struct index_entry *find(struct indexed_store *store, const struct digest *digest)
{
    const struct index_entry *entry = NULL;

    (void)pthread_mutex_lock(&store->lists_mutex);
    entry = store->entries;
    (void)pthread_mutex_unlock(&store->lists_mutex);
    while (entry && !digest_equal(&entry->digest, digest)) {
        entry = entry->next;
    }
    return entry;
}

static void add(struct indexed_store *store, const struct digest *digest,
                const struct blob_location *location)
{
    struct index_entry *entry = NULL;

    if (find(store, digest)) {
        return;
    }
    entry = memory_new(1, sizeof(*entry));
    entry->digest = *digest;
    entry->location = *location;
    (void)pthread_mutex_lock(&store->lists_mutex);
    entry->next = store->entries;
    store->entries = entry;
    (void)pthread_mutex_unlock(&store->lists_mutex);
}

/* With the mutex. */
static struct index_tail *tail_of(struct indexed_store *store, const char *id)
{
    struct index_tail *tail = store->tails;

    while (tail && strcmp(tail->id, id) != 0) {
        tail = tail->next;
    }
    if (!tail) {
        tail = memory_new(1, sizeof(*tail));
        memcpy(tail->id, id, sizeof(tail->id));
        strbuf_init(&tail->bytes, SIZE_MAX);
        tail->next = store->tails;
        store->tails = tail;
    }
    return tail;
}

static void keep_tail(struct indexed_store *store, const struct blob_upload *rested)
{
    struct index_tail *tail = NULL;

    (void)pthread_mutex_lock(&store->lists_mutex);
    tail = tail_of(store, rested->id);
    tail->offset_bytes = rested->offset_bytes;
    if (rested->tail.is_new) {
        strbuf_clear(&tail->bytes);
        strbuf_append(&tail->bytes, rested->tail.bytes);
    }
    (void)pthread_mutex_unlock(&store->lists_mutex);
}

static enum error_code give_tail(struct blob_writer *base, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes;
    struct indexed_store *store = indexed_store_of(base->store);
    struct indexed_writer *writer = indexed_writer_of(base);
    const struct index_tail *tail = NULL;
    size_t length = 0;
    enum error_code code = blob_writer_begin_tail(writer->inner, &length, err);

    strbuf_init(&bytes, length);
    if (code || length == 0) {
        return code;
    }
    (void)pthread_mutex_lock(&store->lists_mutex);
    tail = tail_of(store, base->upload.id);
    if (tail->offset_bytes == writer->rested_bytes) {
        strbuf_append(&bytes, strbuf_str(&tail->bytes));
    }
    (void)pthread_mutex_unlock(&store->lists_mutex);
    return blob_writer_give_tail(writer->inner, &bytes, err);
}

static void indexed_free(struct blob_store *base)
{
    struct indexed_store *store = indexed_store_of(base);

    while (store->entries) {
        struct index_entry *entry = store->entries;

        store->entries = entry->next;
        free(entry);
    }
    while (store->tails) {
        struct index_tail *tail = store->tails;

        store->tails = tail->next;
        strbuf_release(&tail->bytes);
        free(tail);
    }
    (void)pthread_mutex_destroy(&store->lists_mutex);
    blob_store_free(store->inner);
    free(store);
}

static enum error_code indexed_open(struct blob_store *base, const struct blob_upload *upload,
                                    struct blob_writer **writer_out, struct error *err)
{
    struct blob_writer *inner = NULL;
    struct indexed_writer *writer = NULL;
    const enum error_code code =
        blob_writer_open(indexed_store_of(base)->inner, upload, &inner, err);

    if (code) {
        return code;
    }
    writer = memory_new(1, sizeof(*writer));
    writer->inner = inner;
    writer->rested_bytes = upload->offset_bytes;
    *writer_out = &writer->base;
    return OK;
}

static size_t indexed_room(struct blob_writer *base)
{
    return blob_writer_room(indexed_writer_of(base)->inner);
}

static enum error_code indexed_write(struct blob_writer *base, struct str bytes, struct error *err)
{
    const enum error_code code = give_tail(base, err);

    return code ? code : blob_writer_write(indexed_writer_of(base)->inner, bytes, err);
}

static enum error_code indexed_suspend(struct blob_writer *base, struct strbuf *notes,
                                       struct blob_tail *tail, struct error *err)
{
    struct blob_upload rested;
    const enum error_code code = blob_writer_suspend(indexed_writer_of(base)->inner, &rested, err);

    if (code) {
        return code;
    }
    strbuf_append(notes, (struct str){rested.notes, rested.notes_length});
    keep_tail(indexed_store_of(base->store), &rested);
    *tail = rested.tail;
    blob_upload_release(&rested);
    return OK;
}

static enum error_code indexed_rehash(struct blob_writer *base, struct hasher *hasher,
                                      struct error *err)
{
    struct blob_writer *inner = indexed_writer_of(base)->inner;
    const enum error_code code = give_tail(base, err);

    return code ? code : inner->store->driver->rehash(inner, hasher, err);
}

static enum error_code indexed_publish(struct blob_writer *base, const struct digest *digest,
                                       struct blob_location *location_out, struct error *err)
{
    enum error_code code = OK;

    if (find(indexed_store_of(base->store), digest)) {
        return OK;
    }
    code = give_tail(base, err);
    if (!code) {
        code = blob_writer_commit(indexed_writer_of(base)->inner, digest, location_out, err);
    }
    if (!code) {
        add(indexed_store_of(base->store), digest, location_out);
    }
    return code;
}

static void indexed_close(struct blob_writer *base)
{
    struct indexed_writer *writer = indexed_writer_of(base);

    blob_writer_free(writer->inner);
    free(writer);
}

static enum error_code indexed_discard(struct blob_store *base, const struct blob_upload *upload,
                                       struct error *err)
{
    return blob_store_discard(indexed_store_of(base)->inner, upload, err);
}

static enum error_code indexed_read(struct blob_store *base, const struct digest *digest,
                                    const struct blob_location *location,
                                    struct blob_content *content_out, struct error *err)
{
    const struct index_entry *entry = find(indexed_store_of(base), digest);

    (void)location;
    if (!entry) {
        return error_set_about(err, ABOUT_BLOB, ERROR_NOT_FOUND, "there is no such blob");
    }
    return blob_store_read(indexed_store_of(base)->inner, digest, &entry->location, content_out,
                           err);
}

static enum error_code indexed_read_part(struct blob_store *base,
                                         const struct blob_content *content,
                                         const struct blob_part *part, struct strbuf *bytes,
                                         struct error *err)
{
    return blob_store_read_part(indexed_store_of(base)->inner, content, part, bytes, err);
}

static enum error_code indexed_link(struct blob_store *base, const struct blob_content *content,
                                    struct strbuf *url, struct error *err)
{
    return blob_store_link(indexed_store_of(base)->inner, content, url, err);
}

static const struct blob_driver indexed_driver = {
    .name = "indexed",
    .free = indexed_free,
    .open = indexed_open,
    .room = indexed_room,
    .write = indexed_write,
    .suspend = indexed_suspend,
    .rehash = indexed_rehash,
    .publish = indexed_publish,
    .close = indexed_close,
    .discard = indexed_discard,
    .read = indexed_read,
    .read_part = indexed_read_part,
    .link = indexed_link,
};

struct blob_store *indexed_store_new(struct blob_store *inner)
{
    struct indexed_store *store = memory_new(1, sizeof(*store));

    store->base = *inner; /* its limits */
    store->base.driver = &indexed_driver;
    store->base.has_locations = false;
    store->inner = inner;
    (void)pthread_mutex_init(&store->lists_mutex, NULL);
    return &store->base;
}
