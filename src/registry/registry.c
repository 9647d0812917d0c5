#include "registry/registry.h"

#include <stdlib.h>

#include "base/memory.h"
#include "registry/registry_private.h"
#include "registry/source_finder.h"
#include "registry/tag_rule.h"

enum { HEXADECIMAL_MAX = 128 };

struct registry *registry_new(const struct registry_config *config)
{
    struct registry *registry = memory_new(1, sizeof(*registry));

    registry->config = *config;
    open_uploads_init(&registry->open_uploads, config->metrics);
    scanned_layers_init(&registry->scanned_layers);
    (void)sem_init(&registry->source_searches, 0, SOURCE_SEARCHES_MAX);
    registry->parsing = memory_budget_new(PARSING_MAX_BYTES);
    registry->cache = config->settings.cache_bytes > 0
                          ? content_cache_new(config->settings.cache_bytes, config->metrics)
                          : NULL;
    return registry;
}

void registry_free(struct registry *registry)
{
    if (registry) {
        open_uploads_release(&registry->open_uploads);
        scanned_layers_release(&registry->scanned_layers);
        (void)sem_destroy(&registry->source_searches);
        memory_budget_free(registry->parsing);
        content_cache_free(registry->cache);
        free(registry);
    }
}

enum error_code registry_list_tags(struct registry *registry, const struct repository *repository,
                                   const struct name_query *query, struct name_page *page_out,
                                   struct error *err)
{
    struct name_query of_repository = *query;

    of_repository.repository = repository->name;
    return metadata_list_tags(registry->config.metadata, &of_repository, page_out, err);
}

enum error_code registry_list_repositories(struct registry *registry,
                                           const struct name_query *query,
                                           struct name_page *page_out, struct error *err)
{
    return metadata_list_repositories(registry->config.metadata, query, page_out, err);
}

enum error_code registry_list_teams(struct registry *registry, const struct name_query *query,
                                    struct name_page *page_out, struct error *err)
{
    return metadata_list_teams(registry->config.metadata, query, page_out, err);
}

enum error_code registry_list_artifacts(struct registry *registry, const struct name_query *query,
                                        struct name_page *page_out, struct error *err)
{
    return metadata_list_artifacts(registry->config.metadata, query, page_out, err);
}

enum error_code registry_list_tag_details(struct registry *registry,
                                          const struct tag_detail_query *query,
                                          struct tag_detail_page *page_out, struct error *err)
{
    return metadata_list_tag_details(registry->config.metadata, query, page_out, err);
}

enum error_code registry_list_tag_changes(struct registry *registry,
                                          const struct tag_history_query *query,
                                          struct tag_history *history_out, struct error *err)
{
    const enum error_code code =
        metadata_list_tag_changes(registry->config.metadata, query, history_out, err);

    if (code || history_out->count > 0 || query->after_sequence > 0) {
        return code;
    }
    return error_set_about(err, ABOUT_TAG, ERROR_NOT_FOUND, "%.*s has no tag %.*s",
                           STR_FORMAT(query->repository), STR_FORMAT(query->name));
}

enum error_code registry_find_tag_detail(struct registry *registry,
                                         const struct repository *repository, struct str name,
                                         struct arena *arena, struct tag_detail *tag_out,
                                         struct error *err)
{
    struct metadata *metadata = registry->config.metadata;
    struct tag_record newest = {.name = name};
    enum error_code code = OK;

    if (tag_rule_is_latest(name)) {
        code = metadata_find_newest_tag(metadata, repository->name, arena, &newest, err);
    }
    return code ? code
                : metadata_find_tag_detail(metadata, repository->name, newest.name, arena, tag_out,
                                           err);
}

static bool is_hexadecimal(struct str text)
{
    bool is_plain = text.length > 0 && text.length <= HEXADECIMAL_MAX;

    for (size_t i = 0; i < text.length && is_plain; i++) {
        is_plain = str_index_of(str_from("0123456789abcdef"), text.bytes[i]) < 16;
    }
    return is_plain;
}

enum error_code registry_list_image_tags(struct registry *registry, const struct image_query *query,
                                         struct image_tag_list *list_out, struct error *err)
{
    struct image_query complete = *query;
    const size_t colon = str_index_of(query->prefix, ':');
    const bool has_algorithm = colon < query->prefix.length;
    const struct str digits =
        has_algorithm ? str_from_index(query->prefix, colon + 1) : query->prefix;

    if (!is_hexadecimal(digits) || (has_algorithm && !str_starts_with(query->prefix, "sha256:") &&
                                    !str_starts_with(query->prefix, "sha512:"))) {
        return error_set_about(err, ABOUT_IMAGE, ERROR_INVALID,
                               "give the id of an image, or its first digits: 0 to 9 and a to f");
    }
    if (!has_algorithm) {
        const char *const text =
            arena_format(query->arena, "sha256:%.*s", STR_FORMAT(query->prefix));

        complete.prefix = str_from(text);
    }
    return metadata_list_image_tags(registry->config.metadata, &complete, list_out, err);
}

enum error_code registry_count_all(struct registry *registry,
                                   struct registry_statistics *statistics_out, struct error *err)
{
    return metadata_count_all(registry->config.metadata, statistics_out, err);
}

enum error_code registry_count_team(struct registry *registry, struct str team,
                                    struct team_statistics *statistics_out, struct error *err)
{
    return metadata_count_team(registry->config.metadata, team, statistics_out, err);
}
