#include "registry/platforms.h"

#include "base/json_value.h"
#include "registry/blobs.h"
#include "registry/member_names.h"
#include "registry/registry_private.h"
#include "registry/runnable.h"

enum { PLATFORM_PART_MAX_BYTES = 64 };

static enum error_code add_of_config(struct registry *registry, const struct digest *digest,
                                     struct strbuf *lines, struct error *err);
static enum error_code add_of_document(struct str document, bool is_index, struct strbuf *lines,
                                       struct error *err);
static enum error_code refuse(enum error_code code, const struct error *reason, struct error *err);
static void add_of_index(const struct json_value *index, struct strbuf *lines);
static void add(const struct json_value *platform, struct strbuf *lines);
static bool is_part(struct str part);
static bool has_line(const struct strbuf *lines, struct str line);

enum error_code platforms_find(struct registry *registry, const struct manifest *manifest,
                               struct str content, struct arena *arena, struct str *platforms_out,
                               struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf lines;
    enum error_code code = OK;

    strbuf_init(&lines, PLATFORMS_MAX_BYTES);
    if (manifest->is_index) {
        code = add_of_document(content, true, &lines, err);
    } else if (runnable_has_image_config(manifest)) {
        code = add_of_config(registry, &manifest->facts.config, &lines, err);
    }
    if (code) {
        return code;
    }
    *platforms_out = arena_copy(arena, strbuf_str(&lines));
    return OK;
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
        add(json, lines);
    }
    json_value_free(json);
    return refuse(code, &reason, err);
}

/* What others read in another way must not be told; what nobody can read says nothing. */
static enum error_code refuse(enum error_code code, const struct error *reason, struct error *err)
{
    return code == ERROR_CONFLICT
               ? error_set_about(err, ABOUT_MANIFEST, ERROR_INVALID,
                                 "the image's config is ambiguous: %s", reason->message)
               : OK;
}

static void add_of_index(const struct json_value *index, struct strbuf *lines)
{
    const struct json_value *entries = json_value_member(index, "manifests");

    for (size_t i = 0; i < json_value_length(entries); i++) {
        add(json_value_member(json_value_element(entries, i), "platform"), lines);
    }
}

/* A config has the same three members as an entry's platform. BuildKit's attestations are of
 * `unknown/unknown`. */
static void add(const struct json_value *platform, struct strbuf *lines)
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
    if (!has_line(lines, strbuf_str(&line))) {
        strbuf_append_byte(&line, '\n');
        strbuf_append(lines, strbuf_str(&line));
    }
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

static bool has_line(const struct strbuf *lines, struct str line)
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
