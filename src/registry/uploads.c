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
                                 const struct blob_upload *rested);
static enum error_code enter(struct upload *upload, struct upload **upload_out, struct error *err);
static enum error_code find(struct registry *registry, const struct upload_key *key,
                            struct arena *arena, struct upload_record *record_out,
                            struct error *err);
static enum error_code restore(const struct upload_record *record, struct blob_upload *rested_out,
                               struct error *err);
static enum error_code need_writer(struct upload *upload, struct error *err);
static enum error_code save(struct upload *upload, const struct blob_upload *state,
                            struct error *err);
static enum error_code forget(struct upload *upload, struct error *err);
static enum error_code expire(struct registry *registry, const struct upload_record *record,
                              size_t *expired, struct error *err);

enum error_code upload_begin(struct registry *registry, const struct upload_key *key,
                             enum digest_algorithm algorithm, struct upload **upload_out,
                             struct error *err)
{
    struct blob_upload fresh;

    blob_upload_init(&fresh, algorithm);
    return enter(new_upload(registry, key, &fresh), upload_out, err);
}

static struct upload *new_upload(struct registry *registry, const struct upload_key *key,
                                 const struct blob_upload *rested)
{
    struct upload *upload = memory_new(1, sizeof(*upload));
    const struct str repository = key->repository.name;

    upload->registry = registry;
    upload->rested = *rested;
    memcpy(upload->open.id, rested->id, sizeof(upload->open.id));
    upload->repository = memory_new(repository.length + 1, 1);
    memcpy(upload->repository, repository.bytes, repository.length);
    upload->created_by = memory_new(key->identity.length + 1, 1);
    memcpy(upload->created_by, key->identity.bytes, key->identity.length);
    upload->created_ms = clock_wall_ms(registry->config.clock);
    return upload;
}

static enum error_code enter(struct upload *upload, struct upload **upload_out, struct error *err)
{
    if (!open_uploads_enter(&upload->registry->open_uploads, &upload->open)) {
        free(upload->repository);
        free(upload->created_by);
        free(upload);
        return error_set_about(err, ABOUT_UPLOAD, ERROR_CONFLICT,
                               "another request is working on this upload; wait for its answer");
    }
    *upload_out = upload;
    return OK;
}

enum error_code upload_open(struct registry *registry, const struct upload_key *key,
                            struct upload **upload_out, struct error *err)
{
    struct arena arena;
    struct upload_record record;
    struct blob_upload rested;
    enum error_code code = OK;

    arena_init(&arena, RECORD_ARENA_BYTES);
    code = find(registry, key, &arena, &record, err);
    if (!code) {
        code = restore(&record, &rested, err);
    }
    if (!code) {
        struct upload *upload = new_upload(registry, key, &rested);

        upload->is_saved = true;
        upload->created_ms = record.created_ms;
        code = enter(upload, upload_out, err);
    }
    arena_release(&arena);
    return code;
}

static enum error_code find(struct registry *registry, const struct upload_key *key,
                            struct arena *arena, struct upload_record *record_out,
                            struct error *err)
{
    const enum error_code code = metadata_find_upload(
        registry->config.metadata, key->repository.name, key->id, arena, record_out, err);

    if (!code && !str_equal(record_out->created_by, key->identity)) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_DENIED,
                               "this upload was begun by somebody else");
    }
    return code;
}

static enum error_code restore(const struct upload_record *record, struct blob_upload *rested_out,
                               struct error *err)
{
    struct blob_upload rested = {.offset_bytes = record->offset_bytes};

    if (record->id.length != sizeof(rested.id) - 1 ||
        !hasher_restore(&rested.hasher, record->state)) {
        return error_set_about(
            err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
            "this upload was begun by another version of the server, begin again");
    }
    memcpy(rested.id, record->id.bytes, record->id.length);
    *rested_out = rested;
    return OK;
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
        blob_writer_free(upload->writer);
        upload->writer = NULL;
    }
    return code;
}

static enum error_code need_writer(struct upload *upload, struct error *err)
{
    return upload->writer ? OK
                          : blob_writer_open(upload->registry->config.blobs, &upload->rested,
                                             &upload->writer, err);
}

enum error_code upload_suspend(struct upload *upload, struct error *err)
{
    struct blob_upload state = upload->rested;
    enum error_code code = upload->writer ? blob_writer_suspend(upload->writer, &state, err) : OK;

    return code ? code : save(upload, &state, err);
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

    if (!code) {
        code = blob_writer_commit(upload->writer, expected, err);
    }
    return code ? code : forget(upload, err);
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

    blob_writer_free(upload->writer);
    upload->writer = NULL;
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
    open_uploads_leave(&upload->registry->open_uploads, &upload->open);
    free(upload->repository);
    free(upload->created_by);
    free(upload);
}

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
    for (size_t i = 0; i < stale.count && !code; i++) {
        code = expire(registry, &stale.uploads[i], &expired, err);
    }
    arena_release(&arena);
    *expired_out = expired;
    return code;
}

static enum error_code expire(struct registry *registry, const struct upload_record *record,
                              size_t *expired, struct error *err)
{
    struct open_upload open = {0};
    struct blob_upload rested;
    enum error_code code = OK;

    if (restore(record, &rested, NULL)) {
        blob_upload_init(&rested, DIGEST_SHA256); /* of another version: only the row is left */
    }
    memcpy(open.id, rested.id, sizeof(open.id));
    if (!open_uploads_enter(&registry->open_uploads, &open)) {
        return OK; /* somebody goes on with it at this moment */
    }
    code = blob_store_discard(registry->config.blobs, &rested, err);
    if (!code) {
        code = metadata_remove_upload(registry->config.metadata, record->id, err);
    }
    *expired += code ? 0 : 1;
    open_uploads_leave(&registry->open_uploads, &open);
    return code;
}
