#include "registry/open_uploads.h"

#include <assert.h>
#include <string.h>

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
    bool is_free = true;

    (void)pthread_mutex_lock(&uploads->list_mutex);
    for (struct list_node *node = uploads->list.next; node != &uploads->list; node = node->next) {
        const struct open_upload *other = (const struct open_upload *)node; /* its first member */

        is_free = is_free && strcmp(other->id, upload->id) != 0;
    }
    if (is_free) {
        list_init(&upload->node);
        list_append(&uploads->list, &upload->node);
    }
    (void)pthread_mutex_unlock(&uploads->list_mutex);
    return is_free;
}

void open_uploads_leave(struct open_uploads *uploads, struct open_upload *upload)
{
    (void)pthread_mutex_lock(&uploads->list_mutex);
    list_remove(&upload->node);
    (void)pthread_mutex_unlock(&uploads->list_mutex);
}
