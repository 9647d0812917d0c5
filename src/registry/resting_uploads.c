#include <string.h>

#include "registry/registry_private.h"
#include "registry/uploads.h"

enum {
    EXPIRED_PER_RUN = 100,
    FAILURES_PER_RUN = 3,
    EXPIRY_ARENA_BYTES = EXPIRED_PER_RUN * UPLOAD_ENTRY_ARENA_BYTES,
};

static enum error_code expire(struct registry *registry, const struct upload_record *record,
                              size_t *expired, struct error *err);
static enum error_code check_still_stale(struct registry *registry,
                                         const struct upload_record *record,
                                         struct blob_upload *rested, bool *is_stale_out,
                                         struct error *err);

/*
 * What cannot be discarded now does not keep the others: the first failure is told at the end. But
 * where some fail, the medium may be away, and its time-outs would add up.
 */
enum error_code registry_expire_uploads(struct registry *registry, struct upload_expiry *expiry_out,
                                        struct error *err)
{
    const struct registry_config *config = &registry->config;
    const int64_t before_ms = clock_wall_ms(config->clock) - config->settings.upload_lifetime_ms;
    struct upload_list stale = {0};
    struct arena arena;
    const struct stale_upload_query query = {before_ms, EXPIRED_PER_RUN, &arena};
    size_t expired = 0;
    size_t failures = 0;
    enum error_code code = OK;

    arena_init(&arena, EXPIRY_ARENA_BYTES);
    code = metadata_list_stale_uploads(config->metadata, &query, &stale, err);
    for (size_t i = 0; i < stale.count && failures < FAILURES_PER_RUN; i++) {
        const enum error_code failed =
            expire(registry, &stale.uploads[i], &expired, code ? NULL : err);

        code = code ? code : failed;
        failures += failed ? 1 : 0;
    }
    arena_release(&arena);
    *expiry_out = (struct upload_expiry){
        .expired = expired,
        .has_more = !code && expired > 0 && stale.count == EXPIRED_PER_RUN,
    };
    return code ? code : registry_forget_ended_uploads(registry, err);
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
    code = check_still_stale(registry, record, &rested, &is_still_stale, err);
    if (!code && is_still_stale) {
        code = blob_store_discard(registry->config.blobs, &rested, err);
    }
    if (!code && is_still_stale) {
        code = metadata_remove_upload(registry->config.metadata, record->id, err);
        *expired += code ? 0 : 1;
    }
    blob_upload_release(&rested);
    open_uploads_leave(&registry->open_uploads, &open);
    return code;
}

/*
 * Somebody may have gone on, or come to the end, between the listing and our entering. What another
 * version of the server noted is unknown to this one: then only the row goes.
 */
static enum error_code check_still_stale(struct registry *registry,
                                         const struct upload_record *record,
                                         struct blob_upload *rested, bool *is_stale_out,
                                         struct error *err)
{
    struct arena arena;
    struct upload_record now;
    enum error_code code = OK;

    arena_init(&arena, UPLOAD_RECORD_ARENA_BYTES);
    code = metadata_find_upload(registry->config.metadata, record->repository, record->id, &arena,
                                &now, err);
    if (!code) {
        *is_stale_out = upload_record_is_stale(registry, &now);
        rested->offset_bytes = now.offset_bytes;
        (void)!blob_upload_restore(rested, now.state);
    }
    arena_release(&arena);
    return code == ERROR_NOT_FOUND ? OK : code;
}
