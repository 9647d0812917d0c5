#include "registry/blobs.h"

#include "metadata/swept_blobs.h"
#include "registry/recall_private.h"
#include "registry/registry_private.h"

static enum error_code check_standing(struct registry *registry, const struct digest *digest,
                                      const struct blob_content *content, struct error *err);

enum error_code registry_read_blob(struct registry *registry, const struct digest *digest,
                                   struct blob_content *content_out, struct error *err)
{
    struct blob_content content = {.fd = -1};
    enum error_code code = blob_store_read(registry->config.blobs, digest, &content, err);

    if (code) {
        return code;
    }
    code = check_standing(registry, digest, &content, err);
    if (code) {
        blob_content_release(&content);
        return code;
    }
    *content_out = content;
    return OK;
}

/*
 * Only what a manifest names is there for ever, and may be remembered. Whoever asks for another is
 * perhaps about to name it: it is young again.
 */
static enum error_code check_standing(struct registry *registry, const struct digest *digest,
                                      const struct blob_content *content, struct error *err)
{
    enum blob_standing standing = BLOB_UNNAMED;
    char text[DIGEST_TEXT_BYTES];
    const enum error_code code =
        metadata_find_blob_standing(registry->config.metadata, digest, &standing, err);

    if (code) {
        return code;
    }
    switch (standing) {
    case BLOB_NAMED:
        remember_blob(registry, digest, content);
        return OK;
    case BLOB_UNNAMED:
        blob_store_touch(registry->config.blobs, digest);
        return OK;
    case BLOB_SWEPT:
        break;
    }
    digest_format(digest, text);
    return error_set_about(err, ABOUT_BLOB, ERROR_NOT_FOUND, "there is no blob %s", text);
}

enum error_code registry_find_blob(struct registry *registry, const struct digest *digest,
                                   bool *is_there_out, uint64_t *size_bytes_out, struct error *err)
{
    struct blob_content content = {0};
    const enum error_code code = registry_read_blob(registry, digest, &content, err);

    if (code && code != ERROR_NOT_FOUND) {
        return code;
    }
    *is_there_out = code == OK;
    if (!code) {
        *size_bytes_out = content.size_bytes;
        blob_content_release(&content);
    }
    return OK;
}

bool registry_has_remote_blobs(const struct registry *registry)
{
    return blob_store_is_remote(registry->config.blobs);
}

enum error_code registry_read_blob_part(struct registry *registry,
                                        const struct blob_content *content,
                                        const struct blob_part *part, struct strbuf *bytes_out,
                                        struct error *err)
{
    return blob_store_read_part(registry->config.blobs, content, part, bytes_out, err);
}

enum error_code registry_link_blob(struct registry *registry, const struct blob_content *content,
                                   struct strbuf *url, struct error *err)
{
    return blob_store_link(registry->config.blobs, content, url, err);
}

uint64_t registry_chunk_min_bytes(const struct registry *registry)
{
    return blob_store_chunk_min_bytes(registry->config.blobs);
}
