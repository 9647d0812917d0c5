#include "registry/blobs.h"

#include "registry/recall_private.h"
#include "registry/registry_private.h"

enum error_code registry_read_blob(struct registry *registry, const struct digest *digest,
                                   struct blob_content *content_out, struct error *err)
{
    struct blob_content content = {.fd = -1};
    const enum error_code code = blob_store_read(registry->config.blobs, digest, &content, err);

    if (!code) {
        remember_blob(registry, digest, &content);
        *content_out = content;
    }
    return code;
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
