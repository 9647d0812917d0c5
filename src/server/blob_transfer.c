#include "server/blob_transfer.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/workers.h"
#include "metadata/blob_places.h"
#include "registry/blobs.h"

enum {
    CHUNK_BYTES = 64 * 1024,
    TELL_INTERVAL_MS = 1000,
    ROOM_PAUSE_MS = 5,
    ARENA_BYTES = 4096,
};

struct run;

/* A blob on its way: one for each thread, and one that waits. */
struct copy {
    struct job job; /* first */
    struct run *run;
    struct named_blob blob;
    bool is_idle;
    bool is_damaged;
    enum error_code code;
    struct error err;
    char chunk[CHUNK_BYTES];
};

struct run {
    const struct blob_transfer *transfer;
    struct registry *from; /* to read from */
    struct workers *workers;
    struct copy *copies;
    size_t copy_count;
    int64_t next_tell_ms;
    enum error_code code; /* the first failure: no more is begun */
    struct error err;
    pthread_mutex_t copies_mutex; /* guards what stands below, and is_idle of each */
    pthread_cond_t has_idle;
    struct blob_transfer_count count;
};

/* In a folder, what a killed run began is found again by its name, and written anew. */
static void init_upload(const struct blob_transfer *transfer, const struct digest *digest,
                        struct blob_upload *upload_out)
{
    char text[DIGEST_TEXT_BYTES];

    blob_upload_init(upload_out, digest->algorithm);
    if (!blob_store_has_locations(transfer->to)) {
        digest_format(digest, text);
        (void)snprintf(upload_out->id, sizeof(upload_out->id), "%.32s", strchr(text, ':') + 1);
    }
}

static enum error_code is_there(const struct blob_transfer *transfer, const struct digest *digest,
                                bool *is_there_out, struct error *err)
{
    struct blob_content content = {.fd = -1};
    struct blob_upload upload;
    struct blob_place_record place;
    struct arena arena;
    enum error_code code = OK;

    if (blob_store_has_locations(transfer->to)) {
        arena_init(&arena, ARENA_BYTES);
        code = metadata_find_blob_place(transfer->to_metadata, digest, &arena, &place, err);
        arena_release(&arena);
    } else {
        code = blob_store_read(transfer->to, digest, NULL, &content, err);
        if (!code) {
            blob_content_release(&content);
            init_upload(transfer, digest, &upload); /* killed in between, it has two names */
            (void)!blob_store_discard(transfer->to, &upload, NULL);
        }
    }
    *is_there_out = code == OK;
    return code == ERROR_NOT_FOUND ? OK : code;
}

static enum error_code begin_copy(struct copy *copy, struct blob_writer **writer_out)
{
    struct blob_store *to = copy->run->transfer->to;
    struct blob_upload upload;
    enum error_code code = blob_store_check_size(to, copy->blob.size_bytes, &copy->err);

    if (code) {
        return code;
    }
    init_upload(copy->run->transfer, &copy->blob.digest, &upload);
    code = blob_writer_open(to, &upload, writer_out, &copy->err);
    blob_upload_release(&upload);
    return code;
}

static enum error_code write_chunk(struct copy *copy, struct blob_writer *writer, size_t length)
{
    size_t written = 0;
    enum error_code code = OK;

    while (!code && written < length) {
        const size_t room = blob_writer_room(writer);
        const size_t piece = room < length - written ? room : length - written;

        if (piece == 0) {
            clock_pause(ROOM_PAUSE_MS);
            continue;
        }
        code = blob_writer_write(writer, (struct str){copy->chunk + written, piece}, &copy->err);
        written += piece;
    }
    return code;
}

/* A medium that fails has damaged what it cannot give; another server may be back later. */
static enum error_code fill(struct copy *copy, struct blob_reader *reader,
                            struct blob_writer *writer)
{
    size_t length = 1;
    enum error_code code = OK;

    while (!code && length > 0) {
        code = blob_reader_read(reader, copy->chunk, sizeof(copy->chunk), &length, &copy->err);
        copy->is_damaged = code == ERROR_INTERNAL;
        if (!code && length > 0) {
            code = write_chunk(copy, writer, length);
        }
    }
    return code;
}

static enum error_code publish(struct copy *copy, struct blob_writer *writer)
{
    const struct blob_transfer *transfer = copy->run->transfer;
    struct blob_location location;
    struct blob_place_record place = {.digest = copy->blob.digest,
                                      .size_bytes = blob_writer_offset(writer),
                                      .touched_ms = clock_wall_ms(&clock_system)};
    enum error_code code = blob_writer_check(writer, &copy->blob.digest, &copy->err);

    if (code) {
        copy->is_damaged = code == ERROR_INVALID;
        return code;
    }
    code = blob_writer_commit(writer, &copy->blob.digest, &location, &copy->err);
    if (!code && blob_store_has_locations(transfer->to)) {
        place.location = str_from(location.key);
        code = metadata_add_blob_place(transfer->to_metadata, &place, &copy->err);
    }
    return code;
}

/* What is left of it does no harm. */
static void discard(struct copy *copy, struct blob_writer *writer)
{
    struct blob_upload upload;

    if (!blob_writer_suspend(writer, &upload, NULL)) {
        (void)!blob_store_discard(copy->run->transfer->to, &upload, NULL);
        blob_upload_release(&upload);
    }
}

static enum error_code copy_bytes(struct copy *copy, struct blob_reader *reader)
{
    struct blob_writer *writer = NULL;
    enum error_code code = begin_copy(copy, &writer);

    if (code) {
        return code;
    }
    code = fill(copy, reader, writer);
    if (!code) {
        code = publish(copy, writer);
    }
    if (copy->is_damaged) {
        discard(copy, writer);
    }
    blob_writer_free(writer);
    return code;
}

static void copy_blob(struct job *job)
{
    struct copy *copy = (struct copy *)job; /* its first member */
    struct run *run = copy->run;
    struct blob_reader reader;
    bool is_present = false;
    bool was_there = true;
    uint64_t bytes = 0;
    enum error_code code = is_there(run->transfer, &copy->blob.digest, &is_present, &copy->err);

    if (!code && !is_present) {
        code = blob_reader_open(&reader, run->from, &copy->blob.digest, &copy->err);
        /* What a manifest names need not ever have been here: of that no size is known. */
        was_there = code != ERROR_NOT_FOUND || copy->blob.size_bytes > 0;
        copy->is_damaged = code == ERROR_NOT_FOUND && was_there;
        if (!code) {
            bytes = reader.content.size_bytes;
            code = copy_bytes(copy, &reader);
            blob_reader_close(&reader);
        }
    }
    (void)pthread_mutex_lock(&run->copies_mutex);
    copy->code = was_there ? code : OK;
    run->count.present += is_present;
    run->count.damaged += copy->is_damaged;
    if (!code && !is_present) {
        run->count.copied++;
        run->count.copied_bytes += bytes;
    }
    copy->is_idle = true;
    (void)pthread_cond_signal(&run->has_idle);
    (void)pthread_mutex_unlock(&run->copies_mutex);
}

static void run_init(struct run *run, const struct blob_transfer *transfer)
{
    const struct registry_config config = {
        .metadata = transfer->from_metadata, .blobs = transfer->from, .clock = &clock_system};

    *run = (struct run){.transfer = transfer, .copy_count = (size_t)transfer->threads + 1};
    run->from = registry_new(&config);
    run->copies = memory_new(run->copy_count, sizeof(*run->copies));
    run->next_tell_ms = clock_monotonic_ms(&clock_system) + TELL_INTERVAL_MS;
    (void)pthread_mutex_init(&run->copies_mutex, NULL);
    (void)pthread_cond_init(&run->has_idle, NULL);
    for (size_t i = 0; i < run->copy_count; i++) {
        run->copies[i].run = run;
        run->copies[i].is_idle = true;
        run->copies[i].job.run = copy_blob;
    }
}

static struct copy *find_idle(struct run *run)
{
    for (size_t i = 0; i < run->copy_count; i++) {
        if (run->copies[i].is_idle) {
            return &run->copies[i];
        }
    }
    return NULL;
}

static void tell_now_and_then(struct run *run)
{
    const int64_t now_ms = clock_monotonic_ms(&clock_system);

    if (now_ms >= run->next_tell_ms) {
        run->transfer->tell(run->transfer->context, &run->count);
        run->next_tell_ms = now_ms + TELL_INTERVAL_MS;
    }
}

static void transfer_take_result(struct run *run, struct copy *copy)
{
    const struct blob_transfer *transfer = run->transfer;

    if (copy->is_damaged) {
        transfer->tell_damaged(transfer->context, &copy->blob.digest, copy->err.message);
    } else if (copy->code && !run->code) {
        run->code = copy->code;
        run->err = copy->err;
    }
    copy->is_damaged = false;
    copy->code = OK;
}

/* One that is done, with what came of it noted. */
static struct copy *await_idle(struct run *run)
{
    struct copy *copy = NULL;

    (void)pthread_mutex_lock(&run->copies_mutex);
    for (copy = find_idle(run); !copy; copy = find_idle(run)) {
        const struct timespec until =
            clock_timespec(clock_wall_ms(&clock_system) + TELL_INTERVAL_MS);

        (void)pthread_cond_timedwait(&run->has_idle, &run->copies_mutex, &until);
        tell_now_and_then(run);
    }
    (void)pthread_mutex_unlock(&run->copies_mutex);
    transfer_take_result(run, copy);
    tell_now_and_then(run);
    return copy;
}

static enum error_code start_copies(struct run *run, struct error *err)
{
    struct named_blob_page page = {0};
    struct digest last;
    bool has_last = false;
    enum error_code code = OK;

    do {
        code = metadata_list_named_blobs(run->transfer->from_metadata, has_last ? &last : NULL,
                                         &page, err);
        for (size_t i = 0; !code && !run->code && i < page.count; i++) {
            struct copy *copy = await_idle(run);

            copy->blob = page.blobs[i];
            copy->is_idle = false;
            workers_submit(run->workers, &copy->job);
            last = page.blobs[i].digest;
            has_last = true;
        }
    } while (!code && !run->code && page.count > 0);
    return code;
}

static void await_all(struct run *run)
{
    for (size_t i = 0; i < run->copy_count; i++) {
        struct copy *copy = &run->copies[i];

        (void)pthread_mutex_lock(&run->copies_mutex);
        while (!copy->is_idle) {
            (void)pthread_cond_wait(&run->has_idle, &run->copies_mutex);
        }
        (void)pthread_mutex_unlock(&run->copies_mutex);
        transfer_take_result(run, copy);
    }
    run->transfer->tell(run->transfer->context, &run->count);
}

static void run_release(struct run *run)
{
    (void)pthread_cond_destroy(&run->has_idle);
    (void)pthread_mutex_destroy(&run->copies_mutex);
    free(run->copies);
    registry_free(run->from);
}

enum error_code blob_transfer_run(const struct blob_transfer *transfer,
                                  struct blob_transfer_count *count_out, struct error *err)
{
    struct run run;
    enum error_code code = OK;

    run_init(&run, transfer);
    code = workers_new(transfer->threads, NULL, NULL, &run.workers, err);
    if (!code) {
        code = start_copies(&run, err);
        await_all(&run);
        workers_free(run.workers);
    }
    if (!code && run.code) {
        code = error_set(err, run.code, "%s", run.err.message);
    }
    *count_out = run.count;
    run_release(&run);
    return code;
}
