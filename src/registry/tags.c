#include "registry/tags.h"

#include "registry/registry_private.h"

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
