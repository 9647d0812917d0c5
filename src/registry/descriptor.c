#include "registry/descriptor.h"

#include "base/digest.h"
#include "base/json_reader.h"

/* image-spec "manifest.md" and "image-index.md", and what tells Docker's schema 1. */
static const char *const manifest_names[] = {
    "schemaVersion", "mediaType",   "artifactType", "config",  "layers",     "manifests",
    "subject",       "annotations", "fsLayers",     "history", "signatures",
};

/* image-spec "descriptor.md". */
static const char *const descriptor_names[] = {
    "mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform",
};

/* image-spec "image-index.md"; `features` is Docker's. */
static const char *const platform_names[] = {
    "architecture", "os", "os.version", "os.features", "variant", "features",
};

/* image-spec "config.md". */
static const char *const config_names[] = {
    "created",     "author",  "architecture", "os",     "os.version",
    "os.features", "variant", "config",       "rootfs", "history",
};

static const struct {
    const char *const *names;
    size_t count;
} objects[] = {
    [OBJECT_MANIFEST] = {manifest_names, ARRAY_LEN(manifest_names)},
    [OBJECT_DESCRIPTOR] = {descriptor_names, ARRAY_LEN(descriptor_names)},
    [OBJECT_PLATFORM] = {platform_names, ARRAY_LEN(platform_names)},
    [OBJECT_CONFIG] = {config_names, ARRAY_LEN(config_names)},
};

enum error_code member_names_check(const struct json_value *object, enum named_object kind,
                                   struct error *err)
{
    return json_value_check_names(object, objects[kind].names, objects[kind].count, err);
}

/* image-spec "Non-distributable layers", and Docker's foreign ones. */
static bool is_non_distributable(struct str media_type)
{
    return str_starts_with_ignoring_case(media_type,
                                         "application/vnd.oci.image.layer.nondistributable.v1.") ||
           str_starts_with_ignoring_case(media_type,
                                         "application/vnd.docker.image.rootfs.foreign.");
}

/* cosign's signatures are annotations of layers, so two layers are the same only with the same. */
static enum error_code hash_annotations(const struct json_value *annotations,
                                        struct digest *digest_out, struct error *err)
{
    struct strbuf text;
    enum error_code code = OK;

    if (!annotations) {
        return OK;
    }
    strbuf_init(&text, MANIFEST_MAX_ANNOTATIONS_BYTES);
    code = manifest_write_annotations(annotations, &text, err);
    if (!code) {
        *digest_out = hasher_digest_of(DIGEST_SHA256, strbuf_str(&text));
    }
    strbuf_release(&text);
    return code;
}

enum error_code descriptor_parse(const struct json_value *json, struct arena *arena,
                                 struct descriptor *descriptor_out, struct error *err)
{
    static const struct json_subject subject = {
        .name = "the manifest is invalid: a descriptor",
        .code = ERROR_INVALID,
        .topic = ABOUT_MANIFEST,
    };
    struct descriptor descriptor = {0};
    struct json_reader reader;
    struct error reason = {0};
    struct str media_type;
    enum error_code code = OK;

    json_reader_open_value(&reader, json, &subject, NULL, err);
    if (digest_parse(json_reader_needed_text(&reader, "digest"), &descriptor.digest, &reason)) {
        json_reader_fail(&reader, "has a wrong digest: %s", reason.message);
    }
    descriptor.size_bytes = json_reader_needed_uint64(&reader, "size", INT64_MAX);
    media_type = json_reader_needed_text(&reader, "mediaType");
    descriptor.media_type = arena_copy(arena, media_type);
    descriptor.may_be_elsewhere = is_non_distributable(media_type);
    code = json_reader_close(&reader);
    if (!code && !descriptor.media_type.bytes) {
        code = error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE, "the manifest is too large");
    }
    if (!code) {
        code = manifest_check_names(json, OBJECT_DESCRIPTOR, err);
    }
    if (!code) {
        code = manifest_check_names(json_value_member(json, "platform"), OBJECT_PLATFORM, err);
    }
    if (!code) {
        code =
            hash_annotations(json_value_present(json, "annotations"), &descriptor.annotations, err);
    }
    if (!code) {
        *descriptor_out = descriptor;
    }
    return code;
}

enum error_code manifest_check_names(const struct json_value *object, enum named_object kind,
                                     struct error *err)
{
    struct error reason = {0};

    return member_names_check(object, kind, &reason) ? manifest_invalid(err, reason.message) : OK;
}

enum error_code manifest_write_annotations(const struct json_value *annotations,
                                           struct strbuf *text, struct error *err)
{
    if (!json_value_is_object(annotations)) {
        return manifest_invalid(err, "annotations must be an object");
    }
    if (!json_value_write_strings(annotations, text)) {
        return manifest_invalid(err, "annotations must be strings");
    }
    if (text->is_truncated) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE,
                               "annotations are limited to %d bytes",
                               MANIFEST_MAX_ANNOTATIONS_BYTES);
    }
    return OK;
}

enum error_code manifest_invalid(struct error *err, const char *why)
{
    return error_set_about(err, ABOUT_MANIFEST, ERROR_INVALID, "the manifest is invalid: %s", why);
}
