#include "registry/open_uploads.h"

#include <assert.h>
#include <string.h>

static const struct open_upload *find(const struct open_uploads *uploads, const char *id);
static void add(struct upload_sum *sum, const struct upload_use *use, bool is_same);

void open_uploads_init(struct open_uploads *uploads)
{
    (void)pthread_mutex_init(&uploads->list_mutex, NULL);
    list_init(&uploads->list);
}

void open_uploads_release(struct open_uploads *uploads)
{
    assert(list_is_empty(&uploads->list));
    (void)pthread_mutex_destroy(&uploads->list_mutex);
}

bool open_uploads_enter(struct open_uploads *uploads, struct open_upload *upload)
{
    bool is_free = false;

    (void)pthread_mutex_lock(&uploads->list_mutex);
    is_free = !find(uploads, upload->id);
    if (is_free) {
        list_init(&upload->node);
        list_append(&uploads->list, &upload->node);
    }
    (void)pthread_mutex_unlock(&uploads->list_mutex);
    return is_free;
}

static const struct open_upload *find(const struct open_uploads *uploads, const char *id)
{
    for (struct list_node *node = uploads->list.next; node != &uploads->list; node = node->next) {
        const struct open_upload *upload = (const struct open_upload *)node; /* its first member */

        if (strcmp(upload->id, id) == 0) {
            return upload;
        }
    }
    return NULL;
}

bool open_uploads_is_going_on(struct open_uploads *uploads, const char *id)
{
    const struct open_upload *upload = NULL;
    bool is_going_on = false;

    (void)pthread_mutex_lock(&uploads->list_mutex);
    upload = find(uploads, id);
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
        const struct open_upload *other = (const struct open_upload *)node; /* its first member */

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
}

void open_uploads_set_use(struct open_uploads *uploads, struct open_upload *upload,
                          const struct upload_use *use)
{
    (void)pthread_mutex_lock(&uploads->list_mutex);
    upload->use = *use;
    (void)pthread_mutex_unlock(&uploads->list_mutex);
}

struct upload_sums open_uploads_sum(struct open_uploads *uploads, const struct open_upload *upload)
{
    struct upload_sums sums = {0};

    (void)pthread_mutex_lock(&uploads->list_mutex);
    for (struct list_node *node = uploads->list.next; node != &uploads->list; node = node->next) {
        const struct upload_use *use = &((const struct open_upload *)node)->use;

        if (use->created_by.bytes) {
            add(&sums.of_identity, use, str_equal(use->created_by, upload->use.created_by));
            add(&sums.of_team, use, str_equal(use->team, upload->use.team));
        }
    }
    (void)pthread_mutex_unlock(&uploads->list_mutex);
    return sums;
}

static void add(struct upload_sum *sum, const struct upload_use *use, bool is_same)
{
    sum->uploads += is_same ? use->uploads : 0;
    sum->bytes += is_same ? use->bytes : 0;
}
