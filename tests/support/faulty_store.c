#include "tests/support/faulty_store.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "blobs/blob_driver.h"

struct faulty_store {
    struct blob_store base;
    struct blob_store *inner; /* not owned */
    atomic_uint calls;
    atomic_uint failing_call;
    atomic_bool is_failing;
    _Atomic enum error_code code;
    bool is_linked;
    bool has_slow_links;
    bool is_damaged;
};

struct faulty_writer {
    struct blob_writer base;
    struct blob_writer *inner;
};

static void faulty_free(struct blob_store *base);
static enum error_code faulty_open(struct blob_store *base, const struct blob_upload *upload,
                                   struct blob_writer **writer_out, struct error *err);
static size_t faulty_room(struct blob_writer *base);
static enum error_code faulty_write(struct blob_writer *base, struct str bytes, struct error *err);
static enum error_code faulty_suspend(struct blob_writer *base, struct strbuf *notes,
                                      struct blob_tail *tail, struct error *err);
static enum error_code faulty_rehash(struct blob_writer *base, struct hasher *hasher,
                                     struct error *err);
static enum error_code faulty_publish(struct blob_writer *base, const struct digest *digest,
                                      struct blob_location *location_out, struct error *err);
static void faulty_close(struct blob_writer *base);
static enum error_code faulty_discard(struct blob_store *base, const struct blob_upload *upload,
                                      struct error *err);
static enum error_code faulty_read(struct blob_store *base, const struct digest *digest,
                                   const struct blob_location *location,
                                   struct blob_content *content_out, struct error *err);

static enum error_code faulty_read_part(struct blob_store *base, const struct blob_content *content,
                                        const struct blob_part *part, struct strbuf *bytes,
                                        struct error *err);
static enum error_code faulty_link(struct blob_store *base, const struct blob_content *content,
                                   struct strbuf *url, struct error *err);

static enum error_code next_call(struct blob_store *base, const char *name, struct error *err);

static const struct blob_driver faulty_driver = {
    .name = "faulty",
    .free = faulty_free,
    .open = faulty_open,
    .room = faulty_room,
    .write = faulty_write,
    .suspend = faulty_suspend,
    .rehash = faulty_rehash,
    .publish = faulty_publish,
    .close = faulty_close,
    .discard = faulty_discard,
    .read = faulty_read,
    .read_part = faulty_read_part,
    .link = faulty_link,
};

static struct faulty_store *faulty_store_of(struct blob_store *base)
{
    return (struct faulty_store *)base; /* its first member */
}

static struct faulty_writer *faulty_writer_of(struct blob_writer *base)
{
    return (struct faulty_writer *)base; /* its first member */
}

struct blob_store *faulty_store_new(struct blob_store *inner)
{
    struct faulty_store *store = memory_new(1, sizeof(*store));

    store->base.driver = &faulty_driver;
    store->inner = inner;
    return &store->base;
}

void faulty_store_fail_at(struct blob_store *store, unsigned call, enum error_code code)
{
    struct faulty_store *faulty = faulty_store_of(store);

    atomic_store(&faulty->calls, 0);
    atomic_store(&faulty->code, code);
    atomic_store(&faulty->failing_call, call);
}

void faulty_store_fail_all(struct blob_store *store, enum error_code code)
{
    struct faulty_store *faulty = faulty_store_of(store);

    atomic_store(&faulty->code, code);
    atomic_store(&faulty->is_failing, code != OK);
}

void faulty_store_be_remote(struct blob_store *store, bool is_linked)
{
    store->is_remote = true;
    store->chunk_min_bytes = 1024;
    faulty_store_of(store)->is_linked = is_linked;
}

void faulty_store_be_slow_with_links(struct blob_store *store)
{
    faulty_store_of(store)->has_slow_links = true;
}

void faulty_store_damage(struct blob_store *store)
{
    faulty_store_of(store)->is_damaged = true;
}

void faulty_store_limit_blobs(struct blob_store *store, uint64_t largest_bytes)
{
    store->largest_blob_bytes = largest_bytes;
    store->largest_blob_key = "storage.largest_blob";
}

unsigned faulty_store_calls(struct blob_store *store)
{
    return atomic_load(&faulty_store_of(store)->calls);
}

static enum error_code next_call(struct blob_store *base, const char *name, struct error *err)
{
    struct faulty_store *store = faulty_store_of(base);
    const unsigned call = atomic_fetch_add(&store->calls, 1) + 1;

    if (!atomic_load(&store->is_failing) && call != atomic_load(&store->failing_call)) {
        return OK;
    }
    return error_set(err, atomic_load(&store->code), "the store was told to fail at call %u, %s",
                     call, name);
}

static void faulty_free(struct blob_store *base)
{
    free(faulty_store_of(base));
}

static enum error_code faulty_open(struct blob_store *base, const struct blob_upload *upload,
                                   struct blob_writer **writer_out, struct error *err)
{
    struct blob_writer *inner = NULL;
    struct faulty_writer *writer;
    enum error_code code = next_call(base, "open", err);

    if (!code) {
        code = blob_writer_open(faulty_store_of(base)->inner, upload, &inner, err);
    }
    if (code) {
        return code;
    }
    writer = memory_new(1, sizeof(*writer));
    writer->inner = inner;
    *writer_out = &writer->base;
    return OK;
}

static size_t faulty_room(struct blob_writer *base)
{
    return blob_writer_room(faulty_writer_of(base)->inner);
}

static enum error_code faulty_write(struct blob_writer *base, struct str bytes, struct error *err)
{
    struct blob_writer *inner = faulty_writer_of(base)->inner;
    const enum error_code code = next_call(base->store, "write", err);

    if (code) {
        (void)!blob_writer_write(inner, str_slice(bytes, 0, bytes.length / 2), NULL);
        return code;
    }
    return blob_writer_write(inner, bytes, err);
}

static enum error_code faulty_suspend(struct blob_writer *base, struct strbuf *notes,
                                      struct blob_tail *tail, struct error *err)
{
    struct blob_upload rested;
    enum error_code code = next_call(base->store, "suspend", err);

    if (!code) {
        code = blob_writer_suspend(faulty_writer_of(base)->inner, &rested, err);
    }
    if (!code) {
        strbuf_append(notes, (struct str){rested.notes, rested.notes_length});
        *tail = rested.tail;
        blob_upload_release(&rested);
    }
    return code;
}

static enum error_code faulty_rehash(struct blob_writer *base, struct hasher *hasher,
                                     struct error *err)
{
    struct blob_writer *inner = faulty_writer_of(base)->inner;
    const enum error_code code = next_call(base->store, "rehash", err);

    return code ? code : inner->store->driver->rehash(inner, hasher, err);
}

static enum error_code faulty_publish(struct blob_writer *base, const struct digest *digest,
                                      struct blob_location *location_out, struct error *err)
{
    const enum error_code code = next_call(base->store, "publish", err);

    return code ? code
                : blob_writer_commit(faulty_writer_of(base)->inner, digest, location_out, err);
}

static void faulty_close(struct blob_writer *base)
{
    struct faulty_writer *writer = faulty_writer_of(base);

    blob_writer_free(writer->inner);
    free(writer);
}

static enum error_code faulty_discard(struct blob_store *base, const struct blob_upload *upload,
                                      struct error *err)
{
    const enum error_code code = next_call(base, "discard", err);

    return code ? code : blob_store_discard(faulty_store_of(base)->inner, upload, err);
}

static enum error_code faulty_read(struct blob_store *base, const struct digest *digest,
                                   const struct blob_location *location,
                                   struct blob_content *content_out, struct error *err)
{
    enum error_code code = next_call(base, "read", err);

    if (!code) {
        code = blob_store_read(faulty_store_of(base)->inner, digest, location, content_out, err);
    }
    if (!code && base->is_remote) {
        content_out->kind = BLOB_REMOTE;
        content_out->is_linked = faulty_store_of(base)->is_linked;
        content_out->is_link_slow = faulty_store_of(base)->has_slow_links;
    }
    return code;
}

static enum error_code faulty_read_part(struct blob_store *base, const struct blob_content *content,
                                        const struct blob_part *part, struct strbuf *bytes,
                                        struct error *err)
{
    const enum error_code code = next_call(base, "read_part", err);
    const size_t begin = (size_t)part->offset_bytes;

    if (!code) {
        strbuf_append(bytes, str_slice(content->bytes, begin, begin + part->length));
    }
    if (!code && faulty_store_of(base)->is_damaged &&
        begin + part->length == content->bytes.length) {
        bytes->text[bytes->length - 1] ^= 1;
    }
    return code;
}

static enum error_code faulty_link(struct blob_store *base, const struct blob_content *content,
                                   struct strbuf *url, struct error *err)
{
    const enum error_code code = next_call(base, "link", err);

    if (!code) {
        strbuf_append_format(url, "https://layers.example.org/%zu?signed", content->bytes.length);
    }
    return code;
}
