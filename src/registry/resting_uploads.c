#include <string.h>

#include "metadata/uploads.h"
#include "registry/registry_private.h"
#include "registry/uploads.h"

enum {
    /*
     * How long a login that is over may go on with the uploads that were begun with it: as long as
     * a huge layer takes on a slow line.
     */
    LOGIN_GRACE_MS = 12 * 60 * 60 * 1000,
    /* How long what became of an upload is told to who asks again. */
    ENDED_KEPT_MS = 60 * 60 * 1000,
    FORGOTTEN_PER_RUN = 10 * 1000,
    TOUCHES_PER_LIFETIME = 4,
};

enum {
    EXPIRED_PER_RUN = 100,
    FAILURES_PER_RUN = 3,
    EXPIRY_ARENA_BYTES = EXPIRED_PER_RUN * UPLOAD_ENTRY_ARENA_BYTES,
};

/* Logins that ended before that are over for good. */
static int64_t grace_begin_ms(const struct registry *registry)
{
    return clock_wall_ms(registry->config.clock) - LOGIN_GRACE_MS;
}

/* Of what nobody knows when it ended, nobody knows that it was good. */
static bool ends_in_grace(const struct registry *registry, const struct upload_key *key)
{
    return key->login_ends_ms != INT64_MAX && key->login_ends_ms >= grace_begin_ms(registry);
}

/* The login it was begun with, or another of the same identity that was good then. */
static bool has_grace(const struct registry *registry, const struct upload_key *key,
                      const struct upload_record *record, bool is_same_login)
{
    return is_same_login ? record->login_ends_ms >= grace_begin_ms(registry)
                         : ends_in_grace(registry, key) && key->login_ends_ms > record->created_ms;
}

/* Whether it has rested for longer than its lifetime. */
static bool has_expired(const struct registry *registry, const struct upload_record *record)
{
    const struct registry_config *config = &registry->config;

    return record->updated_ms < clock_wall_ms(config->clock) - config->settings.upload_lifetime_ms;
}

/* When uploads began that may still go on. */
static int64_t oldest_ms(const struct registry *registry)
{
    return clock_wall_ms(registry->config.clock) - registry->config.settings.upload_age_ms;
}

enum error_code upload_record_check(const struct registry *registry, const struct upload_key *key,
                                    const struct upload_record *record, struct error *err)
{
    const bool is_same_login = key->login.length > 0 && str_equal(key->login, record->login);

    if (key->identity.length == 0 && !is_same_login) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_UNAUTHENTICATED,
                               "log in again: this upload was not begun with these credentials");
    }
    if (key->identity.length > 0 && !str_equal(record->created_by, key->identity)) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_DENIED,
                               "this upload was begun by somebody else");
    }
    if (key->has_expired && !has_grace(registry, key, record, is_same_login)) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_UNAUTHENTICATED,
                               "log in again: this login is over for too long, or was when this "
                               "upload began");
    }
    if (has_expired(registry, record)) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                               "this upload rested for too long and has expired, begin again");
    }
    if (record->created_ms < oldest_ms(registry)) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                               "this upload was begun too long ago and has expired, begin again "
                               "(limits.upload_age)");
    }
    return OK;
}

bool registry_upload_is_going_on(struct registry *registry, struct str id)
{
    struct open_upload wanted = {0};

    if (id.length != sizeof(wanted.id) - 1) {
        return false;
    }
    memcpy(wanted.id, id.bytes, id.length);
    return open_uploads_is_going_on(&registry->open_uploads, wanted.id);
}

/* Where that cannot be said now, the next bytes say it. */
void upload_record_keep_awake(const struct registry *registry, struct str id, int64_t *touched_ms)
{
    const struct registry_config *config = &registry->config;
    const int64_t now_ms = clock_wall_ms(config->clock);

    if (now_ms - *touched_ms >= config->settings.upload_lifetime_ms / TOUCHES_PER_LIFETIME &&
        !metadata_touch_upload(config->metadata, id, now_ms, NULL)) {
        *touched_ms = now_ms;
    }
}

enum error_code registry_find_upload_owner(struct registry *registry, const struct upload_key *key,
                                           struct arena *arena, struct str *owner_out,
                                           struct error *err)
{
    const struct registry_config *config = &registry->config;
    const struct upload_owner_query query = {
        .repository = key->repository.name,
        .created_by = ends_in_grace(registry, key) ? key->identity : (struct str){0},
        .created_before_ms = key->login_ends_ms,
        .login = key->login,
        .login_ended_since_ms = grace_begin_ms(registry),
        .created_since_ms = oldest_ms(registry),
        .updated_since_ms = clock_wall_ms(config->clock) - config->settings.upload_lifetime_ms,
    };

    return metadata_find_upload_owner(config->metadata, &query, arena, owner_out, err);
}

static bool has_become(const struct ended_upload *ended, const struct digest *digest)
{
    return digest ? ended->is_blob && digest_equal(&ended->digest, digest) : !ended->is_blob;
}

enum error_code registry_find_ended_upload(struct registry *registry, const struct upload_key *key,
                                           const struct digest *digest, struct error *err)
{
    struct ended_upload ended;
    struct arena arena;
    enum error_code code = OK;

    arena_init(&arena, UPLOAD_ENTRY_ARENA_BYTES);
    code = metadata_find_ended_upload(registry->config.metadata, key->repository.name, key->id,
                                      &arena, &ended, err);
    if (!code) {
        code = upload_record_check(registry, key, &ended.upload, err);
    }
    if (!code && !has_become(&ended, digest)) {
        code = error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                               "this upload has ended otherwise, begin again");
    }
    arena_release(&arena);
    return code;
}

/*
 * Somebody may have gone on, or come to the end, between the listing and our entering. What another
 * version of the server noted is unknown to this one: then only the row goes.
 */
static enum error_code check_still_expired(struct registry *registry,
                                           const struct upload_record *record,
                                           struct blob_upload *rested, bool *is_expired_out,
                                           struct error *err)
{
    struct arena arena;
    struct upload_record now;
    enum error_code code = OK;

    arena_init(&arena, UPLOAD_RECORD_ARENA_BYTES);
    code = metadata_find_upload(registry->config.metadata, record->repository, record->id, &arena,
                                &now, err);
    if (!code) {
        *is_expired_out = has_expired(registry, &now);
        rested->offset_bytes = now.offset_bytes;
        (void)!blob_upload_restore(rested, now.state);
    }
    arena_release(&arena);
    return code == ERROR_NOT_FOUND ? OK : code;
}

static enum error_code expire(struct registry *registry, const struct upload_record *record,
                              size_t *expired, struct error *err)
{
    struct open_upload open = {0};
    struct blob_upload rested = {0};
    const struct str id = str_slice(record->id, 0, sizeof(rested.id) - 1);
    bool is_still_expired = false;
    enum error_code code = OK;

    /* An id of another form has no bytes here: then only its row goes. */
    memcpy(rested.id, id.bytes, id.length);
    memcpy(open.id, rested.id, sizeof(open.id));
    if (!open_uploads_enter(&registry->open_uploads, &open)) {
        return OK; /* somebody goes on with it at this moment */
    }
    code = check_still_expired(registry, record, &rested, &is_still_expired, err);
    if (!code && is_still_expired) {
        code = blob_store_discard(registry->config.blobs, &rested, err);
    }
    if (!code && is_still_expired) {
        code = metadata_remove_upload(registry->config.metadata, record->id, err);
        *expired += code ? 0 : 1;
    }
    blob_upload_release(&rested);
    open_uploads_leave(&registry->open_uploads, &open);
    return code;
}

/* Forgets what became of uploads, once nobody asks any more. */
static enum error_code forget_ended(struct registry *registry, struct error *err)
{
    const struct registry_config *config = &registry->config;
    const int64_t kept_ms = config->settings.upload_lifetime_ms < ENDED_KEPT_MS
                                ? config->settings.upload_lifetime_ms
                                : ENDED_KEPT_MS;

    return metadata_forget_ended_uploads(config->metadata, clock_wall_ms(config->clock) - kept_ms,
                                         FORGOTTEN_PER_RUN, err);
}

/*
 * What cannot be discarded now does not keep the others: the first failure is told at the end. But
 * where some fail, the medium may be away, and its time-outs would add up.
 */
enum error_code registry_expire_uploads(struct registry *registry, struct upload_expiry *expiry_out,
                                        struct error *err)
{
    const struct registry_config *config = &registry->config;
    const int64_t before_ms = clock_wall_ms(config->clock) - config->settings.upload_lifetime_ms;
    struct upload_list resting = {0};
    struct arena arena;
    const struct stale_upload_query query = {before_ms, EXPIRED_PER_RUN, &arena};
    size_t expired = 0;
    size_t failures = 0;
    enum error_code code = OK;

    arena_init(&arena, EXPIRY_ARENA_BYTES);
    code = metadata_list_stale_uploads(config->metadata, &query, &resting, err);
    for (size_t i = 0; i < resting.count && failures < FAILURES_PER_RUN; i++) {
        const enum error_code failed =
            expire(registry, &resting.uploads[i], &expired, code ? NULL : err);

        code = code ? code : failed;
        failures += failed ? 1 : 0;
    }
    arena_release(&arena);
    *expiry_out = (struct upload_expiry){
        .expired = expired,
        .has_more = !code && expired > 0 && resting.count == EXPIRED_PER_RUN,
    };
    return code ? code : forget_ended(registry, err);
}
