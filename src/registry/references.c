#include "registry/references.h"

#include "metadata/manifests.h"
#include "registry/blobs.h"
#include "registry/registry_private.h"

/* What a check needs of its push. */
struct check {
    struct registry *registry;
    struct str repository;
    const struct manifest *manifest;
    struct arena *arena;
};

static enum error_code find_missing(const struct check *check, struct missing_references *missing,
                                    struct error *err);
static enum error_code find(const struct check *check, const struct descriptor *descriptor,
                            bool *is_there_out, struct error *err);
static enum error_code find_manifest(const struct check *check, const struct descriptor *descriptor,
                                     bool *is_there_out, struct error *err);
static enum error_code check_size(const struct descriptor *descriptor, uint64_t size_bytes,
                                  struct error *err);
static enum error_code check_media_type(const struct descriptor *descriptor, struct str media_type,
                                        struct error *err);
static void remember(struct missing_references *missing, const struct digest *digest);

enum error_code references_check(struct registry *registry, const struct repository *repository,
                                 const struct manifest *manifest, struct arena *arena,
                                 struct missing_references *missing_out, struct error *err)
{
    const struct check check = {registry, repository->name, manifest, arena};
    struct missing_references missing = {0};
    char first[DIGEST_TEXT_BYTES];
    enum error_code code = OK;

    missing.digests = arena_new(arena, REFERENCES_MAX_MISSING, sizeof(*missing.digests));
    if (!missing.digests) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE, "the manifest is too large");
    }
    code = find_missing(&check, &missing, err);
    if (code || missing.count == 0) {
        return code;
    }
    *missing_out = missing;
    digest_format(&missing.digests[0], first);
    return error_set_about(err, ABOUT_REFERENCED, ERROR_NOT_FOUND,
                           "the manifest names %s, which was not pushed", first);
}

static enum error_code find_missing(const struct check *check, struct missing_references *missing,
                                    struct error *err)
{
    const struct manifest *manifest = check->manifest;
    bool is_there = false;
    enum error_code code = OK;

    if (manifest->facts.has_subject) {
        code = find_manifest(check, &manifest->subject, &is_there, err);
    }
    for (size_t i = 0; i < manifest->descriptor_count && !code; i++) {
        const struct descriptor *descriptor = &manifest->descriptors[i];

        code = find(check, descriptor, &is_there, err);
        if (!code && !is_there && !descriptor->may_be_elsewhere) {
            remember(missing, &descriptor->digest);
        }
    }
    return code;
}

static enum error_code find(const struct check *check, const struct descriptor *descriptor,
                            bool *is_there_out, struct error *err)
{
    uint64_t size_bytes = 0;
    enum error_code code = OK;

    if (check->manifest->is_index) {
        code = find_manifest(check, descriptor, is_there_out, err);
        /* BuildKit's cache is an index whose entries are layers; but nobody gets a manifest as a
         * blob. */
        if (code || *is_there_out || manifest_is_media_type(descriptor->media_type)) {
            return code;
        }
    }
    code = registry_find_blob(check->registry, &descriptor->digest, is_there_out, &size_bytes, err);
    return code || !*is_there_out ? code : check_size(descriptor, size_bytes, err);
}

static enum error_code find_manifest(const struct check *check, const struct descriptor *descriptor,
                                     bool *is_there_out, struct error *err)
{
    struct manifest_record manifest;
    enum error_code code =
        metadata_describe_manifest(check->registry->config.metadata, check->repository,
                                   &descriptor->digest, check->arena, &manifest, err);

    *is_there_out = !code;
    if (code) {
        return code == ERROR_NOT_FOUND ? OK : code;
    }
    code = check_size(descriptor, manifest.size_bytes, err);
    return code ? code : check_media_type(descriptor, manifest.media_type, err);
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

/* It is asked for, and read, as what the descriptor says it is. */
static enum error_code check_media_type(const struct descriptor *descriptor, struct str media_type,
                                        struct error *err)
{
    char text[DIGEST_TEXT_BYTES];

    if (str_equal_ignoring_case(descriptor->media_type, media_type)) {
        return OK;
    }
    digest_format(&descriptor->digest, text);
    return error_set_about(err, ABOUT_MANIFEST, ERROR_INVALID,
                           "the manifest says that %s is of the media type %.*s, but it was pushed "
                           "as %.*s",
                           text, STR_FORMAT(str_slice(descriptor->media_type, 0, 100)),
                           STR_FORMAT(media_type));
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
