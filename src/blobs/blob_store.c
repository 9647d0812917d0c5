#include "blobs/blob_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/memory.h"
#include "blobs/blob_driver.h"

void blob_store_free(struct blob_store *store)
{
    if (store) {
        store->driver->free(store);
    }
}

void blob_upload_init(struct blob_upload *upload, enum digest_algorithm algorithm)
{
    *upload = (struct blob_upload){.offset_bytes = 0};
    random_id(upload->id);
    hasher_init(&upload->hasher, algorithm);
}

void blob_upload_release(struct blob_upload *upload)
{
    free(upload->notes);
    upload->notes = NULL;
    upload->notes_length = 0;
}

void blob_upload_save(const struct blob_upload *upload, struct strbuf *state)
{
    strbuf_append(state, hasher_save(&upload->hasher));
    strbuf_append(state, (struct str){upload->notes, upload->notes_length});
}

static void keep_notes(struct blob_upload *upload, struct str notes)
{
    upload->notes = notes.length > 0 ? memory_new(notes.length, 1) : NULL;
    upload->notes_length = notes.length;
    if (notes.length > 0) {
        memcpy(upload->notes, notes.bytes, notes.length);
    }
}

bool blob_upload_restore(struct blob_upload *upload, struct str state)
{
    const struct str notes = str_from_index(state, HASHER_SAVED_BYTES);

    if (notes.length > BLOB_UPLOAD_NOTES_MAX_BYTES ||
        !hasher_restore(&upload->hasher, str_slice(state, 0, HASHER_SAVED_BYTES))) {
        return false;
    }
    keep_notes(upload, notes);
    return true;
}

void blob_store_hash_beside(struct blob_store *store, struct side_hashers *hashers)
{
    store->side_hashers = hashers;
}

uint64_t blob_store_chunk_min_bytes(const struct blob_store *store)
{
    return store->chunk_min_bytes;
}

uint64_t blob_store_largest_bytes(const struct blob_store *store)
{
    return store->largest_blob_bytes == 0 ? UINT64_MAX : store->largest_blob_bytes;
}

enum error_code blob_store_check_size(const struct blob_store *store, uint64_t size_bytes,
                                      struct error *err)
{
    if (size_bytes <= blob_store_largest_bytes(store)) {
        return OK;
    }
    return error_set_about(err, ABOUT_SIZE, ERROR_TOO_LARGE,
                           "a blob has at most %llu bytes here (%s)",
                           (unsigned long long)store->largest_blob_bytes, store->largest_blob_key);
}

bool blob_store_is_remote(const struct blob_store *store)
{
    return store->is_remote;
}

bool blob_store_has_locations(const struct blob_store *store)
{
    return store->has_locations;
}

static bool is_id_digit(char digit)
{
    return ascii_is_digit(digit) || (digit >= 'a' && digit <= 'f');
}

/* Drivers build names from ids, so an id is held against the form that random_id gives it. */
static enum error_code check_id(const char *id, struct error *err)
{
    size_t length = 0;

    while (length < RANDOM_ID_BYTES - 1 && is_id_digit(id[length])) {
        length++;
    }
    if (length < RANDOM_ID_BYTES - 1 || id[length] != '\0') {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND, "no upload has such an id");
    }
    return OK;
}

enum error_code blob_writer_open(struct blob_store *store, const struct blob_upload *upload,
                                 struct blob_writer **writer_out, struct error *err)
{
    struct blob_writer *writer = NULL;
    enum error_code code = check_id(upload->id, err);

    if (!code) {
        code = store->driver->open(store, upload, &writer, err);
    }
    if (code) {
        return code;
    }
    assert(writer);
    writer->store = store;
    writer->upload = *upload;
    writer->upload.notes = NULL;
    writer->upload.notes_length = 0;
    writer->upload.tail = (struct blob_tail){0};
    writer->is_finished = false;
    writer->is_checked = false;
    *writer_out = writer;
    return OK;
}

enum error_code blob_writer_begin_tail(struct blob_writer *writer, size_t *length_out,
                                       struct error *err)
{
    const struct blob_driver *driver = writer->store->driver;
    enum error_code code = OK;

    assert(!writer->is_finished);
    *length_out = 0;
    if (driver->begin_tail) {
        assert(driver->give_tail);
        code = driver->begin_tail(writer, length_out, err);
    }
    writer->is_finished = code != OK;
    return code;
}

enum error_code blob_writer_give_tail(struct blob_writer *writer, struct strbuf *tail,
                                      struct error *err)
{
    enum error_code code = OK;

    assert(!writer->is_finished);
    assert(writer->store->driver->give_tail);
    code = writer->store->driver->give_tail(writer, tail, err);
    writer->is_finished = code != OK;
    return code;
}

static enum error_code write_and_hash(struct blob_writer *writer, struct str bytes,
                                      struct error *err)
{
    struct blob_store *store = writer->store;
    struct side_hash hash;
    enum error_code code = OK;

    side_hash_begin(store->side_hashers, &hash, &writer->upload.hasher, bytes);
    code = store->driver->write(writer, bytes, err);
    side_hash_end(store->side_hashers, &hash);
    return code;
}

enum error_code blob_writer_write(struct blob_writer *writer, struct str bytes, struct error *err)
{
    enum error_code code;

    assert(!writer->is_finished);
    if (bytes.length == 0) {
        return OK;
    }
    code = blob_store_check_size(writer->store, writer->upload.offset_bytes + bytes.length, err);
    if (!code) {
        code = write_and_hash(writer, bytes, err);
    }
    if (code) {
        writer->is_finished = true;
        return code;
    }
    writer->upload.offset_bytes += bytes.length;
    writer->is_checked = false;
    return OK;
}

size_t blob_writer_room(struct blob_writer *writer)
{
    assert(!writer->is_finished);
    return writer->store->driver->room ? writer->store->driver->room(writer) : SIZE_MAX;
}

uint64_t blob_writer_offset(const struct blob_writer *writer)
{
    return writer->upload.offset_bytes;
}

enum error_code blob_writer_suspend(struct blob_writer *writer, struct blob_upload *upload_out,
                                    struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf notes;
    struct blob_tail tail = {0};
    enum error_code code = OK;

    assert(!writer->is_finished);
    strbuf_init(&notes, BLOB_UPLOAD_NOTES_MAX_BYTES);
    if (writer->store->driver->suspend) {
        code = writer->store->driver->suspend(writer, &notes, &tail, err);
    }
    if (!code && notes.is_truncated) {
        code = error_set(err, ERROR_INTERNAL, "the notes of an upload have more than %d bytes",
                         BLOB_UPLOAD_NOTES_MAX_BYTES);
    }
    if (code) {
        writer->is_finished = true;
        return code;
    }
    *upload_out = writer->upload;
    keep_notes(upload_out, strbuf_str(&notes));
    upload_out->tail = tail;
    return OK;
}

static enum error_code digest_of_content(struct blob_writer *writer,
                                         enum digest_algorithm algorithm, struct digest *digest_out,
                                         struct error *err)
{
    struct hasher hasher = writer->upload.hasher;
    enum error_code code = OK;

    if (!writer->is_checked || writer->checked.algorithm != algorithm) {
        if (hasher.algorithm != algorithm) {
            hasher_init(&hasher, algorithm);
            code = writer->store->driver->rehash(writer, &hasher, err);
        }
        if (code) {
            writer->is_finished = true;
            return code;
        }
        writer->checked = hasher_digest(&hasher);
        writer->is_checked = true;
    }
    *digest_out = writer->checked;
    return OK;
}

enum error_code blob_writer_check(struct blob_writer *writer, const struct digest *expected,
                                  struct error *err)
{
    char expected_text[DIGEST_TEXT_BYTES];
    char actual_text[DIGEST_TEXT_BYTES];
    struct digest actual;
    enum error_code code = OK;

    assert(!writer->is_finished);
    code = digest_of_content(writer, expected->algorithm, &actual, err);
    if (code || digest_equal(&actual, expected)) {
        return code;
    }
    digest_format(expected, expected_text);
    digest_format(&actual, actual_text);
    return error_set_about(err, ABOUT_DIGEST, ERROR_INVALID,
                           "the content's digest is %s, not %s as promised", actual_text,
                           expected_text);
}

enum error_code blob_writer_commit(struct blob_writer *writer, const struct digest *expected,
                                   struct blob_location *location_out, struct error *err)
{
    struct blob_location location = {.size_bytes = writer->upload.offset_bytes};
    enum error_code code = blob_writer_check(writer, expected, err);

    if (code) {
        return code;
    }
    writer->is_finished = true;
    code = writer->store->driver->publish(writer, expected, &location, err);
    if (!code && writer->store->has_locations) {
        assert(location.key[0] != '\0');
        *location_out = location;
    }
    return code;
}

void blob_writer_free(struct blob_writer *writer)
{
    if (writer) {
        writer->store->driver->close(writer);
    }
}

enum error_code blob_store_discard(struct blob_store *store, const struct blob_upload *upload,
                                   struct error *err)
{
    /* What cannot be an id has no bytes to forget. */
    return check_id(upload->id, NULL) ? OK : store->driver->discard(store, upload, err);
}

void blob_store_touch(struct blob_store *store, const struct digest *digest)
{
    if (store->driver->touch) {
        store->driver->touch(store, digest);
    }
}

enum error_code blob_store_read(struct blob_store *store, const struct digest *digest,
                                const struct blob_location *location,
                                struct blob_content *content_out, struct error *err)
{
    const struct blob_driver *driver = store->driver;
    enum error_code code = OK;

    assert(!store->has_locations || location);
    code = driver->read(store, digest, store->has_locations ? location : NULL, content_out, err);
    if (code) {
        return code;
    }
    assert(content_out->kind != BLOB_IN_FILE || content_out->fd >= 0);
    assert(content_out->kind != BLOB_REMOTE || driver->read_part);
    assert(!content_out->is_linked || driver->link);
    return OK;
}

enum error_code blob_store_read_part(struct blob_store *store, const struct blob_content *content,
                                     const struct blob_part *part, struct strbuf *bytes_out,
                                     struct error *err)
{
    assert(content->kind == BLOB_REMOTE);
    assert(part->offset_bytes <= content->size_bytes);
    assert(part->length <= content->size_bytes - part->offset_bytes);
    assert(bytes_out->length == 0);
    return store->driver->read_part(store, content, part, bytes_out, err);
}

enum error_code blob_store_link(struct blob_store *store, const struct blob_content *content,
                                struct strbuf *url, struct error *err)
{
    assert(content->kind == BLOB_REMOTE);
    assert(content->is_linked);
    return store->driver->link(store, content, url, err);
}

void blob_content_release(struct blob_content *content)
{
    if (content->kind == BLOB_IN_FILE && content->fd >= 0) {
        (void)close(content->fd);
        content->fd = -1;
    }
}
