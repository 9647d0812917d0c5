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

static bool has_grace(const struct registry *registry, const struct upload_key *key,
                      const struct upload_record *record, bool is_same_login);
static bool ends_in_grace(const struct registry *registry, const struct upload_key *key);
static int64_t grace_begin_ms(const struct registry *registry);
static int64_t oldest_ms(const struct registry *registry);
static bool has_become(const struct ended_upload *ended, const struct digest *digest);

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
    if (key->has_lapsed && !has_grace(registry, key, record, is_same_login)) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_UNAUTHENTICATED,
                               "log in again: this login is over for too long, or was when this "
                               "upload began");
    }
    if (upload_record_is_stale(registry, record)) {
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

/* The login it was begun with, or another of the same identity that was good then. */
static bool has_grace(const struct registry *registry, const struct upload_key *key,
                      const struct upload_record *record, bool is_same_login)
{
    return is_same_login ? record->login_ends_ms >= grace_begin_ms(registry)
                         : ends_in_grace(registry, key) && key->login_ends_ms > record->created_ms;
}

/* Of what nobody knows when it ended, nobody knows that it was good. */
static bool ends_in_grace(const struct registry *registry, const struct upload_key *key)
{
    return key->login_ends_ms != INT64_MAX && key->login_ends_ms >= grace_begin_ms(registry);
}

/* Logins that ended before that are over for good. */
static int64_t grace_begin_ms(const struct registry *registry)
{
    return clock_wall_ms(registry->config.clock) - LOGIN_GRACE_MS;
}

/* When uploads began that may still go on. */
static int64_t oldest_ms(const struct registry *registry)
{
    return clock_wall_ms(registry->config.clock) - registry->config.settings.upload_age_ms;
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

bool upload_record_is_stale(const struct registry *registry, const struct upload_record *record)
{
    const struct registry_config *config = &registry->config;

    return record->updated_ms < clock_wall_ms(config->clock) - config->settings.upload_lifetime_ms;
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

static bool has_become(const struct ended_upload *ended, const struct digest *digest)
{
    return digest ? ended->is_blob && digest_equal(&ended->digest, digest) : !ended->is_blob;
}

enum error_code registry_forget_ended_uploads(struct registry *registry, struct error *err)
{
    const struct registry_config *config = &registry->config;
    const int64_t kept_ms = config->settings.upload_lifetime_ms < ENDED_KEPT_MS
                                ? config->settings.upload_lifetime_ms
                                : ENDED_KEPT_MS;

    return metadata_forget_ended_uploads(config->metadata, clock_wall_ms(config->clock) - kept_ms,
                                         FORGOTTEN_PER_RUN, err);
}
