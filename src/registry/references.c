#include "registry/references.h"

#include "base/json_value.h"
#include "metadata/manifests.h"
#include "registry/blobs.h"
#include "registry/descriptor.h"
#include "registry/registry_private.h"

/* What a check needs of its push. */
struct check {
    struct registry *registry;
    struct str repository;
    const struct manifest *manifest;
    struct arena *arena;
};

static const char *const config_types[] = {"application/vnd.oci.image.config.v1+json",
                                           "application/vnd.docker.container.image.v1+json"};

/* Compressed, encrypted or kept elsewhere: what follows says how. */
static const char *const layer_types[] = {"application/vnd.oci.image.layer.",
                                          "application/vnd.docker.image.rootfs."};

enum { PLATFORM_PART_MAX_BYTES = 64 };

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

static enum error_code references_find_manifest(const struct check *check,
                                                const struct descriptor *descriptor,
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

static enum error_code find_named(const struct check *check, const struct descriptor *descriptor,
                                  bool *is_there_out, struct error *err)
{
    uint64_t size_bytes = 0;
    enum error_code code = OK;

    if (check->manifest->is_index) {
        code = references_find_manifest(check, descriptor, is_there_out, err);
        /* BuildKit's cache is an index whose entries are layers; but nobody gets a manifest as a
         * blob. */
        if (code || *is_there_out || manifest_is_media_type(descriptor->media_type)) {
            return code;
        }
    }
    code = registry_find_blob(check->registry, &descriptor->digest, is_there_out, &size_bytes, err);
    return code || !*is_there_out ? code : check_size(descriptor, size_bytes, err);
}

static void note_missing(struct missing_references *missing, const struct digest *digest)
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

static enum error_code find_missing(const struct check *check, struct missing_references *missing,
                                    struct error *err)
{
    const struct manifest *manifest = check->manifest;
    bool is_there = false;
    enum error_code code = OK;

    if (manifest->facts.has_subject) {
        code = references_find_manifest(check, &manifest->subject, &is_there, err);
    }
    for (size_t i = 0; i < manifest->descriptor_count && !code; i++) {
        const struct descriptor *descriptor = &manifest->descriptors[i];

        code = find_named(check, descriptor, &is_there, err);
        if (!code && !is_there && !descriptor->may_be_elsewhere) {
            note_missing(missing, &descriptor->digest);
        }
    }
    return code;
}

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

/* Whether its config is that of an image (image-spec "config.md", and Docker's). */
static bool has_image_config(const struct manifest *manifest)
{
    const struct str type =
        manifest->facts.has_config ? manifest->descriptors[0].media_type : (struct str){0};

    return str_is_ignoring_case(type, config_types[0]) ||
           str_is_ignoring_case(type, config_types[1]);
}

static bool is_image_layer(struct str media_type)
{
    return str_starts_with_ignoring_case(media_type, layer_types[0]) ||
           str_starts_with_ignoring_case(media_type, layer_types[1]);
}

/* An artifact type that is not stated is the config's. */
static bool is_image(const struct manifest *manifest)
{
    bool has_image_layer = manifest->descriptor_count == manifest->first_layer;

    if (!has_image_config(manifest) ||
        !str_equal(manifest->facts.artifact_type, manifest->descriptors[0].media_type)) {
        return false;
    }
    for (size_t i = manifest->first_layer; i < manifest->descriptor_count && !has_image_layer;
         i++) {
        has_image_layer = is_image_layer(manifest->descriptors[i].media_type);
    }
    return has_image_layer;
}

static enum error_code has_runnable_entry(struct registry *registry,
                                          const struct repository *repository,
                                          const struct manifest *index, bool *has_one_out,
                                          struct error *err)
{
    enum error_code code = OK;

    for (size_t i = 0; i < index->descriptor_count && !code && !*has_one_out; i++) {
        code = metadata_has_runnable(registry->config.metadata, repository->name,
                                     &index->descriptors[i].digest, has_one_out, err);
    }
    return code;
}

enum error_code runnable_find(struct registry *registry, const struct repository *repository,
                              const struct manifest *manifest, bool *is_runnable_out,
                              struct error *err)
{
    *is_runnable_out = is_image(manifest);
    if (!manifest->is_index || manifest->facts.artifact_type.length > 0) {
        return OK;
    }
    return has_runnable_entry(registry, repository, manifest, is_runnable_out, err);
}

static bool is_part(struct str part)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    bool is_plain = part.length > 0 && part.length <= PLATFORM_PART_MAX_BYTES;

    for (size_t i = 0; i < part.length && is_plain; i++) {
        is_plain = str_index_of(str_from(plain), part.bytes[i]) < sizeof(plain) - 1;
    }
    return is_plain;
}

static bool references_has_line(const struct strbuf *lines, struct str line)
{
    struct str rest = strbuf_str(lines);
    struct str one;

    while (str_cut(&rest, '\n', &one)) {
        if (str_equal(one, line)) {
            return true;
        }
    }
    return false;
}

/* A config has the same three members as an entry's platform. BuildKit's attestations are of
 * `unknown/unknown`. */
static void add_platform(const struct json_value *platform, struct strbuf *lines)
{
    const struct str os = json_value_member_string(platform, "os");
    const struct str architecture = json_value_member_string(platform, "architecture");
    const struct str variant = json_value_member_string(platform, "variant");
    CLEANUP(strbuf_release) struct strbuf line;

    strbuf_init(&line, 3 * (PLATFORM_PART_MAX_BYTES + 1));
    if (!is_part(os) || !is_part(architecture) || str_is(os, "unknown")) {
        return;
    }
    strbuf_append_format(&line, "%.*s/%.*s", STR_FORMAT(os), STR_FORMAT(architecture));
    if (is_part(variant)) {
        strbuf_append_format(&line, "/%.*s", STR_FORMAT(variant));
    }
    if (!references_has_line(lines, strbuf_str(&line))) {
        strbuf_append_byte(&line, '\n');
        strbuf_append(lines, strbuf_str(&line));
    }
}

static void add_of_index(const struct json_value *index, struct strbuf *lines)
{
    const struct json_value *entries = json_value_member(index, "manifests");

    for (size_t i = 0; i < json_value_length(entries); i++) {
        add_platform(json_value_member(json_value_element(entries, i), "platform"), lines);
    }
}

/* What others read in another way must not be told; what nobody can read says nothing. */
static enum error_code refuse_ambiguous(enum error_code code, const struct error *reason,
                                        struct error *err)
{
    return code == ERROR_CONFLICT
               ? error_set_about(err, ABOUT_MANIFEST, ERROR_INVALID,
                                 "the image's config is ambiguous: %s", reason->message)
               : OK;
}

static enum error_code add_of_document(struct str document, bool is_index, struct strbuf *lines,
                                       struct error *err)
{
    struct json_value *json = NULL;
    struct error reason = {0};
    enum error_code code = json_value_parse(document, &json, &reason);

    if (!code && is_index) {
        add_of_index(json, lines);
    } else if (!code) {
        code = member_names_check(json, OBJECT_CONFIG, &reason);
        add_platform(json, lines);
    }
    json_value_free(json);
    return refuse_ambiguous(code, &reason, err);
}

static enum error_code add_of_config(struct registry *registry, const struct digest *digest,
                                     struct strbuf *lines, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf config;
    enum error_code code = OK;

    strbuf_init(&config, PLATFORM_CONFIG_MAX_BYTES);
    code = platforms_read_config(registry, digest, &config, err);
    return code ? code : add_of_document(strbuf_str(&config), false, lines, err);
}

enum error_code platforms_find(struct registry *registry, const struct manifest *manifest,
                               struct str content, struct arena *arena, struct str *platforms_out,
                               struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf lines;
    enum error_code code = OK;

    strbuf_init(&lines, PLATFORMS_MAX_BYTES);
    if (manifest->is_index) {
        code = add_of_document(content, true, &lines, err);
    } else if (has_image_config(manifest)) {
        code = add_of_config(registry, &manifest->facts.config, &lines, err);
    }
    if (code) {
        return code;
    }
    *platforms_out = arena_copy(arena, strbuf_str(&lines));
    return OK;
}

enum error_code platforms_read_config(struct registry *registry, const struct digest *digest,
                                      struct strbuf *config, struct error *err)
{
    const enum error_code code = blob_reader_read_all(registry, digest, config, err);

    if (code == ERROR_TOO_LARGE ||
        json_value_memory_bytes(strbuf_str(config)) > PLATFORM_CONFIG_MEMORY_BYTES) {
        strbuf_clear(config);
        return OK;
    }
    return code;
}
