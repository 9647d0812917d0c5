#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "blobs/s3_parts.h"
#include "blobs/s3_store_private.h"

enum { RETRY_AFTER_S = 10 };

/* A part on its way. */
struct part_job {
    struct job job; /* first */
    struct s3_writer *writer;
    unsigned number;
    char *bytes;
    size_t length;
    size_t capacity;
};

/* Of the part that is filled next; 0: there is none. */
static uint64_t next_size(const struct s3_writer *writer)
{
    const size_t number = writer->notes.part_count + (writer->bytes ? 2 : 1);
    const uint64_t old_tail = writer->has_old_tail ? writer->notes.tail_length : 0;
    uint64_t size_bytes = 0;

    if (number <= S3_PARTS_MAX) {
        size_bytes =
            s3_parts_size(writer->store->config.settings.largest_blob_bytes, (unsigned)number);
    }
    /* The settings were others when it came to rest. */
    return size_bytes > 0 && size_bytes < old_tail ? old_tail : size_bytes;
}

static void give_spare(struct s3_writer *writer)
{
    if (writer->spare_bytes > 0) {
        memory_budget_give(writer->store->memory, writer->spare_bytes);
        writer->spare_bytes = 0;
    }
}

/* What was taken before, or waits for some; but not once more for who was told to wait. */
static bool take_memory(struct s3_writer *writer, uint64_t size_bytes)
{
    const struct s3_store *store = writer->store;
    const bool has_spare = writer->spare_bytes == size_bytes;

    if (!has_spare) {
        give_spare(writer);
        return memory_budget_take(store->memory, size_bytes,
                                  writer->waits_since_ms > 0 ? 0 : store->config.memory_wait_ms);
    }
    writer->spare_bytes = 0;
    return true;
}

static enum error_code no_memory(const struct s3_writer *writer, struct error *err)
{
    const enum error_code code = error_set(
        err, ERROR_UNAVAILABLE,
        "no memory for an upload to %s came free in %lld ms: there are many uploads at once, or S3 "
        "is slow; raise storage.s3.upload_memory",
        s3_client_name(writer->store->config.client),
        (long long)writer->store->config.memory_wait_ms);

    if (err) {
        err->retry_after_s = RETRY_AFTER_S;
    }
    return code;
}

/* An upload that has begun a part has all the memory for it: see s3_writer_make_room. */
static enum error_code new_bytes(struct s3_writer *writer, struct error *err)
{
    const uint64_t size_bytes = next_size(writer);

    if (size_bytes == 0) {
        return error_set_about(err, ABOUT_SIZE, ERROR_TOO_LARGE,
                               "the upload has more parts than S3 takes: send larger chunks");
    }
    if (!take_memory(writer, size_bytes)) {
        return no_memory(writer, err);
    }
    writer->bytes = memory_resize(NULL, (size_t)size_bytes, 1); /* resident once it is used */
    writer->capacity = (size_t)size_bytes;
    writer->length = 0;
    return OK;
}

enum error_code s3_writer_need_room(struct s3_writer *writer, struct error *err)
{
    enum error_code code = s3_writer_load_tail(writer, err);

    if (!code && writer->bytes && writer->length == writer->capacity) {
        code = s3_writer_send_part(writer, err);
    }
    return code || writer->bytes ? code : new_bytes(writer, err);
}

/* For so long that writing is to say so. */
static bool has_waited(struct s3_writer *writer)
{
    const struct s3_store_config *config = &writer->store->config;
    const int64_t now_ms = clock_monotonic_ms(config->clock);

    if (writer->waits_since_ms == 0) {
        writer->waits_since_ms = now_ms;
    }
    return now_ms - writer->waits_since_ms >= config->memory_wait_ms;
}

/*
 * Called when the part that is filled is full, or there is none. A full part waits for the bytes
 * behind it, since without any it would be the whole blob; but where there is no memory for those,
 * it is sent, and its own memory comes free.
 */
size_t s3_writer_make_room(struct s3_writer *writer)
{
    const uint64_t size_bytes = next_size(writer);
    const uint64_t old_tail = writer->has_old_tail ? writer->notes.tail_length : 0;

    if (size_bytes == 0) {
        return SIZE_MAX; /* writing says why that cannot be */
    }
    if (writer->spare_bytes == 0 && memory_budget_take(writer->store->memory, size_bytes, 0)) {
        writer->spare_bytes = size_bytes;
    }
    if (writer->spare_bytes > 0) {
        writer->waits_since_ms = 0;
        return (size_t)(writer->spare_bytes - old_tail) + (writer->spare_bytes == old_tail);
    }
    if (writer->bytes && s3_writer_send_part(writer, NULL)) {
        return SIZE_MAX;
    }
    return has_waited(writer) ? SIZE_MAX : 0;
}

enum error_code s3_writer_begin_tail(struct blob_writer *base, size_t *length_out,
                                     struct error *err)
{
    struct s3_writer *writer = s3_writer_of(base);
    const bool is_wanted = writer->has_old_tail && writer->notes.tail_key[0] == '\0';

    *length_out = is_wanted ? writer->notes.tail_length : 0;
    return !is_wanted || writer->bytes ? OK : new_bytes(writer, err);
}

static void take_tail(struct s3_writer *writer, struct strbuf *tail)
{
    free(writer->bytes); /* nothing is in them, nor resident */
    writer->length = tail->length;
    writer->bytes = memory_resize(strbuf_take(tail), writer->capacity, 1);
    writer->has_old_tail = false;
}

enum error_code s3_writer_give_tail(struct blob_writer *base, struct strbuf *tail,
                                    struct error *err)
{
    struct s3_writer *writer = s3_writer_of(base);

    assert(writer->has_old_tail);
    assert(writer->bytes);
    if (tail->length != writer->notes.tail_length) {
        return s3_objects_upload_is_gone(err);
    }
    take_tail(writer, tail);
    return OK;
}

enum error_code s3_writer_load_tail(struct s3_writer *writer, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf tail;
    const struct s3_notes *notes = &writer->notes;
    const struct blob_part all = {0, notes->tail_length};
    enum error_code code = OK;

    strbuf_init(&tail, notes->tail_length);
    if (!writer->has_old_tail) {
        return OK;
    }
    assert(notes->tail_key[0] != '\0'); /* else it was given back: s3_writer_begin_tail */
    code = new_bytes(writer, err);
    if (!code) {
        code = s3_objects_read(&writer->store->objects, notes->tail_key, &all, &tail, err);
    }
    if (code == ERROR_NOT_FOUND || (!code && tail.length != notes->tail_length)) {
        code = s3_objects_upload_is_gone(err);
    }
    if (code) {
        s3_writer_drop_bytes(writer);
        return code;
    }
    take_tail(writer, &tail);
    return OK;
}

static enum error_code begin_multipart(struct s3_writer *writer, struct error *err)
{
    struct s3_notes *notes = &writer->notes;

    if (notes->upload_id[0] != '\0') {
        return OK;
    }
    assert(notes->part_count == 0);
    s3_store_upload_key(writer->store, &writer->base.upload, notes->key);
    return s3_objects_begin(&writer->store->objects, notes, err);
}

static bool is_cancelled(struct s3_writer *writer)
{
    bool is_cancelled = false;

    (void)pthread_mutex_lock(&writer->parts_mutex);
    is_cancelled = writer->is_cancelled || writer->failed;
    (void)pthread_mutex_unlock(&writer->parts_mutex);
    return is_cancelled;
}

static void s3_writer_conclude(struct part_job *part, const struct s3_part *sent,
                               enum error_code code, const struct error *err)
{
    struct s3_writer *writer = part->writer;

    free(part->bytes);
    memory_budget_give(writer->store->memory, part->capacity);
    (void)pthread_mutex_lock(&writer->parts_mutex);
    *s3_notes_part(&writer->notes, part->number) = *sent;
    if (code && !writer->failed) {
        writer->failed = code;
        writer->failure = *err;
    }
    writer->in_flight--;
    (void)pthread_cond_signal(&writer->part_is_done);
    (void)pthread_mutex_unlock(&writer->parts_mutex);
    free(part);
}

/* On a sender. The writer is there until in_flight is 0. */
static void send_now(struct job *job)
{
    struct part_job *part = (struct part_job *)job; /* its first member */
    struct s3_writer *writer = part->writer;
    const struct s3_part_location location = {writer->notes.key, writer->notes.upload_id,
                                              part->number};
    struct s3_part sent = {0};
    struct error err = {0};
    enum error_code code = OK;

    if (!is_cancelled(writer)) {
        code = s3_objects_put_part(&writer->store->objects, &location,
                                   (struct str){part->bytes, part->length}, &sent, &err);
    }
    s3_writer_conclude(part, &sent, code, &err);
}

enum error_code s3_writer_send_part(struct s3_writer *writer, struct error *err)
{
    struct part_job *part = NULL;
    enum error_code code = begin_multipart(writer, err);

    if (!code) {
        code = s3_writer_await_parts(writer, writer->store->config.settings.upload_parts - 1, err);
    }
    if (code) {
        return code;
    }
    part = memory_new(1, sizeof(*part));
    *part = (struct part_job){.job.run = send_now,
                              .writer = writer,
                              .bytes = writer->bytes,
                              .length = writer->length,
                              .capacity = writer->capacity};
    list_init(&part->job.node);
    writer->bytes = NULL;
    writer->length = 0;
    (void)pthread_mutex_lock(&writer->parts_mutex);
    part->number = (unsigned)writer->notes.part_count + 1;
    (void)s3_notes_part(&writer->notes, part->number);
    writer->in_flight++;
    (void)pthread_mutex_unlock(&writer->parts_mutex);
    workers_submit(writer->store->senders, &part->job);
    return OK;
}

enum error_code s3_writer_await_parts(struct s3_writer *writer, unsigned most, struct error *err)
{
    enum error_code code = OK;

    (void)pthread_mutex_lock(&writer->parts_mutex);
    while (writer->in_flight > most) {
        (void)pthread_cond_wait(&writer->part_is_done, &writer->parts_mutex);
    }
    code = writer->failed;
    if (code && err) {
        *err = writer->failure;
    }
    (void)pthread_mutex_unlock(&writer->parts_mutex);
    return code;
}

void s3_writer_drop_bytes(struct s3_writer *writer)
{
    give_spare(writer);
    if (writer->bytes) {
        free(writer->bytes);
        memory_budget_give(writer->store->memory, writer->capacity);
        writer->bytes = NULL;
        writer->length = 0;
    }
}
