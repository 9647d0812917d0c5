#include "registry/open_uploads.h"

#include <assert.h>
#include <string.h>

#include "registry/registry_private.h"

enum {
    /* The most that is granted at once: by so much may each stream exceed what all may have. */
    GRANT_BYTES = 16 * 1024 * 1024,
    RETRY_AFTER_S = 30,
};

static const struct metric upload_metrics[] = {
    [UPLOAD_BEGUN] = {METRIC_COUNTER, "begun_total", "Uploads that were begun"},
    [UPLOAD_COMMITTED] = {METRIC_COUNTER, "committed_total", "Uploads that became a blob"},
    [UPLOAD_CANCELLED] = {METRIC_COUNTER, "cancelled_total", "Uploads that were given up"},
    [UPLOAD_BYTES] = {METRIC_COUNTER, "received_bytes_total", "Bytes that uploads brought"},
    [UPLOAD_OPEN] = {METRIC_GAUGE, "open", "Uploads that a request works on"},
};
static const struct metric_table upload_table = {"pierone_uploads", NULL, upload_metrics,
                                                 ARRAY_LEN(upload_metrics)};

void open_uploads_init(struct open_uploads *uploads, struct metrics *metrics)
{
    uploads->metrics = metrics_add_group(metrics, &upload_table, NULL);
    (void)pthread_mutex_init(&uploads->list_mutex, NULL);
    list_init(&uploads->list);
}

void open_uploads_release(struct open_uploads *uploads)
{
    assert(list_is_empty(&uploads->list));
    (void)pthread_mutex_destroy(&uploads->list_mutex);
}

static struct open_upload *open_upload_of(struct list_node *node)
{
    return (struct open_upload *)node; /* its first member */
}

static const struct open_upload *find_open(const struct open_uploads *uploads, const char *id)
{
    for (struct list_node *node = uploads->list.next; node != &uploads->list; node = node->next) {
        const struct open_upload *upload = open_upload_of(node);

        if (strcmp(upload->id, id) == 0) {
            return upload;
        }
    }
    return NULL;
}

bool open_uploads_enter(struct open_uploads *uploads, struct open_upload *upload)
{
    bool is_free = false;

    (void)pthread_mutex_lock(&uploads->list_mutex);
    is_free = !find_open(uploads, upload->id);
    if (is_free) {
        list_init(&upload->node);
        list_append(&uploads->list, &upload->node);
    }
    (void)pthread_mutex_unlock(&uploads->list_mutex);
    metric_add(uploads->metrics, UPLOAD_OPEN, is_free ? 1 : 0);
    return is_free;
}

bool open_uploads_is_going_on(struct open_uploads *uploads, const char *id)
{
    const struct open_upload *upload = NULL;
    bool is_going_on = false;

    (void)pthread_mutex_lock(&uploads->list_mutex);
    upload = find_open(uploads, id);
    is_going_on = upload && !upload->ends;
    (void)pthread_mutex_unlock(&uploads->list_mutex);
    return is_going_on;
}

bool open_uploads_begin_rehash(struct open_uploads *uploads, struct open_upload *upload)
{
    size_t rehashes = 0;
    bool is_alone = true;

    (void)pthread_mutex_lock(&uploads->list_mutex);
    for (struct list_node *node = uploads->list.next; node != &uploads->list; node = node->next) {
        const struct open_upload *other = open_upload_of(node);

        rehashes += other->rehashes ? 1 : 0;
        is_alone = is_alone &&
                   !(other->rehashes && str_equal(other->use.created_by, upload->use.created_by));
    }
    upload->rehashes = upload->rehashes || (is_alone && rehashes < REHASHES_MAX);
    (void)pthread_mutex_unlock(&uploads->list_mutex);
    return upload->rehashes;
}

void open_uploads_leave(struct open_uploads *uploads, struct open_upload *upload)
{
    (void)pthread_mutex_lock(&uploads->list_mutex);
    list_remove(&upload->node);
    (void)pthread_mutex_unlock(&uploads->list_mutex);
    metric_subtract(uploads->metrics, UPLOAD_OPEN, 1);
}

static void keep_use(struct open_uploads *uploads, struct open_upload *upload,
                     const struct upload_use *use)
{
    (void)pthread_mutex_lock(&uploads->list_mutex);
    upload->use = *use;
    (void)pthread_mutex_unlock(&uploads->list_mutex);
}

static void set_use(struct registry *registry, struct open_upload *open, size_t uploads,
                    uint64_t bytes)
{
    struct upload_use use = open->use; /* nobody else changes it */

    use.uploads = uploads;
    use.bytes = bytes;
    open->granted_bytes = bytes == 0 ? 0 : open->granted_bytes;
    keep_use(&registry->open_uploads, open, &use);
}

static bool is_limited(const struct upload_limits *limits)
{
    return limits->of_identity.uploads > 0 || limits->of_identity.bytes > 0 ||
           limits->of_team.uploads > 0 || limits->of_team.bytes > 0;
}

static void add_use(struct upload_sum *sum, const struct upload_use *use, bool is_same)
{
    sum->uploads += is_same ? use->uploads : 0;
    sum->bytes += is_same ? use->bytes : 0;
}

/* What open uploads of the same identity, and of the same team, take; with this one. */
static struct upload_sums sum_open(struct open_uploads *uploads, const struct open_upload *upload)
{
    struct upload_sums sums = {0};

    (void)pthread_mutex_lock(&uploads->list_mutex);
    for (struct list_node *node = uploads->list.next; node != &uploads->list; node = node->next) {
        const struct upload_use *use = &open_upload_of(node)->use;

        if (use->created_by.bytes) {
            add_use(&sums.of_identity, use, str_equal(use->created_by, upload->use.created_by));
            add_use(&sums.of_team, use, str_equal(use->team, upload->use.team));
        }
    }
    (void)pthread_mutex_unlock(&uploads->list_mutex);
    return sums;
}

/* What is saved in between counts twice, and not for nothing. */
static enum error_code sum_all(struct registry *registry, const struct open_upload *open,
                               struct upload_sums *sums_out, struct error *err)
{
    const struct upload_sums unsaved = sum_open(&registry->open_uploads, open);
    const enum error_code code = metadata_sum_uploads(
        registry->config.metadata, open->use.created_by, open->use.team, sums_out, err);

    sums_out->of_identity.uploads += unsaved.of_identity.uploads;
    sums_out->of_identity.bytes += unsaved.of_identity.bytes;
    sums_out->of_team.uploads += unsaved.of_team.uploads;
    sums_out->of_team.bytes += unsaved.of_team.bytes;
    return code;
}

static enum error_code open_uploads_refuse(struct error *err, const char *what, const char *setting)
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

static enum error_code check_count(const struct upload_sums *sums,
                                   const struct upload_limits *limits, struct error *err)
{
    if (limits->of_identity.uploads > 0 &&
        sums->of_identity.uploads > limits->of_identity.uploads) {
        return open_uploads_refuse(err, "you have too many unfinished uploads", "identity_uploads");
    }
    if (limits->of_team.uploads > 0 && sums->of_team.uploads > limits->of_team.uploads) {
        return open_uploads_refuse(err, "the team has too many unfinished uploads", "team_uploads");
    }
    return OK;
}

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
        code = sum_all(registry, open, &sums, err);
    }
    code = code ? code : check_count(&sums, limits, err);
    metric_add(registry->open_uploads.metrics, UPLOAD_BEGUN, code ? 0 : 1);
    return code;
}

void upload_quota_resume(struct registry *registry, struct open_upload *open, struct str created_by,
                         struct str repository)
{
    const struct upload_use use = {
        .created_by = created_by,
        .team = str_slice(repository, 0, str_index_of(repository, '/')),
    };

    keep_use(&registry->open_uploads, open, &use);
}

static uint64_t room_of(const struct upload_sum *sum, const struct upload_sum *limit)
{
    if (limit->bytes == 0) {
        return UINT64_MAX;
    }
    return sum->bytes < limit->bytes ? limit->bytes - sum->bytes : 0;
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
        code = sum_all(registry, open, &sums, err);
    }
    if (code) {
        return code;
    }
    of_identity = room_of(&sums.of_identity, &limits->of_identity);
    of_team = room_of(&sums.of_team, &limits->of_team);
    if (more_bytes > of_identity) {
        return open_uploads_refuse(err, "your unfinished uploads have too many bytes",
                                   "identity_upload_size");
    }
    if (more_bytes > of_team) {
        return open_uploads_refuse(err, "the team's unfinished uploads have too many bytes",
                                   "team_upload_size");
    }
    *room_out = of_identity < of_team ? of_identity : of_team;
    return OK;
}

enum error_code upload_quota_check(struct registry *registry, const struct open_upload *open,
                                   uint64_t more_bytes, struct error *err)
{
    uint64_t room_bytes = 0;

    /* An upload may end at any time: that makes room. */
    return more_bytes == 0 ? OK : find_room(registry, open, more_bytes, &room_bytes, err);
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
        metric_add(registry->open_uploads.metrics, UPLOAD_BYTES, bytes);
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
