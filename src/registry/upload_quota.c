#include "registry/upload_quota.h"

#include "registry/registry_private.h"

enum {
    /* The most that is granted at once: by so much may each stream exceed what all may have. */
    GRANT_BYTES = 16 * 1024 * 1024,
    RETRY_AFTER_S = 30,
};

static void set_use(struct registry *registry, struct open_upload *open, size_t uploads,
                    uint64_t bytes);
static enum error_code sum(struct registry *registry, const struct open_upload *open,
                           struct upload_sums *sums_out, struct error *err);
static bool is_limited(const struct upload_limits *limits);
static enum error_code check_count(const struct upload_sums *sums,
                                   const struct upload_limits *limits, struct error *err);
static enum error_code find_room(struct registry *registry, const struct open_upload *open,
                                 uint64_t more_bytes, uint64_t *room_out, struct error *err);
static uint64_t room_of(const struct upload_sum *sum, const struct upload_sum *limit);
static enum error_code refuse(struct error *err, const char *what, const char *setting);

enum error_code upload_quota_begin(struct registry *registry, struct open_upload *open,
                                   struct str created_by, struct str repository, struct error *err)
{
    const struct upload_limits *limits = &registry->config.settings.upload_limits;
    struct upload_sums sums = {0};
    enum error_code code = OK;

    upload_quota_resume(registry, open, created_by, repository);
    set_use(registry, open, 1, 0);
    code = free_space_check(registry->config.free_space, err);
    if (!code && is_limited(limits)) {
        code = sum(registry, open, &sums, err);
    }
    return code ? code : check_count(&sums, limits, err);
}

void upload_quota_resume(struct registry *registry, struct open_upload *open, struct str created_by,
                         struct str repository)
{
    const struct upload_use use = {
        .created_by = created_by,
        .team = str_slice(repository, 0, str_index_of(repository, '/')),
    };

    open_uploads_set_use(&registry->open_uploads, open, &use);
}

static void set_use(struct registry *registry, struct open_upload *open, size_t uploads,
                    uint64_t bytes)
{
    struct upload_use use = open->use; /* nobody else changes it */

    use.uploads = uploads;
    use.bytes = bytes;
    open->granted_bytes = bytes == 0 ? 0 : open->granted_bytes;
    open_uploads_set_use(&registry->open_uploads, open, &use);
}

/* What is saved in between counts twice, and not for nothing. */
static enum error_code sum(struct registry *registry, const struct open_upload *open,
                           struct upload_sums *sums_out, struct error *err)
{
    const struct upload_sums unsaved = open_uploads_sum(&registry->open_uploads, open);
    const enum error_code code = metadata_sum_uploads(
        registry->config.metadata, open->use.created_by, open->use.team, sums_out, err);

    sums_out->of_identity.uploads += unsaved.of_identity.uploads;
    sums_out->of_identity.bytes += unsaved.of_identity.bytes;
    sums_out->of_team.uploads += unsaved.of_team.uploads;
    sums_out->of_team.bytes += unsaved.of_team.bytes;
    return code;
}

static bool is_limited(const struct upload_limits *limits)
{
    return limits->of_identity.uploads > 0 || limits->of_identity.bytes > 0 ||
           limits->of_team.uploads > 0 || limits->of_team.bytes > 0;
}

static enum error_code check_count(const struct upload_sums *sums,
                                   const struct upload_limits *limits, struct error *err)
{
    if (limits->of_identity.uploads > 0 &&
        sums->of_identity.uploads > limits->of_identity.uploads) {
        return refuse(err, "you have too many unfinished uploads", "identity_uploads");
    }
    if (limits->of_team.uploads > 0 && sums->of_team.uploads > limits->of_team.uploads) {
        return refuse(err, "the team has too many unfinished uploads", "team_uploads");
    }
    return OK;
}

enum error_code upload_quota_check(struct registry *registry, const struct open_upload *open,
                                   uint64_t more_bytes, struct error *err)
{
    uint64_t room_bytes = 0;

    /* An upload may end at any time: that makes room. */
    return more_bytes == 0 ? OK : find_room(registry, open, more_bytes, &room_bytes, err);
}

static enum error_code find_room(struct registry *registry, const struct open_upload *open,
                                 uint64_t more_bytes, uint64_t *room_out, struct error *err)
{
    const struct upload_limits *limits = &registry->config.settings.upload_limits;
    struct upload_sums sums = {0};
    uint64_t of_identity = 0;
    uint64_t of_team = 0;
    enum error_code code = free_space_check(registry->config.free_space, err);

    if (!code && is_limited(limits)) {
        code = sum(registry, open, &sums, err);
    }
    if (code) {
        return code;
    }
    of_identity = room_of(&sums.of_identity, &limits->of_identity);
    of_team = room_of(&sums.of_team, &limits->of_team);
    if (more_bytes > of_identity) {
        return refuse(err, "your unfinished uploads have too many bytes", "identity_upload_size");
    }
    if (more_bytes > of_team) {
        return refuse(err, "the team's unfinished uploads have too many bytes", "team_upload_size");
    }
    *room_out = of_identity < of_team ? of_identity : of_team;
    return OK;
}

static uint64_t room_of(const struct upload_sum *sum, const struct upload_sum *limit)
{
    if (limit->bytes == 0) {
        return UINT64_MAX;
    }
    return sum->bytes < limit->bytes ? limit->bytes - sum->bytes : 0;
}

static enum error_code refuse(struct error *err, const char *what, const char *setting)
{
    (void)error_set(err, ERROR_TOO_MANY,
                    "%s: wait until some have come to their end or, where a client gave up, have "
                    "expired (limits.%s)",
                    what, setting);
    if (err) {
        err->retry_after_s = RETRY_AFTER_S;
    }
    return ERROR_TOO_MANY;
}

enum error_code upload_quota_take(struct registry *registry, struct open_upload *open,
                                  uint64_t bytes, struct error *err)
{
    const uint64_t used_bytes = open->use.bytes + bytes;
    uint64_t room_bytes = 0;
    enum error_code code = free_space_check(registry->config.free_space, err);

    if (!code && used_bytes > open->granted_bytes) {
        code = find_room(registry, open, bytes, &room_bytes, err);
        if (!code) {
            room_bytes -= bytes;
            open->granted_bytes =
                used_bytes + (room_bytes < GRANT_BYTES ? room_bytes : GRANT_BYTES);
        }
    }
    if (!code) {
        set_use(registry, open, open->use.uploads, used_bytes);
    }
    return code;
}

void upload_quota_saved(struct registry *registry, struct open_upload *open)
{
    set_use(registry, open, 0, 0);
}

void upload_quota_dropped(struct registry *registry, struct open_upload *open)
{
    set_use(registry, open, open->use.uploads, 0);
}
