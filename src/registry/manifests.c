#include "registry/manifests.h"

#include "metadata/repositories.h"
#include "registry/content_cache.h"
#include "registry/registry_private.h"
#include "registry/tag_rule.h"

/* One question to the database, also where it is another machine's. */
static enum error_code find_by_tag(struct registry *registry, const struct repository *repository,
                                   const struct reference *reference, struct arena *arena,
                                   struct manifest_found *found, struct error *err)
{
    const struct registry_config *config = &registry->config;
    const bool is_latest = tag_rule_is_latest(reference->tag);
    struct tagged_manifest tagged;
    const enum error_code code =
        is_latest
            ? metadata_find_newest_manifest(config->metadata, repository->name, arena, &tagged, err)
            : metadata_find_tagged_manifest(config->metadata, repository->name, reference->tag,
                                            arena, &tagged, err);

    if (!code) {
        found->manifest = tagged.manifest;
        found->is_fixed =
            !is_latest && !tag_rule_may_move(tagged.kind, config->settings.snapshots_move,
                                             config->settings.signatures == SIGNATURES_GROW);
    }
    return code;
}

static enum error_code explain_absence(struct registry *registry,
                                       const struct repository *repository,
                                       const struct reference *reference, struct error *err)
{
    char digest[DIGEST_TEXT_BYTES];
    struct str name = reference->tag;
    bool has_repository = false;
    const enum error_code code =
        metadata_has_repository(registry->config.metadata, repository->name, &has_repository, err);

    if (code) {
        return code;
    }
    if (!has_repository) {
        return error_set_about(err, ABOUT_NAME, ERROR_NOT_FOUND,
                               "there is no repository %.*s: nothing was pushed to it",
                               STR_FORMAT(repository->name));
    }
    if (reference->is_digest) {
        digest_format(&reference->digest, digest);
        name = str_from(digest);
    }
    return error_set_about(err, ABOUT_MANIFEST, ERROR_NOT_FOUND, "%.*s has no %s %.*s",
                           STR_FORMAT(repository->name), reference->is_digest ? "manifest" : "tag",
                           STR_FORMAT(name));
}

enum error_code registry_find_manifest(struct registry *registry,
                                       const struct repository *repository,
                                       const struct reference *reference, struct arena *arena,
                                       struct manifest_found *found_out, struct error *err)
{
    struct manifest_found found = {.is_fixed = true};
    const enum error_code code =
        reference->is_digest
            ? metadata_find_manifest(registry->config.metadata, repository->name,
                                     &reference->digest, arena, &found.manifest, err)
            : find_by_tag(registry, repository, reference, arena, &found, err);

    if (code == ERROR_NOT_FOUND) {
        return explain_absence(registry, repository, reference, err);
    }
    if (!code) {
        content_cache_manifest(registry, repository, reference, &found);
        *found_out = found;
    }
    return code;
}

enum error_code registry_list_referrers(struct registry *registry,
                                        const struct referrer_query *query, struct arena *arena,
                                        struct referrer_page *page_out, struct error *err)
{
    return metadata_list_referrers(registry->config.metadata, query, arena, page_out, err);
}
