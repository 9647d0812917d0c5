#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "blobs/s3_parts.h"
#include "blobs/s3_store_private.h"

enum {
    TAIL_BESIDE_NOTES_MAX_BYTES = 5 * 1024 * 1024,
    HASH_PIECE_BYTES = 8 * 1024 * 1024,
};

static enum error_code read_notes(struct s3_writer *writer, const struct blob_upload *upload,
                                  struct error *err)
{
    const struct str bytes = {upload->notes, upload->notes_length};

    if (upload->offset_bytes == 0 && bytes.length == 0) {
        return OK;
    }
    if (!s3_notes_parse(bytes, &writer->notes) ||
        writer->notes.offset_bytes != upload->offset_bytes ||
        writer->notes.tail_length >
            writer->store->config.settings.upload_memory_bytes) { /* it was more then */
        return s3_objects_upload_is_gone(err);
    }
    return OK;
}

enum error_code s3_writer_open(struct blob_store *base, const struct blob_upload *upload,
                               struct blob_writer **writer_out, struct error *err)
{
    struct s3_writer *writer = memory_new(1, sizeof(*writer));
    enum error_code code = OK;

    writer->store = s3_store_of(base);
    s3_notes_init(&writer->notes);
    code = read_notes(writer, upload, err);
    if (code) {
        s3_notes_release(&writer->notes);
        free(writer);
        return code;
    }
    (void)pthread_mutex_init(&writer->parts_mutex, NULL);
    (void)pthread_cond_init(&writer->part_is_done, NULL);
    writer->has_old_tail = writer->notes.tail_length > 0;
    writer->is_kept = writer->notes.upload_id[0] != '\0';
    *writer_out = &writer->base;
    return OK;
}

size_t s3_writer_room(struct blob_writer *base)
{
    struct s3_writer *writer = s3_writer_of(base);
    const size_t left = writer->bytes ? writer->capacity - writer->length : 0;

    if (writer->is_whole) {
        return SIZE_MAX; /* writing says why that cannot be */
    }
    return left > 0 ? left : s3_writer_make_room(writer);
}

/* There is more behind it now, so it is not the blob. It stays in the bucket, as all does. */
static void forget_tail_object(struct s3_writer *writer)
{
    writer->notes.tail_key[0] = '\0';
}

enum error_code s3_writer_write(struct blob_writer *base, struct str bytes, struct error *err)
{
    struct s3_writer *writer = s3_writer_of(base);
    enum error_code code = OK;

    if (writer->is_whole) {
        return s3_objects_upload_is_gone(
            err); /* it was ended to be hashed again, and is not wanted so */
    }
    while (!code && bytes.length > 0) {
        code = s3_writer_need_room(writer, err);
        if (!code) {
            const size_t room = writer->capacity - writer->length;
            const struct str piece = str_slice(bytes, 0, room);

            memcpy(writer->bytes + writer->length, piece.bytes, piece.length);
            writer->length += piece.length;
            bytes = str_from_index(bytes, piece.length);
        }
    }
    forget_tail_object(writer);
    return code;
}

static enum error_code put_tail(struct s3_writer *writer, struct blob_tail *tail, struct error *err)
{
    struct s3_notes *notes = &writer->notes;
    const struct str bytes = {writer->bytes, writer->length};
    char key[BLOB_KEY_BYTES];
    enum error_code code = OK;

    tail->is_new = true; /* none is one, too */
    if (bytes.length == 0 || notes->tail_key[0] != '\0') {
        return OK;
    }
    if (notes->upload_id[0] != '\0' && bytes.length <= TAIL_BESIDE_NOTES_MAX_BYTES) {
        tail->bytes = bytes;
        return OK;
    }
    s3_store_upload_key(writer->store, &writer->base.upload, key);
    code = s3_objects_put(&writer->store->objects, key, bytes, NULL, err);
    if (!code) {
        memcpy(notes->tail_key, key, sizeof(key));
    }
    return code;
}

/*
 * What is too small for a part becomes an object if it is all there is: most likely the blob, which
 * then has its location already. Behind parts it is saved beside the notes: S3 could not give it
 * back, and an object of its own would have to be read back for nearly every large blob.
 */
enum error_code s3_writer_suspend(struct blob_writer *base, struct strbuf *notes,
                                  struct blob_tail *tail, struct error *err)
{
    struct s3_writer *writer = s3_writer_of(base);
    struct s3_notes *own = &writer->notes;
    enum error_code code = writer->is_whole ? s3_objects_upload_is_gone(err) : OK;

    if (!code) {
        code = s3_writer_await_parts(writer, 0, err);
    }
    if (!code && !writer->has_old_tail) {
        own->tail_length = writer->length;
        code = put_tail(writer, tail, err);
    }
    if (code) {
        return code;
    }
    own->offset_bytes = base->upload.offset_bytes;
    if (own->offset_bytes > 0) {
        s3_notes_append(own, notes);
    }
    writer->is_kept = true;
    return OK;
}

static enum error_code send_rest(struct s3_writer *writer, struct error *err)
{
    enum error_code code = s3_writer_load_tail(writer, err);

    if (!code && writer->length > 0) {
        code = s3_writer_send_part(writer, err);
    }
    return code ? code : s3_writer_await_parts(writer, 0, err);
}

/* Ends a multipart upload; perhaps it was ended before, by somebody whose answer was lost. */
static enum error_code make_whole(struct s3_writer *writer, struct error *err)
{
    const struct s3_objects *objects = &writer->store->objects;
    enum error_code code = OK;

    if (writer->is_whole) {
        return OK;
    }
    code = send_rest(writer, err);
    if (!code) {
        code = s3_objects_complete(objects, &writer->notes, err);
    }
    if (code == ERROR_NOT_FOUND) {
        code =
            s3_objects_find_whole(objects, &writer->notes, writer->base.upload.offset_bytes, err);
        writer->was_found = !code;
    }
    writer->is_whole = !code;
    return code;
}

static enum error_code hash_object(struct s3_writer *writer, struct hasher *hasher,
                                   struct error *err)
{
    const uint64_t size_bytes = writer->base.upload.offset_bytes;
    struct blob_part piece = {0};
    enum error_code code = OK;

    while (!code && piece.offset_bytes < size_bytes) {
        CLEANUP(strbuf_release) struct strbuf bytes;
        const uint64_t left = size_bytes - piece.offset_bytes;

        strbuf_init(&bytes, HASH_PIECE_BYTES);
        piece.length = left < HASH_PIECE_BYTES ? (size_t)left : HASH_PIECE_BYTES;
        code = s3_objects_read(&writer->store->objects, writer->notes.key, &piece, &bytes, err);
        hasher_update(hasher, strbuf_str(&bytes));
        piece.offset_bytes += piece.length;
    }
    return code;
}

/* Of another algorithm than it was hashed with while it came: all of it once more. */
enum error_code s3_writer_rehash(struct blob_writer *base, struct hasher *hasher, struct error *err)
{
    struct s3_writer *writer = s3_writer_of(base);
    enum error_code code = OK;

    if (writer->notes.upload_id[0] != '\0') {
        code = make_whole(writer, err);
        return code ? code : hash_object(writer, hasher, err);
    }
    code = s3_writer_load_tail(writer, err);
    if (!code && writer->bytes) {
        hasher_update(hasher, (struct str){writer->bytes, writer->length});
    }
    return code;
}

/*
 * What another instance completed may have ended with other bytes than ours did, and be as long:
 * what we hashed while it came says nothing about it.
 */
static enum error_code check_found(struct s3_writer *writer, const struct digest *digest,
                                   struct error *err)
{
    struct digest found;
    struct hasher hasher;
    enum error_code code = OK;

    if (!writer->was_found) {
        return OK;
    }
    hasher_init(&hasher, digest->algorithm);
    code = hash_object(writer, &hasher, err);
    if (code) {
        return code;
    }
    found = hasher_digest(&hasher);
    return digest_equal(&found, digest) ? OK : s3_objects_upload_is_gone(err);
}

/* What is all in memory: S3 holds it against its hash. */
static enum error_code put_small(struct s3_writer *writer, const struct digest *digest,
                                 char *key_out, struct error *err)
{
    const struct str bytes = {writer->bytes ? writer->bytes : "", writer->length};
    char text[DIGEST_TEXT_BYTES];

    digest_format(digest, text);
    s3_store_upload_key(writer->store, &writer->base.upload, key_out);
    return s3_objects_put(&writer->store->objects, key_out, bytes,
                          digest->algorithm == DIGEST_SHA256 ? text + sizeof("sha256:") - 1 : NULL,
                          err);
}

/* Sees to it that all of it is one object, and says which. */
enum error_code s3_writer_publish(struct blob_writer *base, const struct digest *digest,
                                  struct blob_location *location_out, struct error *err)
{
    struct s3_writer *writer = s3_writer_of(base);
    const struct s3_notes *notes = &writer->notes;
    enum error_code code = OK;

    if (notes->upload_id[0] != '\0') {
        code = make_whole(writer, err);
        code = code ? code : check_found(writer, digest, err);
        memcpy(location_out->key, notes->key, sizeof(location_out->key));
    } else if (notes->tail_key[0] != '\0') {
        memcpy(location_out->key, notes->tail_key, sizeof(location_out->key));
    } else {
        code = put_small(writer, digest, location_out->key, err);
    }
    return code;
}

static void cancel(struct s3_writer *writer)
{
    (void)pthread_mutex_lock(&writer->parts_mutex);
    writer->is_cancelled = true;
    (void)pthread_mutex_unlock(&writer->parts_mutex);
    (void)!s3_writer_await_parts(writer, 0, NULL);
}

/* Not where S3 has just failed: the bucket's lifecycle rule sees to it then (docs/storage.md). */
static void give_up_multipart(struct s3_writer *writer)
{
    if (writer->notes.upload_id[0] != '\0' && !writer->failed) {
        (void)!s3_objects_abort(&writer->store->objects, &writer->notes, NULL);
        writer->notes.upload_id[0] = '\0';
    }
}

void s3_writer_close(struct blob_writer *base)
{
    struct s3_writer *writer = s3_writer_of(base);

    cancel(writer);
    if (!writer->is_kept && !writer->is_whole) {
        give_up_multipart(writer);
    }
    s3_writer_drop_bytes(writer);
    s3_notes_release(&writer->notes);
    (void)pthread_cond_destroy(&writer->part_is_done);
    (void)pthread_mutex_destroy(&writer->parts_mutex);
    free(writer);
}
