#include "tests/support/memory_index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct entry {
    struct entry *next;
    struct digest digest;
    struct blob_location location;
};

struct memory_index {
    pthread_mutex_t entries_mutex;
    struct entry *entries;
    char tail_id[RANDOM_ID_BYTES];
    uint64_t tail_offset_bytes;
    struct strbuf tail;
};

static enum error_code find(void *context, const struct digest *digest,
                            struct blob_location *location_out, struct error *err);
static enum error_code touch(void *context, const struct digest *digest, struct error *err);
static enum error_code add(void *context, const struct digest *digest,
                           const struct blob_location *location, struct error *err);
static enum error_code read_tail(void *context, const struct blob_upload *upload,
                                 struct strbuf *tail, struct error *err);

struct memory_index *memory_index_new(void)
{
    struct memory_index *index = memory_new(1, sizeof(*index));

    (void)pthread_mutex_init(&index->entries_mutex, NULL);
    strbuf_init(&index->tail, SIZE_MAX);
    return index;
}

void memory_index_free(struct memory_index *index)
{
    while (index->entries) {
        struct entry *entry = index->entries;

        index->entries = entry->next;
        free(entry);
    }
    strbuf_release(&index->tail);
    (void)pthread_mutex_destroy(&index->entries_mutex);
    free(index);
}

struct blob_index memory_index_functions(struct memory_index *index)
{
    return (struct blob_index){
        .context = index, .find = find, .touch = touch, .add = add, .read_tail = read_tail};
}

static enum error_code find(void *context, const struct digest *digest,
                            struct blob_location *location_out, struct error *err)
{
    struct memory_index *index = context;
    struct entry *entry = NULL;

    (void)pthread_mutex_lock(&index->entries_mutex);
    entry = index->entries;
    (void)pthread_mutex_unlock(&index->entries_mutex);
    while (entry && !digest_equal(&entry->digest, digest)) {
        entry = entry->next;
    }
    if (!entry) {
        return error_set_about(err, ABOUT_BLOB, ERROR_NOT_FOUND, "there is no such blob");
    }
    *location_out = entry->location;
    return OK;
}

static enum error_code touch(void *context, const struct digest *digest, struct error *err)
{
    struct blob_location location;

    return find(context, digest, &location, err);
}

static enum error_code add(void *context, const struct digest *digest,
                           const struct blob_location *location, struct error *err)
{
    struct memory_index *index = context;
    struct blob_location found;
    struct entry *entry = NULL;

    if (find(index, digest, &found, err) == OK) {
        return OK;
    }
    entry = memory_new(1, sizeof(*entry));
    entry->digest = *digest;
    entry->location = *location;
    (void)pthread_mutex_lock(&index->entries_mutex);
    entry->next = index->entries;
    index->entries = entry;
    (void)pthread_mutex_unlock(&index->entries_mutex);
    return OK;
}

void memory_index_keep_tail(struct memory_index *index, const struct blob_upload *upload)
{
    if (upload->tail.is_new) {
        strbuf_clear(&index->tail);
        strbuf_append(&index->tail, upload->tail.bytes);
    }
    memcpy(index->tail_id, upload->id, sizeof(index->tail_id));
    index->tail_offset_bytes = upload->offset_bytes;
}

static enum error_code read_tail(void *context, const struct blob_upload *upload,
                                 struct strbuf *tail, struct error *err)
{
    const struct memory_index *index = context;

    (void)err;
    strbuf_clear(tail);
    if (strcmp(index->tail_id, upload->id) == 0 &&
        index->tail_offset_bytes == upload->offset_bytes) {
        strbuf_append(tail, strbuf_str(&index->tail));
    }
    return OK;
}
