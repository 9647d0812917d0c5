#include "registry/sources.h"

#include "registry/registry_private.h"
#include "registry/tags.h"

enum { HEXADECIMAL_MAX = 128 };

static enum error_code find_place(struct registry *registry, const struct repository *repository,
                                  struct str tag, struct arena *arena, struct tag_place *place_out,
                                  struct error *err);
static bool is_hexadecimal(struct str text);

enum error_code registry_find_scm_source(struct registry *registry,
                                         const struct repository *repository, struct str tag,
                                         struct arena *arena, struct scm_record *record_out,
                                         struct error *err)
{
    struct tag_place place;
    const enum error_code code = find_place(registry, repository, tag, arena, &place, err);

    return code ? code
                : metadata_find_scm_source(registry->config.metadata, &place, arena, record_out,
                                           err);
}

static enum error_code find_place(struct registry *registry, const struct repository *repository,
                                  struct str tag, struct arena *arena, struct tag_place *place_out,
                                  struct error *err)
{
    struct tag_detail detail;
    const enum error_code code =
        registry_find_tag_detail(registry, repository, tag, arena, &detail, err);

    if (!code) {
        *place_out = (struct tag_place){repository->name, detail.tag.name, detail.tag.digest};
    }
    return code;
}

enum error_code registry_mark_production_ready(struct registry *registry,
                                               const struct release *release, struct error *err)
{
    const struct release_mark mark = {release->incident_id, release->identity,
                                      clock_wall_ms(registry->config.clock)};
    struct scm_record record;
    struct tag_place place;
    enum error_code code =
        find_place(registry, release->repository, release->tag, release->arena, &place, err);

    if (code) {
        return code;
    }
    code =
        metadata_find_scm_source(registry->config.metadata, &place, release->arena, &record, err);
    if (code == ERROR_NOT_FOUND) {
        return ERROR_INVALID; /* with the message and topic that it has */
    }
    return code ? code
                : metadata_mark_production_ready(registry->config.metadata, &place, &mark, err);
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

static bool is_hexadecimal(struct str text)
{
    bool is_plain = text.length > 0 && text.length <= HEXADECIMAL_MAX;

    for (size_t i = 0; i < text.length && is_plain; i++) {
        is_plain = str_index_of(str_from("0123456789abcdef"), text.bytes[i]) < 16;
    }
    return is_plain;
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
