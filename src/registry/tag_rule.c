#include "registry/tag_rule.h"

#include "registry/references.h"
#include "registry/registry_private.h"

static const char *const signature_suffixes[] = {"", ".sig", ".att", ".sbom"};

/* cosign's signatures, and DSSE envelopes of attestations. */
static const char *const signature_layers[] = {
    "application/vnd.dev.cosign.simplesigning.v1+json",
    "application/vnd.dsse.envelope.v1+json",
};

/* A stored manifest, whatever the limit was when it was pushed, and its descriptors. */
enum { OLD_MANIFEST_ARENA_BYTES = 64 * 1024 * 1024 };

enum tag_kind tag_rule_kind(struct str tag)
{
    struct digest subject;

    if (tag_rule_subject(tag, &subject)) {
        return TAG_SIGNATURE;
    }
    return str_ends_with(tag, "-SNAPSHOT") ? TAG_SNAPSHOT : TAG_VERSION;
}

bool tag_rule_is_latest(struct str tag)
{
    return str_is(tag, "latest");
}

bool tag_rule_may_move(enum tag_kind kind, bool snapshots_move, bool signatures_grow)
{
    switch (kind) {
    case TAG_VERSION:
        return false;
    case TAG_SNAPSHOT:
        return snapshots_move;
    case TAG_SIGNATURE:
        return signatures_grow;
    }
    return false;
}

/* What whoever may not move a tag of that kind can do. */
static const char *advice_on(enum tag_kind kind, bool signatures_grow)
{
    switch (kind) {
    case TAG_VERSION:
        break;
    case TAG_SNAPSHOT:
        return "Push another tag, or ask the registry's operator for the setting tags.snapshots";
    case TAG_SIGNATURE:
        return signatures_grow
                   ? "Signatures are added, never removed or replaced"
                   : "Ask the registry's operator for the setting tags.signatures: grow, which "
                     "lets signatures be added, or sign with referrers (OCI 1.1)";
    }
    return "Push another tag";
}

bool tag_rule_subject(struct str tag, struct digest *subject_out)
{
    enum { HEX = 64, PREFIX = sizeof("sha256-") - 1 };
    char text[DIGEST_TEXT_BYTES];
    const struct str suffix = str_from_index(tag, PREFIX + HEX);
    bool has_suffix = false;

    if (tag.length < PREFIX + HEX || !str_starts_with(tag, "sha256-")) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(signature_suffixes); i++) {
        has_suffix = has_suffix || str_is(suffix, signature_suffixes[i]);
    }
    for (size_t i = 0; i < PREFIX + HEX; i++) {
        text[i] = tag.bytes[i];
    }
    text[PREFIX - 1] = ':';
    return has_suffix && digest_parse((struct str){text, PREFIX + HEX}, subject_out, NULL) == OK;
}

/* Beside its layers or entries, and what is in its config. */
static bool says_the_same(const struct manifest *old_manifest, const struct manifest *new_manifest)
{
    const struct manifest_facts *old_facts = &old_manifest->facts;
    const struct manifest_facts *new_facts = &new_manifest->facts;
    bool is_same = old_manifest->format == new_manifest->format &&
                   old_facts->has_config == new_facts->has_config &&
                   old_facts->has_subject == new_facts->has_subject &&
                   digest_equal(&old_manifest->annotations, &new_manifest->annotations) &&
                   str_equal(old_facts->artifact_type, new_facts->artifact_type);

    if (is_same && old_facts->has_subject) {
        is_same = digest_equal(&old_facts->subject, &new_facts->subject);
    }
    if (is_same && old_facts->has_config) {
        const struct descriptor *old_config = &old_manifest->descriptors[0];
        const struct descriptor *new_config = &new_manifest->descriptors[0];

        is_same = str_equal(old_config->media_type, new_config->media_type) &&
                  digest_equal(&old_config->annotations, &new_config->annotations);
    }
    return is_same;
}

static bool is_signature_layer(const struct descriptor *layer)
{
    for (size_t i = 0; i < ARRAY_LEN(signature_layers); i++) {
        if (str_is_ignoring_case(layer->media_type, signature_layers[i])) {
            return true;
        }
    }
    return false;
}

static bool holds_signatures_only(const struct manifest *manifest)
{
    for (size_t i = manifest->first_layer; i < manifest->descriptor_count; i++) {
        if (!is_signature_layer(&manifest->descriptors[i])) {
            return false;
        }
    }
    return manifest->descriptor_count > manifest->first_layer;
}

static bool has_descriptor(const struct manifest *manifest, const struct descriptor *wanted)
{
    for (size_t i = manifest->first_layer; i < manifest->descriptor_count; i++) {
        const struct descriptor *present = &manifest->descriptors[i];

        if (digest_equal(&present->digest, &wanted->digest) &&
            str_equal(present->media_type, wanted->media_type) &&
            digest_equal(&present->annotations, &wanted->annotations)) {
            return true;
        }
    }
    return false;
}

bool tag_rule_grows(const struct manifest *old_manifest, const struct manifest *new_manifest)
{
    if (!says_the_same(old_manifest, new_manifest) ||
        new_manifest->descriptor_count - new_manifest->first_layer > TAG_RULE_MAX_GROWTH ||
        (!new_manifest->is_index && !holds_signatures_only(new_manifest))) {
        return false;
    }
    for (size_t i = old_manifest->first_layer; i < old_manifest->descriptor_count; i++) {
        if (!has_descriptor(new_manifest, &old_manifest->descriptors[i])) {
            return false;
        }
    }
    return true;
}

/* Whether the new array has all of the old one first. */
static bool extends(const struct json_value *old_array, const struct json_value *new_array)
{
    const size_t length = json_value_length(old_array);
    bool is_same = json_value_is_array(new_array) || (!old_array && !new_array);

    is_same = is_same && (json_value_is_array(old_array) || !old_array);
    for (size_t i = 0; i < length && is_same; i++) {
        is_same =
            json_value_equal(json_value_element(old_array, i), json_value_element(new_array, i));
    }
    return is_same;
}

bool tag_rule_config_grows(const struct json_value *old_config, const struct json_value *new_config)
{
    static const char *const growing[] = {"created", "history", "rootfs"};
    static const char *const of_rootfs[] = {"diff_ids"};
    const struct json_value *old_rootfs = json_value_member(old_config, "rootfs");
    const struct json_value *new_rootfs = json_value_member(new_config, "rootfs");
    const bool has_rootfs = old_rootfs || new_rootfs;

    return json_value_equal_except(old_config, new_config, growing, ARRAY_LEN(growing)) &&
           extends(json_value_member(old_config, "history"),
                   json_value_member(new_config, "history")) &&
           (!has_rootfs ||
            json_value_equal_except(old_rootfs, new_rootfs, of_rootfs, ARRAY_LEN(of_rootfs))) &&
           extends(json_value_member(old_rootfs, "diff_ids"),
                   json_value_member(new_rootfs, "diff_ids"));
}

/* NULL for one that cannot be read: it is no config that grows. */
static enum error_code tag_rule_read_config(const struct tag_mover *mover,
                                            const struct digest *digest,
                                            struct json_value **config_out, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text;
    enum error_code code = OK;

    strbuf_init(&text, PLATFORM_CONFIG_MAX_BYTES);
    code = platforms_read_config(mover->registry, digest, &text, err);
    if (!code && json_value_parse(strbuf_str(&text), config_out, NULL)) {
        *config_out = NULL;
    }
    return code;
}

static enum error_code compare_configs(const struct tag_mover *mover,
                                       const struct manifest *old_manifest, bool *grows_out,
                                       struct error *err)
{
    const struct manifest_facts *old_facts = &old_manifest->facts;
    const struct manifest_facts *new_facts = &mover->manifest->facts;
    struct json_value *old_config = NULL;
    struct json_value *new_config = NULL;
    enum error_code code = OK;

    if (!old_facts->has_config || digest_equal(&old_facts->config, &new_facts->config)) {
        return OK;
    }
    code = tag_rule_read_config(mover, &old_facts->config, &old_config, err);
    if (!code) {
        code = tag_rule_read_config(mover, &new_facts->config, &new_config, err);
    }
    if (!code) {
        *grows_out = tag_rule_config_grows(old_config, new_config);
    }
    json_value_free(old_config);
    json_value_free(new_config);
    return code;
}

/* The old manifest has an arena of its own: it is needed no longer than this, at each attempt. */
static enum error_code rule_compare(const struct tag_mover *mover, const struct digest *existing,
                                    bool *grows_out, struct error *err)
{
    struct arena arena;
    struct manifest_record record;
    struct manifest old_manifest;
    enum error_code code = OK;

    arena_init(&arena, OLD_MANIFEST_ARENA_BYTES);
    code = metadata_find_manifest(mover->registry->config.metadata, mover->repository, existing,
                                  &arena, &record, err);
    if (!code) {
        code = manifest_parse(record.content, record.media_type, &arena, &old_manifest, err);
    }
    if (!code) {
        *grows_out = tag_rule_grows(&old_manifest, mover->manifest);
    }
    if (!code && *grows_out) {
        code = compare_configs(mover, &old_manifest, grows_out, err);
    }
    arena_release(&arena);
    return code;
}

static enum error_code may_grow(const struct tag_mover *mover, struct str tag,
                                const struct digest *existing, bool *may_out, struct error *err)
{
    struct digest subject;
    enum error_code code = OK;

    *may_out = tag_rule_subject(tag, &subject);
    if (*may_out) {
        code = metadata_has_manifest(mover->registry->config.metadata, mover->repository, &subject,
                                     may_out, err);
    }
    return code || !*may_out ? code : rule_compare(mover, existing, may_out, err);
}

static enum error_code refuse_move(const struct tag_mover *mover, const struct tag_push *tag,
                                   const struct digest *existing, struct error *err)
{
    char old_digest[DIGEST_TEXT_BYTES];
    char new_digest[DIGEST_TEXT_BYTES];

    digest_format(existing, old_digest);
    digest_format(&mover->digest, new_digest);
    return error_set_about(
        err, ABOUT_TAG, ERROR_CONFLICT,
        "the tag %.*s:%.*s is immutable: it is at %s and does not move to %s. "
        "%s",
        STR_FORMAT(mover->repository), STR_FORMAT(tag->name), old_digest, new_digest,
        advice_on(tag->kind, mover->registry->config.settings.signatures == SIGNATURES_GROW));
}

enum error_code tag_mover_check(const struct tag_mover *mover, const struct tag_push *tag,
                                const struct digest *existing, struct error *err)
{
    const struct registry_settings *settings = &mover->registry->config.settings;
    bool may_move = tag_rule_may_move(tag->kind, settings->snapshots_move,
                                      settings->signatures == SIGNATURES_GROW);
    enum error_code code = OK;

    if (may_move && tag->kind == TAG_SIGNATURE) {
        code = may_grow(mover, tag->name, existing, &may_move, err);
    }
    return code || may_move ? code : refuse_move(mover, tag, existing, err);
}
