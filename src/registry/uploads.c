#include "registry/uploads.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "metadata/uploads.h"
#include "registry/registry_private.h"

enum {
    EXPIRED_PER_RUN = 100,
    /* An upload's row: id, repository, identity, hash. */
    RECORD_ARENA_BYTES = 16 * 1024,
    EXPIRY_ARENA_BYTES = EXPIRED_PER_RUN * RECORD_ARENA_BYTES,
};

struct upload {
    struct open_upload open; /* first */
    struct registry *registry;
    struct blob_upload rested;  /* as it was when last saved */
    struct blob_writer *writer; /* NULL until something is written */
    char *repository;
    char *created_by;
    int64_t created_ms;
    bool is_saved; /* it has a row in the metadata */
};

static struct upload *new_upload(struct registry *registry, const struct upload_key *key,
                                 struct str id);
static char *new_text(struct str text);
static enum error_code enter(struct upload *upload, struct error *err);
static void leave(struct upload *upload);
static void free_upload(struct upload *upload);
static enum error_code resume(struct upload *upload, const struct upload_key *key,
                              struct error *err);
static enum error_code check_record(const struct upload *upload, const struct upload_record *record,
                                    struct error *err);
static bool is_stale(const struct registry *registry, const struct upload_record *record);
static enum error_code need_writer(struct upload *upload, struct error *err);
static void drop_writer(struct upload *upload);
static enum error_code save(struct upload *upload, const struct blob_upload *state,
                            struct error *err);
static enum error_code forget(struct upload *upload, struct error *err);
static enum error_code expire(struct registry *registry, const struct upload_record *record,
                              size_t *expired, struct error *err);
static enum error_code check_still_stale(struct registry *registry,
                                         const struct upload_record *record, bool *is_stale_out,
                                         struct error *err);

enum error_code upload_begin(struct registry *registry, const struct upload_key *key,
                             enum digest_algorithm algorithm, struct upload **upload_out,
                             struct error *err)
{
    struct blob_upload fresh;
    struct upload *upload = NULL;
    enum error_code code = OK;

    blob_upload_init(&fresh, algorithm);
    upload = new_upload(registry, key, str_from(fresh.id));
    upload->rested = fresh;
    code = enter(upload, err);
    if (code) {
        free_upload(upload);
        return code;
    }
    *upload_out = upload;
    return OK;
}

static struct upload *new_upload(struct registry *registry, const struct upload_key *key,
                                 struct str id)
{
    struct upload *upload = memory_new(1, sizeof(*upload));

    assert(id.length < sizeof(upload->open.id));
    memcpy(upload->open.id, id.bytes, id.length);
    upload->registry = registry;
    upload->repository = new_text(key->repository.name);
    upload->created_by = new_text(key->identity);
    upload->created_ms = clock_wall_ms(registry->config.clock);
    return upload;
}

static char *new_text(struct str text)
{
    char *copy = memory_new(text.length + 1, 1);

    if (text.length > 0) {
        memcpy(copy, text.bytes, text.length);
    }
    return copy;
}

static enum error_code enter(struct upload *upload, struct error *err)
{
    if (open_uploads_enter(&upload->registry->open_uploads, &upload->open)) {
        return OK;
    }
    return error_set_about(err, ABOUT_UPLOAD, ERROR_CONFLICT,
                           "another request is working on this upload; wait for its answer");
}

static void free_upload(struct upload *upload)
{
    free(upload->repository);
    free(upload->created_by);
    free(upload);
}

enum error_code upload_open(struct registry *registry, const struct upload_key *key,
                            struct upload **upload_out, struct error *err)
{
    struct upload *upload = NULL;
    enum error_code code = OK;

    if (key->id.length != RANDOM_ID_BYTES - 1) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND, "no upload has such an id");
    }
    upload = new_upload(registry, key, key->id);
    code = enter(upload, err);
    if (code) {
        free_upload(upload);
        return code;
    }
    /* Only now: what another request acknowledged until it left must be seen. */
    code = resume(upload, key, err);
    if (code) {
        leave(upload);
        return code;
    }
    *upload_out = upload;
    return OK;
}

static enum error_code resume(struct upload *upload, const struct upload_key *key,
                              struct error *err)
{
    struct arena arena;
    struct upload_record record;
    enum error_code code = OK;

    arena_init(&arena, RECORD_ARENA_BYTES);
    code = metadata_find_upload(upload->registry->config.metadata, key->repository.name, key->id,
                                &arena, &record, err);
    if (!code) {
        code = check_record(upload, &record, err);
    }
    if (!code && !hasher_restore(&upload->rested.hasher, record.state)) {
        code = error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                               "this upload was begun by another version of the server, begin "
                               "again");
    }
    if (!code) {
        memcpy(upload->rested.id, upload->open.id, sizeof(upload->rested.id));
        upload->rested.offset_bytes = record.offset_bytes;
        upload->created_ms = record.created_ms;
        upload->is_saved = true;
    }
    arena_release(&arena);
    return code;
}

static enum error_code check_record(const struct upload *upload, const struct upload_record *record,
                                    struct error *err)
{
    if (!str_is(record->created_by, upload->created_by)) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_DENIED,
                               "this upload was begun by somebody else");
    }
    if (is_stale(upload->registry, record)) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                               "this upload rested for too long and has expired, begin again");
    }
    return OK;
}

static bool is_stale(const struct registry *registry, const struct upload_record *record)
{
    const struct registry_config *config = &registry->config;

    return record->updated_ms < clock_wall_ms(config->clock) - config->upload_lifetime_ms;
}

struct str upload_id(const struct upload *upload)
{
    return str_from(upload->open.id);
}

uint64_t upload_offset(const struct upload *upload)
{
    return upload->writer ? blob_writer_offset(upload->writer) : upload->rested.offset_bytes;
}

enum error_code upload_write(struct upload *upload, struct str bytes, struct error *err)
{
    enum error_code code = need_writer(upload, err);

    if (!code) {
        code = blob_writer_write(upload->writer, bytes, err);
    }
    if (code) {
        drop_writer(upload);
    }
    return code;
}

static enum error_code need_writer(struct upload *upload, struct error *err)
{
    return upload->writer ? OK
                          : blob_writer_open(upload->registry->config.blobs, &upload->rested,
                                             &upload->writer, err);
}

/* The upload is as it was when it last rested. */
static void drop_writer(struct upload *upload)
{
    blob_writer_free(upload->writer);
    upload->writer = NULL;
}

enum error_code upload_suspend(struct upload *upload, struct error *err)
{
    struct blob_upload state = upload->rested;
    enum error_code code = upload->writer ? blob_writer_suspend(upload->writer, &state, err) : OK;

    if (code) {
        drop_writer(upload);
        return code;
    }
    return save(upload, &state, err);
}

static enum error_code save(struct upload *upload, const struct blob_upload *state,
                            struct error *err)
{
    const struct upload_record record = {
        .id = str_from(state->id),
        .repository = str_from(upload->repository),
        .created_by = str_from(upload->created_by),
        .offset_bytes = state->offset_bytes,
        .state = hasher_save(&state->hasher),
        .created_ms = upload->created_ms,
        .updated_ms = clock_wall_ms(upload->registry->config.clock),
    };
    const enum error_code code =
        metadata_save_upload(upload->registry->config.metadata, &record, err);

    if (!code) {
        upload->is_saved = true;
        upload->rested = *state;
    }
    return code;
}

enum error_code upload_commit(struct upload *upload, const struct digest *expected,
                              struct error *err)
{
    enum error_code code = need_writer(upload, err);

    if (code) {
        return code;
    }
    code = blob_writer_commit(upload->writer, expected, err);
    if (code == ERROR_INVALID) {
        return code; /* another digest: the writer is as good as before */
    }
    drop_writer(upload);
    if (!code) {
        /* The blob is there, so this is no failure: a row that stays expires. */
        (void)!forget(upload, NULL);
    }
    return code;
}

/* Removes the row, if there is one: once is enough. */
static enum error_code forget(struct upload *upload, struct error *err)
{
    enum error_code code = OK;

    if (upload->is_saved) {
        code = metadata_remove_upload(upload->registry->config.metadata, upload_id(upload), err);
    }
    if (!code) {
        upload->is_saved = false;
    }
    return code;
}

enum error_code upload_cancel(struct upload *upload, struct error *err)
{
    enum error_code code = OK;

    drop_writer(upload);
    code = blob_store_discard(upload->registry->config.blobs, &upload->rested, err);
    return code ? code : forget(upload, err);
}

void upload_close(struct upload *upload)
{
    if (!upload) {
        return;
    }
    blob_writer_free(upload->writer);
    if (!upload->is_saved) {
        /* Nobody knows it: what it left is of no use. After a commit there is nothing. */
        (void)!blob_store_discard(upload->registry->config.blobs, &upload->rested, NULL);
    }
    leave(upload);
}

static void leave(struct upload *upload)
{
    open_uploads_leave(&upload->registry->open_uploads, &upload->open);
    free_upload(upload);
}

/* What cannot be discarded now does not keep the others: the first failure is told at the end. */
enum error_code registry_expire_uploads(struct registry *registry, size_t *expired_out,
                                        struct error *err)
{
    const struct registry_config *config = &registry->config;
    const int64_t before_ms = clock_wall_ms(config->clock) - config->upload_lifetime_ms;
    struct upload_list stale = {0};
    struct arena arena;
    const struct stale_upload_query query = {before_ms, EXPIRED_PER_RUN, &arena};
    size_t expired = 0;
    enum error_code code = OK;

    arena_init(&arena, EXPIRY_ARENA_BYTES);
    code = metadata_list_stale_uploads(config->metadata, &query, &stale, err);
    for (size_t i = 0; i < stale.count; i++) {
        const enum error_code failed =
            expire(registry, &stale.uploads[i], &expired, code ? NULL : err);

        code = code ? code : failed;
    }
    arena_release(&arena);
    *expired_out = expired;
    return code;
}

static enum error_code expire(struct registry *registry, const struct upload_record *record,
                              size_t *expired, struct error *err)
{
    struct open_upload open = {0};
    struct blob_upload rested = {0};
    const struct str id = str_slice(record->id, 0, sizeof(rested.id) - 1);
    bool is_still_stale = false;
    enum error_code code = OK;

    /* An id of another form has no bytes here: then only its row goes. */
    memcpy(rested.id, id.bytes, id.length);
    memcpy(open.id, rested.id, sizeof(open.id));
    if (!open_uploads_enter(&registry->open_uploads, &open)) {
        return OK; /* somebody goes on with it at this moment */
    }
    code = check_still_stale(registry, record, &is_still_stale, err);
    if (!code && is_still_stale) {
        code = blob_store_discard(registry->config.blobs, &rested, err);
    }
    if (!code && is_still_stale) {
        code = metadata_remove_upload(registry->config.metadata, record->id, err);
        *expired += code ? 0 : 1;
    }
    open_uploads_leave(&registry->open_uploads, &open);
    return code;
}

/* Somebody may have gone on, or come to the end, between the listing and our entering. */
static enum error_code check_still_stale(struct registry *registry,
                                         const struct upload_record *record, bool *is_stale_out,
                                         struct error *err)
{
    struct arena arena;
    struct upload_record now;
    enum error_code code = OK;

    arena_init(&arena, RECORD_ARENA_BYTES);
    code = metadata_find_upload(registry->config.metadata, record->repository, record->id, &arena,
                                &now, err);
    if (!code) {
        *is_stale_out = is_stale(registry, &now);
    }
    arena_release(&arena);
    return code == ERROR_NOT_FOUND ? OK : code;
}
