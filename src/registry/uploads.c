#include "registry/uploads.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "metadata/uploads.h"
#include "registry/blobs.h"
#include "registry/open_uploads.h"
#include "registry/registry_private.h"

struct upload {
    struct open_upload open; /* first */
    struct registry *registry;
    struct blob_upload rested;  /* as it was when last saved */
    struct blob_writer *writer; /* NULL until something is written */
    char *repository;
    char *created_by;
    char login[UPLOAD_LOGIN_BYTES];
    size_t login_length;
    int64_t login_ends_ms;
    int64_t created_ms;
    int64_t touched_ms; /* when the metadata last heard of it */
    bool is_saved;      /* it has a row in the metadata */
    bool is_committed;  /* it is a blob now, and has no bytes of its own any more */
};

static void upload_set_login(struct upload *upload, struct str login)
{
    assert(login.length <= sizeof(upload->login));
    if (login.length > 0) {
        memcpy(upload->login, login.bytes, login.length);
    }
    upload->login_length = login.length;
}

static struct upload *new_upload(struct registry *registry, const struct upload_key *key,
                                 struct str id)
{
    struct upload *upload = memory_new(1, sizeof(*upload));

    assert(id.length < sizeof(upload->open.id));
    memcpy(upload->open.id, id.bytes, id.length);
    upload->open.ends = key->ends;
    upload->registry = registry;
    upload->repository = memory_new_text(key->repository.name.bytes, key->repository.name.length);
    upload->created_by = memory_new_text(key->identity.bytes, key->identity.length);
    upload_set_login(upload, key->login);
    upload->created_ms = clock_wall_ms(registry->config.clock);
    /* What does not end by itself may have been taken back at any time since. */
    upload->login_ends_ms =
        key->login_ends_ms == INT64_MAX ? upload->created_ms : key->login_ends_ms;
    return upload;
}

static enum error_code upload_enter(struct upload *upload, struct error *err)
{
    if (open_uploads_enter(&upload->registry->open_uploads, &upload->open)) {
        return OK;
    }
    return error_set_about(err, ABOUT_UPLOAD, ERROR_CONFLICT,
                           "another request is working on this upload; wait for its answer");
}

static void free_upload(struct upload *upload)
{
    blob_upload_release(&upload->rested);
    free(upload->repository);
    free(upload->created_by);
    free(upload);
}

static void upload_leave(struct upload *upload)
{
    open_uploads_leave(&upload->registry->open_uploads, &upload->open);
    free_upload(upload);
}

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
    code = upload_enter(upload, err);
    if (code) {
        free_upload(upload);
        return code;
    }
    code = upload_quota_begin(registry, &upload->open, str_from(upload->created_by),
                              str_from(upload->repository), err);
    if (code) {
        upload_leave(upload);
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

    arena_init(&arena, UPLOAD_RECORD_ARENA_BYTES);
    code = metadata_find_upload(upload->registry->config.metadata, key->repository.name, key->id,
                                &arena, &record, err);
    if (!code) {
        code = upload_record_check(upload->registry, key, &record, err);
    }
    if (!code && !blob_upload_restore(&upload->rested, record.state)) {
        code = error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                               "this upload was begun by another version of the server, begin "
                               "again");
    }
    if (!code) {
        memcpy(upload->rested.id, upload->open.id, sizeof(upload->rested.id));
        upload->rested.offset_bytes = record.offset_bytes;
        upload->created_ms = record.created_ms;
        upload->touched_ms = record.updated_ms;
        upload->login_ends_ms = record.login_ends_ms;
        free(upload->created_by);
        upload->created_by = memory_new_text(record.created_by.bytes, record.created_by.length);
        upload_set_login(upload, str_slice(record.login, 0, sizeof(upload->login)));
        upload->is_saved = true;
        upload_quota_resume(upload->registry, &upload->open, str_from(upload->created_by),
                            str_from(upload->repository));
    }
    arena_release(&arena);
    return code;
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
    code = upload_enter(upload, err);
    if (code) {
        free_upload(upload);
        return code;
    }
    /* Only now: what another request acknowledged until it left must be seen. */
    code = resume(upload, key, err);
    if (code) {
        upload_leave(upload);
        return code;
    }
    *upload_out = upload;
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

enum error_code upload_check_room(const struct upload *upload, uint64_t more_bytes,
                                  struct error *err)
{
    const uint64_t offset_bytes = upload_offset(upload);
    const uint64_t most_bytes = UINT64_MAX - offset_bytes;
    const enum error_code code = blob_store_check_size(
        upload->registry->config.blobs,
        offset_bytes + (more_bytes < most_bytes ? more_bytes : most_bytes), err);

    return code ? code : upload_quota_check(upload->registry, &upload->open, more_bytes, err);
}

uint64_t upload_allowed_bytes(const struct upload *upload)
{
    const uint64_t largest_bytes = blob_store_largest_bytes(upload->registry->config.blobs);
    const uint64_t offset_bytes = upload_offset(upload);

    return offset_bytes < largest_bytes ? largest_bytes - offset_bytes : 0;
}

static enum error_code need_writer(struct upload *upload, struct error *err)
{
    return upload->writer ? OK
                          : blob_writer_open(upload->registry->config.blobs, &upload->rested,
                                             &upload->writer, err);
}

/* What cannot be opened is told by writing. */
size_t upload_room(struct upload *upload)
{
    return need_writer(upload, NULL) ? SIZE_MAX : blob_writer_room(upload->writer);
}

/* The upload is as it was when it last rested. */
static void drop_writer(struct upload *upload)
{
    blob_writer_free(upload->writer);
    upload->writer = NULL;
    upload_quota_dropped(upload->registry, &upload->open);
}

enum error_code upload_write(struct upload *upload, struct str bytes, struct error *err)
{
    enum error_code code = need_writer(upload, err);

    if (!code) {
        code = upload_quota_take(upload->registry, &upload->open, bytes.length, err);
    }
    if (!code) {
        code = blob_give_tail(upload->registry, upload->writer, &upload->rested, err);
    }
    if (!code) {
        code = blob_writer_write(upload->writer, bytes, err);
    }
    if (code) {
        drop_writer(upload);
        return code;
    }
    if (upload->is_saved) {
        upload_record_keep_awake(upload->registry, upload_id(upload), &upload->touched_ms);
    }
    return OK;
}

static enum error_code upload_save(struct upload *upload, const struct blob_upload *state,
                                   struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf bytes;
    struct upload_record record = {
        .id = str_from(state->id),
        .repository = str_from(upload->repository),
        .created_by = str_from(upload->created_by),
        .login = {upload->login, upload->login_length},
        .login_ends_ms = upload->login_ends_ms,
        .offset_bytes = state->offset_bytes,
        .goes_on = upload->is_saved,
        .from_bytes = upload->rested.offset_bytes,
        .is_tail_new = state->tail.is_new,
        .tail = state->tail.bytes,
        .created_ms = upload->created_ms,
        .updated_ms = clock_wall_ms(upload->registry->config.clock),
    };
    enum error_code code = OK;

    strbuf_init(&bytes, UPLOAD_STATE_MAX_BYTES);
    blob_upload_save(state, &bytes);
    record.state = strbuf_str(&bytes);
    code = metadata_save_upload(upload->registry->config.metadata, &record, err);
    if (!code) {
        upload->is_saved = true;
        upload->touched_ms = record.updated_ms;
        upload_quota_saved(upload->registry, &upload->open);
    }
    return code;
}

enum error_code upload_suspend(struct upload *upload, struct error *err)
{
    struct blob_upload state;
    enum error_code code = OK;

    if (!upload->writer) {
        return upload_save(upload, &upload->rested, err);
    }
    code = blob_writer_suspend(upload->writer, &state, err);
    if (code) {
        drop_writer(upload);
        return code;
    }
    code = upload_save(upload, &state, err);
    if (code) {
        blob_upload_release(&state);
        return code;
    }
    blob_upload_release(&upload->rested);
    upload->rested = state;
    upload->rested.tail = (struct blob_tail){0}; /* the writer's, and saved */
    return OK;
}

bool upload_may_commit(struct upload *upload, const struct digest *expected)
{
    return upload->rested.hasher.algorithm == expected->algorithm ||
           open_uploads_begin_rehash(&upload->registry->open_uploads, &upload->open);
}

/* Takes the row from those that rest, if there is one: once is enough. */
static enum error_code upload_end(struct upload *upload, const struct digest *digest,
                                  struct error *err)
{
    const struct upload_ending ending = {upload_id(upload), digest,
                                         clock_wall_ms(upload->registry->config.clock)};
    enum error_code code = OK;

    if (upload->is_saved) {
        code = metadata_end_upload(upload->registry->config.metadata, &ending, err);
    }
    upload->is_saved = upload->is_saved && code != OK;
    metric_add(upload->registry->open_uploads.metrics, digest ? UPLOAD_COMMITTED : UPLOAD_CANCELLED,
               1);
    return code;
}

static enum error_code commit(struct upload *upload, const struct digest *expected,
                              struct error *err)
{
    bool is_there = false;
    enum error_code code = need_writer(upload, err);

    if (code) {
        return code;
    }
    if (upload->rested.hasher.algorithm != expected->algorithm) {
        code = blob_give_tail(upload->registry, upload->writer, &upload->rested, err);
    }
    if (!code) {
        code = blob_writer_check(upload->writer, expected, err);
    }
    if (code == ERROR_INVALID) {
        return code; /* another digest: the writer is as good as before */
    }
    if (!code) {
        code = blob_publish(upload->registry, upload->writer, &upload->rested, expected, &is_there,
                            err);
    }
    drop_writer(upload);
    if (is_there) {
        /* Somebody else's: ours is of no use. */
        (void)!blob_store_discard(upload->registry->config.blobs, &upload->rested, NULL);
    }
    if (!code) {
        upload->is_committed = true;
        /* The blob is there, so this is no failure: a row that stays expires. */
        (void)!upload_end(upload, expected, NULL);
    }
    return code;
}

enum error_code upload_commit(struct upload *upload, const struct digest *expected,
                              struct error *err)
{
    const enum error_code code = commit(upload, expected, err);

    if (code == ERROR_INVALID && upload->open.rehashes) {
        (void)!upload_cancel(upload, NULL); /* or one could have it hashed again and again */
    }
    return code == ERROR_NOT_FOUND && upload_has_become(upload, expected) ? OK : code;
}

/* The bytes go when the blob is there, and the row behind them. */
bool upload_has_become(struct upload *upload, const struct digest *expected)
{
    uint64_t size_bytes = 0;
    bool is_there = false;

    if (registry_find_blob(upload->registry, expected, &is_there, &size_bytes, NULL) || !is_there) {
        return false;
    }
    drop_writer(upload);
    upload->is_committed = true;
    (void)!upload_end(upload, expected, NULL);
    return true;
}

enum error_code upload_cancel(struct upload *upload, struct error *err)
{
    enum error_code code = OK;

    drop_writer(upload);
    code = blob_store_discard(upload->registry->config.blobs, &upload->rested, err);
    return code ? code : upload_end(upload, NULL, err);
}

void upload_close(struct upload *upload)
{
    if (!upload) {
        return;
    }
    blob_writer_free(upload->writer);
    if (!upload->is_saved && !upload->is_committed) {
        /* Nobody knows it: what it left is of no use. */
        (void)!blob_store_discard(upload->registry->config.blobs, &upload->rested, NULL);
    }
    upload_leave(upload);
}
