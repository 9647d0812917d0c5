#include <inttypes.h>

#include "base/nearest.h"
#include "cli/api_client.h"

struct search {
    struct cli *cli;
    struct str team;
    struct nearest nearest;
    bool is_there;
};

enum error_code api_list_newest(struct cli *cli, const char *const *parts, uint64_t limit,
                                const struct api_visitor *visitor, struct error *err)
{
    const char *const path = api_path(cli, "/teams/%s/artifacts/%s/tags", parts);

    return api_list(cli, arena_format(&cli->arena, "%s?newest=%" PRIu64, path, limit), visitor,
                    err);
}

static enum error_code offer(void *context, const struct json_value *element, struct error *err)
{
    struct search *const search = context;
    const struct str name = json_value_string(element);

    (void)err;
    search->is_there = search->is_there || str_equal(name, search->team);
    nearest_offer(&search->nearest, arena_copy(&search->cli->arena, name));
    return OK;
}

static enum error_code search_team(struct search *search, struct error *err)
{
    const struct api_visitor visitor = {search, offer};

    nearest_init(&search->nearest, search->team);
    return api_list(search->cli, "/teams", &visitor, err);
}

static enum error_code say_unknown(const struct search *search, struct error *err)
{
    char hint[NEAREST_HINT_BYTES];

    nearest_hint(&search->nearest, hint);
    return error_set(err, ERROR_NOT_FOUND, "the team \"%.*s\" has no artifacts%s",
                     STR_FORMAT(str_slice(search->team, 0, 64)), hint);
}

/* A team is there as soon as it has an artifact. */
enum error_code api_unknown_team(struct cli *cli, const char *team, struct error *err)
{
    struct search search = {.cli = cli, .team = str_from(team)};
    const enum error_code code = search_team(&search, err);

    return code ? code : say_unknown(&search, err);
}

enum error_code api_explain(struct cli *cli, const char *team, enum error_code code,
                            struct error *err)
{
    struct search search = {.cli = cli, .team = str_from(team)};

    if (code != ERROR_NOT_FOUND || search_team(&search, NULL) || search.is_there) {
        return code;
    }
    return say_unknown(&search, err);
}
