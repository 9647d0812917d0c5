#include "registry/references.h"

#include "metadata/manifests.h"
#include "registry/blobs.h"
#include "registry/registry_private.h"

static enum error_code check(struct registry *registry, const struct repository *repository,
                             const struct manifest *manifest, const struct descriptor *descriptor,
                             bool *is_there_out, struct error *err);
static enum error_code check_size(const struct descriptor *descriptor, uint64_t size_bytes,
                                  struct error *err);
static void remember(struct missing_references *missing, const struct digest *digest);

enum error_code references_check(struct registry *registry, const struct repository *repository,
                                 const struct manifest *manifest, struct arena *arena,
                                 struct missing_references *missing_out, struct error *err)
{
    struct missing_references missing = {0};
    char first[DIGEST_TEXT_BYTES];

    missing.digests = arena_new(arena, REFERENCES_MAX_MISSING, sizeof(*missing.digests));
    if (!missing.digests) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE, "the manifest is too large");
    }
    for (size_t i = 0; i < manifest->descriptor_count; i++) {
        const struct descriptor *descriptor = &manifest->descriptors[i];
        bool is_there = false;
        const enum error_code code =
            check(registry, repository, manifest, descriptor, &is_there, err);

        if (code) {
            return code;
        }
        if (!is_there && !descriptor->may_be_elsewhere) {
            remember(&missing, &descriptor->digest);
        }
    }
    if (missing.count == 0) {
        return OK;
    }
    *missing_out = missing;
    digest_format(&missing.digests[0], first);
    return error_set_about(err, ABOUT_REFERENCED, ERROR_NOT_FOUND,
                           "the manifest names %s, which was not pushed", first);
}

static enum error_code check(struct registry *registry, const struct repository *repository,
                             const struct manifest *manifest, const struct descriptor *descriptor,
                             bool *is_there_out, struct error *err)
{
    uint64_t size_bytes = 0;
    enum error_code code = OK;

    if (manifest->is_index) {
        code = metadata_has_manifest(registry->config.metadata, repository->name,
                                     &descriptor->digest, is_there_out, err);
        if (code || *is_there_out) {
            return code;
        }
    }
    /* BuildKit's cache is an index whose entries are layers. */
    code = registry_find_blob(registry, &descriptor->digest, is_there_out, &size_bytes, err);
    return code || !*is_there_out ? code : check_size(descriptor, size_bytes, err);
}

/* A client that trusts the descriptor would refuse, or cut, what it then gets. */
static enum error_code check_size(const struct descriptor *descriptor, uint64_t size_bytes,
                                  struct error *err)
{
    char text[DIGEST_TEXT_BYTES];

    if (descriptor->size_bytes == size_bytes) {
        return OK;
    }
    digest_format(&descriptor->digest, text);
    return error_set_about(err, ABOUT_MANIFEST, ERROR_INVALID,
                           "the manifest says that %s has %llu bytes, but it has %llu", text,
                           (unsigned long long)descriptor->size_bytes,
                           (unsigned long long)size_bytes);
}

static void remember(struct missing_references *missing, const struct digest *digest)
{
    for (size_t i = 0; i < missing->count; i++) {
        if (digest_equal(&missing->digests[i], digest)) {
            return;
        }
    }
    if (missing->count < REFERENCES_MAX_MISSING) {
        missing->digests[missing->count++] = *digest;
    }
}
