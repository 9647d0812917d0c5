#include "registry/tags.h"

#include "registry/registry_private.h"
#include "registry/tag_rule.h"

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
