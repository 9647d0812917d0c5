#include "metadata/ended_uploads.h"
#include "registry/registry_private.h"
#include "registry/uploads.h"

enum {
    /* How long what became of an upload is told to who asks again. */
    ENDED_KEPT_MS = 60 * 60 * 1000,
    FORGOTTEN_PER_RUN = 10 * 1000,
};

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
    if (upload_record_is_stale(registry, record)) {
        return error_set_about(err, ABOUT_UPLOAD, ERROR_NOT_FOUND,
                               "this upload rested for too long and has expired, begin again");
    }
    return OK;
}

bool upload_record_is_stale(const struct registry *registry, const struct upload_record *record)
{
    const struct registry_config *config = &registry->config;

    return record->updated_ms < clock_wall_ms(config->clock) - config->upload_lifetime_ms;
}

enum error_code registry_find_upload_owner(struct registry *registry, const struct upload_key *key,
                                           struct arena *arena, struct str *owner_out,
                                           struct error *err)
{
    const struct registry_config *config = &registry->config;
    const struct upload_owner_query query = {
        .repository = key->repository.name,
        .created_by = key->identity,
        .login = key->login,
        .updated_since_ms = clock_wall_ms(config->clock) - config->upload_lifetime_ms,
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
    const int64_t kept_ms =
        config->upload_lifetime_ms < ENDED_KEPT_MS ? config->upload_lifetime_ms : ENDED_KEPT_MS;

    return metadata_forget_ended_uploads(config->metadata, clock_wall_ms(config->clock) - kept_ms,
                                         FORGOTTEN_PER_RUN, err);
}
