#include "tests/support/memory_store.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"
#include "blobs/blob_driver.h"

enum { FIRST_CAPACITY_BYTES = 4096 };

/* An upload's bytes, touched by its one writer alone; the list of them is guarded. */
struct memory_upload {
    struct memory_upload *next;
    char id[RANDOM_ID_BYTES];
    char *bytes;
    size_t length;
    size_t capacity_bytes;
};

struct memory_blob {
    struct memory_blob *next;
    struct digest digest;
    char *bytes;
    size_t length;
};

struct memory_store {
    struct blob_store base;
    pthread_mutex_t lists_lock;
    struct memory_upload *uploads;
    struct memory_blob *blobs;
};

struct memory_writer {
    struct blob_writer base;
    struct memory_upload *upload;
};

static void memory_free(struct blob_store *base);
static enum error_code memory_open(struct blob_store *base, const struct blob_upload *upload,
                                   struct blob_writer **writer_out, struct error *err);
static enum error_code memory_write(struct blob_writer *base, struct str bytes, struct error *err);
static enum error_code memory_rehash(struct blob_writer *base, struct hasher *hasher,
                                     struct error *err);
static enum error_code memory_publish(struct blob_writer *base, const struct digest *digest,
                                      struct blob_location *location_out, struct error *err);
static void memory_close(struct blob_writer *base);
static enum error_code memory_discard(struct blob_store *base, const struct blob_upload *upload,
                                      struct error *err);
static enum error_code memory_read(struct blob_store *base, const struct digest *digest,
                                   const struct blob_location *location,
                                   struct blob_content *content_out, struct error *err);

static struct memory_upload *find_or_add_upload(struct memory_store *store,
                                                const struct blob_upload *upload);
static struct memory_upload *take_upload(struct memory_store *store, const char *id);
static void add_blob(struct memory_store *store, const struct digest *digest,
                     struct memory_upload *upload);
static struct memory_blob *find_blob(const struct memory_store *store, const struct digest *digest);
static void upload_free(struct memory_upload *upload);

static const struct blob_driver memory_driver = {
    .name = "memory",
    .free = memory_free,
    .open = memory_open,
    .write = memory_write,
    .suspend = NULL,
    .rehash = memory_rehash,
    .publish = memory_publish,
    .close = memory_close,
    .discard = memory_discard,
    .read = memory_read,
};

static struct memory_store *memory_store_of(struct blob_store *base)
{
    return (struct memory_store *)base; /* its first member */
}

static struct memory_writer *memory_writer_of(struct blob_writer *base)
{
    return (struct memory_writer *)base; /* its first member */
}

struct blob_store *memory_store_new(void)
{
    struct memory_store *store = memory_new(1, sizeof(*store));

    store->base.driver = &memory_driver;
    (void)pthread_mutex_init(&store->lists_lock, NULL);
    return &store->base;
}

static void memory_free(struct blob_store *base)
{
    struct memory_store *store = memory_store_of(base);

    while (store->uploads) {
        upload_free(take_upload(store, store->uploads->id));
    }
    while (store->blobs) {
        struct memory_blob *blob = store->blobs;

        store->blobs = blob->next;
        free(blob->bytes);
        free(blob);
    }
    (void)pthread_mutex_destroy(&store->lists_lock);
    free(store);
}

static enum error_code memory_open(struct blob_store *base, const struct blob_upload *upload,
                                   struct blob_writer **writer_out, struct error *err)
{
    struct memory_store *store = memory_store_of(base);
    struct memory_writer *writer;
    struct memory_upload *found;

    (void)pthread_mutex_lock(&store->lists_lock);
    found = find_or_add_upload(store, upload);
    (void)pthread_mutex_unlock(&store->lists_lock);
    if (!found || found->length < upload->offset_bytes) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                               "the bytes of upload " RANDOM_ID_SHOWN " are gone", upload->id);
    }
    found->length = (size_t)upload->offset_bytes;
    writer = memory_new(1, sizeof(*writer));
    writer->upload = found;
    *writer_out = &writer->base;
    return OK;
}

static struct memory_upload *find_or_add_upload(struct memory_store *store,
                                                const struct blob_upload *upload)
{
    struct memory_upload *found = store->uploads;

    while (found && !str_is(str_from(found->id), upload->id)) {
        found = found->next;
    }
    if (!found && upload->offset_bytes == 0) {
        found = memory_new(1, sizeof(*found));
        memcpy(found->id, upload->id, sizeof(found->id));
        found->next = store->uploads;
        store->uploads = found;
    }
    return found;
}

static enum error_code memory_write(struct blob_writer *base, struct str bytes, struct error *err)
{
    struct memory_upload *upload = memory_writer_of(base)->upload;
    size_t capacity_bytes = upload->capacity_bytes;

    (void)err;
    while (capacity_bytes - upload->length < bytes.length) {
        capacity_bytes = capacity_bytes ? 2 * capacity_bytes : FIRST_CAPACITY_BYTES;
    }
    if (capacity_bytes != upload->capacity_bytes) {
        upload->bytes = memory_resize(upload->bytes, capacity_bytes, 1);
        upload->capacity_bytes = capacity_bytes;
    }
    memcpy(upload->bytes + upload->length, bytes.bytes, bytes.length);
    upload->length += bytes.length;
    return OK;
}

static enum error_code memory_rehash(struct blob_writer *base, struct hasher *hasher,
                                     struct error *err)
{
    const struct memory_upload *upload = memory_writer_of(base)->upload;

    (void)err;
    hasher_update(hasher, (struct str){upload->bytes, upload->length});
    return OK;
}

static enum error_code memory_publish(struct blob_writer *base, const struct digest *digest,
                                      struct blob_location *location_out, struct error *err)
{
    struct memory_store *store = memory_store_of(base->store);
    struct memory_upload *upload;

    (void)location_out;
    (void)err;
    (void)pthread_mutex_lock(&store->lists_lock);
    upload = take_upload(store, base->upload.id);
    if (!find_blob(store, digest)) {
        add_blob(store, digest, upload);
    }
    (void)pthread_mutex_unlock(&store->lists_lock);
    upload_free(upload);
    return OK;
}

/* Moves the bytes from the upload into a blob, so that publishing copies nothing. */
static void add_blob(struct memory_store *store, const struct digest *digest,
                     struct memory_upload *upload)
{
    struct memory_blob *blob = memory_new(1, sizeof(*blob));

    *blob = (struct memory_blob){
        .next = store->blobs, .digest = *digest, .bytes = upload->bytes, .length = upload->length};
    store->blobs = blob;
    upload->bytes = NULL;
}

static void memory_close(struct blob_writer *base)
{
    free(memory_writer_of(base));
}

static enum error_code memory_discard(struct blob_store *base, const struct blob_upload *upload,
                                      struct error *err)
{
    struct memory_store *store = memory_store_of(base);
    struct memory_upload *taken;

    (void)err;
    (void)pthread_mutex_lock(&store->lists_lock);
    taken = take_upload(store, upload->id);
    (void)pthread_mutex_unlock(&store->lists_lock);
    upload_free(taken);
    return OK;
}

/* Unlinks the upload from the list; NULL if there is none. */
static struct memory_upload *take_upload(struct memory_store *store, const char *id)
{
    struct memory_upload **link = &store->uploads;
    struct memory_upload *taken;

    while (*link && !str_is(str_from((*link)->id), id)) {
        link = &(*link)->next;
    }
    taken = *link;
    if (taken) {
        *link = taken->next;
    }
    return taken;
}

static void upload_free(struct memory_upload *upload)
{
    if (upload) {
        free(upload->bytes);
        free(upload);
    }
}

static enum error_code memory_read(struct blob_store *base, const struct digest *digest,
                                   const struct blob_location *location,
                                   struct blob_content *content_out, struct error *err)
{
    struct memory_store *store = memory_store_of(base);
    char text[DIGEST_TEXT_BYTES];
    const struct memory_blob *blob;

    (void)location;
    (void)pthread_mutex_lock(&store->lists_lock);
    blob = find_blob(store, digest);
    (void)pthread_mutex_unlock(&store->lists_lock);
    if (!blob) {
        digest_format(digest, text);
        return error_set_about(err, ABOUT_BLOB, ERROR_NOT_FOUND, "there is no blob %s", text);
    }
    *content_out = (struct blob_content){
        .kind = BLOB_IN_MEMORY,
        .size_bytes = blob->length,
        .fd = -1,
        .bytes = {blob->bytes, blob->length},
    };
    return OK;
}

static struct memory_blob *find_blob(const struct memory_store *store, const struct digest *digest)
{
    struct memory_blob *blob = store->blobs;

    while (blob && !digest_equal(&blob->digest, digest)) {
        blob = blob->next;
    }
    return blob;
}
