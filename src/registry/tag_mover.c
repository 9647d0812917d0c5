#include "registry/tag_mover.h"

#include "registry/platforms.h"
#include "registry/registry_private.h"
#include "registry/tag_rule.h"

/* A stored manifest, whatever the limit was when it was pushed, and its descriptors. */
enum { OLD_MANIFEST_ARENA_BYTES = 64 * 1024 * 1024 };

static enum error_code may_grow(const struct tag_mover *mover, struct str tag,
                                const struct digest *existing, bool *may_out, struct error *err);
static enum error_code compare(const struct tag_mover *mover, const struct digest *existing,
                               bool *grows_out, struct error *err);
static enum error_code compare_configs(const struct tag_mover *mover,
                                       const struct manifest *old_manifest, bool *grows_out,
                                       struct error *err);
static enum error_code read_config(const struct tag_mover *mover, const struct digest *digest,
                                   struct json_value **config_out, struct error *err);
static enum error_code refuse(const struct tag_mover *mover, const struct tag_push *tag,
                              const struct digest *existing, struct error *err);

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
    return code || may_move ? code : refuse(mover, tag, existing, err);
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
    return code || !*may_out ? code : compare(mover, existing, may_out, err);
}

/* The old manifest has an arena of its own: it is needed no longer than this, at each attempt. */
static enum error_code compare(const struct tag_mover *mover, const struct digest *existing,
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
    code = read_config(mover, &old_facts->config, &old_config, err);
    if (!code) {
        code = read_config(mover, &new_facts->config, &new_config, err);
    }
    if (!code) {
        *grows_out = tag_rule_config_grows(old_config, new_config);
    }
    json_value_free(old_config);
    json_value_free(new_config);
    return code;
}

/* NULL for one that cannot be read: it is no config that grows. */
static enum error_code read_config(const struct tag_mover *mover, const struct digest *digest,
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

static enum error_code refuse(const struct tag_mover *mover, const struct tag_push *tag,
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
        tag_rule_advice(tag->kind, mover->registry->config.settings.signatures == SIGNATURES_GROW));
}
