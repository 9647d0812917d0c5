#include "blobs/s3_store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "blobs/s3_parts.h"
#include "blobs/s3_settings.h"
#include "blobs/s3_store_private.h"

static void s3_free(struct blob_store *base)
{
    struct s3_store *store = s3_store_of(base);

    workers_free(store->senders);
    memory_budget_free(store->memory);
    s3_client_free(store->config.client);
    free(store);
}

/* Objects stay: what is aborted is what no object was made of. */
static enum error_code s3_discard(struct blob_store *base, const struct blob_upload *upload,
                                  struct error *err)
{
    const struct str bytes = {upload->notes, upload->notes_length};
    struct s3_notes notes;
    enum error_code code = OK;

    s3_notes_init(&notes);
    if (s3_notes_parse(bytes, &notes) && notes.upload_id[0] != '\0') {
        code = s3_objects_abort(&s3_store_of(base)->objects, &notes, err);
    }
    s3_notes_release(&notes);
    return code;
}

/* Asks nobody: what is at a location stays there. */
static enum error_code s3_read(struct blob_store *base, const struct digest *digest,
                               const struct blob_location *location,
                               struct blob_content *content_out, struct error *err)
{
    const struct s3_store_config *config = &s3_store_of(base)->config;

    (void)digest;
    (void)err;
    *content_out = (struct blob_content){.kind = BLOB_REMOTE,
                                         .size_bytes = location->size_bytes,
                                         .fd = -1,
                                         .is_linked = config->settings.redirect,
                                         .is_link_slow = config->settings.redirect &&
                                                         !s3_client_has_keys(config->client)};
    memcpy(content_out->key, location->key, sizeof(content_out->key));
    return OK;
}

static enum error_code s3_read_part(struct blob_store *base, const struct blob_content *content,
                                    const struct blob_part *part, struct strbuf *bytes,
                                    struct error *err)
{
    const enum error_code code =
        s3_objects_read(&s3_store_of(base)->objects, content->key, part, bytes, err);

    if (code != ERROR_NOT_FOUND) {
        return code;
    }
    return error_set(err, ERROR_INTERNAL, "%s has no object %s any more: who deleted it?",
                     s3_client_name(s3_store_of(base)->config.client), content->key);
}

static enum error_code s3_link(struct blob_store *base, const struct blob_content *content,
                               struct strbuf *url, struct error *err)
{
    const struct s3_store_config *config = &s3_store_of(base)->config;

    return s3_client_link(config->client, content->key,
                          (unsigned)(config->settings.link_lifetime_ms / MS_PER_SECOND), url, err);
}

static const struct blob_driver s3_driver = {
    .name = "s3",
    .free = s3_free,
    .open = s3_writer_open,
    .begin_tail = s3_writer_begin_tail,
    .give_tail = s3_writer_give_tail,
    .room = s3_writer_room,
    .write = s3_writer_write,
    .suspend = s3_writer_suspend,
    .rehash = s3_writer_rehash,
    .publish = s3_writer_publish,
    .close = s3_writer_close,
    .discard = s3_discard,
    .read = s3_read,
    .read_part = s3_read_part,
    .link = s3_link,
};

enum error_code s3_store_new(const struct s3_store_config *config, struct blob_store **store_out,
                             struct error *err)
{
    struct s3_store *store = memory_new(1, sizeof(*store));
    enum error_code code = OK;

    assert(config->settings.upload_parts > 0);
    assert(config->settings.upload_memory_bytes >=
           s3_parts_largest(config->settings.largest_blob_bytes));
    code =
        workers_new(config->settings.connections, "sender", config->metrics, &store->senders, err);
    if (code) {
        free(store);
        return code;
    }
    store->base.driver = &s3_driver;
    store->base.chunk_min_bytes = S3_PART_MIN_BYTES;
    store->base.largest_blob_bytes = config->settings.largest_blob_bytes;
    store->base.largest_blob_key = S3_LARGEST_BLOB_KEY;
    store->base.is_remote = true;
    store->base.has_locations = true;
    store->config = *config;
    store->objects = (struct s3_objects){config->client, config->settings.style, config->clock};
    store->memory = memory_budget_new(config->settings.upload_memory_bytes);
    *store_out = &store->base;
    return OK;
}

void s3_store_upload_key(const struct s3_store *store, const struct blob_upload *upload,
                         char key_out[BLOB_KEY_BYTES])
{
    const char *const prefix = store->config.settings.prefix ? store->config.settings.prefix : "";
    char once[RANDOM_ID_BYTES];

    random_id(once);
    (void)snprintf(key_out, BLOB_KEY_BYTES, "%suploads/%s/%s", prefix, upload->id, once);
}
