#include "registry/manifest_parser.h"

#include "base/digest.h"
#include "base/json_value.h"

/* A manifest while it is read. */
struct reading {
    const struct json_value *json;
    struct arena *arena;
    struct manifest manifest;
};

static const struct {
    const char *media_type;
    enum manifest_format format;
    bool is_index;
} formats[] = {
    {"application/vnd.oci.image.manifest.v1+json", MANIFEST_OCI_IMAGE, false},
    {"application/vnd.oci.image.index.v1+json", MANIFEST_OCI_INDEX, true},
    {"application/vnd.docker.distribution.manifest.v2+json", MANIFEST_DOCKER_IMAGE, false},
    {"application/vnd.docker.distribution.manifest.list.v2+json", MANIFEST_DOCKER_LIST, true},
};

static const char schema_1_media_type[] = "application/vnd.docker.distribution.manifest.v1+";

static struct str without_parameters(struct str content_type)
{
    return str_trim(str_slice(content_type, 0, str_index_of(content_type, ';')));
}

static enum error_code schema_1(struct error *err)
{
    return error_set_about(err, ABOUT_MANIFEST, ERROR_UNSUPPORTED,
                           "Docker's schema 1 manifests are not supported: push with a client that "
                           "sends schema 2 or OCI manifests (Docker 1.10 or later)");
}

static enum error_code find_format(struct str content_type, struct manifest *manifest,
                                   struct error *err)
{
    if (str_starts_with_ignoring_case(content_type, schema_1_media_type)) {
        return schema_1(err);
    }
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (str_is_ignoring_case(content_type, formats[i].media_type)) {
            manifest->media_type = formats[i].media_type;
            manifest->format = formats[i].format;
            manifest->is_index = formats[i].is_index;
            return OK;
        }
    }
    return error_set_about(
        err, ABOUT_MANIFEST, ERROR_INVALID,
        "the Content-Type '%.*s' is none of a manifest: those are %s, %s, %s and %s",
        STR_FORMAT(str_slice(content_type, 0, 100)), formats[0].media_type, formats[1].media_type,
        formats[2].media_type, formats[3].media_type);
}

/* Whatever it was sent as, it is told what it is. */
static bool is_schema_1(struct str content)
{
    struct json_value *json = NULL;
    uint64_t version = 0;

    if (!json_value_parse(content, &json, NULL)) {
        (void)json_value_uint64(json_value_member(json, "schemaVersion"), &version);
        json_value_free(json);
    }
    return version == 1;
}

static enum error_code parse_json(struct str content, struct json_value **json_out,
                                  struct error *err)
{
    struct error reason = {0};
    const enum error_code code = json_value_parse(content, json_out, &reason);

    if (code == ERROR_TOO_LARGE) {
        return error_set_about(err, ABOUT_MANIFEST, code, "the manifest is too large: %s",
                               reason.message);
    }
    return code ? manifest_invalid(err, reason.message) : OK;
}

/*
 * What could be read in two ways is refused: a client might run what another one did not verify
 * (CVE-2021-41190).
 */
static enum error_code check_shape(const struct reading *reading, struct str content_type,
                                   struct error *err)
{
    const struct json_value *json = reading->json;
    const struct json_value *media_type = json_value_present(json, "mediaType");
    const bool is_index = reading->manifest.is_index;
    uint64_t version = 0;

    if (!json_value_is_object(json)) {
        return manifest_invalid(err, "it is not a JSON object");
    }
    if (!json_value_uint64(json_value_member(json, "schemaVersion"), &version) || version != 2) {
        return version == 1 ? schema_1(err) : manifest_invalid(err, "schemaVersion must be 2");
    }
    if (media_type && !str_equal_ignoring_case(json_value_string(media_type), content_type)) {
        return manifest_invalid(err, "its mediaType differs from the request's Content-Type");
    }
    if (is_index && (json_value_member(json, "layers") || json_value_member(json, "config"))) {
        return manifest_invalid(err, "an index has no layers and no config (CVE-2021-41190)");
    }
    if (!is_index && json_value_member(json, "manifests")) {
        return manifest_invalid(err, "an image manifest has no manifests (CVE-2021-41190)");
    }
    if (json_value_member(json, "fsLayers")) {
        return manifest_invalid(err, "it mixes in fsLayers, which is of Docker's schema 1");
    }
    return manifest_check_names(json, OBJECT_MANIFEST, err);
}

static enum error_code manifest_read_config(struct reading *reading, struct error *err)
{
    struct manifest *manifest = &reading->manifest;
    const struct json_value *config = json_value_present(reading->json, "config");
    enum error_code code = OK;

    if (!config) {
        return manifest_invalid(err, "config is missing");
    }
    manifest->descriptors = arena_new(reading->arena, 1, sizeof(*manifest->descriptors));
    if (!manifest->descriptors) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE, "the manifest is too large");
    }
    code = descriptor_parse(config, reading->arena, &manifest->descriptors[0], err);
    if (code) {
        return code;
    }
    manifest->descriptors[0].may_be_elsewhere = false; /* as layers may, whatever it calls itself */
    manifest->descriptor_count = 1;
    manifest->first_layer = 1;
    manifest->facts.has_config = true;
    manifest->facts.config = manifest->descriptors[0].digest;
    return OK;
}

/* So some tools write one of nothing: null, or an image without layers. */
static enum error_code manifest_read_list(struct reading *reading, const char *name,
                                          struct error *err)
{
    struct manifest *manifest = &reading->manifest;
    const struct json_value *list = json_value_present(reading->json, name);
    const size_t count = json_value_length(list);
    const size_t first = manifest->first_layer;
    struct descriptor *all = NULL;

    if (list ? !json_value_is_array(list)
             : manifest->is_index && !json_value_member(reading->json, name)) {
        return manifest_invalid(err, manifest->is_index ? "manifests must be an array"
                                                        : "layers must be an array");
    }
    if (count > MANIFEST_MAX_DESCRIPTORS) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE,
                               "the manifest names more than %d others", MANIFEST_MAX_DESCRIPTORS);
    }
    all = arena_new(reading->arena, first + count, sizeof(*all));
    if (!all) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE, "the manifest is too large");
    }
    if (first > 0) {
        all[0] = manifest->descriptors[0];
    }
    for (size_t i = 0; i < count; i++) {
        const enum error_code code =
            descriptor_parse(json_value_element(list, i), reading->arena, &all[first + i], err);

        if (code) {
            return code;
        }
    }
    manifest->descriptors = all;
    manifest->descriptor_count = first + count;
    return OK;
}

static enum error_code read_subject(struct reading *reading, struct error *err)
{
    const struct json_value *subject = json_value_present(reading->json, "subject");
    struct descriptor descriptor;
    enum error_code code = OK;

    if (!subject) {
        return OK;
    }
    code = descriptor_parse(subject, reading->arena, &descriptor, err);
    if (!code) {
        reading->manifest.subject = descriptor;
        reading->manifest.facts.has_subject = true;
        reading->manifest.facts.subject = descriptor.digest;
    }
    return code;
}

static enum error_code manifest_copy(struct reading *reading, struct str text, struct str *copy_out,
                                     struct error *err)
{
    const char *copied = arena_text(reading->arena, text);

    if (!copied) {
        return error_set_about(err, ABOUT_MANIFEST, ERROR_TOO_LARGE, "the manifest is too large");
    }
    *copy_out = (struct str){copied, text.length};
    return OK;
}

/* distribution-spec "Listing Referrers": an image manifest's falls back to its config's media type.
 */
static enum error_code read_artifact_type(struct reading *reading, struct error *err)
{
    const struct manifest *manifest = &reading->manifest;
    const struct json_value *stated = json_value_present(reading->json, "artifactType");
    struct str type = json_value_string(stated);

    if (stated && !json_value_is_string(stated)) {
        return manifest_invalid(err, "artifactType must be a string");
    }
    if (type.length == 0 && manifest->facts.has_config) {
        type = manifest->descriptors[0].media_type;
    }
    return manifest_copy(reading, type, &reading->manifest.facts.artifact_type, err);
}

/* Kept as JSON only of what has a subject: listings of referrers show them. */
static enum error_code read_annotations(struct reading *reading, struct error *err)
{
    const struct json_value *annotations = json_value_present(reading->json, "annotations");
    struct strbuf text;
    enum error_code code = OK;

    if (!annotations) {
        return OK;
    }
    strbuf_init(&text, MANIFEST_MAX_ANNOTATIONS_BYTES);
    code = manifest_write_annotations(annotations, &text, err);
    if (!code) {
        reading->manifest.annotations = hasher_digest_of(DIGEST_SHA256, strbuf_str(&text));
    }
    if (!code && reading->manifest.facts.has_subject) {
        code = manifest_copy(reading, strbuf_str(&text), &reading->manifest.facts.annotations, err);
    }
    strbuf_release(&text);
    return code;
}

static enum error_code manifest_read_content(struct reading *reading, struct error *err)
{
    enum error_code code = OK;

    if (!reading->manifest.is_index) {
        code = manifest_read_config(reading, err);
    }
    if (!code) {
        code =
            manifest_read_list(reading, reading->manifest.is_index ? "manifests" : "layers", err);
    }
    if (!code) {
        code = read_subject(reading, err);
    }
    if (!code) {
        code = read_artifact_type(reading, err);
    }
    return code ? code : read_annotations(reading, err);
}

/* What a pull of it comes to. An index has no size of its own: which entry is pulled is not known.
 */
static enum error_code add_sizes(struct reading *reading, uint64_t content_bytes, struct error *err)
{
    struct manifest *manifest = &reading->manifest;
    uint64_t sum = content_bytes;

    for (size_t i = 0; i < manifest->descriptor_count && !manifest->is_index; i++) {
        if (__builtin_add_overflow(sum, manifest->descriptors[i].size_bytes, &sum) ||
            sum > INT64_MAX) {
            return manifest_invalid(err, "its sizes add up to more than there can be");
        }
    }
    manifest->facts.image_size_bytes = manifest->is_index ? 0 : sum;
    return OK;
}

enum error_code manifest_parse(struct str content, struct str content_type, struct arena *arena,
                               struct manifest *manifest_out, struct error *err)
{
    struct reading reading = {.arena = arena};
    struct json_value *json = NULL;
    const struct str media_type = without_parameters(content_type);
    enum error_code code = find_format(media_type, &reading.manifest, err);

    if (code) {
        return is_schema_1(content) ? schema_1(err) : code;
    }
    code = parse_json(content, &json, err);
    if (code) {
        return code;
    }
    reading.json = json;
    code = check_shape(&reading, media_type, err);
    if (!code) {
        code = manifest_read_content(&reading, err);
    }
    if (!code) {
        code = add_sizes(&reading, content.length, err);
    }
    json_value_free(json);
    if (!code) {
        *manifest_out = reading.manifest;
    }
    return code;
}

bool manifest_is_media_type(struct str media_type)
{
    struct manifest manifest;

    return find_format(media_type, &manifest, NULL) == OK;
}
