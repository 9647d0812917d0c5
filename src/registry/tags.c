#include "registry/tags.h"

#include "registry/registry_private.h"

enum error_code registry_list_tags(struct registry *registry, const struct repository *repository,
                                   struct str after, size_t limit, struct arena *arena,
                                   struct name_page *page_out, struct error *err)
{
    return metadata_list_tags(registry->config.metadata, repository->name, after, limit, arena,
                              page_out, err);
}

enum error_code registry_list_repositories(struct registry *registry, struct str after,
                                           size_t limit, struct arena *arena,
                                           struct name_page *page_out, struct error *err)
{
    return metadata_list_repositories(registry->config.metadata, after, limit, arena, page_out,
                                      err);
}
